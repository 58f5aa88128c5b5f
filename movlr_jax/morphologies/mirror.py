"""Mirror: a body's motion as its mirror image, left for right, in the vertical plane ahead of it; for bodies that are built evenly.

In: a prepared body. Out: poses, velocities and activations of the mirrored motion. Partners are found by name (`..._l` and `..._r`, `left`
and `right`), directions from the axes of the joints in the standing pose. That both are right, and the body even, is not believed but
tried: landmarks and centre of mass of mirrored poses have to be where the mirror shows them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import mujoco
import numpy as np
from jaxtyping import Float, Int

from movlr_jax.errors import MovlrError
from movlr_jax.morphologies import root
from movlr_jax.morphologies.morphology import Morphology
from movlr_jax.sides import SIDES

OFF = 0.005  # m that a landmark may be off: what the left and the right of the scanned skeletons differ by stays below
ALIKE = 0.01  # share by which muscles of the two sides may differ
UNEVEN = 0.001  # of the body's mass, by which a part may weigh more than the other side's: ribs of a scanned skeleton do
_ALONG = 0.99  # cosine from which two axes count as mirrored
_STRAIGHT = 0.05  # a root's axis that points so nearly to the left does so but for the lean of the standing pose
_POSES = 3  # drawn, beside the standing one, to try the mirror by
_REFLECTION = np.diag([1.0, -1.0, 1.0])  # in the plane of forward and up
_OTHER = {"l": "r", "r": "l", "L": "R", "R": "L", "left": "right", "right": "left", "Left": "Right", "Right": "Left"}
_SIDE = re.compile(r"(?<![A-Za-z0-9])(left|right|Left|Right|[lrLR])(?![A-Za-z])")


def partner(name: str, names: Sequence[str]) -> str:
    """Return the name of the same on the other side; the name itself where there is none, as of what lies in the middle."""
    other = _SIDE.sub(lambda side: _OTHER[side[1]], name)
    return other if other in names else name


class Mirror:
    """The mirror of one body.

    Args:
        body: the prepared body, at whose origin the plane stands.

    Raises:
        MovlrError: it is fixed, has motors or ball joints, or its sides are not alike.
    """

    def __init__(self, body: Morphology):
        self._body, model = body, body.model
        if body.fixed or body.motors.names:
            raise MovlrError(f"{body.name} has no mirror image here: it has no feet, or it has motors.")
        names = [model.joint(j).name for j in range(model.njnt)]
        data = mujoco.MjData(model)
        first = root.root_joints(model, body.top)
        self._free = bool(first) and int(model.jnt_type[first[0]]) == mujoco.mjtJoint.mjJNT_FREE
        if self._free:
            at = int(model.jnt_qposadr[first[0]])
            data.qpos[at : at + 7] = body.standing_qpos[at : at + 7]
        mujoco.mj_kinematics(model, data)
        self._at, self._dof = (0, 0) if not self._free else (int(model.jnt_qposadr[first[0]]), int(model.jnt_dofadr[first[0]]))
        self._inside = self._root_reflection(data, at) if self._free else np.eye(3)
        joints = [j for j in range(model.njnt) if not (self._free and j == first[0])]
        if not np.isin(model.jnt_type[joints], (mujoco.mjtJoint.mjJNT_HINGE, mujoco.mjtJoint.mjJNT_SLIDE)).all():
            raise MovlrError(f"{body.name} has no mirror image here: it has a joint that is neither a hinge nor a slide.")
        to = np.array([names.index(partner(names[j], names)) for j in joints], int)
        sign = np.array([self._sign(data, j, int(k)) for j, k in zip(joints, to, strict=True)])
        self._from_q, self._to_q, self._signs = model.jnt_qposadr[joints], model.jnt_qposadr[to], sign
        self._from_v, self._to_v = model.jnt_dofadr[joints], model.jnt_dofadr[to]
        muscles = list(body.muscles.names)
        self._muscles: Int[np.ndarray, " m"] = np.array([muscles.index(partner(name, muscles)) for name in muscles], int)
        self._require_even()

    def _root_reflection(self, data: mujoco.MjData, at: int) -> np.ndarray:
        """Return the reflection in the root's own axes: about the one that points to the left in the standing pose."""
        rotation = np.zeros(9)
        mujoco.mju_quat2Mat(rotation, data.qpos[at + 3 : at + 7])
        left = rotation.reshape(3, 3).T @ np.array([0.0, 1.0, 0.0])
        straight = np.round(left)
        left = straight if np.abs(left - straight).max() < _STRAIGHT else left / np.linalg.norm(left)
        return np.asarray(np.eye(3) - 2.0 * np.outer(left, left))

    def _sign(self, data: mujoco.MjData, joint: int, other: int) -> float:
        """Return the direction in which the other joint turns, or slides, where this one's mirror image does."""
        slides = int(data.model.jnt_type[joint]) == mujoco.mjtJoint.mjJNT_SLIDE
        # A turn is a pseudo-vector: the mirror turns what lies in its plane about, and leaves what stands on it.
        image = (1.0 if slides else -1.0) * _REFLECTION @ data.xaxis[joint]
        along = float(image @ data.xaxis[other])
        if abs(along) < _ALONG:
            name = data.model.joint(joint).name
            raise MovlrError(f"{self._body.name} has no mirror image: the axis of its joint {name} has none on the other side.")
        return float(np.sign(along))

    def qpos(self, qpos: Float[np.ndarray, "time nq"], middle: float = 0.0) -> Float[np.ndarray, "time nq"]:
        """Return poses mirrored in the plane y = middle (m, world)."""
        out, rest = np.array(qpos, np.float64), self._body.model.qpos0
        out[:, self._to_q] = rest[self._to_q] + self._signs * (qpos[:, self._from_q] - rest[self._from_q])
        if self._free:
            at = self._at
            out[:, at + 1] = 2.0 * middle - qpos[:, at + 1]
            matrix, quat = np.zeros(9), np.zeros(4)
            for row, pose in zip(out, qpos, strict=True):
                mujoco.mju_quat2Mat(matrix, np.array(pose[at + 3 : at + 7], np.float64))
                mujoco.mju_mat2Quat(quat, (_REFLECTION @ matrix.reshape(3, 3) @ self._inside).ravel())
                row[at + 3 : at + 7] = quat
        return out

    def qvel(self, qvel: Float[np.ndarray, "time nv"]) -> Float[np.ndarray, "time nv"]:
        """Return the velocities of mirrored poses; a free root's are in world axes (m/s) and in its own (rad/s)."""
        out = np.array(qvel, np.float64)
        out[:, self._to_v] = self._signs * qvel[:, self._from_v]
        if self._free:
            d = self._dof
            out[:, d : d + 3] = qvel[:, d : d + 3] @ _REFLECTION
            out[:, d + 3 : d + 6] = -qvel[:, d + 3 : d + 6] @ self._inside
        return out

    def muscles(self, values: Float[np.ndarray, "time m"]) -> Float[np.ndarray, "time m"]:
        """Return activations, excitations or forces of the mirrored motion."""
        return np.asarray(values)[:, self._muscles]

    def _require_even(self) -> None:
        """Raise MovlrError unless the mirror shows poses of this very body."""
        body, model = self._body, self._body.model
        peak = body.muscles.peak_force
        uneven = np.abs(peak - peak[self._muscles]) > ALIKE * np.maximum(peak, peak[self._muscles])
        if uneven.any():
            muscle = body.muscles.names[int(np.argmax(uneven))]
            raise MovlrError(f"{body.name} has no mirror image: {muscle} is not as strong as the muscle on the other side.")
        names = [model.body(b).name for b in range(model.nbody)]
        for b, name in enumerate(names):
            other = names.index(partner(name, names))
            if abs(model.body_mass[b] - model.body_mass[other]) > UNEVEN * model.body_mass.sum():
                raise MovlrError(f"{body.name} has no mirror image: {name} does not weigh what the other side's does.")
        rng, space = np.random.default_rng(0), body.posture
        base = space.read(body.standing_qpos)
        drawn = [base + 0.3 * space.range * rng.uniform(-1.0, 1.0, space.size) for _ in range(_POSES)]
        poses = [body.standing_qpos, *(space.complete(np.clip(p, space.lower, space.upper), body.standing_qpos) for p in drawn)]
        for seen, shown in zip(np.array(poses), self.qpos(np.array(poses)), strict=True):
            before, after = (_places(body, pose) for pose in (seen, shown))
            away = {name: float(np.linalg.norm(_REFLECTION @ before[name] - after[_across(name)])) for name in before}
            worst = max(away, key=lambda name: away[name])
            if away[worst] > OFF:
                raise MovlrError(f"{body.name} has no mirror image: mirrored, its {worst} is {away[worst]:.3f} m off.")


def _across(name: str) -> str:
    """Return a landmark's name on the other side."""
    side, dot, part = name.partition(".")
    return f"{SIDES[1 - SIDES.index(side)]}{dot}{part}" if side in SIDES else name


def _places(body: Morphology, qpos: np.ndarray) -> dict[str, np.ndarray]:
    """Return the landmarks, and the centre of mass as "com", of a pose (m)."""
    data = mujoco.MjData(body.model)
    data.qpos[:] = qpos
    mujoco.mj_kinematics(body.model, data)
    mujoco.mj_comPos(body.model, data)
    places = {name: np.array(data.site(f"landmark/{name}").xpos) for name in body.landmarks}
    return places | {"com": np.array(data.subtree_com[body.top])}
