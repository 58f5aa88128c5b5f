"""Gates: one order, total and the same as the penalty's; records of this version and of earlier ones are read."""

from __future__ import annotations

import dataclasses
import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from movlr_jax import tasks
from movlr_jax.tasks import gates, metrics
from movlr_jax.tasks.gates import Gates

RUN = Path(__file__).parents[1] / "data" / "run-of-0.1"
WALKED = Gates(diverged=False, fell=0.0, moved=True, looks=True, did=True)
shares = st.one_of(st.sampled_from([0.0, 1e-9, 1e-6, 0.1 + 0.2, 0.3, 1 / 3, 0.5, 1.0]), st.floats(0.0, 1.0))
passable = st.sampled_from([None, False, True])


def motion(diverged: bool, share: float, late: bool, moved: bool | None, looks: bool | None, did: bool | None) -> Gates:
    return Gates(diverged, 0.0 if late else share, moved, looks, did, share if late else 0.0)


motions = st.builds(motion, st.booleans(), shares, st.booleans(), passable, passable, passable)


def seeds(*episodes: tuple[float, float], asked: float = 3.0) -> list[dict[str, Any]]:
    """Return records of (seconds lived, share of the sentence reached): an episode that did not live as long as it was to fell."""
    return [
        {"seed": k, "seconds": s, "fell": s < asked, "diverged": False, "goal_reached": reached} for k, (s, reached) in enumerate(episodes)
    ]


@given(motions, motions)
@example(Gates(False, 1e-6, True), Gates(False, 0.0, False, False))  # the smallest share that fell is worse than standing still
@example(Gates(True, 0.0), Gates(False, 1.0, False, False))
@example(Gates(False, 0.0, did=False), Gates(False, 0.0, did=True, late=1.0))  # who never did it is behind whoever fell late
@example(Gates(False, 0.0, moved=False), Gates(False, 0.0, moved=False, late=1e-6))
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
        dataclasses.replace(WALKED, late=0.2),
        dataclasses.replace(WALKED, late=0.25, looks=False),
        dataclasses.replace(WALKED, did=False),
        dataclasses.replace(WALKED, did=False, late=0.2),
        dataclasses.replace(WALKED, moved=False, looks=True),
        dataclasses.replace(WALKED, fell=0.25),
        Gates(False, 1.0),
        Gates(True, 0.0),
        Gates(True, 0.5),
    ]
    for better, worse in itertools.combinations(order, 2):
        assert gates.rank(better) > gates.rank(worse) and better.penalty < worse.penalty
    decided = ["looks", "late", "did", "late", "moved", "fell", "fell", "diverged", "fell"]
    order[3:4] = []  # of one that fell late it is not asked what it looks like
    assert [gates.decides(a, b) for a, b in itertools.pairwise(order)] == decided
    # A body that fell is not also blamed for not getting far, and one that has a gate is not behind one without.
    assert gates.rank(Gates(False, 0.5, False, False)) == gates.rank(Gates(False, 0.5, True)) == gates.rank(Gates(False, 0.5))
    assert gates.rank(WALKED) == gates.rank(Gates(False, 0.0))
    assert Gates(True, 0.5).words() == ["a diverged simulation", "falls"]


@given(motions)
def test_amounts_and_records_are_read_back(motion: Gates) -> None:
    rounded = dataclasses.replace(motion, fell=round(motion.fell, 6), late=round(motion.late, 6))
    assert gates.of_amounts(motion.amounts()) == rounded
    assert gates.of_amounts(json.loads(json.dumps(motion.amounts()))) == rounded
    late = motion.late > 1e-6
    four = dataclasses.replace(motion, fell=0.75 if motion.fell > 1e-6 and not late else 0.0, late=0.25 if late else 0.0)
    record = {"gates": four.document(), "falls": round(4 * (four.fell + four.late)), "episodes": [{}] * 4}
    assert gates.read(json.loads(json.dumps(record))) == four


@given(motions)
def test_a_document_is_read_as_far_as_it_says(motion: Gates) -> None:
    told = gates.of_document(motion.document())
    assert told.document() == motion.document() and {told.fell, told.late} <= {0.0, 1.0}
    assert (told.moved, told.did, told.looks) == (motion.moved, motion.did, motion.looks)


@given(motions)
def test_a_document_says_which_gates_failed(motion: Gates) -> None:
    failed = gates.failed(motion.document())
    assert failed == [name for name in gates.FAULTS if motion.amounts().get(name)] and bool(failed) != motion.passed
    assert {gates.FAULTS[name] for name in failed} >= set(motion.words())


def test_every_gate_has_words_and_its_place() -> None:
    names = {field.name for field in dataclasses.fields(Gates)}
    assert names == set(gates.FAULTS) and list(gates.FAULTS) == list(WALKED.faults()) == list(WALKED.amounts())
    assert set(dataclasses.replace(WALKED, late=0.2).document()) == names
    worst = Gates(True, 1.0, False, False, False)
    assert set(worst.penalties()) == names and WALKED.penalty < worst.penalty


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
    summary = metrics.summarize([{"seed": seed, "fell": False, "dropped": not seed, "diverged": False} for seed in (0, 1)])
    assert summary["falls"] == 1 and hand.gates(summary) == Gates(False, 0.5)


RIGHT, WRONG = seeds((3.0, 1.0), (3.0, 0.95), (2.7, 0.9)), seeds((3.0, 0.0), (3.0, 0.1), (3.0, 0.0))


def test_a_late_fall_in_one_of_three_seeds_is_better_than_never_doing_it() -> None:
    right, wrong = gates.of_episodes(RIGHT), gates.of_episodes(WRONG)
    assert right == Gates(False, 0.0, did=True, late=pytest.approx(1 / 3)) and wrong == Gates(False, 0.0, did=False)
    assert gates.rank(right) > gates.rank(wrong) and right.penalty < wrong.penalty and gates.decides(right, wrong) == "did"
    assert right.words() == ["falls near the end"] and gates.failed(right.document()) == ["late"] and right.document()["fell"]
    whole = gates.of_episodes(seeds((3.0, 1.0), (3.0, 0.95), (3.0, 0.9)))
    assert whole.passed and gates.rank(whole) > gates.rank(right)


@pytest.mark.parametrize(
    "episodes",
    [
        seeds((3.0, 1.0), (3.0, 1.0), (1.0, 0.9)),  # early
        seeds((3.0, 1.0), (2.7, 1.0), (2.7, 0.9)),  # in most
        seeds((2.9, 1.0)),  # in the only one
        seeds((3.0, 1.0), (2.9, 1.0)),
        seeds((3.0, 1.0), (3.0, 1.0), (3.0, 1.0), (3.0, 1.0), (3.0, 1.0), (2.9, 1.0), (1.0, 1.0)),  # one of two was early
    ],
)
def test_early_falls_and_many_stay_gravest(episodes: list[dict[str, Any]]) -> None:
    judged, wrong = gates.of_episodes(episodes), gates.of_episodes(WRONG)
    assert judged.fell > 0 == judged.late and gates.rank(judged) < gates.rank(wrong) and gates.decides(judged, wrong) == "fell"


@pytest.mark.parametrize(("lived", "late"), [(gates.LATE * 3.0, True), (gates.LATE * 3.0 - 0.02, False)])
def test_how_late_is_late(lived: float, late: bool) -> None:
    assert gates.few_and_late(seeds((3.0, 1.0), (3.0, 1.0), (lived, 1.0))) is late


def test_progress_is_the_mean_over_the_seeds() -> None:
    assert gates.of_episodes(seeds((3.0, 1.0), (3.0, 0.8), (3.0, 0.0))).did is True
    assert gates.of_episodes(seeds((3.0, 0.5), (3.0, 0.6), (3.0, 0.5))).did is False
    assert gates.of_episodes([{"fell": False, "goal_reached": None}]).did is None  # nothing measures the sentence
    # A record of an earlier version, which says nothing of lateness or of the sentence, is judged by its episodes.
    record = {"gates": {"fell": True, "diverged": False}, "falls": 1, "episodes": RIGHT}
    assert gates.read(record) == gates.of_episodes(RIGHT)


def test_a_task_judges_its_episodes() -> None:
    walk = tasks.get("walk_flat").configured(seconds=10.0, goal_speed=0.8)
    one = {"diverged": False, "seconds": 10.0, "fell": False, "distance_m": 7.0}
    walked, stood = [one, one, {**one, "seconds": 9.0, "fell": True}], [{**one, "distance_m": 0.1}] * 3
    places = [gates.rank(walk.gates(metrics.summarize(episodes))) for episodes in (walked, stood)]
    assert places[0] > places[1]
    assert tasks.get("free").with_sentence("raise the left knee").gates(metrics.summarize(WRONG)) == gates.of_episodes(WRONG)
