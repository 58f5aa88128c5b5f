"""Calibration names the gain that keeps the body up: a gain of almost nothing must lose."""

from movlr_jax import tasks
from movlr_jax.control import calibration
from movlr_jax.control.planners import MPPI
from movlr_jax.physics.native import NativeSimulator
from movlr_jax.rewards.features import feature_layout
from movlr_jax.rewards.reward import Reward


def test_a_working_gain_beats_a_powerless_one(myolegs):
    config = MPPI(horizon=0.2, law="fibre-strain").with_candidates(8)
    simulator = NativeSimulator(myolegs, candidates=8, plan_dt=config.plan_dt, threads=2)
    task = tasks.get("stand")
    reward = Reward.trusted("human", task.rewards["human"], feature_layout(myolegs))
    told = []
    results = calibration.calibrate(
        simulator,
        config,
        lambda runner, seed: task.measure(myolegs, task.episode(runner, reward, seed, seconds=1.0)),
        seconds=1.0,
        seeds=(0,),
        gains=(0.01, 10.0),
        progress=told.append,
    )
    assert [t.gain for t in results] == [10.0, 0.01]
    assert results[0].upright == 1.0 > results[1].upright
    assert {t.gain for t in told} == {0.01, 10.0}
