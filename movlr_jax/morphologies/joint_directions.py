"""Joint directions: what a positive angle means, in words, read from geometry in the standing pose and never from a joint's name.

In: a prepared body. Out: planned joint -> where the part beyond the joint goes, or how it turns, as the joint's value grows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import mujoco
import numpy as np

if TYPE_CHECKING:
    from movlr_jax.morphologies.morphology import Morphology

_AXES = (("forward", "backward"), ("left", "right"), ("up", "down"))
# A hinge about such an axis (forward, left, up), by the right hand: forward turns left over up, left turns up over forward.
_TURNS = (("rolls right", "rolls left"), ("tips forward", "tips backward"), ("turns left", "turns right"))
_MOVES = 0.02  # m per rad: less is a turn on the spot
_BOTH = 0.5  # a second direction is told from this share of the first


def directions(morphology: Morphology) -> dict[str, str]:
    """Return joint -> words such as "forward", "up and forward", "turns left" or "slides up", of every planned joint."""
    model, data = morphology.model, mujoco.MjData(morphology.model)
    data.qpos[:] = morphology.standing_qpos
    mujoco.mj_kinematics(model, data)
    mujoco.mj_comPos(model, data)
    return {name: _direction(model, data, model.joint(name).id) for name in morphology.posture.names}


def _direction(model: mujoco.MjModel, data: mujoco.MjData, joint: int) -> str:
    axis = data.xaxis[joint]
    if model.jnt_type[joint] == mujoco.mjtJoint.mjJNT_SLIDE:
        return f"slides {_words(axis)}"
    beyond = data.subtree_com[model.jnt_bodyid[joint]] - data.xanchor[joint]
    moves = np.cross(axis, beyond)  # m per rad
    if np.linalg.norm(moves) >= _MOVES and abs(axis[2]) < max(abs(axis[0]), abs(axis[1])):
        return _words(moves)
    largest = int(np.abs(axis).argmax())
    return _TURNS[largest][int(axis[largest] < 0)]


def _words(vector: np.ndarray) -> str:
    """Return the one or two directions that a vector mostly has."""
    order = [int(i) for i in np.argsort(-np.abs(vector), kind="stable")]
    size = abs(vector[order[0]])
    named = [_AXES[i][int(vector[i] < 0)] for i in order[:2] if abs(vector[i]) >= _BOTH * size]
    return " and ".join(named)
