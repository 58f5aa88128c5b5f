"""Proposals: where a capture step puts a foot, that it is among the candidates, and who is refused one."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import mujoco
import numpy as np
import pytest
from support import arm

from movlr_jax import tasks
from movlr_jax.control.episode import EpisodeRunner
from movlr_jax.control.planners import ICEM, MPPI, RecedingHorizon
from movlr_jax.control.proposals import PROPOSALS, Proposals
from movlr_jax.control.proposals.capture_step import VARIANTS, CaptureStep
from movlr_jax.errors import MovlrError
from movlr_jax.physics.instant import Frame, rows
from movlr_jax.physics.native import NativeSimulator
from movlr_jax.rewards.features import feature_layout
from movlr_jax.rewards.reward import Reward

FORWARD = rows([Frame()])


@pytest.fixture(scope="module")
def running(myolegs):
    """A body that moves forward at 1 m/s over its right foot, the left in the air."""
    simulator = NativeSimulator(myolegs, candidates=8, threads=1)
    state = simulator.reset(myolegs.standing_qpos, myolegs.standing_act)
    qvel, gait = state.qvel.copy(), state.gait.copy()
    qvel[0, 0], gait[0, :, 1] = 1.0, (0.0, 1.0)
    return simulator, replace(state, qvel=qvel, gait=gait)


def feet(body, postures, qpos):
    """Return where both feet are, relative to the pelvis, in the poses of postures[n, d]."""
    data, out = mujoco.MjData(body.model), []
    for posture in postures:
        data.qpos[:] = body.posture.complete(posture, qpos)
        mujoco.mj_kinematics(body.model, data)
        out.append([data.site(f"landmark/{side}.foot").xpos.copy() for side in ("left", "right")])
    return np.array(out)


def test_a_foot_is_brought_to_where_the_body_will_be(myolegs, running):
    state = running[1]
    mean = myolegs.posture.read(state.qpos)[:, None]
    z = CaptureStep(myolegs, len(VARIANTS), [0.175])(state, mean, FORWARD)
    assert z.shape == (1, len(VARIANTS), 1, myolegs.posture.size)
    now, moved = feet(myolegs, mean[0], state.qpos[0])[0], feet(myolegs, z[0, :, 0], state.qpos[0])
    way = {variant: moved[i] - now for i, variant in enumerate(VARIANTS)}
    light, heavy = way[True, 0.2, 1.0, 0.05], way[False, 0.3, 1.0, 0.05]
    assert light[0, 0] > 0.2 and not light[1].any()  # the foot in the air goes forward, the other's targets stay the plan's
    assert heavy[1, 0] > 0.2 and not heavy[0].any()
    reach = [way[True, 0.2, share, 0.05][0, 0] for share in (0.5, 0.75, 1.0)]
    assert reach == sorted(reach) and reach[0] < reach[2] - 0.1
    assert way[True, 0.2, 1.0, 0.15][0, 1] > light[0, 1] + 0.03  # to the left, which is its side
    # xi = 1 m/s / sqrt(g / l) = 0.3 m ahead of the standing foot, 0.57 m when the foot lands; the pelvis is then 0.33 m or so ahead.
    assert 0.2 < light[0, 0] < 0.4
    # Standing still, a foot is put down beside the other, where it is.
    still = CaptureStep(myolegs, 1, [0.175])(replace(state, qvel=0 * state.qvel), mean, FORWARD)
    assert np.abs(feet(myolegs, still[0, :, 0], state.qpos[0])[0, 0] - now[0])[:2].max() < 0.06


def test_with_knots_a_foot_is_lifted_and_then_put_down(myolegs, running):
    state = running[1]
    mean = np.repeat(myolegs.posture.read(state.qpos)[:, None], 3, axis=1)
    z = CaptureStep(myolegs, 6, [0.05, 0.2, 0.4])(state, mean, FORWARD)
    slow = feet(myolegs, z[0, 5], state.qpos[0])[:, 0]  # lands after 0.3 s
    assert VARIANTS[5][1] == 0.3 and slow[0, 2] > slow[2, 2] + 0.02
    assert slow[0, 0] < slow[1, 0] and slow[2, 0] < slow[1, 0]  # once down it stays behind the moving body


def test_the_same_steps_in_jax(myolegs, running):
    state, body = running[1], myolegs
    mean = body.posture.read(state.qpos)[:, None]
    steps = CaptureStep(body, 2, [0.175])
    wide = replace(state, **{name: jnp.asarray(getattr(state, name), np.float32) for name in ("qpos", "qvel", "gait")})
    compiled = jax.jit(steps, compiler_options={"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True})
    assert np.allclose(steps(state, mean, FORWARD), compiled(wide, jnp.asarray(mean, np.float32), jnp.asarray(FORWARD)), atol=1e-3)


def test_proposals_stand_in_the_last_candidates_places_in_a_plan_s_first_round(myolegs, running):
    simulator, state = running
    planner = MPPI(proposals="capture-step", proposed=3, iterations=2, horizon=0.08, quick=False).with_candidates(8)
    seen = []

    class Watched:
        name, xp, morphology, put, gathered = "native", np, myolegs, simulator.put, simulator.gathered

        def rollout(self, state, controller, candidates, steps, frames):
            seen.append(candidates)
            return type("Rolled", (), {"instants": np.zeros((1, 8)), "diverged": np.zeros((1, 8), bool), "kept": None})

    class Same:
        posture_joints = ()
        weights = np.ones((1, 1))
        means = staticmethod(lambda instants: (instants, instants[..., None]))

    def plan(planner):
        horizon = RecedingHorizon(Watched(), None, planner)
        horizon.plan(state, horizon.first(state), [Frame()], Same(), horizon.draw([np.random.default_rng(0)]))

    plan(planner)
    plan(replace(planner, proposals=None))
    with_them, later, without, _ = seen
    steps = CaptureStep(myolegs, 3, planner.between.times)(state, myolegs.posture.read(state.qpos)[:, None], FORWARD)
    assert np.array_equal(with_them[:, :5], without[:, :5])
    assert np.array_equal(with_them[:, 5:], np.clip(steps, myolegs.posture.lower, myolegs.posture.upper))
    assert not np.isin(later[:, 5:], steps).all()


def test_a_walk_with_proposals_and_knots_moves_a_body(myolegs):
    planner = MPPI(proposals="capture-step", proposed=3, knots=2, interpolation="linear", horizon=0.16, replan=0.04).with_candidates(8)
    runner = EpisodeRunner.build(myolegs, planner, "native", threads=1)
    task = tasks.get("walk_flat")
    reward = Reward.trusted("human", task.rewards["human"], feature_layout(myolegs))
    rollout = task.episode(runner, reward, 0, seconds=0.08)
    assert len(rollout.costs) == 2 and np.isfinite(rollout.costs).all() and np.isfinite(rollout.targets).all()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"proposals": "capture-stp"}, "There is no kind of proposals 'capture-stp': did you mean capture-step"),
        ({"proposals": "capture-step", "proposed": 64}, r"planner\.proposed is 64: of 64 candidates 63 can be given away"),
        ({"proposals": "capture-step", "proposed": 0}, r"planner\.proposed is 0: give a finite number above 0"),
    ],
)
def test_settings_without_room_or_sense_are_refused(settings, sentence):
    with pytest.raises(MovlrError, match=sentence):
        MPPI(**settings)
    with pytest.raises(MovlrError, match="of 8 candidates 3 can be given away"):
        ICEM(candidates=8, elites=4, keep=4, proposals="capture-step", proposed=4)


def test_bodies_that_do_not_step_and_wishes_beyond_what_is_known_are_refused(myolegs):
    with pytest.raises(MovlrError, match=r"has no planned joint for left\.hip_flexion.*leave out --planner\.proposals"):
        CaptureStep(arm.load(), 8, [0.1])
    with pytest.raises(MovlrError, match="capture-step knows 16 steps"):
        CaptureStep(myolegs, 17, [0.1])
    assert issubclass(PROPOSALS["capture-step"], Proposals)
