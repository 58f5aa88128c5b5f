"""Gates: one order, total and the same as the penalty's; records of this version and of earlier ones are read."""

from __future__ import annotations

import dataclasses
import itertools
import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from movlr_jax import tasks
from movlr_jax.tasks import gates, metrics
from movlr_jax.tasks.gates import Gates

RUN = Path(__file__).parents[1] / "data" / "run-of-0.1"
WALKED = Gates(diverged=False, fell=0.0, moved=True, looks=True)
shares = st.one_of(st.sampled_from([0.0, 1e-9, 1e-6, 0.1 + 0.2, 0.3, 1 / 3, 0.5, 1.0]), st.floats(0.0, 1.0))
motions = st.builds(Gates, st.booleans(), shares, st.sampled_from([None, False, True]), st.sampled_from([None, False, True]))


@given(motions, motions)
@example(Gates(False, 1e-6, True), Gates(False, 0.0, False, False))  # the smallest share that fell is worse than standing still
@example(Gates(True, 0.0), Gates(False, 1.0, False, False))
def test_the_penalty_is_in_the_order_of_the_ranks(a: Gates, b: Gates) -> None:
    ranks = gates.rank(a), gates.rank(b)
    assert (a.penalty < b.penalty) == (ranks[0] > ranks[1]) and (a.penalty == b.penalty) == (ranks[0] == ranks[1])
    assert bool(gates.decides(a, b)) == (ranks[0] != ranks[1]) and gates.decides(a, b) == gates.decides(b, a)
    assert (a.penalty == 0.0) == a.passed == (a.words() == []) and sum(a.penalties().values()) == a.penalty
    assert gates.rank(a) <= gates.rank(WALKED)


@given(motions, motions, motions)
def test_the_order_is_total_and_transitive(a: Gates, b: Gates, c: Gates) -> None:
    x, y, z = map(gates.rank, (a, b, c))
    assert x <= y or y <= x
    assert not (x <= y <= z) or x <= z
    assert not (x <= y and y <= x) or x == y


def test_the_graver_gate_decides() -> None:
    order = [
        WALKED,
        dataclasses.replace(WALKED, looks=False),
        dataclasses.replace(WALKED, moved=False, looks=True),
        dataclasses.replace(WALKED, fell=0.25),
        Gates(False, 1.0),
        Gates(True, 0.0),
        Gates(True, 0.5),
    ]
    for better, worse in itertools.combinations(order, 2):
        assert gates.rank(better) > gates.rank(worse) and better.penalty < worse.penalty
    assert [gates.decides(a, b) for a, b in itertools.pairwise(order[:6])] == ["looks", "moved", "fell", "fell", "diverged"]
    # A body that fell is not also blamed for not getting far, and one that has a gate is not behind one without.
    assert gates.rank(Gates(False, 0.5, False, False)) == gates.rank(Gates(False, 0.5, True)) == gates.rank(Gates(False, 0.5))
    assert gates.rank(WALKED) == gates.rank(Gates(False, 0.0))
    assert Gates(True, 0.5).words() == ["a diverged simulation", "falls"]


@given(motions)
def test_amounts_and_records_are_read_back(motion: Gates) -> None:
    rounded = dataclasses.replace(motion, fell=round(motion.fell, 6))
    assert gates.of_amounts(motion.amounts()) == rounded
    assert gates.of_amounts(json.loads(json.dumps(motion.amounts()))) == rounded
    four = dataclasses.replace(motion, fell=0.75 if motion.fell else 0.0)
    record = {"gates": four.document(), "falls": round(4 * four.fell), "episodes": [{}] * 4}
    assert gates.read(json.loads(json.dumps(record))) == four


@given(motions)
def test_a_document_says_which_gates_failed(motion: Gates) -> None:
    failed = gates.failed(motion.document())
    assert failed == [name for name in gates.FAULTS if motion.amounts().get(name)] and bool(failed) != motion.passed
    assert {gates.FAULTS[name] for name in failed} >= set(motion.words())


def test_every_gate_has_words_and_its_place() -> None:
    names = [field.name for field in dataclasses.fields(Gates)]
    assert names == list(gates.FAULTS) == list(WALKED.faults()) == list(WALKED.amounts())
    assert set(WALKED.document()) == set(names)
    worst = Gates(True, 1.0, False, False)
    assert set(worst.penalties()) == set(names) and WALKED.penalty < worst.penalty


def test_earlier_versions_are_read() -> None:
    record = json.loads((RUN / "iterations" / "000" / "metrics.json").read_text())
    assert gates.read(record) == Gates(diverged=False, fell=0.0, moved=False)
    assert gates.read({"gates": {"fell": True, "diverged": False}, "falls": 1, "episodes": [{}, {}]}) == Gates(False, 0.5)
    # What a tuning's journal had.
    assert gates.of_amounts({"upright": 0.5, "sound": 0.0, "moved": 1.0}) == Gates(False, 0.5, moved=False)
    assert gates.of_amounts({"upright": 0.0, "sound": 0.25}) == Gates(True, 0.0)


@pytest.mark.parametrize("moved", [None, True, False])
def test_a_document_says_what_it_always_said(moved: bool | None) -> None:
    said = {"fell": True, "diverged": False} | ({} if moved is None else {"moved": moved})
    assert Gates(False, 0.5, moved).document() == said and list(Gates(False, 0.5, moved).document()) == list(said)


def test_a_drop_is_a_fall() -> None:
    assert gates.fell({"fell": True}) and gates.fell({"fell": False, "dropped": True}) and not gates.fell({"fell": False, "diverged": True})
    assert gates.ended_early({"fell": False, "diverged": True}) and not gates.ended_early({"fell": False, "dropped": False})
    hand = tasks.get("cube_rotate")
    assert hand.gates({"fell": 0.0, "dropped": 0.5, "diverged": 0.0}) == Gates(False, 0.5)
    assert metrics.summarize([{"seed": 0, "fell": False, "dropped": True}, {"seed": 1, "fell": False, "dropped": False}])["falls"] == 1
