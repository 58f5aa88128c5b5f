"""Gait memory: what a foot remembers of its last step. Updated once per instant, in execution and inside rollouts alike.

Over an array namespace (numpy or jax.numpy), so that every engine carries the same memory. Imports nothing of MuJoCo: the jail reads
the field names from here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

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


def initial(foot_position: Float[Any, "*batch 2 3"], xp: Any = np) -> Float[Any, "*batch 2 8"]:
    """Return the memory at the start of an episode: from foot positions (m). Both feet count as placed."""
    memory = xp.zeros((*foot_position.shape[:-1], len(GAIT_FIELDS)))
    memory[..., 0] = 1.0
    memory[..., 4:7] = foot_position
    return memory


def over_time(
    memory: Float[Any, "world 2 8"],
    load: Float[Any, "world time 2"],
    foot_position: Float[Any, "world time 2 3"],
    forward: Float[Any, "world 2"],
    dt: float,
    xp: Any = np,
) -> Float[Any, "world time 2 8"]:
    """Return the memory after each of T more instants, all at once (no loop over time, so it costs little and traces flat).

    Args:
        memory: `GAIT_FIELDS` of the left and the right foot, before the first instant.
        load: contact force under each foot (body weights).
        foot_position: in the world (m).
        forward: the task's forward direction in the ground plane; a step is as long as it brings the foot ahead of the other.
        dt: time between instants (s).
        xp: numpy or jax.numpy.
    """
    count = load.shape[1]
    at = xp.arange(count)[None, :, None]
    on = load > LOAD_ON
    decided = _last(on | (load <= LOAD_OFF), at, xp)  # between the thresholds a foot stays what it was
    was = (memory[:, None, :, 0] > 0.5) & xp.ones_like(on)
    now = xp.where(decided >= 0, xp.take_along_axis(on, xp.maximum(decided, 0), axis=1), was)
    before = xp.concatenate([was[:, :1], now[:, :-1]], axis=1)
    landed, left = _last(now & ~before, at, xp), _last(before & ~now, at, xp)
    row = xp.maximum(landed, 0)
    ahead = ((foot_position[..., :2] - foot_position[..., ::-1, :2]) * forward[:, None, None]).sum(axis=-1)
    position = xp.take_along_axis(foot_position, row[..., None], axis=1)
    columns = [
        xp.where(now, 1.0, 0.0),
        load,
        xp.where(landed >= 0, (at - landed) * dt, memory[:, None, :, 2] + (at + 1) * dt),
        xp.where(left >= 0, (at - left) * dt, memory[:, None, :, 3] + (at + 1) * dt),
        *(xp.where(landed >= 0, position[..., i], memory[:, None, :, 4 + i]) for i in range(3)),
        xp.where(landed >= 0, xp.take_along_axis(ahead, row, axis=1), memory[:, None, :, 7]),
    ]
    return xp.stack(columns, axis=-1)


def _last(event: Any, at: Any, xp: Any) -> Any:
    """Return the index of the last event up to each instant, -1 before the first: [W, T, 2]."""
    indices = xp.where(event, at, -1)
    if xp is np:
        return np.maximum.accumulate(indices, axis=1)
    from jax import lax  # here alone: the jail reads the field names above without JAX

    # jax.numpy's accumulate is a loop over the instants, three times a rollout.
    return lax.cummax(indices, axis=1)
