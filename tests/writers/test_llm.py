"""The writer that is a language model: what it is told, and what becomes of its answers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.iteration_records import attempt

from movlr_jax.critics.attachments import Show
from movlr_jax.critics.critique import Critique, Fault, Suggestion
from movlr_jax.errors import MovlrError
from movlr_jax.facts import Facts
from movlr_jax.llm.base import Answer, ModelFault
from movlr_jax.prompts import prompt
from movlr_jax.writers.base import WriteRequest
from movlr_jax.writers.llm import LlmWriter

BEST = 'WEIGHTS = {"head_height": 100.0}\n\n\ndef terms(m):\n    return {"head_height": m.head.height}\n'
NEXT = BEST.replace("100.0}", '100.0, "speed": 5.0}').replace("height}", 'height, "speed": m.com.velocity_forward}')
ANSWER = f"EDIT: add speed 5\nWHY: It stands still.\n```python\n{NEXT}```\n"
CRITIQUE = Critique(
    success=False,
    summary="It stands still.",
    faults=(Fault(kind="not_moving", what="It does not move.", body_part="whole body", severity=0.9, stage="progress"),),
    suggestions=(Suggestion(action="add", term="speed", weight=5.0, words="Reward forward speed.", addresses="not_moving"),),
)
REQUEST = WriteRequest(
    goal="Walk, and pay $5.",
    vocabulary="m.head: The head.",
    best_source=BEST,
    best_weights={"head_height": 100.0},
    critique=CRITIQUE,
    history=(
        attempt(True, outcome="score 0.50"),
        attempt(edit="add hop 3", iteration=1, outcome="score 1.00, 1 of 1 fell at 0.40 s", warnings=["It ranks low."]),
        attempt(iteration=2, outcome="refused: Line 3: while is not allowed", refused=True),
    ),
    facts=Facts.read(
        {
            "goal_speed_mps": 0.8,
            "seconds": 4.0,
            "metrics": {"distance_m": 0.25},
            "episodes": [],
            "gait": {"steps": 7},
            "terms": {"head_height": {"weight": 100.0, "mean": 1.5, "std": 0.1, "min": 1.0, "max": 1.6, "share_of_spread": 1.0}},
        }
    ),
    seed=2**62,
)


def test_the_request_holds_all_that_is_known(scripted):
    model = scripted(ANSWER)
    draft = LlmWriter(model).write(REQUEST)
    assert (draft.source, draft.edit, draft.rationale, draft.refusal) == (NEXT, "add speed 5", "It stands still.", "")
    (ask,), words = model.asks, model.words()
    assert ask.purpose == "write" and ask.prompt == prompt.load("write").label and ask.schema is None and ask.seed < 2**31
    for wanted in (
        "Walk, and pay $5.",
        "m.head: The head.",
        BEST,
        "head_height: weight 100, mean 1.5, std 0.1, min 1, max 1.6, share 100 %",
        "Fault 1, not_moving (progress, whole body, throughout, severity 0.9): It does not move.",
        "Suggestion 1, add speed, weight 5: Reward forward speed. (against not_moving)",
        "iteration 0: the reward of the start: score 0.50; kept as best.",
        "iteration 1: add hop 3: score 1.00, 1 of 1 fell at 0.40 s; not kept. Warning: It ranks low.",
        "iteration 2: no program: refused: Line 3: while is not allowed",
        "Not allowed: while",
        "smooth_abs(x, width=0.1)",
        "Nothing was refused so far.",
    ):
        assert wanted in words, wanted
    assert "distance" not in words and "steps 7" not in words and "<video>" not in words and "advises" not in words


def test_each_way_of_seeing_shows_that_and_no_more(scripted, small_clip):
    request = replace(REQUEST, clip=small_clip)
    told = {}
    for sees in ("critique", "metrics", "motion"):
        model = scripted(ANSWER)
        LlmWriter(model, sees).write(request)
        words = model.words()
        told[sees] = ("Fault 1" in words, "distance 0.25 m" in words, "steps 7" in words, "<video>" in words)
    assert told == {"critique": (True, False, False, False), "metrics": (False, True, False, False), "motion": (False, True, True, True)}
    model = scripted(ANSWER)
    LlmWriter(model, "motion", Show(clip="frames", frames=2, facts=False)).write(request)
    assert model.words().count("<image>") == 2 and "steps 7" not in model.words()
    with pytest.raises(MovlrError, match="no clip"):
        LlmWriter(model, "motion").write(REQUEST)


def test_candidates_differ_on_purpose(scripted):
    model = scripted(ANSWER)
    for k in range(3):
        LlmWriter(model).write(replace(REQUEST, candidate=k, candidates=3, seed=k, siblings=(NEXT,) if k else ()))
    first, second, third = (model.words(k) for k in range(3))
    assert [a.temperature for a in model.asks] == [0.0, 0.9, 0.9] and len({a.seed for a in model.asks}) == 3
    assert "another idea" not in first.lower() and "program 2 of 3" in second and "program 3 of 3" in third
    assert '+    return {"head_height": m.head.height, "speed": m.com.velocity_forward}' in second


def test_a_refusal_comes_back_with_the_refused_text(scripted):
    model = scripted(ANSWER)
    LlmWriter(model).write(replace(REQUEST, attempt=1, refusal="while is not allowed (line 3)", refused_source="while True:\n    ```\n"))
    assert "Your last answer was refused: while is not allowed (line 3)" in model.words()
    assert "````\nwhile True:\n    ```\n````" in model.words()


def test_a_persons_advice_is_told(scripted):
    model = scripted(ANSWER)
    LlmWriter(model).write(replace(REQUEST, advice="Bend the left knee."))
    assert "<advice>Bend the left knee.</advice>" in model.words()


@pytest.mark.parametrize(
    ("answer", "sentence", "kept"),
    [
        ("I would add speed.", "no block of code", "I would add speed."),
        (Answer("```python\nWEIGHTS = {", complete=False), "cut off", "```python\nWEIGHTS = {"),
        ("x" * 300_000, "300000 characters", "characters more)"),
        ("```python\nx\n```\ud800", "half a character", "?"),
        (ModelFault("The filter took it.", "blocked"), "The filter took it.", ""),
        (ModelFault("Three answers were no use.", "unusable"), "no use", ""),
    ],
)
def test_an_answer_without_a_program_is_a_refusal(scripted, answer, sentence, kept):
    draft = LlmWriter(scripted(answer)).write(REQUEST)
    assert sentence in draft.refusal and kept in draft.source and len(draft.source) < 25_000
    draft.source.encode()


def test_a_model_that_cannot_be_asked_stops_the_run(scripted):
    with pytest.raises(ModelFault, match="no answer"):
        LlmWriter(scripted(ModelFault("There is no answer after 5 tries.", "unreachable"))).write(REQUEST)


def test_an_edit_that_is_not_named_is_read_from_the_weights(scripted):
    assert LlmWriter(scripted(f"```python\n{NEXT}```")).write(REQUEST).edit == "add speed 5"
    declared = [f'PARAMETERS = {{"period": ({value}, 0.8, 1.3)}}\n' for value in (1.0, 1.1)]
    request = replace(REQUEST, best_source=declared[0] + BEST)
    assert LlmWriter(scripted(f"```python\n{declared[1]}{BEST}```")).write(request).edit == "parameter period 1.0 -> 1.1"
    assert LlmWriter(scripted(f"```python\n{declared[1]}{NEXT}```")).write(REQUEST).edit == "add speed 5, parameter period added 1.1"
