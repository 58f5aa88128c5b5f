"""Episodes of differently injured bodies in one simulator: each is the episode of the separately injured body."""

from __future__ import annotations

import dataclasses

import mujoco
import numpy as np
import pytest
from support import arm

from movlr_jax.control import laws
from movlr_jax.control.episode import EpisodeRunner
from movlr_jax.control.planners import MPPI
from movlr_jax.morphologies import Scene
from movlr_jax.morphologies.prepare import prepare
from movlr_jax.physics import engines
from movlr_jax.physics.native import NativeSimulator
from movlr_jax.rewards.features import feature_layout
from movlr_jax.rewards.reward import Reward

FRACTIONS = (1.0, 0.3, 0.0)
CONFIG = MPPI(candidates=8, elites=2, instant=2, horizon=0.06, replan=0.01)
# One muscle's peak force follows from its inertia instead of being stated: C then computes it in every step.
XML = arm.XML.replace('tendon="biceps" force="150"', 'tendon="biceps" scale="740"')
PLAN = dataclasses.replace(arm.PLAN, spec=lambda: mujoco.MjSpec.from_string(XML))


@pytest.fixture(scope="module")
def bodies():
    """The arm with the flexors of the elbow at each fraction of their strength, each prepared by itself."""
    assert XML != arm.XML
    return [prepare(PLAN, Scene(injuries=() if f == 1.0 else (("b*", f),))) for f in FRACTIONS]


def episodes(runner, seeds, strengths=None):
    reward = Reward.unguarded("start", arm.REWARD, feature_layout(runner.simulator.morphology))
    return arm.TASK.episodes(runner, [(reward, seed) for seed in seeds], seconds=0.06, strengths=strengths)


def same(one, other):
    pairs = zip(one.arrays().items(), other.arrays().values(), strict=True)
    return [name for (name, a), b in pairs if not np.array_equal(a, b)] == []


@pytest.mark.parametrize(("law", "gain"), [("fibre-strain", 40.0), ("paper", 1e6)])
def test_native_gives_each_world_the_bits_of_the_injured_body(bodies, law, gain):
    config = dataclasses.replace(CONFIG, law=law, gain=gain)
    alone = [episodes(EpisodeRunner.build(body, config, "native", threads=1), [3])[0] for body in bodies]
    assert min(np.abs(alone[a].qpos - alone[b].qpos).max() for a, b in ((0, 1), (0, 2), (1, 2))) > 0.01
    strengths = [body.strength for body in bodies]
    for host in (bodies[0], bodies[2]):  # whichever of them the simulator is made of
        together = NativeSimulator(host, candidates=8, episodes=3, threads=2)
        runner = EpisodeRunner(together, laws.make(law, host, config.plan_dt, gain), config)
        assert all(map(same, episodes(runner, [3] * 3, strengths), alone))
        one_by_one = EpisodeRunner.build(host, config, "native", threads=1)
        assert all(map(same, episodes(one_by_one, [3] * 3, strengths), alone))
        assert same(episodes(one_by_one, [3])[0], alone[bodies.index(host)])  # its own strength again, after others


def test_warp_gives_each_world_the_motion_of_the_injured_body_and_compiles_once(bodies):
    pytest.importorskip("warp", reason="warp-lang is not installed")
    whole, half, none = (body.strength for body in bodies)

    def runner(body):
        simulator = engines.make("warp", body, candidates=8, episodes=2, plan_dt=CONFIG.plan_dt)
        return EpisodeRunner(simulator, laws.make("paper-hoisted", body, CONFIG.plan_dt, 1e6), CONFIG)

    together = runner(bodies[0])
    first, second = (episodes(together, [3, 3], strengths) for strengths in ([whole, half], [half, none]))
    assert together.simulator.traces == 2  # a rollout and an execution: other strengths trace nothing
    assert same(first[1], second[0])
    for got in (first[0], second[1]):
        assert np.abs(got.qpos - first[1].qpos).max() > 0.01
    alone = episodes(runner(bodies[1]), [3, 3])
    for name in ("qpos", "qvel", "act", "targets", "instants"):
        np.testing.assert_allclose(getattr(first[1], name), getattr(alone[0], name), rtol=1e-5, atol=1e-5, err_msg=name)
