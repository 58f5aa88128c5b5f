"""Kinematics over an array namespace: where bodies are, from qpos alone, the same for every engine, without one of them.

A body's frame follows from its parent's by its joints in turn (MuJoCo's order): a slide moves along its axis, a hinge or ball turns about
its anchor, and a free joint says the whole pose. Bodies of one depth are computed together, so that the program is short. Bodies that are
not wanted, and no wanted one hangs on, cost nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np
from jaxtyping import Float

_FREE, _BALL, _SLIDE, _HINGE = (int(getattr(mujoco.mjtJoint, f"mjJNT_{kind}")) for kind in ("FREE", "BALL", "SLIDE", "HINGE"))


@dataclass(frozen=True)
class _Level:
    """Bodies of one depth: their parents' and own places in the order, their frames in their parents', and their n-th joints, slot by slot,
    the number of the model's joints for none."""

    parents: np.ndarray
    own: np.ndarray
    rotation: np.ndarray
    position: np.ndarray
    slots: list[np.ndarray]


class Kinematics:
    """Where some bodies of a model are.

    Args:
        model: the model.
        bodies: the bodies wanted; all if left out.

    Attributes:
        order: the bodies that are computed, parents first, the world before all.
    """

    def __init__(self, model: mujoco.MjModel, bodies: Iterable[int] | None = None):
        wanted: set[int] = {0}
        for body in range(1, model.nbody) if bodies is None else bodies:
            while body not in wanted:
                wanted.add(int(body))
                body = int(model.body_parentid[body])
        depth = np.zeros(model.nbody, int)
        for body in range(1, model.nbody):
            depth[body] = depth[model.body_parentid[body]] + 1
        self.order = tuple(sorted(wanted, key=lambda body: (depth[body], body)))
        place = {body: i for i, body in enumerate(self.order)}
        rotations = np.zeros((model.nbody, 9))
        for body in range(model.nbody):
            mujoco.mju_quat2Mat(rotations[body], model.body_quat[body])
        self._levels: list[_Level] = []
        for level in range(1, int(depth[list(wanted)].max()) + 1):
            here = np.array([body for body in self.order if depth[body] == level])
            number, first = model.body_jntnum[here], model.body_jntadr[here]
            slots = [np.where(slot < number, first + slot, model.njnt) for slot in range(int(number.max()))]
            parents, own = (np.array([place[int(b)] for b in row]) for row in (model.body_parentid[here], here))
            self._levels.append(_Level(parents, own, rotations[here].reshape(-1, 3, 3), model.body_pos[here].copy(), slots))
        kind, address = model.jnt_type, model.jnt_qposadr
        self._pairs = [(int(k), int(a), int(d)) for k, a, d in zip(kind, address, model.jnt_dofadr, strict=True)]
        # One row more than there are joints: the joint that moves nothing.
        none = np.zeros((1, 3))
        self._anchor, self._axis = np.concatenate([model.jnt_pos, none]), np.concatenate([model.jnt_axis, none])
        self._address, self._rest = np.append(address, 0), np.append(model.qpos0[address], 0.0)
        self._slides, self._hinges = (np.append(kind == k, False).astype(float) for k in (_SLIDE, _HINGE))
        x, y, z, o = *self._axis.T, np.zeros(len(self._axis))
        self._cross = np.stack([o, -z, y, z, o, -x, -y, x, o], axis=-1).reshape(-1, 3, 3)
        self._masses, self._inertial = model.body_mass[list(self.order)].copy(), model.body_ipos[list(self.order)].copy()

    def frames(self, qpos: Float[Any, "*batch nq"]) -> tuple[Float[Any, "*batch body 3 3"], Float[Any, "*batch body 3"]]:
        """Return rotations and positions in the world (m) of the bodies in `order` at poses; numpy or jax.numpy."""
        xp, dtype = qpos.__array_namespace__(), qpos.dtype
        value = qpos[..., self._address] - xp.asarray(self._rest, dtype)
        angle, cross = value * xp.asarray(self._hinges, dtype), xp.asarray(self._cross, dtype)
        sine, versine = xp.sin(angle)[..., None, None], (1.0 - xp.cos(angle))[..., None, None]
        turns = xp.eye(3, dtype=dtype) + sine * cross + versine * (cross @ cross)  # Rodrigues
        shifts = xp.asarray(self._axis, dtype) * (value * xp.asarray(self._slides, dtype))[..., None]
        turned = xp.broadcast_to(xp.eye(3, dtype=dtype), (*qpos.shape[:-1], 1, 3, 3))
        places = xp.zeros((*qpos.shape[:-1], 1, 3), dtype)
        for level in self._levels:
            rotation, position = turned[..., level.parents, :, :], places[..., level.parents, :]
            position = position + _along(rotation, xp.asarray(level.position, dtype))
            rotation = rotation @ xp.asarray(level.rotation, dtype)
            for joints in level.slots:
                anchor, turn = xp.asarray(self._anchor[joints], dtype), turns[..., joints, :, :]
                moved = position + _along(rotation, shifts[..., joints, :] + anchor)
                balls, free = ([i for i, j in enumerate(joints) if j < len(self._pairs) and self._pairs[j][0] == k] for k in (_BALL, _FREE))
                for i in balls:
                    at = self._address[joints[i]]
                    turn = _one(turn, i, _of_quat(qpos[..., at : at + 4]))
                rotation = rotation @ turn
                position = moved - _along(rotation, anchor)
                for i in free:
                    at = self._address[joints[i]]
                    rotation = _one(rotation, i, _of_quat(qpos[..., at + 3 : at + 7]))
                    position = _one(position, i, qpos[..., at : at + 3])
            turned, places = xp.concatenate([turned, rotation], axis=-3), xp.concatenate([places, position], axis=-2)
        return turned, places

    def of(self, body: int, offset: Float[np.ndarray, " 3"], qpos: Float[Any, "*batch nq"]) -> Float[Any, "*batch 3"]:
        """Return where a point of a body is (m, world); offset: in the body's frame (m)."""
        turned, places = self.frames(qpos)
        i = self.order.index(body)
        return places[..., i, :] + turned[..., i, :, :] @ qpos.__array_namespace__().asarray(offset, qpos.dtype)

    def centre_of_mass(self, qpos: Float[Any, "*batch nq"]) -> Float[Any, "*batch 3"]:
        """Return the centre of mass of the bodies that are computed (m, world)."""
        xp, (turned, places) = qpos.__array_namespace__(), self.frames(qpos)
        places = places + _along(turned, xp.asarray(self._inertial, qpos.dtype))
        return (places * xp.asarray(self._masses / self._masses.sum(), qpos.dtype)[:, None]).sum(axis=-2)

    def moved(self, qpos: Float[Any, "*batch nq"], qvel: Float[Any, "*batch nv"], dt: float) -> Float[Any, "*batch nq"]:
        """Return where poses are after a short time at velocities; orientations to first order (s)."""
        xp = qpos.__array_namespace__()
        parts = []
        for kind, at, dof in self._pairs:
            if kind in (_FREE, _BALL):
                lead = 3 if kind == _FREE else 0
                parts.append(qpos[..., at : at + lead] + dt * qvel[..., dof : dof + lead])
                quat, spin = qpos[..., at + lead : at + lead + 4], 0.5 * dt * qvel[..., dof + lead : dof + lead + 3]
                w, v = quat[..., :1], quat[..., 1:]
                turned = [w - (v * spin).sum(-1, keepdims=True), v + w * spin + xp.cross(v, spin)]
                parts.append(xp.concatenate(turned, axis=-1))
            else:
                parts.append(qpos[..., at : at + 1] + dt * qvel[..., dof : dof + 1])
        return xp.concatenate(parts, axis=-1)


def _of_quat(quat: Any) -> Any:
    """Return rotations[..., 3, 3] of quaternions of any length, w first."""
    xp = quat.__array_namespace__()
    w, x, y, z = (quat[..., i] for i in range(4))
    s = 2.0 / (quat * quat).sum(-1)
    entries = [
        1 - s * (y * y + z * z), s * (x * y - w * z), s * (x * z + w * y),
        s * (x * y + w * z), 1 - s * (x * x + z * z), s * (y * z - w * x),
        s * (x * z - w * y), s * (y * z + w * x), 1 - s * (x * x + y * y),
    ]  # fmt: skip
    return xp.stack(entries, axis=-1).reshape(*quat.shape[:-1], 3, 3)


def _along(rotation: Any, vector: Any) -> Any:
    """Return rotations[..., 3, 3] times vectors[..., 3]."""
    return (rotation @ vector[..., None])[..., 0]


def _one(array: Any, i: int, value: Any) -> Any:
    """Return an array of [..., body, *shape] with one body's value."""
    xp, axis = array.__array_namespace__(), value.ndim - (2 if value.shape[-2:] == (3, 3) else 1)
    before, after = (array[(..., part, *([slice(None)] * (value.ndim - axis)))] for part in (slice(None, i), slice(i + 1, None)))
    return xp.concatenate([before, xp.expand_dims(value, axis), after], axis=axis)
