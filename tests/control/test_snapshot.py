"""Episodes that go on from a snapshot: the same to the bit under the same noise; other noise, planners and pushes do what they should."""

from __future__ import annotations

import numpy as np
import pytest

from movlr_jax import tasks
from movlr_jax.control.episode import EpisodeRunner, Job, Watch
from movlr_jax.control.planners import CMA, ICEM, MPPI
from movlr_jax.control.planners.icem import KeptState
from movlr_jax.control.snapshot import with_plans
from movlr_jax.errors import MovlrError
from movlr_jax.physics.push import Push
from movlr_jax.rewards.features import feature_layout
from movlr_jax.rewards.reward import Reward

TASK = tasks.get("walk_flat")


def runner_of(body, planner):
    return EpisodeRunner.build(body, planner, "native", threads=1)


@pytest.fixture(scope="module")
def stride(myolegs):
    return Reward.trusted("stride", TASK.rewards["stride"], feature_layout(myolegs))


@pytest.fixture(scope="module")
def runner(myolegs):
    return runner_of(myolegs, MPPI(horizon=0.1).with_candidates(8))


def job(body, reward, **changed):
    start = TASK.start(body, 3)
    return Job(reward, start, TASK.frame(start, 0.9, 3), 3, **changed)


def run(runner, jobs, seconds, watch=None):
    return runner.run_many(jobs, seconds=seconds, fallen=TASK.fallen(runner.simulator.morphology), watch=watch)


@pytest.fixture(scope="module")
def whole(runner, myolegs, stride):
    """An episode of ten plans, and its snapshots."""
    seen = []
    rollout = run(runner, [job(myolegs, stride)], 0.2, Watch(lambda e, taken: seen.append((e, taken)), every=4))[0]
    return rollout, seen


def test_snapshots_come_at_their_plans_and_change_nothing(runner, myolegs, stride, whole):
    rollout, seen = whole
    assert [(e, round(taken.time, 6)) for e, taken in seen] == [(0, 0.0), (0, 0.08), (0, 0.16)]
    assert np.array_equal(seen[1][1].state.qpos[0], rollout.qpos[4]) and seen[1][1].frame.goal[0] == 0.9
    assert np.array_equal(run(runner, [job(myolegs, stride)], 0.2)[0].qpos, rollout.qpos)


def test_an_episode_goes_on_from_a_snapshot_to_the_same_bits_with_its_clock(runner, stride, whole):
    rollout, seen = whole
    again = run(runner, [Job.of(seen[1][1], stride)], 0.12)[0]
    for name in ("time", "qpos", "qvel", "act", "instants", "targets", "costs"):
        assert np.array_equal(getattr(again, name), getattr(rollout, name)[4:]), name
    assert np.array_equal(again.terms[1:], rollout.terms[5:])
    # A reward sees the clock of the episode, not that of its continuation.
    clock = feature_layout(runner.simulator.morphology).columns("time")
    assert again.instants[0, clock][0] == pytest.approx(0.08)
    other = run(runner, [Job.of(seen[1][1], stride, 4)], 0.12)[0]
    assert np.array_equal(other.qpos[0], again.qpos[0]) and not np.array_equal(other.qpos[-1], again.qpos[-1])


def test_strength_goes_on_with_a_snapshot(runner, myolegs, stride):
    weak, seen = 0.3 * myolegs.muscles.peak_force, []
    rollout = run(runner, [job(myolegs, stride, peak_force=weak)], 0.08, Watch(lambda _, taken: seen.append(taken), 2))[0]
    again = run(runner, [Job.of(seen[1], stride)], 0.04)[0]
    assert np.array_equal(again.qpos, rollout.qpos[2:])


@pytest.mark.parametrize("planner", [ICEM(horizon=0.1), CMA(horizon=0.1), MPPI(horizon=0.2, knots=2)])
def test_planners_with_other_plans_go_on_from_the_posture(myolegs, stride, whole, planner):
    planner, taken, space = planner.with_candidates(8), whole[1][2][1], myolegs.posture
    plan = with_plans(planner, space, planner.init(space, space.read(taken.state.qpos)), {0: taken})
    assert np.array_equal(plan.mean[0], np.repeat(taken.plan.mean[0], planner.knots, axis=0))
    # What only fits a plan of the same knots is taken over where it fits, and starts anew where it does not.
    assert np.array_equal(plan.sigma, taken.plan.sigma if planner.knots == 1 else np.full_like(plan.mean, space.noise))
    if isinstance(plan, KeptState) and planner.keep:
        assert (plan.kept == plan.mean[:, None]).all()
    rollout = run(runner_of(myolegs, planner), [Job.of(taken, stride, 1)], 0.04)[0]
    assert rollout.time[0] == taken.time and np.isfinite(rollout.costs).all()


def test_a_push_gives_the_body_its_impulse_and_no_plan_foresees_it(runner, myolegs, stride, whole):
    calm, mass = whole[0], myolegs.weight / 9.81
    pushed = run(runner, [job(myolegs, stride, pushes=(Push(0.08, 0.05, (0.0, 0.2 * mass / 0.05)),))], 0.2)[0]
    assert np.array_equal(pushed.targets[:5], calm.targets[:5])  # the first plan after it is the sixth
    layout = feature_layout(myolegs)
    left = layout.column("sensor", layout.com["velocity"] + 1)
    gained = pushed.instants[:, left] - calm.instants[:, left]
    assert (gained[:4] == 0).all() and gained[6] == pytest.approx(0.2, abs=0.03)


def test_a_push_that_is_none_is_refused(runner, myolegs, stride):
    with pytest.raises(MovlrError, match=r"is no push: give finite numbers, and a time above 0 s"):
        Push(0.0, 0.0, (1.0, 0.0))
    with pytest.raises(MovlrError, match=r"myolegs has no landmark tail to push: it has pelvis, trunk"):
        run(runner, [job(myolegs, stride, pushes=(Push(0.0, 0.1, (1.0, 0.0), "tail"),))], 0.02)
