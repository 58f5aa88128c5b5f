"""Nominal postures: their contract, how targets move along with them, and that nothing moves without one."""

from dataclasses import replace
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support import biped

from movlr_jax.control.episode import EpisodeRunner, Job, Start, Watch
from movlr_jax.control.planners import ICEM, MPPI
from movlr_jax.control.planners.base import PlanReport
from movlr_jax.control.planners.nominal import Nominal
from movlr_jax.errors import MovlrError
from movlr_jax.physics.carrying import Carrying
from movlr_jax.physics.instant import Frame
from movlr_jax.physics.native import NativeSimulator
from movlr_jax.rewards import program
from movlr_jax.rewards.features import feature_layout
from movlr_jax.rewards.reward import Reward, RewardBatch
from movlr_jax.sandbox import inspect, static, workbench

PLAIN = 'WEIGHTS = {"height": 1.0}\n\n\ndef terms(m):\n    return {"height": m.pelvis.height}\n'
POSED = 'JOINTS = ("hip_l",)\n' + PLAIN + '\n\ndef posture(m):\n    return {"hip_l": 0.03 * m.time + 0.1 * m.com.position[0]}\n'
PLANNER = MPPI(horizon=0.14).with_candidates(8)
RATE = 0.03  # rad/s, of a body at rest


@pytest.fixture(scope="module")
def body():
    return biped.load()


@pytest.fixture(scope="module")
def layout(body):
    return feature_layout(body)


@pytest.fixture(scope="module")
def rewards(layout):
    return Reward.unguarded("plain", PLAIN, layout), Reward.unguarded("posed", POSED, layout)


def episodes(runner, body, reward, seconds, start=None, watch=None):
    job = start or Job(reward, Start(body.standing_qpos, body.standing_act), Frame(), 3)
    return runner.run_many([job], seconds=seconds, fallen=lambda _: False, watch=watch)[0]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (POSED.replace("def posture", "def other"), "no function posture"),
        (POSED.replace('JOINTS = ("hip_l",)\n', ""), "no JOINTS"),
        (POSED.replace('("hip_l",)', '("hip_ll",)'), "no planned joint 'hip_ll': did you mean hip_l"),
        (POSED.replace('("hip_l",)', '("hip_l", "hip_l")'), "'hip_l' twice"),
        (POSED.replace('{"hip_l":', '{"hip_r":'), "JOINTS name different joints"),
        (POSED.replace("0.03 * m.time", "m.com.position"), "posture of 'hip_l' has shape"),
    ],
)
def test_what_breaks_the_contract_is_told(layout, changed, said):
    with pytest.raises(MovlrError, match=said):
        Reward.unguarded("broken", changed, layout)
    refused = static.check(changed, layout)
    assert not refused or (said.split(":")[0] in refused[0].reason and refused[0].line)


def test_terms_and_angles_are_told_apart(rewards, layout, body):
    plain, posed = rewards
    assert posed.posture_joints == ("hip_l",) and plain.posture_joints == () and posed.with_weights({"height": 2.0}).posture_joints
    features = np.random.default_rng(0).normal(size=(2, 3, 2 * layout.size)).astype(np.float32)
    assert np.array_equal(posed.terms(features), plain.terms(features)) and posed.posture(features).shape == (2, 3, 1)
    assert plain.posture(features).shape == (2, 3, 0)
    instants = features[:, None, :, : layout.size]
    both, alone = RewardBatch([posed, plain]), RewardBatch([plain])
    assert np.array_equal(both.mean_reward(instants)[1:], alone.mean_reward(instants[1:]))
    angles = both.posture(features, body.posture.names)
    assert not angles[1].any() and not angles[0, :, 0].any() and np.array_equal(angles[0, :, 1], posed.posture(features)[0, :, 0])
    mine = Reward.from_function(
        lambda m: {"height": m.pelvis.height}, {"height": 1.0}, body, posture=lambda m: {"hip_l": 0.5 * m.time}, joints=["hip_l"]
    )
    assert mine.posture_joints == ("hip_l",)
    with pytest.raises(MovlrError, match="no JOINTS"):
        Reward.from_function(lambda m: {"a": m.time}, {"a": 1.0}, body, posture=lambda m: {"hip_l": m.time})


def test_an_instant_carried_on_moves_as_a_whole(body, layout):
    simulator = NativeSimulator(body, candidates=1, threads=1)
    state = simulator.reset(body.standing_qpos, body.standing_act)
    qvel = state.qvel.copy()
    qvel[0, :2] = 1.0, 0.5
    now = simulator.instant(replace(state, qvel=qvel, time=state.time + 2.0), [Frame()])
    assert now[0, layout.column("time")] == 2.0
    later = Carrying(body).features(now, np.array([0.2]), 0.008)
    first, before = later[0, 0, : layout.size], later[0, 0, layout.size :]
    assert first[layout.column("time")] == pytest.approx(2.2) and before[layout.column("time")] == pytest.approx(2.192)
    assert first[layout.column("dt")] == np.float32(0.008)
    velocity = now[0, layout.column("sensor", layout.com["velocity"]) :][:2]
    for at in (layout.column("qpos"), *(layout.column("sensor", p["position"]) for p in (*layout.landmarks.values(), layout.com))):
        assert np.allclose(first[at : at + 2] - now[0, at : at + 2], 0.2 * velocity, atol=1e-6)
        assert first[at + 2] == now[0, at + 2]


@pytest.mark.parametrize(("planner", "sections"), [(PLANNER, 2), (MPPI(horizon=0.35), 5), (MPPI(horizon=0.35, knots=2), 6)])
def test_targets_move_along_in_sections(body, rewards, planner, sections):
    simulator = NativeSimulator(body, candidates=8, episodes=2, threads=1)
    nominal = Nominal(simulator, planner, lambda f: f)
    state = simulator.reset(np.stack([body.standing_qpos] * 2), np.stack([body.standing_act] * 2))
    drift = nominal.drift(state, [Frame()] * 2, RewardBatch([rewards[1], rewards[0]]))
    seconds = [*(planner.horizon * (np.arange(sections) + 0.5) / sections), 0.01, 0.02]
    assert np.allclose(drift[0, :, 1], RATE * np.array(seconds), atol=1e-6) and not drift[0, :, 0].any() and not drift[1].any()
    candidates = np.zeros((2, 8, planner.knots, 2))
    postures = nominal.held(candidates, drift)
    assert postures.shape == (2, 8, sections, 2) and not postures[1].any()
    assert np.allclose(postures[0, 0, :, 1], np.minimum(drift[0, :-2, 1], body.posture.upper[1]), atol=1e-6)


def test_compiled_for_an_accelerator_s_arrays_it_is_the_same(body, rewards):
    """All but the look at the state, which is a step of the engine."""
    simulator, planner = NativeSimulator(body, candidates=8, episodes=2, threads=1), ICEM(horizon=0.14).with_candidates(8)
    state = simulator.reset(np.stack([body.standing_qpos] * 2), np.stack([body.standing_act] * 2))
    now, batch, out = simulator.instant(state, [Frame()] * 2), RewardBatch([rewards[1], rewards[0]]), []
    for put, compiled in ((np.asarray, lambda f: f), (lambda x: jnp.asarray(x, np.float32), jax.jit)):
        instant = put(now)
        fake = SimpleNamespace(morphology=body, instant=lambda *_, instant=instant: instant)
        nominal = Nominal(fake, planner, compiled)
        drift = nominal.drift(state, [Frame()] * 2, batch)
        plan = planner.init(body.posture, put(body.posture.read(state.qpos)))
        report = PlanReport(None, None, None, None, plan.mean[:, :1])
        plan, report = nominal.handed_on(plan, report, drift)
        out.append((drift, nominal.held(plan.kept, drift), plan.mean, report.target))
        assert isinstance(drift, type(instant))
    for one, other in zip(*out, strict=True):
        assert one.shape == other.shape and np.allclose(one, other, atol=1e-6)


def test_what_is_executed_and_handed_on_has_moved_along(body, rewards):
    """The noise is nil, so that the plan is the posture itself."""
    planner = ICEM(horizon=0.14, knots=1, keep=1, noise=1e-12).with_candidates(8)
    simulator = NativeSimulator(body, candidates=8, episodes=2, threads=1)
    horizon = EpisodeRunner(simulator, EpisodeRunner.build(body, planner, "native", threads=1).controller, planner).horizon
    state = simulator.reset(np.stack([body.standing_qpos] * 2), np.stack([body.standing_act] * 2))
    noise = horizon.draw([np.random.default_rng(0), np.random.default_rng(1)])
    plan, report = horizon.plan(state, horizon.first(state), [Frame()] * 2, RewardBatch([rewards[1], rewards[0]]), noise)
    stood = body.posture.read(body.standing_qpos)
    for e, moved in ((0, RATE), (1, 0.0)):
        assert np.allclose(report.target[e, 0], stood + np.array([0.0, 0.01 * moved]), atol=1e-6)
        assert np.allclose(plan.mean[e, 0], stood + np.array([0.0, 0.02 * moved]), atol=1e-6)
        assert np.allclose(plan.kept[e, 0, 0], plan.mean[e, 0], atol=1e-6)


def test_an_episode_records_moved_targets_and_goes_on_from_a_snapshot_to_the_same_bits(body, rewards):
    runner, seen = EpisodeRunner.build(body, PLANNER, "native", threads=1), []
    whole = episodes(runner, body, rewards[1], 0.12, watch=Watch(lambda _, taken: seen.append(taken), 3))
    again = episodes(runner, body, None, 0.06, start=Job.of(seen[1], rewards[1]))
    for name in ("qpos", "targets", "costs"):
        assert np.array_equal(getattr(again, name), getattr(whole, name)[3:]), name
    still = episodes(runner, body, rewards[0], 0.12)
    assert not np.array_equal(still.targets, whole.targets)
    assert whole.terms.shape == still.terms.shape == (6, 1)


def test_the_sandbox_passes_angles_through_and_a_stored_artifact_comes_back(layout):
    header, module = workbench.prove(POSED, layout.to_json(), 64)
    assert header["ok"] and header["names"] == ["height"], header
    proven = inspect.inspect_module(module, 2 * layout.size, 2)
    stored = inspect.inspect_artifact(proven.artifact, 2 * layout.size, 2)
    joints = program.literal_joints(POSED)
    reward = Reward.from_artifact("again", POSED, program.literal_weights(POSED), stored.artifact, layout, joints)
    features = np.random.default_rng(0).normal(size=(4, 2 * layout.size)).astype(np.float32)
    assert reward.terms(features).shape == reward.posture(features).shape == (4, 1)
    assert static.check(POSED, layout) == ()
