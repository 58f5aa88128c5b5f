"""The root of a body: how it is moved as a whole, whether it is a free joint or a chain of slides and hinges; and what belongs to it.

A model may hold more than the body: balls, doors, an opponent, furniture, listed before it or after. The body is the tree that holds
one of its parts, such as the pelvis; its root is that tree's first body that moves relative to the world.
"""

from __future__ import annotations

import mujoco
import numpy as np
from jaxtyping import Bool, Float

from movlr_jax.errors import MovlrError

_VERTICAL = 0.5  # cosine from which a hinge turns a body about the vertical
_STEPS, _TURNED = 20, 1e-10  # of Newton's method, and the angle at which it ends (rad)
_AS_TURNED = 1e-6  # how far a turned root may be off (1, m, m/s, rad/s)


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


def tree(model: mujoco.MjModel, first: int) -> Bool[np.ndarray, " nbody"]:
    """Return which bodies hang on the body `first`, itself included."""
    held = np.zeros(model.nbody, bool)
    held[first] = True
    for body in range(first + 1, model.nbody):  # parents stand before their children
        held[body] = held[model.body_parentid[body]]
    return held


def root_joints(model: mujoco.MjModel, first: int) -> list[int]:
    """Return the joints of a tree's first body."""
    return list(range(model.body_jntadr[first], model.body_jntadr[first] + model.body_jntnum[first]))


def translate(
    model: mujoco.MjModel, first: int, qpos: Float[np.ndarray, "*batch nq"], shift: Float[np.ndarray, "*#batch 3"]
) -> Float[np.ndarray, "*batch nq"]:
    """Return qpos with the whole tree of the body `first` moved by a shift (m, world axes), as far as its root can.

    A free root or one with three slides goes all the way; one that moves in a plane goes to the nearest place of that plane.
    """
    out = np.array(qpos, np.float64)
    shift = np.asarray(shift, np.float64)
    joints = root_joints(model, first)
    if joints and model.jnt_type[joints[0]] == mujoco.mjtJoint.mjJNT_FREE:
        adr = model.jnt_qposadr[joints[0]]
        out[..., adr : adr + 3] += shift
        return out
    slides = [j for j in joints if model.jnt_type[j] == mujoco.mjtJoint.mjJNT_SLIDE]
    if slides:
        axes = _axes(model, slides)
        out[..., model.jnt_qposadr[slides]] += shift @ (np.linalg.inv(axes) if len(slides) == 3 else np.linalg.pinv(axes)).T
    return out


def directions(model: mujoco.MjModel, first: int) -> Float[np.ndarray, "3 3"]:
    """Return the projection (world axes) onto the directions in which a tree's root can move it."""
    joints = root_joints(model, first)
    if joints and model.jnt_type[joints[0]] == mujoco.mjtJoint.mjJNT_FREE:
        return np.eye(3)
    slides = [j for j in joints if model.jnt_type[j] == mujoco.mjtJoint.mjJNT_SLIDE]
    if not slides:
        return np.zeros((3, 3))
    axes = _axes(model, slides)
    return np.asarray(axes @ np.linalg.pinv(axes))


def _axes(model: mujoco.MjModel, slides: list[int]) -> np.ndarray:
    """Return float[3, slides], the directions of a root's slides (world axes)."""
    body = int(model.jnt_bodyid[slides[0]])
    quat, rotation = np.array(model.body_quat[body]), np.zeros(9)
    while (body := int(model.body_parentid[body])) != 0:  # what it stands on is fixed, and may be turned
        mujoco.mju_mulQuat(quat, np.array(model.body_quat[body]), quat.copy())
    mujoco.mju_quat2Mat(rotation, quat)
    return np.asarray(rotation.reshape(3, 3) @ model.jnt_axis[slides].T)


def turns(model: mujoco.MjModel, first: int) -> bool:
    """Whether a tree's root can turn it about the vertical."""
    for joint in root_joints(model, first):
        kind = mujoco.mjtJoint(int(model.jnt_type[joint]))
        if kind in (mujoco.mjtJoint.mjJNT_FREE, mujoco.mjtJoint.mjJNT_BALL):
            return True
        if kind == mujoco.mjtJoint.mjJNT_HINGE and abs((_axes(model, [joint]))[2, 0]) > _VERTICAL:
            return True
    return False


def yaw(model: mujoco.MjModel, first: int, qpos: Float[np.ndarray, " nq"], angle: float) -> Float[np.ndarray, " nq"]:
    """Return qpos with a tree whose first body has a free joint turned about the vertical by angle (rad).

    Raises:
        MovlrError: the root is no free joint and the angle is not 0.
    """
    out = np.array(qpos, np.float64)
    if angle == 0.0:
        return out
    joint = next(iter(root_joints(model, first)), -1)
    if joint < 0 or model.jnt_type[joint] != mujoco.mjtJoint.mjJNT_FREE:
        raise MovlrError("root_yaw needs a free joint at the root: turn the model's root body instead.")
    adr = model.jnt_qposadr[joint] + 3
    turn = np.array([np.cos(angle / 2), 0.0, 0.0, np.sin(angle / 2)])
    mujoco.mju_mulQuat(out[adr : adr + 4], turn, np.array(qpos[adr : adr + 4], np.float64))
    return out


def turned(
    model: mujoco.MjModel,
    first: int,
    qpos: Float[np.ndarray, " nq"],
    qvel: Float[np.ndarray, " nv"],
    angle: float,
    around: Float[np.ndarray, " 2"],
) -> tuple[Float[np.ndarray, " nq"], Float[np.ndarray, " nv"]]:
    """Return a state with the whole tree of the body `first` turned about a vertical line, whatever joints its root has.

    Args:
        model: the model.
        first: the tree's first body.
        qpos, qvel: the state.
        angle: counter-clockwise seen from above (rad).
        around: where the line stands (m, world).

    Raises:
        MovlrError: the root cannot turn so.
    """
    data, out = mujoco.MjData(model), np.array(qpos, np.float64)
    data.qpos[:] = out
    before = _root_jacobian(model, data, first)
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    center = np.array([*around, 0.0])
    place, facing = center + turn @ (data.xpos[first] - center), turn @ data.xmat[first].reshape(3, 3)
    joints = root_joints(model, first)
    hinges = [j for j in joints if model.jnt_type[j] == mujoco.mjtJoint.mjJNT_HINGE]
    quat, error, rest = np.zeros(4), np.zeros(3), np.zeros(4)
    if joints and model.jnt_type[joints[0]] == mujoco.mjtJoint.mjJNT_FREE:
        mujoco.mju_mat2Quat(quat, facing.ravel())
        out[model.jnt_qposadr[joints[0]] + 3 :][:4] = quat
    for _ in range(_STEPS if hinges else 0):  # Newton's method on the angles of a chain of hinges
        mujoco.mju_mat2Quat(rest, (facing @ data.xmat[first].reshape(3, 3).T).ravel())
        mujoco.mju_quat2Vel(error, rest, 1.0)
        if np.abs(error).max() < _TURNED:
            break
        out[model.jnt_qposadr[hinges]] += np.linalg.lstsq(data.xaxis[hinges].T, error, rcond=None)[0]
        data.qpos[:] = out
        mujoco.mj_kinematics(model, data)
    data.qpos[:] = out
    mujoco.mj_kinematics(model, data)
    out = translate(model, first, out, place - data.xpos[first])
    data.qpos[:] = out
    after = _root_jacobian(model, data, first)
    moves = np.concatenate([turn @ (before[:3] @ qvel), turn @ (before[3:] @ qvel)])
    velocity, own = np.array(qvel, np.float64), np.isin(model.dof_jntid, joints)
    velocity[own] = np.linalg.lstsq(after[:, own], moves, rcond=None)[0]
    off = (data.xmat[first].reshape(3, 3) - facing, data.xpos[first] - place, after @ velocity - moves)
    if max(np.abs(values).max() for values in off) > _AS_TURNED:
        raise MovlrError(f"The root {model.body(first).name} cannot be turned about the vertical: it moves in one plane.")
    return out, velocity


def _root_jacobian(model: mujoco.MjModel, data: mujoco.MjData, first: int) -> Float[np.ndarray, "6 nv"]:
    """Return how the body `first` moves and turns (m/s and rad/s, world axes) for each freedom, in the pose of the data."""
    mujoco.mj_kinematics(model, data)
    mujoco.mj_comPos(model, data)
    jacobian = np.zeros((6, model.nv))
    mujoco.mj_jacBody(model, data, jacobian[:3], jacobian[3:], first)
    return jacobian
