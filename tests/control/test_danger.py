"""Candidates where they are needed: what is called danger, how many candidates are simulated then, and that nothing else changes."""

from dataclasses import replace
from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import pytest

from movlr_jax import tasks
from movlr_jax.control.episode import EpisodeRunner, Job, Rollout, Watch
from movlr_jax.control.planners import MPPI, PLANNERS, RecedingHorizon, danger
from movlr_jax.errors import BadFile, MovlrError
from movlr_jax.rewards.features import feature_layout
from movlr_jax.rewards.reward import Reward


def known_after(costs, seconds=0.02, xp=np, limit=2.0):
    lately, called = danger.first(xp.zeros((1, 1, 3))), []
    for cost in costs:
        lately = danger.after(lately, xp.asarray([cost], lately.dtype), seconds, limit)
        called.append(bool(lately[0, 3]))
    return np.asarray(lately), called


@pytest.mark.parametrize("xp", [np, jnp])
def test_a_cost_far_above_the_last_second_s_is_danger_whatever_its_scale(xp):
    rng = np.random.default_rng(0)
    calm = 5.0 + rng.standard_normal(100)
    for scale, offset in ((1.0, 0.0), (1e3, -4e4)):
        _, called = known_after([*(scale * calm + offset), scale * 8.5 + offset, scale * 5.0 + offset], xp=xp)
        assert called[100] and not called[101] and sum(called[:100]) < 12
    assert not known_after([9.0, 1.0, 9.0, 1.0, 30.0], xp=xp)[1][-1]  # too little is known yet


def test_what_is_known_is_the_mean_and_variance_of_the_last_second():
    (known, mean, variance, _), _ = known_after([1.0] * 500 + [4.0, 2.0] * 200)[0][0], None
    assert known == pytest.approx(1.0, abs=1e-3)
    assert mean == pytest.approx(3.0, abs=0.1) and variance == pytest.approx(1.0, abs=0.1)
    early = known_after([7.0, 7.0, 7.0])[0][0]
    assert early[1] == pytest.approx(7.0) and early[2] == pytest.approx(0.0)  # not as if nothing had been cheap before
    with_one_lost = known_after([1.0] * 100 + [np.inf])[0][0]
    assert with_one_lost[3] == 1.0 and np.isfinite(with_one_lost).all() and with_one_lost[1] == pytest.approx(1.0)


@pytest.fixture(scope="module")
def reward(myolegs):
    return Reward.trusted("human", tasks.get("stand").rewards["human"], feature_layout(myolegs))


PLANNER = MPPI(quick=False, horizon=0.08, danger_candidates=192, danger_cost=0.2).with_candidates(8)


@pytest.fixture(scope="module")
def runner(myolegs):
    return EpisodeRunner.build(myolegs, PLANNER, "native", threads=1)


def job(body, reward, seed=3):
    task = tasks.get("stand")
    start = task.start(body, seed)
    return Job(reward, start, task.frame(start), seed)


def test_more_candidates_are_simulated_in_danger_alone_and_counted(myolegs, runner, reward, tmp_path):
    rollout = runner.run_many([job(myolegs, reward)], seconds=0.6, fallen=lambda instant: False)[0]
    per_plan = set((rollout.simulated // PLANNER.steps).tolist())
    assert per_plan == {8, 24}
    lately, called = danger.first(np.zeros((1, 1, 1))), [False]
    for cost in rollout.costs:
        lately = danger.after(lately, np.array([cost]), PLANNER.replan, 0.2)
        called.append(bool(lately[0, 3]))
    assert [24 if c else 8 for c in called[:-1]] == (rollout.simulated // PLANNER.steps).tolist()
    record = tasks.get("stand").measure(myolegs, rollout)
    assert record["candidate_steps"] == rollout.simulated.sum()
    rollout.save(tmp_path / "rollout.npz")
    assert np.array_equal(Rollout.load(tmp_path / "rollout.npz").simulated, rollout.simulated)
    assert np.array_equal(Rollout.load(tmp_path / "rollout.npz").spread, rollout.spread)
    assert rollout.spread.shape == rollout.terms.shape and rollout.spread.dtype == np.float32 and (rollout.spread.sum(axis=1) > 0).all()
    earlier = {name: value for name, value in rollout.arrays().items() if name not in ("simulated", "spread")}
    assert Rollout.from_arrays(earlier).simulated is None and Rollout.from_arrays(earlier).spread is None
    with pytest.raises(BadFile, match="its terms and their spread do not agree"):
        Rollout.from_arrays(rollout.arrays() | {"spread": rollout.spread[:, :0]})
    assert "candidate_steps" not in tasks.get("stand").measure(myolegs, Rollout.from_arrays(earlier))


def test_an_episode_goes_on_from_a_snapshot_with_its_dangers(myolegs, runner, reward):
    taken = []
    whole = runner.run_many(
        [job(myolegs, reward)], seconds=0.6, fallen=lambda instant: False, watch=Watch(lambda e, one: taken.append(one), every=18)
    )[0]
    assert taken[1].plan.costs is not None
    again = runner.run_many([Job.of(taken[1], reward)], seconds=0.24, fallen=lambda instant: False)[0]
    assert np.array_equal(again.qpos, whole.qpos[18:]) and np.array_equal(again.simulated, whole.simulated[18:])


def test_calm_candidates_are_those_of_a_planner_without_danger_up_to_its_noise(myolegs):
    space = myolegs.posture
    wide = MPPI(danger_candidates=192)
    noise = wide.draw(space, [np.random.default_rng(0)])
    assert noise.shape[2] == 192 and MPPI().draw(space, [np.random.default_rng(0)]).shape[2] == 64
    assert wide.identity() == MPPI().identity() | {"danger_candidates": 192, "danger_cost": 2.0}
    for kind in PLANNERS.values():
        planner = kind(danger_candidates=96)
        assert planner.init(space, space.lower[None]).costs.shape == (1, 4)
        assert kind().init(space, space.lower[None]).costs is None


def test_engines_of_one_width_and_senseless_numbers_are_refused(myolegs):
    fixed = SimpleNamespace(name="warp", xp=np, morphology=myolegs, any_candidates=False, episodes=1)
    with pytest.raises(MovlrError, match=r"The engine warp plans with one number of candidates: leave out --planner\.danger-candidates"):
        RecedingHorizon(fixed, None, MPPI(danger_candidates=128))
    with pytest.raises(MovlrError, match=r"planner\.danger_candidates is 32: give from 64 to 1e\+06"):
        MPPI(danger_candidates=32)
    with pytest.raises(MovlrError, match=r"planner\.danger_cost is -1"):
        replace(PLANNER, danger_cost=-1.0)
