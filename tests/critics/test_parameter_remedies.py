"""Parameters as remedies: which constant is moved, which way and how far, and that the offline pair does it."""

from __future__ import annotations

import pytest
from support.critic_records import walk

from movlr_jax.critics import parameter_remedies
from movlr_jax.critics.critique import FAULTS
from movlr_jax.critics.offline import OfflineCritic
from movlr_jax.facts import Constant, Facts
from movlr_jax.rewards import library
from movlr_jax.rewards.library import LIBRARY
from movlr_jax.rewards.program import literal_parameters, literal_weights
from movlr_jax.writers import proposals
from movlr_jax.writers.base import WriteRequest
from movlr_jax.writers.offline_writer import OfflineWriter
from movlr_jax.writers.random_writer import RandomWriter

SOURCE = library.text([LIBRARY[name] for name in ("forward_speed", "head_height", "swing_clock", "swing_clearance", "swing_reach")])
GOAL = "Walk forward in a straight line with an upright posture."


def declared(source=SOURCE, **values):
    return {n: Constant(value=values.get(n, p.value), lowest=p.lowest, highest=p.highest) for n, p in literal_parameters(source).items()}


def seen(source=SOURCE, **changes):
    """Return the facts of a sound walk under a program, with its critique."""
    record = walk(**changes) | {"terms": {n: {"weight": w, "mean": -0.1, "std": 0.1} for n, w in literal_weights(source).items()}}
    facts = Facts.read(record | {"parameters": {n: c.to_json() for n, c in declared(source).items()}})
    return facts, OfflineCritic().critique(None, facts)


def request(source=SOURCE, history=(), **changes):
    facts, critique = seen(source, **changes)
    return WriteRequest(GOAL, "", source, literal_weights(source), critique, facts=facts, history=history)


def test_every_parameter_of_the_library_is_known_for_what_it_is():
    roles = {name: parameter_remedies.role(name) for term in LIBRARY.values() for name in term.parameters}
    assert roles == {
        "stride_period": "period",
        "stance_share": "stance",
        "toe_clearance": "clearance",
        "step_reach": "reach",
        "landing_margin": "margin",
        "landing_width": "width",
    }
    others = {"period": "period", "swing_knee_angle": "flexion", "stance_width": "width", "foot_lift": "clearance", "mystery": ""}
    assert {name: parameter_remedies.role(name) for name in others} == others


def test_the_table_speaks_of_known_faults_and_has_words_for_every_move():
    assert set(parameter_remedies.MOVES) <= set(FAULTS)
    moves = {move for moves in parameter_remedies.MOVES.values() for move in moves}
    assert moves == set(parameter_remedies._WORDS) and {role for role, _ in moves} == set(parameter_remedies.ROLES)


@pytest.mark.parametrize(
    ("fault", "name", "more"),
    [
        ({"gait__cadence_spm": 180.0}, "stride_period", True),
        ({"gait__toe_drag_share": 0.4}, "toe_clearance", True),
        ({"gait__mean_step_length_m": 0.05}, "step_reach", True),
        ({"gait__stance_share": 0.4}, "stance_share", True),
        ({"metrics__distance_m": 7.5}, "step_reach", False),
    ],
)
def test_a_fault_moves_its_parameter_the_right_way(fault, name, more):
    before = literal_parameters(SOURCE)[name]
    moved = next(s for s in seen(**fault)[1].suggestions if s.action == "set" and s.term == name)
    assert (moved.weight > before.value) == more and before.lowest <= moved.weight <= before.highest
    assert abs(moved.weight - before.value) == pytest.approx(parameter_remedies.STEP * (before.highest - before.lowest), abs=1e-3)
    assert f"Set {name} from {before.value:g} to {moved.weight:g}" in moved.words


def test_no_parameter_leaves_its_range():
    full = declared(stride_period=1.5, toe_clearance=0.119)
    assert not [move for move in parameter_remedies.moves("quick_steps", full) if move.name == "stride_period"]
    (move,) = parameter_remedies.moves("toe_drag", full)
    assert move.value == 0.12
    assert not list(parameter_remedies.moves("toe_drag", {"toe_clearance": Constant(value=0.05)}))  # no range is known


def test_the_offline_writer_sets_a_parameter_and_learns_that_it_did_not_help():
    ask = request(gait__cadence_spm=190.0)
    drafts = [OfflineWriter().write(WriteRequest(**{**vars(ask), "candidate": k, "candidates": 4})) for k in range(4)]
    (draft,) = [draft for draft in drafts if draft.edit.startswith("set stride_period 1.15 -> 1.3")]
    assert literal_weights(draft.source) == literal_weights(SOURCE) and literal_parameters(draft.source)["stride_period"].value == 1.3
    assert draft.source.replace("1.3,", "1.15,") == SOURCE  # a number, and nothing else
    change = proposals.change_of(next(s for s in ask.critique.suggestions if s.action == "set"), ask, {})
    assert change is not None and change.line() == "set stride_period 1.15 -> 1.3"


def test_random_edits_move_parameters_within_their_ranges_too():
    lines = {change.line() for change in proposals.every_change(request(), proposals.admitted(request()))}
    assert {"set stride_period 1.15 -> 1.0", "set stride_period 1.15 -> 1.3", "set toe_clearance 0.05 -> 0.025"} <= lines
    edits = [RandomWriter().write(WriteRequest(**{**vars(request()), "seed": seed})).edit for seed in range(60)]
    assert any(edit.startswith("set ") or ", set " in edit for edit in edits)


def test_a_program_without_parameters_is_judged_as_ever():
    plain = library.text([LIBRARY["forward_speed"], LIBRARY["head_height"]])
    assert not [s for s in seen(plain, gait__cadence_spm=190.0)[1].suggestions if s.action == "set"]
