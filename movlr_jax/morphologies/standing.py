"""The settled standing start: feet on the ground, centre of mass above them, facing +x, and the activations that hold it.

`stance` places the posture by kinematics. `settle` lets it come to rest on the ground while springs hold its planned joints, then replaces
the springs' torques by muscles and motors (static optimisation: least squares over activations in [0, 1]), so an episode does not begin
with a drop.
A body without feet is settled where it is: its springs hold its stance while the object that it works with comes to rest.
"""

from __future__ import annotations

import copy

import mujoco
import numpy as np
from jaxtyping import Float
from scipy import optimize

from movlr_jax.errors import MovlrError
from movlr_jax.morphologies import footing, muscles, root
from movlr_jax.morphologies.body_plan import BodyPlan
from movlr_jax.morphologies.morphology import Morphology
from movlr_jax.morphologies.motors import MotorData
from movlr_jax.morphologies.posture import PostureSpace

_DIVERGED = (mujoco.mjtWarning.mjWARN_BADQPOS, mujoco.mjtWarning.mjWARN_BADQVEL, mujoco.mjtWarning.mjWARN_BADQACC)
_CONTACT_DEPTH = 0.001  # m, initial penetration of the lowest foot geom
_SPRING, _DAMPER = 8000.0, 200.0  # N m/rad and N m s/rad: stiff enough for millimetres, damped enough at 1 ms steps
_ROOT_DAMPER = 2000.0  # N s/m and N m s/rad: a statue that is not yet balanced topples slowly enough to be corrected
_SETTLE_TIME = 0.4  # s
_CORRECTIONS = 4
_LEAN_REACH = 0.7  # share of the pelvis height by which the trunk moves per radian of lean; a secant slope, so it need not be exact
_RIDGE = 0.3  # N m per unit of activation: prefers small activations without missing torques by more than a few N m
_FIXED_RIDGE = 0.02  # the same for a body without feet: a finger weighs some mN m


def stance(model: mujoco.MjModel, space: PostureSpace, plan: BodyPlan, tilt: float = 0.0, lean: float = 0.0) -> Float[np.ndarray, " nq"]:
    """Return qpos of the plan's stance: facing +x, feet around the origin, the lowest foot geom touching the ground. A body without
    feet stays where its model puts it.

    Args:
        model: the compiled model.
        space: its posture space.
        plan: the body's plan.
        tilt: shift along plan.upright (rad), which pitches the whole body over its feet.
        lean: shift along plan.balance (rad), which moves the trunk over the feet.

    Raises:
        MovlrError: no foot geom can touch the floor.
    """
    target = [plan.stance.get(n, 0.0) + tilt * plan.upright.get(n, 0.0) + lean * plan.balance.get(n, 0.0) for n in space.names]
    qpos = space.complete(np.array(target), root.yaw(model, plan.top(model), model.qpos0, plan.root_yaw))
    if not plan.feet:
        return qpos
    data = mujoco.MjData(model)
    data.qpos[:] = qpos
    mujoco.mj_kinematics(model, data)
    center = _support_center(data, plan)
    top = plan.top(model)
    qpos = root.translate(model, top, qpos, np.array([-center[0], -center[1], 0.0]))
    return root.translate(model, top, qpos, np.array([0.0, 0.0, -_clearance(model, qpos, plan) - _CONTACT_DEPTH]))


def _support_center(data: mujoco.MjData, plan: BodyPlan) -> np.ndarray:
    places = [plan.landmarks[f"{side}.foot"] for side in plan.feet]
    points = [data.body(p.body).xpos + data.body(p.body).xmat.reshape(3, 3) @ np.array(p.offset) for p in places]
    return np.mean(points, axis=0)


def _clearance(model: mujoco.MjModel, qpos: np.ndarray, plan: BodyPlan) -> float:
    """Return the height of the lowest foot geom above the floor (m)."""
    data = mujoco.MjData(model)
    data.qpos[:] = qpos
    mujoco.mj_kinematics(model, data)
    feet = {model.body(name).id for bodies in plan.feet.values() for name in bodies}
    floor = model.geom("floor").id
    fromto = np.zeros(6)
    gaps = [
        mujoco.mj_geomDistance(model, data, floor, g, 10.0, fromto)
        for g in range(model.ngeom)
        if model.geom_bodyid[g] in feet and (model.geom_contype[g] or model.geom_conaffinity[g])
    ]
    if not gaps:
        raise MovlrError(f"The feet of {plan.name} have no geom that collides: name bodies with collision geoms in feet.")
    return float(min(gaps))


def reached(morphology: Morphology, origin: tuple[float, float]) -> tuple[float, float]:
    """Return the place x, y (m) nearest to an origin to which the body's root can take it: a root that moves in a plane stays in it."""
    if origin == (0.0, 0.0) or morphology.fixed:
        return origin
    x, y, _ = root.directions(morphology.model, morphology.top) @ np.array([*origin, 0.0])
    return float(x), float(y)


def placed(morphology: Morphology, qpos: Float[np.ndarray, " nq"], origin: tuple[float, float]) -> Float[np.ndarray, " nq"]:
    """Return qpos moved to another place, and up until no foot that touched the ground at the origin is inside it there.

    Args:
        morphology: the body, whose terrain is meant.
        qpos: a pose whose feet touch the plane z = 0 around the origin.
        origin: x, y of the new place (m).
    """
    if origin == (0.0, 0.0) or morphology.fixed:
        return qpos
    model = morphology.model
    qpos = root.translate(model, morphology.top, qpos, np.array([*origin, 0.0]))
    data = mujoco.MjData(model)
    data.qpos[:] = qpos
    mujoco.mj_kinematics(model, data)
    feet = {model.body(name).id for bodies in morphology.plan.feet.values() for name in bodies}
    geoms = [g for g in range(model.ngeom) if model.geom_bodyid[g] in feet and (model.geom_contype[g] or model.geom_conaffinity[g])]
    ends = [data.geom_xpos[g] + s * model.geom_size[g, 1] * data.geom_xmat[g].reshape(3, 3)[:, 2] for g in geoms for s in (-1, 0, 1)]
    return root.translate(model, morphology.top, qpos, np.array([0.0, 0.0, float(morphology.terrain.height(np.array(ends)[:, :2]).max())]))


def settle(
    model: mujoco.MjModel, space: PostureSpace, motors: MotorData, plan: BodyPlan
) -> tuple[Float[np.ndarray, " nq"], Float[np.ndarray, " na"]]:
    """Return the settled qpos and the activations that hold it.

    The stance is corrected a few times: what tips over its feet is tilted back, what is not above them is leaned.

    Raises:
        MovlrError: the body does not stay up while springs hold its joints, or its feet do not carry it.
    """
    if not plan.feet:
        held, data = _rest(model, space, stance(model, space, plan), plan, motors, root_damper=0.0)
        return space.project(data.qpos), _holding_activation(model, held, data, space, motors, plan, _FIXED_RIDGE)
    tilt = lean = 0.0
    top = plan.top(model)
    pelvis = plan.landmarks["pelvis"].body
    for attempt in range(_CORRECTIONS + 1):
        start = stance(model, space, plan, tilt, lean)
        held, data = _rest(model, space, start, plan, motors, _ROOT_DAMPER)
        reference = mujoco.MjData(model)
        reference.qpos[:] = start
        mujoco.mj_kinematics(model, reference)
        height, height0 = data.body(pelvis).xpos[2], reference.body(pelvis).xpos[2]
        if not np.isfinite(height) or height < 0.9 * height0:
            off = " ".join(footing.switched_off(model))
            if off:
                raise MovlrError(f"{plan.name} does not stand. {off}")
            raise MovlrError(f"{plan.name} does not stand in its stance: correct stance, upright or balance in its plan.")
        turned = data.body(pelvis).xmat.reshape(3, 3) @ reference.body(pelvis).xmat.reshape(3, 3).T
        pitch = float(np.arctan2(turned[0, 2], turned[2, 2]))
        offset = float(data.subtree_com[top][0] - _support_center(data, plan)[0])
        if attempt < _CORRECTIONS:
            tilt -= pitch
            lean -= (offset - pitch * float(data.subtree_com[top][2])) / (_LEAN_REACH * height0)
    unfelt = footing.fault(held, data, plan)
    if unfelt:
        raise MovlrError(f"{plan.name} does not feel the floor. {unfelt}")
    qpos = space.project(data.qpos)
    center = _support_center(data, plan)
    qpos = root.translate(model, top, qpos, np.array([-center[0], -center[1], 0.0]))
    return qpos, _holding_activation(model, held, data, space, motors, plan, _RIDGE)


def _rest(
    model: mujoco.MjModel, space: PostureSpace, start: np.ndarray, plan: BodyPlan, motors: MotorData, root_damper: float
) -> tuple[mujoco.MjModel, mujoco.MjData]:
    """Simulate until rest with springs on the planned joints, muscles slack and motors told to stay where they start."""
    held = copy.copy(model)
    held.opt.timestep = 0.001
    if held.opt.integrator == mujoco.mjtIntegrator.mjINT_RK4:  # which knows dampers as stiff as these only explicitly
        held.opt.integrator = mujoco.mjtIntegrator.mjINT_EULER
    joints = [int(np.flatnonzero(model.jnt_qposadr == q)[0]) for q in space.qpos_index]
    held.jnt_stiffness[joints] = _SPRING
    held.dof_damping[space.qvel_index] = _DAMPER
    held.qpos_spring[space.qpos_index] = start[space.qpos_index]  # what is not planned keeps its own spring
    for joint in root.root_joints(model, plan.top(model)) if root_damper else ():
        dofs = np.flatnonzero(model.dof_jntid == joint)
        held.dof_damping[dofs] = root_damper
    data = mujoco.MjData(held)
    data.qpos[:] = start
    if motors.count:
        mujoco.mj_forward(held, data)
        first = model.nu - motors.count
        data.act[first:] = data.ctrl[first:] = motors.activation(data.actuator_length[first:])
    for _ in range(round(_SETTLE_TIME / held.opt.timestep)):
        mujoco.mj_step(held, data)
    mujoco.mj_forward(held, data)
    if any(data.warning[kind].number for kind in _DIVERGED):
        raise MovlrError(
            f"{plan.name} flies apart in its stance: correct stance (limbs may stand inside one another), or its masses and inertias."
        )
    return held, data


def _holding_activation(
    own: mujoco.MjModel,
    model: mujoco.MjModel,
    data: mujoco.MjData,
    space: PostureSpace,
    motors: MotorData,
    plan: BodyPlan,
    ridge: float,
) -> np.ndarray:
    """Return activations[na] whose torques replace those of the springs of `model`, less what the body's `own` springs do.

    A motor's differ as little as they can from those that pull towards where it is.
    """
    moments = muscles.moments(model, data)
    # Joints that are neither planned nor coupled rest without muscles, so muscles must not turn them.
    dofs = np.concatenate([space.qvel_index, _passive_dofs(model, space, plan)])
    # Torques on planned joints include those through the joints that are coupled to them: chain rule over the polynomials.
    chain = np.zeros((model.nv, len(dofs)))
    chain[dofs, np.arange(len(dofs))] = 1.0
    dof_of = {int(model.jnt_qposadr[j]): int(model.jnt_dofadr[j]) for j in range(model.njnt)}
    for dependent, driver, poly, _, x0 in space.coupled:
        x = data.qpos[driver] - x0
        slope = poly[1] + x * (2 * poly[2] + x * (3 * poly[3] + x * 4 * poly[4]))
        chain[dof_of[dependent]] = slope * chain[dof_of[driver]]
    spring = np.zeros(model.nv)
    q, joints = data.qpos[space.qpos_index], model.dof_jntid[space.qvel_index]
    spring[space.qvel_index] = own.jnt_stiffness[joints] * (q - own.qpos_spring[space.qpos_index])
    spring[space.qvel_index] -= _SPRING * (q - model.qpos_spring[space.qpos_index])
    first = model.nu - motors.count
    gain = np.array(
        [
            mujoco.mju_muscleGain(
                data.actuator_length[i],
                0.0,
                model.actuator_lengthrange[i],
                model.actuator_acc0[i],
                model.actuator_gainprm[i][:9],
            )
            for i in range(first)
        ]
    )
    gain = np.append(gain, model.actuator_gainprm[first:, 0])
    torque_per_activation = (chain.T @ moments.T) * gain
    wanted, near = chain.T @ spring, np.zeros(model.nu)
    if motors.count:
        # What the springs do less what the motors did beside them: both are now asked of all actuators. A motor's bias is no activation's.
        length = data.actuator_length[first:]
        near[first:] = motors.activation(length)
        bias = model.actuator_biasprm[first:, 0] + model.actuator_biasprm[first:, 1] * length
        wanted = wanted + chain.T @ moments[first:].T @ (data.actuator_force[first:] - bias)
    a = np.vstack([torque_per_activation, ridge * np.eye(model.nu)])
    b = np.concatenate([wanted, ridge * near])
    return np.asarray(optimize.lsq_linear(a, b, bounds=(0.0, 1.0)).x)


def _passive_dofs(model: mujoco.MjModel, space: PostureSpace, plan: BodyPlan) -> np.ndarray:
    """Return the body's degrees of freedom of joints that are neither the root's, nor planned, nor coupled or locked by an equality."""
    bound = model.eq_obj1id[model.eq_type == mujoco.mjtEq.mjEQ_JOINT]
    top = plan.top(model)
    moved = np.isin(model.dof_jntid, [*root.root_joints(model, top), *bound])
    if plan.feet:
        moved |= ~root.tree(model, top)[model.dof_bodyid]
    moved[space.qvel_index] = True
    return np.flatnonzero(~moved)
