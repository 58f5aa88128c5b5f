"""How many contacts and constraint rows MuJoCo Warp must have room for, from a measured warm-up.

Warp's buffers have fixed sizes, and what does not fit is lost. So the body is let fall, in C and before anything is compiled, from poses
in which it touches the ground with as much of itself as it can, with its muscles excited at random, and the largest counts get head room.
A body without feet cannot fall: it moves where it is, and what falls is the object that it works with.
An overflow that happens all the same is detected by the engine, which then names the number to set.
"""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from movlr_jax.morphologies import Morphology, root

HEAD_ROOM = 2.0  # Warp also counts pairs of its broad phase, which are more than the contacts that come of them
_DROPS, _STEPS = 10, 50


@dataclass(frozen=True)
class Sizes:
    """Room for one world: contacts (Warp's naconmax is this times the worlds) and constraint rows (njmax)."""

    contacts: int
    constraints: int


def measured(morphology: Morphology, model: mujoco.MjModel) -> Sizes:
    """Drop the body and return the sizes that its worst moment needs, head room included.

    Args:
        morphology: the body.
        model: its model, as the engine steps it.
    """
    data = mujoco.MjData(model)
    rng = np.random.default_rng(0)
    space = morphology.posture
    contacts = constraints = 0
    tumble, free = np.zeros(model.nv), morphology.loose
    own = root.tree(model, morphology.top)
    for i in range(_DROPS):
        mujoco.mj_resetData(model, data)
        posture = space.lower + rng.random(space.size) * space.range if i % 2 else space.read(morphology.standing_qpos)
        data.qpos[:] = space.complete(posture, morphology.standing_qpos)
        tumble[free] = rng.normal(size=tumble[free].shape) if i > 1 else 0.0  # integrated, it turns a root of any kind
        mujoco.mj_integratePos(model, data.qpos, 0.1 * tumble if morphology.fixed else tumble, 1.0)
        if not morphology.fixed:
            mujoco.mj_kinematics(model, data)
            data.qpos[:] = root.translate(model, morphology.top, data.qpos, np.array([0.0, 0.0, 0.05 - _lowest(model, own, data)]))
        for _ in range(_STEPS):
            data.ctrl[:] = rng.random(model.nu)
            mujoco.mj_step(model, data)
            contacts, constraints = max(contacts, data.ncon), max(constraints, data.nefc)
    return Sizes(_rounded(HEAD_ROOM * contacts + 8, 8), _rounded(HEAD_ROOM * constraints + 16, 16))


def _lowest(model: mujoco.MjModel, own: np.ndarray, data: mujoco.MjData) -> float:
    """Return the height of the lowest point of any collision geom of the bodies own[nbody] (m), from the geoms' bounding spheres."""
    solid = own[model.geom_bodyid] & ((model.geom_contype | model.geom_conaffinity) != 0)
    return float((data.geom_xpos[solid, 2] - model.geom_rbound[solid]).min())


def _rounded(count: float, step: int) -> int:
    return int(np.ceil(count / step)) * step
