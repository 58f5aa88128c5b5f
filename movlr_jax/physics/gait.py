"""Gait memory: what a foot remembers of its last step. Updated once per instant, in execution and inside rollouts alike.

Written over an array namespace (numpy or jax.numpy), so that every engine carries the same memory. Imports nothing of MuJoCo: the jail reads
the field names from here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

SIDES: tuple[str, str] = ("left", "right")
GAIT_FIELDS: tuple[str, ...] = (
    "in_contact",
    "load",
    "time_since_touchdown",
    "time_since_liftoff",
    "last_touchdown_x",
    "last_touchdown_y",
    "last_touchdown_z",
    "step_length",
)
LOAD_ON, LOAD_OFF = 0.05, 0.02  # body weights; two thresholds, so that a grazing foot does not chatter


def initial(foot_position: Any, xp: Any = np) -> Any:
    """Return the memory at the start of an episode: [..., 2, 8] from foot positions [..., 2, 3] (m). Both feet count as placed."""
    memory = xp.zeros((*foot_position.shape[:-1], len(GAIT_FIELDS)))
    memory[..., 0] = 1.0
    memory[..., 4:7] = foot_position
    return memory


def update(memory: Any, load: Any, foot_position: Any, forward: Any, dt: float, xp: Any = np) -> Any:
    """Return the memory after one more instant.

    Args:
        memory: [..., 2, 8], `GAIT_FIELDS` of the left and the right foot.
        load: [..., 2], contact force under each foot (body weights).
        foot_position: [..., 2, 3], world (m).
        forward: [..., 2], the task's forward direction in the ground plane; a step is as long as it brings the foot ahead of the other.
        dt: time since the previous instant (s).
        xp: numpy or jax.numpy.

    Returns:
        [..., 2, 8].
    """
    was = memory[..., 0] > 0.5
    now = xp.where(was, load > LOAD_OFF, load > LOAD_ON)
    touchdown, liftoff = now & ~was, was & ~now
    other = foot_position[..., ::-1, :]
    ahead = ((foot_position - other)[..., :2] * forward[..., None, :]).sum(-1)
    down = touchdown[..., None]
    return xp.stack(
        [
            now.astype(memory.dtype),
            load,
            xp.where(touchdown, 0.0, memory[..., 2] + dt),
            xp.where(liftoff, 0.0, memory[..., 3] + dt),
            *xp.moveaxis(xp.where(down, foot_position, memory[..., 4:7]), -1, 0),
            xp.where(touchdown, ahead, memory[..., 7]),
        ],
        axis=-1,
    )
