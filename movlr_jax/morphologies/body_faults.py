"""Whether the file of a user's own body fits its model: one check a part, each a sentence for whatever is wrong.

Flows in: a Body (`body_file`) and its compiled model. Flows out: sentences, none where they fit.
"""

from __future__ import annotations

import mujoco
import numpy as np

from movlr_jax.errors import MovlrError
from movlr_jax.morphologies import footing, motors, muscles, posture, root
from movlr_jax.morphologies.body_file import LANDMARKS, Body, unknown_name
from movlr_jax.sides import SIDES

# What `m` of a reward has by these names already.
RESERVED = frozenset(
    (
        "com",
        "dt",
        "goal",
        "joint",
        "joints",
        "left",
        "muscle_group",
        "muscles",
        "object",
        "parameters",
        "previous",
        "right",
        "standing",
        "time",
    )
)
_SLACK = 0.01  # rad or m by which a stance may lie outside a range
_MOVED = {0: "forward", 2: "up"}  # how the root of a body that stands must be movable
_FLAT = 1e-6  # m and unit vector; how exactly the floor must lie at z = 0


def faults(spec: mujoco.MjSpec, model: mujoco.MjModel, body: Body) -> list[str]:
    """Return in what a file does not fit its model; `model` is `spec`, compiled."""
    return [
        *_value_faults(model, body),
        *(_floor_faults(model) if body.stands else ()),
        *_root_faults(model, body),
        *_place_faults(model, body),
        *_joint_faults(model, body),
        *_actuator_faults(spec, model, body),
        *footing.switched_off(model, body.stands),
    ]


def _value_faults(model: mujoco.MjModel, body: Body) -> list[str]:
    """Return values that no body has, with what was probably meant."""
    out = []
    if abs(body.root_yaw) > 2 * np.pi:
        out.append(f"root_yaw is {body.root_yaw:g} rad: degrees? Give radians ({np.deg2rad(body.root_yaw):.3g}).")
    for name, angle in body.stance.items():
        j = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_JOINT, name)
        if j < 0 or not model.jnt_limited[j]:
            continue
        low, high = (float(v) for v in model.jnt_range[j])
        if not low - _SLACK <= angle <= high + _SLACK:
            turns = int(model.jnt_type[j]) == int(mujoco.mjtJoint.mjJNT_HINGE)
            degrees = turns and (abs(angle) > 2 * np.pi or low - _SLACK <= np.deg2rad(angle) <= high + _SLACK)
            unit = "rad" if turns else "m"
            hint = f" Is it in degrees? {angle:g} degrees are {np.deg2rad(angle):.3g} rad." if degrees else ""
            out.append(f"stance.{name} is {angle:g} {unit}, outside the joint's range of {low:.3g} to {high:.3g}: correct it.{hint}")
    size = float(model.stat.extent)
    for name, place in body.landmarks.items():
        if max(map(abs, place.offset)) > max(size, 3.0):
            out.append(f"landmarks.{name}.offset is {list(place.offset)} m, farther than the model is large: millimetres? Give metres.")
        if place.body == "world" and body.stands:
            out.append(f"The landmark {name} is a place of the world: name a body that moves.")
    for side, parts in body.feet.items():
        if "world" in parts:
            out.append(f"feet.{side} names the world, which is no foot: name the body that touches the floor.")
    both = set(body.feet.get("left", ())) & set(body.feet.get("right", ()))
    if both:
        out.append(f"{', '.join(sorted(both))} is in both feet: name for each side the bodies of that foot alone.")
    left, right = (body.landmarks.get(f"{side}.foot") for side in SIDES)
    if left is not None and left == right:
        out.append("left.foot and right.foot are one place: name for each side its own.")
    for side, parts in body.feet.items():
        twice = sorted({part for part in parts if parts.count(part) > 1})
        if twice:
            out.append(f"feet.{side} names {', '.join(twice)} twice: its load would count twice; name each once.")
    out += _strange_faults(model, body)
    for name, gain in body.gains.items():
        if gain <= 0:
            out.append(f"gains.{name} is {gain:g}: give a number above 0.")
    return out


def _strange_faults(model: mujoco.MjModel, body: Body) -> list[str]:
    """Return what is named as the body's and hangs on another tree than its pelvis: a ball, a door, an opponent."""
    bodies = _names(model, mujoco.mjtObj.mjOBJ_BODY, model.nbody)
    pelvis = body.landmarks.get("pelvis")
    if not body.stands or pelvis is None or pelvis.body not in bodies or model.body_weldid[model.body(pelvis.body).id] == 0:
        return []  # told elsewhere; what a fixed body works with may be a landmark of it
    own = root.tree(model, root.top(model, model.body(pelvis.body).id))
    out = []
    for name, place in body.landmarks.items():
        if place.body in bodies and place.body != "world" and not own[model.body(place.body).id]:
            out.append(f"The landmark {name} is on {place.body}, which is no part of the body that holds the pelvis: name one that is.")
    for side, parts in body.feet.items():
        strange = [part for part in parts if part in bodies and part != "world" and not own[model.body(part).id]]
        if strange:
            out.append(f"feet.{side} names {', '.join(strange)}, which is no part of the body that holds the pelvis: name one that is.")
    for name in dict.fromkeys(body.planned_joints):
        joint = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_JOINT, name)
        if joint >= 0 and not own[model.jnt_bodyid[joint]]:
            out.append(f"planned_joints names {name}, which does not belong to the body that holds the pelvis: leave it out.")
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    moments = muscles.moments(model, data)
    inside = own[model.dof_bodyid]
    for i in np.flatnonzero((moments[:, ~inside] != 0).any(1) & ~(moments[:, inside] != 0).any(1)):
        kind = "muscle" if muscles.muscular(model)[i] else "motor"
        out.append(f"The {kind} {model.actuator(int(i)).name or int(i)} moves another body alone: delete it from the model.")
    return out


def _names(model: mujoco.MjModel, kind: mujoco.mjtObj, count: int) -> list[str]:
    return [name for i in range(count) if (name := mujoco.mj_id2name(model, kind, i))]


def _floor_faults(model: mujoco.MjModel) -> list[str]:
    floor = model.geom("floor").id
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    out = []
    if model.body_weldid[model.geom_bodyid[floor]] != 0:
        out.append("The floor moves: make it a geom of the world.")
    if abs(data.geom_xpos[floor][2]) > _FLAT:
        out.append(f"The floor lies at z = {data.geom_xpos[floor][2]:g} m: move the model so that it lies at 0.")
    if not np.allclose(data.geom_xmat[floor].reshape(3, 3)[:, 2], (0, 0, 1), atol=_FLAT):
        out.append("The floor is tilted: turn it level.")
    if not (model.geom_contype[floor] or model.geom_conaffinity[floor]):
        out.append("The floor collides with nothing: give it contype and conaffinity 1.")
    return out


def _root_faults(model: mujoco.MjModel, body: Body) -> list[str]:
    if not body.stands:
        return _loose_faults(model, body)
    place = body.landmarks.get("pelvis")
    if place is None or place.body not in _names(model, mujoco.mjtObj.mjOBJ_BODY, model.nbody):
        return []  # told where landmarks are
    try:
        top = root.top(model, model.body(place.body).id)
        root.yaw(model, top, model.qpos0, body.root_yaw)
    except MovlrError as error:
        return [str(error)]
    ways = root.directions(model, top)
    missing = [f"{name} ({'xyz'[i]})" for i, name in _MOVED.items() if not np.allclose(ways[:, i], np.eye(3)[i])]
    if missing:
        return [
            f"The root {model.body(top).name} cannot be moved {' and '.join(missing)}, so the body can neither walk nor be placed on the "
            "ground: give it a free joint, or slides along x and z; or leave feet out, if it is fixed to the world."
        ]
    return []


def _loose_faults(model: mujoco.MjModel, body: Body) -> list[str]:
    """Return whether a body that names no feet moves as a whole all the same."""
    joint = next((j for name in body.planned_joints if (j := mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_JOINT, name)) >= 0), -1)
    if joint < 0:
        return []  # told where joints are
    top = root.top(model, int(model.jnt_bodyid[joint]))
    if root.directions(model, top).any() and not set(root.root_joints(model, top)) & {
        mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_JOINT, name) for name in body.planned_joints
    }:
        return [f"feet is missing, and {model.body(top).name} is not fixed to the world: name its feet, left and right, or fix it."]
    return []


def _place_faults(model: mujoco.MjModel, body: Body) -> list[str]:
    bodies = _names(model, mujoco.mjtObj.mjOBJ_BODY, model.nbody)
    reported = {name for name in LANDMARKS if {"landmarks", f"landmarks.{name}"} & body.lost}
    needed = [name for name in LANDMARKS if body.stands and name not in reported]
    out = [f"The landmark {name} is missing: add it to landmarks." for name in needed if name not in body.landmarks]
    for name, place in body.landmarks.items():
        side, _, part = name.rpartition(".")
        if not part.isidentifier() or side not in ("", *SIDES) or (not side and (name in RESERVED or name.startswith("_"))):
            out.append(f"A landmark cannot be named '{name}': use a word such as head, or left. and right. before it.")
        if place.body not in bodies:
            out.append(f"The landmark {name}: {unknown_name(place.body, bodies, 'body')}")
    bare = [side for side in SIDES if body.feet and not body.feet.get(side) and not {"feet", f"feet.{side}"} & body.lost]
    out += [f"feet has no {side} foot: list the bodies of it that touch the floor." for side in bare]
    for side, parts in body.feet.items():
        if side not in SIDES:
            out.append(f"feet: {unknown_name(side, SIDES, 'side')}")
        missing = [part for part in parts if part not in bodies]
        out += [f"feet.{side}: {unknown_name(part, bodies, 'body')}" for part in missing]
        ids = [model.body(part).id for part in parts if part not in missing]
        own = np.isin(model.geom_bodyid, ids)
        if ids and not missing and not (own & ((model.geom_contype > 0) | (model.geom_conaffinity > 0))).any():
            out.append(f"feet.{side} has no geom that collides: name bodies with collision geoms.")
    return out


def _joint_faults(model: mujoco.MjModel, body: Body) -> list[str]:
    joints = _names(model, mujoco.mjtObj.mjOBJ_JOINT, model.njnt)
    out = []
    for name in dict.fromkeys(body.planned_joints):
        if name not in joints:
            out.append(f"planned_joints: {unknown_name(name, joints, 'joint')}")
            continue
        try:
            posture.build(model, (name,))
        except MovlrError as error:
            out.append(str(error))
    if len(set(body.planned_joints)) < len(body.planned_joints):
        out.append("planned_joints names a joint twice: name each once.")
    for field in ("stance", "upright", "balance") if "planned_joints" not in body.lost else ():
        for name in getattr(body, field):
            if name not in body.planned_joints:
                out.append(f"{field}: {unknown_name(name, body.planned_joints, 'planned joint')}")
    return out


def _actuator_faults(spec: mujoco.MjSpec, model: mujoco.MjModel, body: Body) -> list[str]:
    wrong = motors.faults(spec, model, body.motors)
    own = np.flatnonzero(muscles.muscular(model))
    names = [model.actuator(int(i)).name for i in own]
    if not names and (not model.nu or body.motors == "zero"):
        return [*wrong, "The model has nothing that moves it: give it muscles, or motors and the line motors: posture."]
    idle = [model.actuator(int(i)).name or f"number {i}" for i in own if model.actuator_gainprm[i, muscles.PEAK_FORCE] == 0]
    if idle:
        wrong.append(f"The muscle {idle[0]} has a force of 0 ({len(idle)} such): give it one, or delete it.")
    return [
        *wrong,
        *(
            f"muscle_groups.{group}: no muscle's name starts with '{start}'."
            for group, starts in body.muscle_groups.items()
            for start in starts
            if not any(n.startswith(start) for n in names)
        ),
    ]
