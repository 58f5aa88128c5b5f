"""Asking for a form: what is complained of, how often, and what the model is shown again."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, Field
from support.scripted import ScriptedModel

from movlr_jax.llm.base import Answer, ModelFault, ModelRequest, Text
from movlr_jax.llm.structured import ask_for


class Verdict(BaseModel):
    severity: float = Field(ge=0, le=1)


ASK = ModelRequest("critique", "critique@1", "Judge.", (Text("x"),))
GOOD = '{"severity": 0.5}'


@pytest.mark.parametrize(
    "text", [GOOD, f"\n {GOOD} ", f"```json\n{GOOD}\n```", f"Here it is:\n```\n{GOOD}\n```\nBye.", f"<think>{{}}</think>\n{GOOD}"]
)
def test_a_good_answer_is_taken_at_once(text):
    model = ScriptedModel([text])
    parsed, records = ask_for(model, ASK, Verdict)
    assert parsed.severity == 0.5 and len(records) == 1 and model.asks[0].schema is Verdict


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        ("", "empty"),
        ("It looks fine to me.", "not JSON"),
        ('{"severity": 0.', "not JSON"),
        ('{"severity": 7}', "severity: Input should be less than or equal to 1"),
        ('{"weight": 7}', "severity: Field required"),
        ("[0.5]", "the whole"),
        ("[" * 100_000, "not JSON"),
        (f"```json\n{GOOD}\n```\nor\n```json\n{GOOD}\n```", "not JSON"),
        ('{"severity": NaN}', "severity"),
    ],
)
def test_a_bad_answer_is_complained_of_and_asked_for_again(bad, complaint):
    model = ScriptedModel([bad, GOOD])
    parsed, records = ask_for(model, ASK, Verdict)
    assert parsed.severity == 0.5 and len(records) == 2
    ((shown, said),) = model.asks[1].exchange
    assert shown == bad and complaint in said


def test_an_answer_that_was_cut_off_is_asked_for_in_fewer_words():
    class Cut(ScriptedModel):
        def ask(self, ask: ModelRequest) -> Answer:
            return Answer(super().ask(ask).text, complete=len(self.asks) > 1)

    for half in ('{"severity": 0.', ""):
        model = Cut([half, GOOD])
        assert ask_for(model, ASK, Verdict)[0].severity == 0.5
        assert "fewer words" in model.asks[1].exchange[0][1]


def test_three_bad_answers_are_a_fault():
    model = ScriptedModel(lambda ask: "no")
    with pytest.raises(ModelFault, match="no usable answer to 'critique' in 3 attempts") as caught:
        ask_for(model, ASK, Verdict)
    assert caught.value.kind == "unusable" and [len(ask.exchange) for ask in model.asks] == [0, 1, 2]
