"""Episodes in parts: a beginning is what the whole begins with, and the whole goes on from a file of it to the same bits."""

from __future__ import annotations

import numpy as np
import pytest

from movlr_jax import atomic, tasks
from movlr_jax.control import parts
from movlr_jax.control.episode import EpisodeRunner, Rollout
from movlr_jax.control.planners import CMA, ICEM, MPPI
from movlr_jax.control.snapshot import Snapshot
from movlr_jax.errors import BadFile
from movlr_jax.rewards.features import feature_layout
from movlr_jax.rewards.reward import Reward

TASK = tasks.get("walk_flat").configured(seconds=0.16)
PART = 0.06


@pytest.fixture(scope="module")
def stride(myolegs):
    return Reward.trusted("stride", TASK.rewards["stride"], feature_layout(myolegs))


def same(a: Rollout, b: Rollout) -> list[str]:
    """Return the arrays of two rollouts that differ."""
    one, other = a.arrays(), b.arrays()
    return [name for name in one.keys() | other.keys() if not np.array_equal(one[name], other[name])]


@pytest.mark.parametrize(
    "planner",
    [MPPI(horizon=0.1).with_candidates(8), ICEM(horizon=0.1, danger_candidates=12, candidates=8, elites=4, keep=2), CMA(horizon=0.1)],
    ids=lambda planner: planner.name,
)
def test_a_beginning_goes_on_from_its_file_to_the_same_bits(myolegs, stride, planner, tmp_path):
    runner = EpisodeRunner.build(myolegs, TASK.settled(planner.with_candidates(8), myolegs), "native", threads=1)
    whole = TASK.episode(runner, stride, 3)
    times: list[float] = []
    ((part, after),) = TASK.begin(runner, [(stride, 3)], PART, times.append)
    assert times[-1] == pytest.approx(PART) and part.seconds == PART and part.ended == "time" and len(part.time) == 3
    assert same(part, parts.cut(whole, PART)) == []
    atomic.write_npz(tmp_path / "after.npz", after.arrays())
    arrays = atomic.read_npz(tmp_path / "after.npz")
    read = Snapshot.of_arrays(arrays, runner.planner, myolegs)
    times.clear()
    (again,) = TASK.go_on(runner, [(stride, part, read)], times.append)
    assert same(whole, again) == [] and times[-1] == pytest.approx(0.1)


def test_what_is_over_is_not_run_again_and_what_is_not_lacks_something(myolegs, stride):
    runner = EpisodeRunner.build(myolegs, MPPI(horizon=0.1).with_candidates(8), "native", threads=1)
    ((part, after),) = TASK.begin(runner, [(stride, 3)], PART)
    fallen = Rollout(**{**vars(part), "ended": "fell"})
    (whole,) = TASK.go_on(runner, [(stride, fallen, None)], lambda t: pytest.fail("it was run"))
    assert whole.seconds == TASK.seconds and len(whole.time) == 3 and whole.ended == "fell"
    assert parts.cut(whole, PART).ended == "fell" and parts.cut(whole, 0.04).ended == "time"
    assert parts.cut(part, 1.0) is part
    with pytest.raises(BadFile, match=r"lacks what continues it: delete its folder rungs/00"):
        TASK.go_on(runner, [(stride, part, None)])
    ((all_of_it, nothing),) = TASK.begin(runner, [(stride, 3)], 5.0)
    assert nothing is None and len(all_of_it.time) == 8 and all_of_it.seconds == TASK.seconds
    assert after is not None and after.time == pytest.approx(PART)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda a: a | {"state.qpos": a["state.qpos"][:, 1:]}, "state.qpos"),
        (lambda a: {k: v for k, v in a.items() if k != "plan.mean"}, "plan.mean"),
        (lambda a: a | {"state.act": a["state.act"].astype("U8")}, "state.act"),
        (lambda a: a | {"more": np.zeros(1)}, "more"),
        (lambda a: a | {"noise": np.asarray("[]")}, "noise cannot be read"),
        (lambda a: a | {"noise": np.asarray('{"bit_generator": "PCG64", "state": {"state": -1, "inc": 1}}')}, "noise cannot be read"),
    ],
)
def test_arrays_that_are_no_snapshot_are_one_sentence(myolegs, stride, spoil, said):
    planner = MPPI(horizon=0.1).with_candidates(8)
    runner = EpisodeRunner.build(myolegs, planner, "native", threads=1)
    ((_, after),) = TASK.begin(runner, [(stride, 3)], 0.02)
    with pytest.raises(BadFile, match=said):
        Snapshot.of_arrays(spoil(after.arrays()), planner, myolegs)
