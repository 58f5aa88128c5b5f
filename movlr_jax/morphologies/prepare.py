"""From a BodyPlan to a Morphology: the spec is edited, never text.

Adds a site per landmark (axes forward, left, up in the stance), the sensor suite every reward feature is read from, two touch sites a
foot, limits activation to [0, 1] (with steps above the activation time constant it would overshoot), makes motors what the body's file
says of them, and finds the standing start.
"""

from __future__ import annotations

import dataclasses
import functools
import warnings
from collections.abc import Callable

import mujoco
import numpy as np

from movlr_jax._quiet import silence_mujoco
from movlr_jax.errors import MovlrError
from movlr_jax.morphologies import motors, muscles, objects, posture, standing
from movlr_jax.morphologies.body_plan import BodyPlan, LandmarkPlan
from movlr_jax.morphologies.morphology import Morphology
from movlr_jax.morphologies.scene import FLAT, Scene, injure
from movlr_jax.morphologies.terrain import Flat

SIM_TIMESTEP = 0.002  # s; the executed body's step in the reference system
_TOUCH_SIZE = 0.3  # m; larger than any foot, so that every contact of the site's body counts
_LANDMARK_SENSORS = {
    "position": mujoco.mjtSensor.mjSENS_FRAMEPOS,
    "quat": mujoco.mjtSensor.mjSENS_FRAMEQUAT,
    "velocity": mujoco.mjtSensor.mjSENS_FRAMELINVEL,
    "angular_velocity": mujoco.mjtSensor.mjSENS_FRAMEANGVEL,
}


def prepare(plan: BodyPlan, scene: Scene = FLAT) -> Morphology:
    """Build the morphology that a plan describes, in a scene; it is settled on flat ground, whatever the terrain.

    Raises:
        MovlrError: the plan or an injury names a body, joint or muscle that the model lacks, the model cannot stand, or the plan has no
            grasp of the scene's object.
    """
    silence_mujoco()
    spec = plan.spec()
    _name(spec)
    scene.furnish(spec)
    if scene.thing is not None:
        plan = _holding(plan, scene.thing)
    # What is written for other programs goes: sensors (ours follow), and tuples and poses that may name what goes.
    for part in (*spec.tuples, *spec.keys, *spec.sensors):
        spec.delete(part)
    motors.furnish(spec, plan.motors)
    for actuator in spec.actuators:
        actuator.actlimited = True
        actuator.actrange = [0.0, 1.0]
    spec.option.timestep = SIM_TIMESTEP
    bare = _ranged(spec, _compile(spec))
    injure(spec, muscles.read(bare, plan.muscle_groups, plan.unsided), scene.injuries)
    stance = standing.stance(bare, posture.build(bare, plan.planned_joints), plan)
    _add_sensors(spec, bare, stance, plan)
    model = _compile(spec)
    space = posture.build(model, plan.planned_joints, plan.noise)
    muscle_data = muscles.read(model, plan.muscle_groups, plan.unsided)
    sensors = {model.sensor(i).name: (int(model.sensor_adr[i]), int(model.sensor_dim[i])) for i in range(model.nsensor)}
    for side in plan.feet:
        first = sensors[f"touch/{side}/0"][0]
        sensors[f"touch/{side}"] = (first, len(plan.feet[side]))
    motor_data = motors.read(model, muscle_data.count)
    qpos, act = standing.settle(model, space, motor_data, plan)
    data = mujoco.MjData(model)
    data.qpos[:] = qpos
    mujoco.mj_forward(model, data)
    heights = {name: float(data.sensordata[sensors[f"{name}/position"][0] + 2]) for name in plan.landmarks}
    heights["com"] = float(data.sensordata[sensors["com/position"][0] + 2])
    if scene.terrain != Flat():
        scene.terrain.add(spec)
        model = _compile(spec)
    return Morphology(
        plan,
        scene.terrain,
        model,
        *leaned(spec, model),
        space,
        muscle_data,
        motor_data,
        tuple(plan.landmarks),
        sensors,
        qpos,
        act,
        heights,
        scene.thing,
    )


def _holding(plan: BodyPlan, thing: objects.Object) -> BodyPlan:
    """Return the plan with an object in its hand: the grasp is its stance, the object a landmark."""
    if thing.name not in plan.grasps:
        has = f"it has one for {', '.join(plan.grasps)}" if plan.grasps else "it has none for any object"
        raise MovlrError(f"{plan.name} has no grasp of the {thing.name} ({has}): choose a body with hands, see movlr morphologies.")
    landmarks = {**plan.landmarks, objects.BODY: LandmarkPlan(objects.BODY)}
    return dataclasses.replace(plan, landmarks=landmarks, stance={**plan.stance, **plan.grasps[thing.name]})


def _ranged(spec: mujoco.MjSpec, model: mujoco.MjModel) -> mujoco.MjModel:
    """Return the compiled model with a length range for every muscle; those that have none get what MuJoCo finds by pulling them.

    Raises:
        MovlrError: it finds none.
    """
    ranges = model.actuator_lengthrange
    without = [int(i) for i in np.flatnonzero(muscles.muscular(model)) if not ranges[i, 1] > ranges[i, 0]]
    if not without:
        return model
    spec.compiler.LRopt.mode = int(mujoco.mjtLRMode.mjLRMODE_MUSCLE)
    spec.compiler.LRopt.useexisting = 1
    try:
        model = _compile(spec)
    except (ValueError, mujoco.FatalError) as error:
        raise _no_range(spec.actuators[without[0]].name, " ".join(str(error).split())[:100]) from None
    left = [i for i in without if not model.actuator_lengthrange[i, 1] > model.actuator_lengthrange[i, 0]]
    if left:
        raise _no_range(spec.actuators[left[0]].name, "its path does not change in length")
    return model


def _no_range(name: str, why: str) -> MovlrError:
    return MovlrError(f"The muscle {name} has no length range, and none can be found ({why}): give it lengthrange='SHORTEST LONGEST' (m).")


def _name(spec: mujoco.MjSpec) -> None:
    """Give names to bodies, joints and actuators that have none: sensors, tables and sentences go by names."""
    for kind, parts in (("body", spec.bodies), ("joint", spec.joints), ("actuator", spec.actuators)):
        taken = {part.name for part in parts}
        for number, part in enumerate(parts):
            if not part.name:
                part.name = next(name for n in range(len(parts) + 1) if (name := f"{kind}-{number}" + ("x" * n)) not in taken)


def _compile(spec: mujoco.MjSpec) -> mujoco.MjModel:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MyoSim's composer attaches parts without a prefix, which matters only for saving XML
        return spec.compile()


def leaned(spec: mujoco.MjSpec, model: mujoco.MjModel) -> tuple[mujoco.MjModel, Callable[[], mujoco.MjModel]]:
    """Return a model compiled anew without what no force and no sensor depends on, and what makes the same with welded bodies as one.

    Pictures go, and sites that nothing refers to: MS-Human-700's legs carry 2,875 sites of the whole body's muscles and use 389; placing
    the others took a seventh of a step. They also have 81 bodies and 13 that move against each other. Where making one of two bodies would
    give a touch sensor another body's contacts, the second model is the first.
    """
    site, used = mujoco.mjtObj.mjOBJ_SITE, np.zeros(model.nsite, bool)
    used[model.wrap_objid[model.wrap_type == mujoco.mjtWrap.mjWRAP_SITE]] = True
    beside = np.isin(model.wrap_type, (int(mujoco.mjtWrap.mjWRAP_SPHERE), int(mujoco.mjtWrap.mjWRAP_CYLINDER))) & (model.wrap_prm >= 0)
    used[model.wrap_prm[beside].astype(int)] = True
    used[model.sensor_objid[model.sensor_objtype == site]] = True
    used[model.sensor_refid[model.sensor_reftype == site]] = True
    for ids in (model.eq_obj1id, model.eq_obj2id):
        used[ids[model.eq_objtype == site]] = True
    at_sites = np.isin(model.actuator_trntype, (int(mujoco.mjtTrn.mjTRN_SITE), int(mujoco.mjtTrn.mjTRN_SLIDERCRANK)))
    used[model.actuator_trnid[at_sites]] = True
    kept = {model.site(int(i)).name for i in np.flatnonzero(used)}
    lean = spec.copy()
    lean.compiler.discardvisual = True
    for idle in [s for s in lean.sites if s.name not in kept]:
        lean.delete(idle)
    apart = _compile(lean)
    return apart, functools.partial(_fused, lean, apart)


def _fused(spec: mujoco.MjSpec, apart: mujoco.MjModel) -> mujoco.MjModel:
    fused = spec.copy()
    fused.compiler.fusestatic = True
    one = _compile(fused)
    return one if _touched(one) == _touched(apart) else apart


def _touched(model: mujoco.MjModel) -> list[int]:
    """Return how many geoms the body of each touch sensor has."""
    sites = model.sensor_objid[model.sensor_type == int(mujoco.mjtSensor.mjSENS_TOUCH)]
    return [int(model.body_geomnum[body]) for body in model.site_bodyid[sites]]


def _add_sensors(spec: mujoco.MjSpec, bare: mujoco.MjModel, stance: np.ndarray, plan: BodyPlan) -> None:
    data = mujoco.MjData(bare)
    data.qpos[:] = stance
    mujoco.mj_kinematics(bare, data)
    for name, place in plan.landmarks.items():
        body = spec.body(place.body)
        if body is None:
            raise MovlrError(f"The landmark {name} names the body {place.body}, which {plan.name} does not have: correct its plan.")
        quat = np.zeros(4)
        mujoco.mju_negQuat(quat, data.body(place.body).xquat)
        site = f"landmark/{name}"
        body.add_site(name=site, pos=place.offset, quat=quat, size=[0.01, 0, 0], group=5)
        for quantity, kind in _LANDMARK_SENSORS.items():
            spec.add_sensor(name=f"{name}/{quantity}", type=kind, objtype=mujoco.mjtObj.mjOBJ_SITE, objname=site)
    top = bare.body(plan.top(bare)).name
    for quantity, kind in (
        ("position", mujoco.mjtSensor.mjSENS_SUBTREECOM),
        ("velocity", mujoco.mjtSensor.mjSENS_SUBTREELINVEL),
    ):
        spec.add_sensor(name=f"com/{quantity}", type=kind, objtype=mujoco.mjtObj.mjOBJ_BODY, objname=top)
    for side, bodies in plan.feet.items():
        for i, name in enumerate(bodies):
            site = f"touch/{side}/{i}"
            spec.body(name).add_site(name=site, type=mujoco.mjtGeom.mjGEOM_SPHERE, size=[_TOUCH_SIZE, 0, 0], group=5, rgba=[0, 0, 0, 0])
            spec.add_sensor(name=site, type=mujoco.mjtSensor.mjSENS_TOUCH, objtype=mujoco.mjtObj.mjOBJ_SITE, objname=site)
