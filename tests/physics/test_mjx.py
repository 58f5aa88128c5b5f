"""The MJX engines on a CPU: the same answers as native C, no physics compiled for a new reward, nothing lost silently."""

import os
import subprocess
import sys
from dataclasses import replace

import jax
import mujoco
import numpy as np
import pytest
from jax import export
from mujoco import mjx

from movlr_jax import tasks
from movlr_jax.control import laws
from movlr_jax.control.episode import EpisodeRunner
from movlr_jax.control.planners import MPPI, RecedingHorizon
from movlr_jax.errors import MovlrError
from movlr_jax.physics import engines, mjx_model, sizes
from movlr_jax.physics import mjx as engine
from movlr_jax.physics.instant import Frame
from movlr_jax.physics.mjx_config import MjxConfig
from movlr_jax.physics.native import NativeSimulator
from movlr_jax.rewards.features import feature_layout
from movlr_jax.rewards.reward import Reward, RewardBatch

pytest.importorskip("warp", reason="warp-lang is not installed")

CONFIG = MPPI(candidates=8, elites=2, instant=2, horizon=0.08)
EPISODES = 2


@pytest.fixture(scope="module")
def warp(myolegs):
    return engines.make("warp", myolegs, candidates=8, episodes=EPISODES, plan_dt=0.008)


@pytest.fixture(scope="module")
def law(myolegs):
    return laws.make("auto", myolegs, 0.008)


@pytest.fixture(scope="module")
def reward(myolegs):
    return Reward.trusted("human", tasks.get("walk_flat").rewards["human"], feature_layout(myolegs))


def planned(simulator, law, rewards, plans=2, execute=True):
    """Plan (and execute) from the walking starts of seeds 0 and 1; return the plan, the elites, the instants and the state."""
    body, frames = simulator.morphology, [Frame(goal=(0.8, 0.0))] * EPISODES
    starts = [tasks.get("walk_flat").start(body, seed) for seed in range(EPISODES)]
    state = simulator.reset(np.stack([s.qpos for s in starts]), np.stack([s.act for s in starts]))
    search = RecedingHorizon(simulator, law, CONFIG)
    plan = CONFIG.init(body.posture, body.posture.read(state.qpos))
    sources = [np.random.default_rng(seed) for seed in range(EPISODES)]
    instant = None
    for _ in range(plans):
        plan, report = search.plan(state, plan, frames, rewards, CONFIG.draw(body.posture, sources))
        simulator.check()
        if execute:
            state, instant, diverged = simulator.advance(state, law, plan.mean, 5, frames)
            assert not np.asarray(diverged).any()
    return np.asarray(plan.mean), np.asarray(report.elites), np.asarray(instant), np.asarray(state.qpos)


def test_a_plan_on_warp_is_the_plan_on_native_and_a_new_reward_traces_no_physics(myolegs, warp, law, reward):
    native = NativeSimulator(myolegs, candidates=8, episodes=EPISODES)
    rewards = RewardBatch([reward, reward.with_weights({"forward_speed": 40.0})])
    mean, elites, instant, qpos = planned(warp, law, rewards)
    want_mean, want_elites, want_instant, want_qpos = planned(native, law, rewards)
    assert np.array_equal(elites, want_elites)
    assert np.abs(mean - want_mean).max() < 1e-3
    assert np.abs(qpos - want_qpos).max() < 1e-4
    force = slice(*warp.columns["force"])
    assert np.abs(instant - want_instant)[:, : force.start].max() < 1e-3
    assert warp.traces == 2  # one rollout, one execution: the second plan traced nothing
    other = Reward.trusted("start", tasks.get("walk_flat").rewards["start"], feature_layout(myolegs))
    planned(warp, law, RewardBatch([other, reward]), plans=1)
    assert warp.traces == 2


def test_a_diverged_world_costs_itself_alone(myolegs, warp, law):
    body = myolegs
    state = warp.reset(np.stack([body.standing_qpos] * EPISODES), np.stack([body.standing_act] * EPISODES))
    postures = warp.put(np.repeat(body.posture.read(body.standing_qpos)[None, None, None], 8, axis=1).repeat(EPISODES, axis=0))
    clean = np.asarray(warp.rollout(state, law, postures, CONFIG.steps, [Frame()] * EPISODES).instants)
    for poison in (np.nan, 1e12):
        speed = np.array(state.qvel)
        speed[0, 4] = poison
        rolled = warp.rollout(replace(state, qvel=warp.put(speed)), law, postures, CONFIG.steps, [Frame()] * EPISODES)
        warp.check()
        assert np.array_equal(np.asarray(rolled.diverged), [[True] * 8, [False] * 8])
        assert np.array_equal(np.asarray(rolled.instants)[1], clean[1])


def test_a_candidate_that_runs_out_of_room_is_out_of_the_plan_and_an_executed_world_raises(myolegs, law, monkeypatch):
    room = engines.make("warp", myolegs, candidates=8, plan_dt=0.008, mjx=MjxConfig(contacts=64, constraints=120))
    standing = myolegs.posture.read(myolegs.standing_qpos)
    state = room.reset(myolegs.standing_qpos, myolegs.standing_act)
    postures = np.repeat(standing[None, None, None], 8, axis=1)
    steps = room._steps

    def short(worlds, controller, state, postures, *rest):
        after, instants, diverged, overflow = steps(worlds, controller, state, postures, *rest)
        return after, instants, diverged, overflow.at[0].set(1)

    monkeypatch.setattr(room, "_steps", short)
    rolled = room.rollout(state, law, room.put(postures), 2, [Frame()])
    room.check()
    assert np.array_equal(np.asarray(rolled.diverged), [[True] + [False] * 7])
    room.advance(state, law, room.put(postures[:, 0]), 2, [Frame()])
    with pytest.raises(MovlrError, match=r"in 1 worlds .*set --mjx\.constraints 240"):
        room.check()


def test_an_overflow_names_the_number_to_set(myolegs, law, reward):
    small = engines.make("warp", myolegs, candidates=8, plan_dt=0.008, mjx=MjxConfig(contacts=1, constraints=8))
    state = small.reset(myolegs.standing_qpos, myolegs.standing_act)
    postures = np.repeat(myolegs.posture.read(myolegs.standing_qpos)[None, None, None], 8, axis=1)
    small.rollout(state, law, small.put(postures), 2, [Frame()])
    with pytest.raises(MovlrError, match=r"ran out of room for .* in \d+ worlds .*set --mjx\.\w+ \d+"):
        small.check()


def test_the_room_on_a_gpu_is_what_other_processes_leave_of_it(monkeypatch):
    class Card:
        platform, local_hardware_id = "gpu", 0

        def memory_stats(self):
            return {"bytes_limit": 100, "bytes_in_use": 10, "pool_bytes": 30}

    for free, left in ((500, 90), (20, 40), (None, 90)):  # alone; beside a server that holds the most; where nobody can tell
        monkeypatch.setattr(engine, "_free_on_card", lambda _, free=free: free)
        assert engine._free_bytes(Card()) == int(0.8 * left)


def test_room_is_measured_and_what_does_not_fit_is_refused(myolegs):
    room = sizes.measured(myolegs, myolegs.at_timestep(0.008))
    assert 16 <= room.contacts <= 128 and 64 <= room.constraints <= 512
    with pytest.raises(MovlrError, match="candidate worlds of one plan do not fit"):
        engines.make("warp", myolegs, candidates=64, plan_dt=0.008, mjx=MjxConfig(worlds=63))
    assert engines.make("warp", myolegs, candidates=8, episodes=9, plan_dt=0.008, mjx=MjxConfig(worlds=30)).episodes == 3
    with pytest.raises(MovlrError, match="more devices than JAX sees"):
        engines.make("warp", myolegs, candidates=8, plan_dt=0.008, mjx=MjxConfig(devices=64))
    with pytest.raises(MovlrError, match=r"mjx\.worlds is -1"):
        MjxConfig(worlds=-1)


def test_the_published_law_is_left_to_native(myolegs, warp):
    paper = laws.make("paper", myolegs, 0.008)
    state = warp.reset(np.stack([myolegs.standing_qpos] * EPISODES), np.stack([myolegs.standing_act] * EPISODES))
    with pytest.raises(MovlrError, match=r"use --planner\.law paper-hoisted"):
        warp.rollout(state, paper, np.zeros((EPISODES, 1, 1, 1)), 2, [Frame()])


def test_what_pure_mjx_cannot_take_is_changed_and_listed(myolegs):
    box = "0 0 0  1 0 0  0 1 0  0 0 1"
    model = mujoco.MjModel.from_xml_string(
        f"""<mujoco><asset><mesh name="m" vertex="{box}"/></asset><worldbody><geom type="plane" size="1 1 1"/>
        <body name="skull"><freejoint/><geom type="mesh" mesh="m" margin="0.01"/><geom size="0.1"/></body></worldbody></mujoco>"""
    )
    with pytest.raises(NotImplementedError):
        mjx.put_model(model, impl="jax")
    changed, changes = mjx_model.for_jax(model)
    mjx.put_model(changed, impl="jax")
    assert "skull" in changes[0] and changed.geom_contype.tolist() == [1, 0, 1] and model.geom_contype.all()
    assert not mjx_model.prepare(myolegs, "jax", 0.008).changes


def test_episodes_side_by_side_do_not_see_each_other(myolegs, warp, law, reward):
    task = tasks.get("walk_flat")
    runner = EpisodeRunner(warp, law, replace(CONFIG, replan=0.02))
    both = task.episodes(runner, [(reward, 0), (reward, 5)], seconds=0.06)
    one, other = task.episodes(runner, [(reward, 5)], seconds=0.06), task.episodes(runner, [(reward, 5), (reward, 0)], seconds=0.06)
    assert np.array_equal(both[1].qpos, one[0].qpos) and np.array_equal(both[1].qpos, other[0].qpos)
    assert not np.array_equal(both[0].qpos, both[1].qpos)


_SHARDED = """
import sys
from support import biped
from physics import test_mjx as here
from movlr_jax import morphologies, tasks
from movlr_jax.control import laws
from movlr_jax.physics import engines
from movlr_jax.physics.mjx_config import MjxConfig
from movlr_jax.rewards.features import feature_layout
from movlr_jax.rewards.reward import Reward, RewardBatch
import numpy as np

engine = sys.argv[1]
body = morphologies.load("myolegs") if engine == "warp" else biped.load()
law = laws.make("auto", body, 0.008)
reward = Reward.trusted("start", tasks.get("stand").rewards["start"], feature_layout(body))
got = []
for devices in (1, 2):
    simulator = engines.make(engine, body, candidates=8, episodes=2, plan_dt=0.008, mjx=MjxConfig(devices=devices))
    got.append(here.planned(simulator, law, RewardBatch([reward] * 2), execute=engine == "warp"))  # pure MJX compiles slowly
one, two = got
assert np.array_equal(one[1], two[1]), (one[1], two[1])
for i in (0, 3):
    assert np.allclose(one[i], two[i], rtol=0, atol=1e-5), abs(one[i] - two[i]).max()
state = simulator.reset(np.stack([body.standing_qpos] * 2), np.stack([body.standing_act] * 2))
frame = simulator.put(np.stack([here.Frame().row()] * 2))
text = simulator.roll(law, 10).lower(state, simulator.put(np.zeros((2, 8, 1, body.posture.size))), frame).compile().as_text()
assert not [word for word in ("all-gather", "all-reduce", "all-to-all", "collective-permute") if word in text]
print("equal")
simulator.rollout(state, law, simulator.put(np.zeros((2, 8, 1, body.posture.size))), here.CONFIG.steps, [here.Frame()] * 2)
"""


@pytest.mark.parametrize("engine", engines.MJX)
def test_two_devices_make_the_plan_of_one_exchange_nothing_inside_it_and_end_in_the_middle_of_one(engine):
    environment = {**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    ran = subprocess.run([sys.executable, "-c", _SHARDED, engine], capture_output=True, text=True, timeout=600, env=environment)
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert ran.stdout.strip().endswith("equal")


def test_the_plan_of_pure_mjx_lowers_for_a_tpu(myolegs, law):
    simulator = engines.make("jax", myolegs, candidates=8, plan_dt=0.008)
    state = simulator.reset(myolegs.standing_qpos, myolegs.standing_act)
    postures = jax.ShapeDtypeStruct((1, 8, 1, myolegs.posture.size), np.float32)
    exported = export.export(simulator.roll(law, 44), platforms=("tpu",))(state, postures, simulator.put(Frame().row()[None]))
    assert exported.platforms == ("tpu",) and simulator.traces == 1
