"""The schema of a judgement survives JSON and refuses what is not a judgement."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from movlr_jax.critics.critique import FAULTS, STAGES, Critique, Fault, Preference, Suggestion


def critique() -> Critique:
    return Critique(
        success=False,
        summary="Falls.",
        faults=(Fault(kind="fall_forward", what="It falls.", body_part="trunk", phase="fall", severity=0.9, stage="stability"),),
        suggestions=(Suggestion(action="add", term="balance", weight=100.0, words="Stay over the feet.", addresses="fall_forward"),),
    )


def test_round_trip():
    once = critique()
    assert Critique.model_validate_json(once.model_dump_json()) == once
    assert Preference.model_validate_json(Preference(winner="a", reason="x").model_dump_json()).winner == "a"


def test_a_model_may_leave_out_what_has_a_default_and_add_what_is_unknown():
    read = Critique.model_validate_json(
        '{"success": true, "summary": "ok", "mood": "good", "faults": [{"kind": "new_kind", "what": "w", "body_part": "toe", '
        '"severity": 0.1, "stage": "coordination"}], "suggestions": [{"action": "add", "words": "more"}]}'
    )
    assert read.faults[0].phase == "throughout"
    assert read.suggestions[0].term is None
    assert read.worst() == read.faults[0]
    assert Critique(success=True, summary="").worst() is None


@pytest.mark.parametrize("change", [{"severity": 1.5}, {"severity": -0.1}, {"stage": "beauty"}, {"phase": "teatime"}, {"kind": None}])
def test_what_is_no_fault_is_refused(change):
    raw = critique().faults[0].model_dump() | change
    with pytest.raises(ValidationError):
        Fault.model_validate(raw)


def test_unknown_actions_are_refused():
    with pytest.raises(ValidationError):
        Suggestion(action="rewrite", words="everything")  # type: ignore[arg-type]


def test_swapping_a_preference():
    assert Preference(winner="a", reason="r").swapped().winner == "b"
    assert Preference(winner="tie", reason="r").swapped().winner == "tie"


def test_fault_kinds_belong_to_stages():
    assert {stage for stage, _ in FAULTS.values()} == set(STAGES)
