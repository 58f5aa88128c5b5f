"""The root of a body: how it is moved as a whole, whether it is a free joint or a chain of slides and hinges."""

from __future__ import annotations

import mujoco
import numpy as np

from movlr_jax.errors import MovlrError


def root_joints(model: mujoco.MjModel) -> list[int]:
    """Return the joints of the first body that moves relative to the world."""
    for b in range(1, model.nbody):
        if model.body_jntnum[b] and model.body_weldid[model.body_parentid[b]] == 0:
            return list(range(model.body_jntadr[b], model.body_jntadr[b] + model.body_jntnum[b]))
    raise MovlrError("The model has no joint at its root, so the body cannot be placed: give it a free joint or slides.")


def translate(model: mujoco.MjModel, qpos: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Return qpos[..., nq] with the whole body moved by shift[..., 3] (m, world axes).

    Raises:
        MovlrError: the root cannot translate in all directions asked for.
    """
    out = np.array(qpos, np.float64)
    shift = np.asarray(shift, np.float64)
    joints = root_joints(model)
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


def yaw(model: mujoco.MjModel, qpos: np.ndarray, angle: float) -> np.ndarray:
    """Return qpos[nq] with a free-joint root turned about the vertical by angle (rad).

    Raises:
        MovlrError: the root is no free joint and the angle is not 0.
    """
    out = np.array(qpos, np.float64)
    if angle == 0.0:
        return out
    joint = root_joints(model)[0]
    if model.jnt_type[joint] != mujoco.mjtJoint.mjJNT_FREE:
        raise MovlrError("root_yaw needs a free joint at the root: turn the model's root body instead.")
    adr = model.jnt_qposadr[joint] + 3
    turn = np.array([np.cos(angle / 2), 0.0, 0.0, np.sin(angle / 2)])
    mujoco.mju_mulQuat(out[adr : adr + 4], turn, np.array(qpos[adr : adr + 4], np.float64))
    return out
