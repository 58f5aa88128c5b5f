"""Anatomy: which joint of a leg does what, read from geometry in the standing pose and never from a joint's name.

Flows in: a prepared body with its landmarks (hip, knee, foot of each side). Flows out: function ("left.knee_flexion") -> its joint and the
sign that makes the function positive. The directions are those of OpenSim's leg models: hip flexion swings the leg forward, adduction
towards the other leg, rotation turns the toes inward, knee flexion brings the foot back towards the pelvis, ankle flexion lifts the toes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import mujoco
import numpy as np

from movlr_jax.sides import SIDES

if TYPE_CHECKING:
    from movlr_jax.morphologies.morphology import Morphology

# function -> the part of the leg where its joint is, and the axis (forward, left, up) about which the left leg turns positively; the right
# leg is its mirror image. A hinge has the first function of its part that its axis is nearest to.
FUNCTIONS: dict[str, tuple[str, tuple[int, int, int]]] = {
    "hip_flexion": ("hip", (0, -1, 0)),
    "hip_adduction": ("hip", (-1, 0, 0)),
    "hip_rotation": ("hip", (0, 0, -1)),
    "knee_flexion": ("knee", (0, 1, 0)),
    "ankle_flexion": ("ankle", (0, -1, 0)),
}
# What OpenSim's leg models call them, of a side "l" or "r".
USUAL: dict[str, str] = {name: name for name in FUNCTIONS} | {"knee_flexion": "knee_angle", "ankle_flexion": "ankle_angle"}
_ALONG = 0.5  # cosine from which a hinge turns about an axis
_SHORTER = 0.01  # share of the leg's length by which a bent leg must be shorter to tell which way a knee bends


def usual(function: str) -> str:
    """Return the usual name of the joint of a function: "knee_angle_l" of "left.knee_flexion"."""
    side, name = function.split(".")
    return f"{USUAL[name]}_{side[0]}"


def joints(morphology: Morphology) -> dict[str, tuple[str, float]]:
    """Return function -> (scalar joint, 1.0 or -1.0) of every function that a hinge of the legs has; none of a body without feet.

    Planned joints come before others; joints that follow another by an equality are none.
    """
    if morphology.fixed:
        return {}
    data = mujoco.MjData(morphology.model)
    data.qpos[:] = morphology.standing_qpos
    mujoco.mj_kinematics(morphology.model, data)
    return {f"{side}.{name}": joint for side in SIDES for name, joint in _leg(morphology, data, side).items()}


def _leg(morphology: Morphology, data: mujoco.MjData, side: str) -> dict[str, tuple[str, float]]:
    model = morphology.model
    hinges = _hinges(morphology, side)
    if not hinges:
        return {}
    places = {
        name: data.site(f"landmark/{side}.{name}").xpos
        for name in ("hip", "knee", "ankle", "heel", "foot")
        if f"{side}.{name}" in morphology.landmarks
    }
    hip = places.setdefault("hip", data.xanchor[hinges[0]])
    places.setdefault("knee", 0.5 * (hip + places["foot"]))
    away = {j: {name: float(np.linalg.norm(data.xanchor[j] - place)) for name, place in places.items()} for j in hinges}
    nearest = {j: min(away[j], key=away[j].__getitem__) for j in hinges}
    part = nearest if "ankle" in places else {j: {"heel": "ankle", "foot": "ankle"}.get(name, name) for j, name in nearest.items()}
    planned = set(morphology.posture.names)
    out: dict[str, tuple[str, float]] = {}
    for function, (where, left_axis) in FUNCTIONS.items():
        forward, left, up = left_axis
        axis = np.array([forward, left, up] if side == "left" else [-forward, left, -up])
        free = [j for j in hinges if part[j] == where and model.joint(j).name not in {name for name, _ in out.values()}]
        along = {j: float(data.xaxis[j] @ axis) for j in free}
        able = [j for j in free if abs(along[j]) > _ALONG]
        if able:
            joint = max(able, key=lambda j: (model.joint(j).name in planned, abs(along[j])))
            bends = _shortening(model, data, joint, hip, places["foot"]) if function == "knee_flexion" else 0.0
            out[function] = (str(model.joint(joint).name), float(np.sign(bends or along[joint])))
    return out


def _hinges(morphology: Morphology, side: str) -> list[int]:
    """Return the hinges between pelvis and foot, from the top down, without those that follow another joint."""
    model, landmarks = morphology.model, morphology.plan.landmarks
    pelvis, body = model.body(landmarks["pelvis"].body).id, model.body(landmarks[f"{side}.foot"].body).id
    above = {0, pelvis}
    while pelvis:
        above.add(pelvis := int(model.body_parentid[pelvis]))
    following = {address for address, *_ in morphology.posture.coupled}
    hinges: list[int] = []
    while body not in above:
        first = int(model.body_jntadr[body])
        hinges[:0] = [
            j
            for j in range(first, first + int(model.body_jntnum[body]))
            if model.jnt_type[j] == mujoco.mjtJoint.mjJNT_HINGE and int(model.jnt_qposadr[j]) not in following
        ]
        body = int(model.body_parentid[body])
    return hinges


def _shortening(model: mujoco.MjModel, data: mujoco.MjData, joint: int, hip: np.ndarray, foot: np.ndarray) -> float:
    """Return the direction (1, -1) in which a knee's range lets the foot come nearer to the hip; 0 where both ways are alike."""
    lower, upper = model.jnt_range[joint] if model.jnt_limited[joint] else (-np.pi / 2, np.pi / 2)
    now, arm, turned = data.qpos[model.jnt_qposadr[joint]], foot - data.xanchor[joint], np.zeros(3)
    lengths = []
    for angle in (lower - now, upper - now):
        quat = np.zeros(4)
        mujoco.mju_axisAngle2Quat(quat, data.xaxis[joint], angle)
        mujoco.mju_rotVecQuat(turned, arm, quat)
        lengths.append(float(np.linalg.norm(data.xanchor[joint] + turned - hip)))
    apart = lengths[0] - lengths[1]
    return float(np.sign(apart)) if abs(apart) > _SHORTER * float(np.linalg.norm(foot - hip)) else 0.0


def unusual(anatomy: Mapping[str, tuple[str, float]]) -> dict[str, tuple[str, float]]:
    """Return the functions whose joint is not named as in OpenSim's leg models, or turns the other way."""
    return {function: joint for function, joint in anatomy.items() if joint != (usual(function), 1.0)}
