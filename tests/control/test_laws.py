"""The muscle laws: the published one against a straight transcription of its formulas, and what each does to a body."""

import mujoco
import numpy as np
import pytest

from movlr_jax.control import laws
from movlr_jax.errors import MovlrError


def transcribed(model, space, kp, dt, qpos, act, length, target):
    """The published controller for one world, muscle by muscle, through MuJoCo's scalar functions and one MjData."""
    data = mujoco.MjData(model)
    star = qpos.copy()
    star[space.qpos_index] = target
    for j in range(model.njnt):
        if model.jnt_limited[j]:
            a = model.jnt_qposadr[j]
            star[a] = min(max(star[a], model.jnt_range[j, 0]), model.jnt_range[j, 1])
    data.qpos[:] = star
    difference = np.zeros(model.nv)
    mujoco.mj_differentiatePos(model, difference, 1.0, qpos, star)
    data.qvel[:] = difference / dt
    mujoco.mj_fwdPosition(model, data)
    mujoco.mj_fwdVelocity(model, data)
    arms = np.zeros((model.nu, model.nv))
    mujoco.mju_sparse2dense(arms, data.actuator_moment, data.moment_rownnz, data.moment_rowadr, data.moment_colind)
    out = np.zeros(model.nu)
    for i in range(model.nu):
        prm, span, acc0 = model.actuator_gainprm[i][:9], model.actuator_lengthrange[i], model.actuator_acc0[i]
        gain = min(-1.0, mujoco.mju_muscleGain(data.actuator_length[i], data.actuator_velocity[i], span, acc0, prm))
        bias = mujoco.mju_muscleBias(data.actuator_length[i], span, acc0, prm)
        p = sum(abs(arms[i, v]) * abs(star[q] - qpos[q]) for q, v in zip(space.qpos_index, space.qvel_index, strict=True))
        force = min(0.0, kp * p * (data.actuator_length[i] - length[i]))
        a_star = min(max((force - bias) / gain, 0.0), 1.0)
        a = act[i]
        tau = 0.01 * (0.5 + 1.5 * a) if a_star > a else 0.04 / (0.5 + 1.5 * a)
        out[i] = min(max(a + (a_star - a) * tau / dt, 0.0), 1.0)
    return out


@pytest.fixture(scope="module")
def posed(myolegs, simulator8):
    """Eight worlds in random postures with random activations, and eight targets."""
    body, space = myolegs, myolegs.posture
    rng = np.random.default_rng(5)
    middle = space.read(body.standing_qpos)
    now = middle + rng.uniform(-0.1, 0.25, (8, space.size)) * space.range * 0.5
    qpos = space.complete(now, body.standing_qpos)
    length, _ = simulator8.target_kinematics(qpos)
    target = space.read(qpos) + rng.uniform(-0.2, 0.2, (8, space.size)) * space.range
    return qpos, rng.uniform(0, 0.5, (8, body.model.nu)), length, target


def test_paper_equals_the_transcription(myolegs, simulator8, posed):
    qpos, act, length, target = posed
    law = laws.make("paper", myolegs, 0.008, gain=1e6)
    got = law.excitation(law.targets(simulator8, target, qpos), qpos, act, length)
    want = np.stack([transcribed(myolegs.model, myolegs.posture, 1e6, 0.008, qpos[w], act[w], length[w], target[w]) for w in range(8)])
    assert np.abs(got - want).max() < 1e-9
    assert ((want > 0.01) & (want < 0.99)).sum() > 20  # the comparison is not of bounds alone


def test_hoisted_differs_from_paper_only_through_the_couplings(myolegs, simulator8, posed):
    qpos, act, length, target = posed
    paper, hoisted = (laws.make(n, myolegs, 0.008, gain=1e6) for n in ("paper", "paper-hoisted"))
    # At a target whose couplings hold already (the current posture), both agree exactly.
    same = myolegs.posture.read(qpos)
    a = paper.excitation(paper.targets(simulator8, same, qpos), qpos, act, length)
    b = hoisted.excitation(hoisted.targets(simulator8, same, qpos), qpos, act, length)
    assert np.abs(a - b).max() < 1e-6
    a = paper.excitation(paper.targets(simulator8, target, qpos), qpos, act, length)
    b = hoisted.excitation(hoisted.targets(simulator8, target, qpos), qpos, act, length)
    assert np.abs(a - b).max() > 1e-3
    assert not hoisted.every_step and paper.every_step


def test_fibre_strain_shortens_what_is_too_long_and_lets_go_of_the_rest(myolegs, simulator8, posed):
    qpos, act, length, target = posed
    law = laws.make("fibre-strain", myolegs, 0.008)
    star, _ = simulator8.target_kinematics(myolegs.posture.complete(target, myolegs.standing_qpos))
    rest = np.zeros_like(act)
    u = law.excitation(law.targets(simulator8, target, qpos), qpos, rest, length)
    assert (u[length > star + 1e-4] > 0).all()
    assert (u[length < star - 1e-6] == 0).all()


def test_a_held_body_converges_to_its_target(myolegs):
    """Fixed pelvis, no gravity: a step in knee and hip target is followed."""
    from movlr_jax.physics.native import NativeSimulator

    body = myolegs
    simulator = NativeSimulator(body, candidates=1, threads=1)
    model = simulator._executed.batch.model
    model = body.at_timestep(0.002)
    model.opt.gravity[:] = 0.0
    model.dof_damping[:6] = 1e6  # the root does not move
    law = laws.make("fibre-strain", body, 0.008)
    space = body.posture
    target = space.read(body.standing_qpos).copy()
    target[space.names.index("knee_angle_r")] = 0.6
    target[space.names.index("hip_flexion_r")] = 0.4
    data = mujoco.MjData(model)
    data.qpos[:] = root_up(body)
    mujoco.mj_forward(model, data)
    targets = law.targets(simulator, target[None], data.qpos[None])
    for _ in range(1000):
        data.ctrl[:] = law.excitation(targets, data.qpos[None], data.act[None], data.actuator_length[None])[0]
        mujoco.mj_step(model, data)
    reached = space.read(data.qpos)
    for name in ("knee_angle_r", "hip_flexion_r"):
        i = space.names.index(name)
        start = space.read(body.standing_qpos)[i]
        assert abs(reached[i] - target[i]) < 0.5 * abs(target[i] - start)


def root_up(body):
    from movlr_jax.morphologies import root

    return root.translate(body.model, body.top, body.standing_qpos, np.array([0.0, 0.0, 1.0]))


def test_an_unknown_law_is_refused(myolegs):
    with pytest.raises(MovlrError, match="fibre-strain"):
        laws.make("pd", myolegs, 0.008)


def test_posture_weighted_is_the_product_of_posture_error_and_length_error(myolegs, simulator8, posed):
    qpos, act, length, target = posed
    space = myolegs.posture
    law = laws.make("posture-weighted", myolegs, 0.008, gain=2e4)
    got = law.excitation(law.targets(simulator8, target, qpos), qpos, act, length)
    full = space.complete(target, myolegs.standing_qpos)
    star, arms = simulator8.target_kinematics(full)
    error = np.abs(space.read(full) - space.read(qpos))
    p = np.einsum("wmj,wj->wm", np.abs(arms[:, :, space.qvel_index]), error)
    assert np.allclose(got, np.clip(2e4 * p * (length - star), 0, 1))
    assert ((got > 0) & (got < 1)).sum() > 50


def test_each_body_names_its_law_and_gain(myolegs):
    assert laws.resolve("auto", myolegs) == (myolegs.plan.law, myolegs.plan.gains[myolegs.plan.law])
    assert laws.resolve("paper", myolegs) == ("paper", 1e4)
    assert laws.resolve("paper", myolegs, 5.0) == ("paper", 5.0)
