"""The root of a body: how it is moved as a whole, whether it is a free joint or a chain of slides and hinges; and what belongs to it.

A model may hold more than the body: balls, doors, an opponent, furniture, listed before it or after. The body is the tree that holds
one of its parts, such as the pelvis; its root is that tree's first body that moves relative to the world.
"""

from __future__ import annotations

import mujoco
import numpy as np

from movlr_jax.errors import MovlrError


def top(model: mujoco.MjModel, inside: int) -> int:
    """Return the first body that moves relative to the world, of the tree that holds the body `inside`.

    Raises:
        MovlrError: that body does not move.
    """
    if model.body_weldid[inside] == 0:
        raise MovlrError(
            f"The body {model.body(inside).name} is fixed to the world, so it can be neither placed nor fall: give its root a free joint."
        )
    body = inside
    while model.body_weldid[model.body_parentid[body]] != 0:
        body = int(model.body_parentid[body])
    return body


def tree(model: mujoco.MjModel, first: int) -> np.ndarray:
    """Return bool[nbody]: which bodies hang on the body `first`, itself included."""
    held = np.zeros(model.nbody, bool)
    held[first] = True
    for body in range(first + 1, model.nbody):  # parents stand before their children
        held[body] = held[model.body_parentid[body]]
    return held


def root_joints(model: mujoco.MjModel, first: int) -> list[int]:
    """Return the joints of a tree's first body."""
    return list(range(model.body_jntadr[first], model.body_jntadr[first] + model.body_jntnum[first]))


def translate(model: mujoco.MjModel, first: int, qpos: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Return qpos[..., nq] with the whole tree of the body `first` moved by shift[..., 3] (m, world axes).

    Raises:
        MovlrError: the root cannot translate in all directions asked for.
    """
    out = np.array(qpos, np.float64)
    shift = np.asarray(shift, np.float64)
    joints = root_joints(model, first)
    if model.jnt_type[joints[0]] == mujoco.mjtJoint.mjJNT_FREE:
        adr = model.jnt_qposadr[joints[0]]
        out[..., adr : adr + 3] += shift
        return out
    slides = [j for j in joints if model.jnt_type[j] == mujoco.mjtJoint.mjJNT_SLIDE]
    rotation = np.zeros(9)
    mujoco.mju_quat2Mat(rotation, model.body_quat[model.jnt_bodyid[joints[0]]])
    axes = rotation.reshape(3, 3) @ model.jnt_axis[slides].T if slides else np.zeros((3, 0))
    if np.linalg.matrix_rank(axes) < 3:
        raise MovlrError("The body's root has no three slides, so it cannot be placed on the ground: use a free joint or slides.")
    out[..., model.jnt_qposadr[slides]] += shift @ np.linalg.inv(axes).T
    return out


def yaw(model: mujoco.MjModel, first: int, qpos: np.ndarray, angle: float) -> np.ndarray:
    """Return qpos[nq] with a tree whose first body has a free joint turned about the vertical by angle (rad).

    Raises:
        MovlrError: the root is no free joint and the angle is not 0.
    """
    out = np.array(qpos, np.float64)
    if angle == 0.0:
        return out
    joint = root_joints(model, first)[0]
    if model.jnt_type[joint] != mujoco.mjtJoint.mjJNT_FREE:
        raise MovlrError("root_yaw needs a free joint at the root: turn the model's root body instead.")
    adr = model.jnt_qposadr[joint] + 3
    turn = np.array([np.cos(angle / 2), 0.0, 0.0, np.sin(angle / 2)])
    mujoco.mju_mulQuat(out[adr : adr + 4], turn, np.array(qpos[adr : adr + 4], np.float64))
    return out
