"""Ground reaction: the force and the centre of pressure under each foot at recorded instants, from C MuJoCo.

The recorded state of each instant (qpos, qvel, act, ctrl) is evaluated once more, and the contacts between a foot's bodies and whatever is
not of the body are summed up: one way for all engines, and for every episode that was ever recorded. The recorded actuator forces stand in
for those that the model would make, so that an episode of weakened muscles needs no other model.

Touch sensors, and so the loads of the gait memory, say something else where feet meet or the ground has edges: they add up the sizes of
normal forces, those between the feet too.
"""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np
from jaxtyping import Float

from movlr_jax._quiet import silence_mujoco
from movlr_jax.morphologies import Morphology, root
from movlr_jax.physics.instant import blocks

_HUGE = 1e8  # a state beyond it has diverged: MuJoCo itself resets at 1e10
_LEAST = 0.01  # body weights that a foot bears at least where its centre of pressure is told


@dataclass(frozen=True)
class GroundReaction:
    """What the ground does to the feet, left first; NaN at instants whose state has diverged.

    Attributes:
        force: on each foot, world axes (body weights).
        center: of pressure, world axes (m); NaN while the foot bears less than 1 % of the body's weight.
    """

    force: Float[np.ndarray, "time 2 3"]
    center: Float[np.ndarray, "time 2 3"]


def evaluate(body: Morphology, instants: Float[np.ndarray, "time f"]) -> GroundReaction | None:
    """Return the ground reaction at recorded instants; None for a body without feet.

    Args:
        body: the prepared body, in the scene of the episode.
        instants: in order of time, of any engine.
    """
    if body.fixed:
        return None
    silence_mujoco()
    model = body.lean
    columns = {name: slice(*span) for name, span in blocks(body).items()}
    foot = np.full(model.nbody, -1)
    for f, names in enumerate(body.plan.feet.values()):
        foot[[model.body(name).id for name in names]] = f
    own = root.tree(model, model.body(body.model.body(body.top).name).id)
    force, center = np.full((2, len(instants), 2, 3), np.nan)
    data = mujoco.MjData(model)
    for k, row in enumerate(np.asarray(instants, np.float64)):
        state = {name: row[columns[name]] for name in ("qpos", "qvel", "act", "ctrl", "force")}
        if not all(np.isfinite(values).all() and (np.abs(values) < _HUGE).all() for values in state.values()):
            mujoco.mj_resetData(model, data)
            continue
        data.qpos[:], data.qvel[:], data.act[:], data.ctrl[:] = (state[name] for name in ("qpos", "qvel", "act", "ctrl"))
        _forward(model, data, -state["force"])
        found = _feet(model, data, foot, own)
        if np.isfinite(found).all():
            force[k] = found[:, :3] / body.weight
            bears = force[k, :, 2] >= _LEAST
            center[k, bears] = found[bears, 3:] / found[bears, 2:3]
    return GroundReaction(force, center)


def _forward(model: mujoco.MjModel, data: mujoco.MjData, actuator_force: np.ndarray) -> None:
    """Compute accelerations and contact forces of a state with actuators that pull as they did; the solver starts from the last state's."""
    mujoco.mj_fwdPosition(model, data)
    mujoco.mj_fwdVelocity(model, data)
    mujoco.mj_fwdActuation(model, data)
    change = np.repeat(actuator_force - data.actuator_force, data.moment_rownnz)
    count = len(change)
    data.qfrc_actuator += np.bincount(data.moment_colind[:count], data.actuator_moment[:count] * change, model.nv)
    mujoco.mj_fwdAcceleration(model, data)
    mujoco.mj_fwdConstraint(model, data)
    data.qacc_warmstart[:] = data.qacc


def _feet(model: mujoco.MjModel, data: mujoco.MjData, foot: np.ndarray, own: np.ndarray) -> Float[np.ndarray, "2 6"]:
    """Return of each foot the force on it (N), and the sum of contact places weighted by their upward forces (N m)."""
    out, local = np.zeros((2, 6)), np.zeros(6)
    for i in range(data.ncon):
        contact = data.contact[i]
        first, second = (int(model.geom_bodyid[g]) for g in contact.geom)
        if own[first] == own[second]:
            continue
        f = foot[second if own[second] else first]
        if f < 0:
            continue
        mujoco.mj_contactForce(model, data, i, local)
        # The frame's first axis, the normal, points from the first geom to the second, and the force acts on the second.
        world = contact.frame.reshape(3, 3).T @ local[:3] * (1.0 if own[second] else -1.0)
        out[f, :3] += world
        out[f, 3:] += world[2] * contact.pos
    return out
