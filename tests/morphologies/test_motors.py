"""Motors beside muscles, or alone: refused until a body's file says what becomes of them, then driven on every engine."""

from __future__ import annotations

from pathlib import Path

import mujoco
import numpy as np
import pytest

from movlr_jax.control.episode import EpisodeRunner
from movlr_jax.control.laws import LAWS, make
from movlr_jax.control.planners import MPPI
from movlr_jax.errors import MovlrError
from movlr_jax.morphologies import body_file, custom, load
from movlr_jax.morphologies.motors import MODES
from movlr_jax.physics import engines
from movlr_jax.rewards.features import feature_layout
from movlr_jax.rewards.reward import Reward
from movlr_jax.tasks import stand

_ARM = """<body name="arm" pos="0 0 0.1"><joint name="shoulder" type="hinge" axis="0 1 0" range="-90 90"/>
<geom type="capsule" fromto="0 0 0 0 0 0.2" size="0.02" mass="0.5" contype="0" conaffinity="0"/></body>"""
TORQUE = '<motor name="turn" joint="shoulder" gear="20" ctrlrange="-0.5 0.5"/>'
SERVO = '<position name="turn" joint="shoulder" kp="30" kv="1" ctrlrange="-1 1"/>'
DRIVEN = {
    "torque": TORQUE,
    "torque without limits": '<motor name="turn" joint="shoulder" gear="20"/>',
    "torque with a filter": '<general name="turn" joint="shoulder" gainprm="20" dyntype="filter" dynprm="0.05" ctrlrange="-1 1"/>',
    "servo": SERVO,
    "servo without limits": '<position name="turn" joint="shoulder" kp="30" kv="1"/>',
    "servo by its speed": '<intvelocity name="turn" joint="shoulder" kp="30" actrange="-1 1"/>',
    "damper": '<velocity name="turn" joint="shoulder" kv="2" ctrlrange="-3 3"/>',
    "tendon": '<motor name="turn" tendon="cord" gear="5" ctrlrange="-1 1"/>',
}
CORD = '<fixed name="cord"><joint joint="shoulder" coef="2"/></fixed></tendon>'


def _with(own_body, motor: str, before: bool = False, **changed: object) -> Path:  # type: ignore[no-untyped-def]
    xml = own_body.xml.replace("<freejoint/>", f"<freejoint/>{_ARM}").replace("</tendon>", CORD)
    mark = "<actuator>" if before else "</actuator>"
    xml = xml.replace(mark, mark + motor if before else motor + mark)
    joints = ["hip_r", "hip_l", "shoulder"]
    return own_body(xml, **({"planned_joints": joints} | changed))


def test_without_a_line_they_are_refused_by_name(own_body) -> None:  # type: ignore[no-untyped-def]
    told = custom.problems(_with(own_body, TORQUE), LAWS)
    assert told == [
        "turn is a motor, no muscle: say what becomes of it, motors: posture (they hold their joints at the planned posture) or "
        "motors: zero (their control stays zero)."
    ]
    many = _with(own_body, "".join(TORQUE.replace("turn", f"turn-{i}") for i in range(5)))
    assert custom.problems(many, LAWS)[0].startswith("turn-0, turn-1, turn-2 and 2 more are motors, no muscles: say ")
    with pytest.raises(MovlrError, match="is a motor, no muscle"):
        load(str(_with(own_body, TORQUE)))


@pytest.mark.parametrize(
    ("motor", "mode", "told"),
    [
        ('<motor name="turn" site="front_l"/>', "posture", "The motor turn acts on no joint and no tendon"),
        ('<adhesion name="turn" body="foot_l" ctrlrange="0 1" gain="1"/>', "posture", "The motor turn is of a kind|acts on no joint"),
        ('<general name="turn" joint="shoulder" gaintype="affine" gainprm="1 2"/>', "posture", "The motor turn is of a kind"),
        ('<general name="turn" joint="shoulder" dyntype="muscle"/>', "posture", "The motor turn has dynamics"),
        ("", "posture", "motors is posture, and the model has only muscles"),
        ("", "limp", "motors is 'limp'"),
    ],
)
def test_what_cannot_be_driven_is_told(own_body, motor: str, mode: str, told: str) -> None:  # type: ignore[no-untyped-def]
    import re

    assert re.search(told, "\n".join(custom.problems(_with(own_body, motor, motors=mode), LAWS)))


def test_at_zero_a_torque_motor_is_as_if_it_were_not_there(own_body) -> None:  # type: ignore[no-untyped-def]
    without = load(str(_with(own_body, "", name="bare")))
    zero = load(str(_with(own_body, TORQUE, motors="zero", name="zeroed")))
    assert zero.motors.count == 0 and zero.model.nu == without.model.nu
    np.testing.assert_array_equal(zero.standing_qpos, without.standing_qpos)
    np.testing.assert_array_equal(zero.standing_act, without.standing_act)


def test_at_zero_a_servo_holds_its_joint_at_zero(own_body) -> None:  # type: ignore[no-untyped-def]
    path = _with(own_body, SERVO, motors="zero")
    raw = mujoco.MjModel.from_xml_path(str(path.with_name("biped.xml")))
    body = load(str(path))
    given, made = mujoco.MjData(raw), mujoco.MjData(body.model)
    for model, data in ((raw, given), (body.model, made)):
        data.joint("shoulder").qpos, data.joint("shoulder").qvel = 0.4, -0.3
        data.ctrl[:] = 0.0 if model is raw else np.linspace(0.1, 0.9, model.nu)  # whatever it is told
        mujoco.mj_forward(model, data)
    assert made.actuator("turn").force[0] == pytest.approx(given.actuator("turn").force[0]) == pytest.approx(-30 * 0.4 + 0.3)


@pytest.mark.parametrize("what", DRIVEN)
@pytest.mark.parametrize("law", ["fibre-strain", "paper"])
def test_a_motor_takes_its_joint_to_the_planned_posture(own_body, what: str, law: str) -> None:  # type: ignore[no-untyped-def]
    body = load(str(_with(own_body, DRIVEN[what], before=True, motors="posture", law=law)))
    assert body.actuators[-1] == "turn" and body.motors.names == ("turn",) and "turn" not in body.muscles.names
    assert body.muscles.count == 4 and body.model.nu == body.model.na == 5
    simulator = engines.make("native", body, candidates=1, plan_dt=0.004, threads=1)
    state = simulator.reset(body.standing_qpos, body.standing_act)
    wanted = body.posture.read(body.standing_qpos)[None, None].copy()
    wanted[..., 2] += 0.4
    shoulder = int(body.posture.qpos_index[2])
    controller = make(law, body, 0.004)
    frames = [stand.TASK.frame(stand.TASK.start(body, 0))]
    for _ in range(2):
        state, _, bad = simulator.advance(state, controller, wanted, 150, frames)
    assert not bad.any()
    slack = 0.1 if what in ("damper", "tendon", "servo by its speed") else 0.06
    assert state.qpos[0, shoulder] - body.standing_qpos[shoulder] == pytest.approx(0.4, abs=slack)
    assert ((state.act >= 0.0) & (state.act <= 1.0)).all()


def test_a_torque_motor_pulls_no_more_than_it_could(own_body) -> None:  # type: ignore[no-untyped-def]
    body = load(str(_with(own_body, TORQUE, motors="posture")))
    assert body.motors.strength == pytest.approx([0.5])  # of control, before the gear
    data = body.data()
    data.act[-1] = 1.0
    mujoco.mj_forward(body.model, data)
    assert data.actuator_force[-1] == pytest.approx(0.5) and data.qfrc_actuator[body.model.joint("shoulder").dofadr[0]] == pytest.approx(
        10.0
    )


def test_the_standing_pose_is_held_by_motors_too(own_body) -> None:  # type: ignore[no-untyped-def]
    body = load(str(_with(own_body, TORQUE, motors="posture", stance={"shoulder": 0.5})))
    data = body.data()
    shoulder = body.model.joint("shoulder")
    for _ in range(50):
        mujoco.mj_step(body.model, data)
    assert data.qpos[shoulder.qposadr[0]] == pytest.approx(body.standing_qpos[shoulder.qposadr[0]], abs=0.02)


def test_a_body_of_motors_alone_stands_plans_and_is_rewarded(own_body) -> None:  # type: ignore[no-untyped-def]
    hips = "".join(f'<motor name="drive_{s}" joint="hip_{s}" gear="60" ctrlrange="-1 1"/>' for s in "lr")
    start = own_body.xml.index("<actuator>")
    xml = own_body.xml[:start] + f"<actuator>{hips}</actuator></mujoco>"
    body = load(str(own_body(xml, motors="posture")))
    assert body.muscles.count == 0 and body.motors.names == ("drive_l", "drive_r")
    runner = EpisodeRunner.build(body, MPPI(candidates=8, horizon=0.08), "native", threads=1)
    layout = feature_layout(body)
    reward = Reward.trusted("start", stand.TASK.rewards["start"], layout)
    rollout = stand.TASK.episode(runner, reward, 0, seconds=0.2)
    metrics = stand.TASK.measure(body, rollout)
    assert rollout.ended == "time" and metrics["effort"] is None and not metrics["fell"]
    assert custom.problems(own_body(xml, motors="zero"), LAWS) == [
        "The model has nothing that moves it: give it muscles, or motors and the line motors: posture."
    ]


def test_rewards_see_muscles_alone(own_body) -> None:  # type: ignore[no-untyped-def]
    body = load(str(_with(own_body, TORQUE, motors="posture")))
    layout = feature_layout(body)
    assert layout.muscles == body.muscles.names and len(layout.muscles) == 4
    text = """
WEIGHTS = {"mean": 1.0, "top": 1.0}


def terms(m):
    return {"mean": jnp.mean(m.muscles.activation), "top": jnp.max(m.muscles.activation)}
"""
    reward = Reward.unguarded("own", text, layout)
    row = np.zeros((1, 2 * layout.size), np.float32)
    row[0, layout.columns("act")] = (0.1, 0.2, 0.3, 0.4, 0.9)
    assert np.asarray(reward.terms(row))[0] == pytest.approx([0.25, 0.4])


def test_mjx_gives_lengths_and_steps_as_c_does(own_body) -> None:  # type: ignore[no-untyped-def]
    import jax.numpy as jnp

    from movlr_jax.physics import mjx_model

    body = load(str(_with(own_body, TORQUE + DRIVEN["tendon"].replace("turn", "pull"), motors="posture")))
    lengths, arms = mjx_model.LengthMap(mjx_model.prepare(body, "jax", 0.004).executed, "jax")(
        jnp.asarray(body.standing_qpos[None], jnp.float32)
    )
    native = engines.make("native", body, candidates=1, plan_dt=0.004, threads=1)
    want_lengths, want_arms = native.target_kinematics(body.standing_qpos[None])
    np.testing.assert_allclose(lengths, want_lengths, atol=1e-6)
    np.testing.assert_allclose(arms, want_arms, atol=1e-6)


def test_every_mode_is_a_value_of_the_file() -> None:
    from typing import get_args

    assert set(get_args(body_file.Body.model_fields["motors"].annotation)) == {"", *MODES}
