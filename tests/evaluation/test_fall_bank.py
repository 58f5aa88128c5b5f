"""A fall bank: what is taken from an episode, whose half it is, the file, and whom it refuses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support import fall_banks

from movlr_jax import atomic, tasks
from movlr_jax.control.episode import Rollout
from movlr_jax.control.planners import MPPI
from movlr_jax.errors import BadFile, MovlrError
from movlr_jax.evaluation.fall_bank import FallBank, split_of
from movlr_jax.evaluation.fall_collection import FIRST_SEED, SCHEDULE, Collector, branches, harvested, provocation_of, pushes_of
from movlr_jax.physics.push import Push


@pytest.fixture(scope="module")
def bank(simulator8):
    return fall_banks.bank(simulator8)


def test_a_bank_is_read_as_it_was_written_and_its_bytes_depend_on_the_contents_alone(bank, tmp_path):
    bank.save(tmp_path / "a.npz")
    read = FallBank.load(tmp_path / "a.npz")
    read.save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert (read.body, read.reward, read.dynamics) == (bank.body, bank.reward, bank.dynamics)
    for one, other in zip(bank.states, read.states, strict=True):
        assert (one.key, one.kind, one.ahead, one.snapshot.frame) == (other.key, other.kind, other.ahead, other.snapshot.frame)
        for name, value in vars(one.snapshot.state).items():
            assert np.array_equal(value, getattr(other.snapshot.state, name)) if value is not None else True, name
        assert other.snapshot.state.qpos.dtype == np.float64 and np.array_equal(one.snapshot.plan.mean, other.snapshot.plan.mean)


def test_an_episode_belongs_to_one_half_by_its_seed(bank):
    assert [split_of(seed) for seed in (1002, 1003)] == ["train", "test"]
    assert [state.snapshot.seed for state in bank.of(split="train").states] == [4]
    assert [state.kind for state in bank.of(split="test", kind="fall").states] == ["fall", "fall"]
    assert [state.provoked for state in bank.kept(1).states] == ["natural", "push", "push"]  # of each half, of each kind
    assert bank.states[0].key == "walk_flat push 3 at 2.00 s"


def test_a_body_on_which_the_states_would_mean_something_else_is_refused(bank, myolegs):
    bank.require(myolegs, "walk_flat")
    with pytest.raises(MovlrError, match=r"holds states of other, and not of myolegs: name the bank of that body"):
        replace(bank, body="other").require(myolegs, "walk_flat")
    slope = tasks.get("walk_slope").load("myolegs")
    for body, task in ((slope, "walk_flat"), (myolegs, "walk_slope")):
        with pytest.raises(MovlrError, match=r"is not what this fall bank was made with \(its masses, joints, muscles or ground changed\)"):
            bank.require(body, task)


def test_states_of_another_size_than_the_body_are_refused(bank, myolegs, tmp_path):
    atomic.write_npz(tmp_path / "a.npz", bank.arrays() | {"qvel": np.zeros((4, 7))})
    with pytest.raises(BadFile, match=r"walk_flat push 3 at 2.00 s of this fall bank has not the size of myolegs"):
        FallBank.load(tmp_path / "a.npz").require(myolegs, "walk_flat")


def test_banks_of_one_body_are_joined_and_of_two_refused(bank):
    assert len(FallBank.joined([bank, bank]).states) == 8
    for other in (replace(bank, body="other"), replace(bank, dynamics={"walk_flat": "0"})):
        with pytest.raises(MovlrError, match="collect those of each in"):
            FallBank.joined([bank, other])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"version": np.array(2)}, "its version is 2, and this program reads up to 1"),
        ({"version": np.array("1")}, "it has no version"),
        ({"qpos": None}, "qpos is missing"),
        ({"qpos": np.zeros((3, 35))}, r"qpos has the shape \(3, 35\)"),
        ({"qvel": np.full((4, 34), np.nan)}, "qvel has values that are no numbers"),
        ({"goal": np.zeros((4, 5))}, "its frames are damaged"),
        ({"task": np.array(["move"] * 4)}, "a task or kind is not known"),
        ({"body": np.array(1)}, "its heading is damaged"),
    ],
)
def test_a_damaged_bank_is_refused_in_one_sentence(bank, tmp_path, change, sentence):
    atomic.write_npz(tmp_path / "a.npz", {k: v for k, v in {**bank.arrays(), **change}.items() if v is not None})
    with pytest.raises(BadFile, match=rf"a.npz is no fall bank \({sentence}"):
        FallBank.load(tmp_path / "a.npz")


def walked(seconds, ended):
    rows = np.arange(0.0, seconds, 0.02)
    wide, long = np.zeros((len(rows), 1)), np.zeros(len(rows))
    arrays = {"qpos": wide, "qvel": wide, "act": wide, "instants": wide, "terms": wide, "targets": wide, "costs": long, "diverged": long}
    return Rollout(3, 10.0, 0.02, ended, time=rows, term_names=("a",), weights=np.ones(1), goal_speed=1.0, **arrays)


def test_states_are_taken_before_a_fall_but_after_its_push_and_harmless_ones_far_from_any(simulator8):
    snapshots = [fall_banks.snapshot(simulator8, time) for time in np.arange(0.0, 6.0, 0.1)]
    fell = walked(6.0, "fell")
    taken = harvested(fell, snapshots, (Push(1.0, 0.2, (1.0, 0.0)), Push(4.0, 0.15, (1.0, 0.0)), Push(7.0, 0.1, (1.0, 0.0))))
    ahead = {kind: [value for k, _, value in taken if k == kind] for kind in ("fall", "harmless")}
    assert len(ahead["fall"]) == 2 and all(0.6 <= value <= 1.5 for value in ahead["fall"])
    assert abs(ahead["fall"][0] - ahead["fall"][1]) >= 0.3
    assert len(ahead["harmless"]) == 2 and all(2.0 <= value <= 4.99 for value in ahead["harmless"])
    assert all(value == pytest.approx(5.98 - one.time) for _, one, value in taken)
    late = harvested(fell, snapshots, (Push(4.8, 0.15, (1.0, 0.0)),))
    assert all(0.6 <= value <= 1.03 for kind, _, value in late if kind == "fall")  # 5.98 - 4.95
    # A fall that comes at once after its push leaves no state, and a walk that went well no fall.
    assert {kind for kind, _, _ in harvested(fell, snapshots, (Push(5.4, 0.1, (1.0, 0.0)),))} == {"harmless"}
    assert {kind for kind, _, _ in harvested(walked(6.0, "time"), snapshots, ())} == {"harmless"}
    assert not harvested(walked(6.0, "diverged"), snapshots, ())


def test_two_seeds_in_a_row_are_provoked_alike_and_pushes_grow(myolegs):
    assert [provocation_of(FIRST_SEED + i) for i in range(4)] == [SCHEDULE[0]] * 2 + [SCHEDULE[1]] * 2
    assert {how.name for how in SCHEDULE} >= {"natural", "push", "speed", "candidates", "slope", "stairs"}
    pushes = pushes_of(7, myolegs)
    impulses = [np.hypot(*push.force) * push.seconds for push in pushes]
    assert (np.diff(impulses) > 0).all() and pushes == pushes_of(7, myolegs) != pushes_of(8, myolegs)


def test_a_walk_and_its_branches_are_kept_with_their_records_and_not_run_again(tmp_path):
    planner, seen = MPPI(horizon=0.16, replan=0.1), []
    collector = Collector(tmp_path, "myolegs", "stride", 0.9, planner, 1, branches=1)
    collector.collect(1, 1, seen.append)
    *branched, record = seen
    place = tmp_path / f"walk_flat-{SCHEDULE[0].name}-{FIRST_SEED}"
    assert record == atomic.read_json(place / "episode.json") and record["split"] == "train" and record["candidates"] == 24
    rollout = Rollout.load(place / "rollout.npz")
    assert record["fell"] and record["fall_time_s"] == rollout.time[-1] and len(record["reward_sha256"]) == 64
    assert (place / "states.npz").exists() == bool(record["states_s"])
    # Branches are of the walk's own half, and go on from it with a push of their own.
    assert [branch["seed"] - FIRST_SEED for branch in branched] == [10_000]
    assert all(branch["split"] == "train" and branch["pushes"][0]["start"] == branch["start_time_s"] > 0.9 for branch in branched)
    collector.collect(1, 1, seen.append)
    assert len(seen) == 1 + len(branched)


def test_walks_branch_off_where_the_body_still_walked(simulator8):
    snapshots = [fall_banks.snapshot(simulator8, time) for time in np.arange(0.0, 6.0, 0.1)]
    pushes = (Push(1.5, 0.2, (30.0, 40.0)), Push(4.0, 0.1, (200.0, 0.0)), Push(7.0, 0.1, (1.0, 0.0)))
    made = branches(walked(6.0, "fell"), snapshots, pushes, 4)
    assert [seed for seed, _, _ in made] == [10_003, 20_003, 30_003, 40_003]
    for _, one, push in made:
        assert 1.0 <= one.time <= 4.01 and not 1.5 < one.time < 1.7 and push.start == one.time
        assert 16.0 <= np.hypot(*push.force) * push.seconds <= 26.0
    assert not branches(walked(6.0, "time"), snapshots, pushes, 4) and not branches(walked(6.0, "fell"), snapshots, (), 4)
