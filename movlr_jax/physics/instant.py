"""The instant: what every engine reports of one moment, as one float32 row.

Instant k holds qpos, qvel and act before step k, the excitation of step k, and the forces and sensordata that step k computed, so all of it
belongs to one and the same state, on every engine, from plain steps. `blocks` names the columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from movlr_jax.morphologies import Morphology
from movlr_jax.physics.gait import GAIT_FIELDS
from movlr_jax.sides import SIDES

TARGET_FIELDS: tuple[str, ...] = ("object_x", "object_y", "object_z", "object_qw", "object_qx", "object_qy", "object_qz")
GOAL_FIELDS: tuple[str, ...] = ("speed", "heading", *TARGET_FIELDS)
NO_TARGET: tuple[float, ...] = (0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Frame:
    """A task's frame and goal, constant over an episode.

    Attributes:
        origin: x, y of the start on the ground (m, world).
        heading: direction of forward, counter-clockwise from +x (rad).
        goal: speed (m/s) and heading asked for, relative to forward (rad).
        target: where an object is wanted: its position (m) and orientation (unit quaternion, w first), both in world axes.
    """

    origin: tuple[float, float] = (0.0, 0.0)
    heading: float = 0.0
    goal: tuple[float, ...] = (0.0, 0.0)
    target: tuple[float, ...] = NO_TARGET

    @property
    def forward(self) -> np.ndarray:
        """float[2], the unit vector of forward in the ground plane."""
        return np.array([np.cos(self.heading), np.sin(self.heading)])

    def row(self) -> np.ndarray:
        """float32[4 + goals]: origin, cosine, sine, goal (`GOAL_FIELDS`)."""
        return np.array([*self.origin, *self.forward, *self.goal, *self.target], np.float32)


def rows(frames: Sequence[Frame]) -> np.ndarray:
    """Return float32[E, 4 + goals], the rows of E episodes' frames."""
    return np.stack([frame.row() for frame in frames])


def blocks(morphology: Morphology) -> dict[str, tuple[int, int]]:
    """Return block name -> (start, stop) of an instant's columns."""
    model = morphology.model
    sizes = {
        "time": 1,
        "dt": 1,
        "frame": 4,
        "goal": len(GOAL_FIELDS),
        "qpos": model.nq,
        "qvel": model.nv,
        "act": model.na,
        "ctrl": model.nu,
        "force": model.nu,
        "sensor": model.nsensordata,
        "ground": len(morphology.landmarks),
        "ahead": len(SIDES),
        "gait": len(SIDES) * len(GAIT_FIELDS),
    }
    out, at = {}, 0
    for name, size in sizes.items():
        out[name] = (at, at + size)
        at += size
    return out
