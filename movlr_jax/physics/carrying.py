"""Instants carried on: what an instant would read a little later if its clock went on, and its body moved on at the speed it has.

For what follows a clock, or the way that a body has come, such as a nominal posture. No joint moves; heights, velocities and the memory of
steps stay as they are, and so does the height of the ground: it is a look ahead, not a simulation, and needs nothing but the instant.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

from movlr_jax.morphologies import Morphology, objects, root
from movlr_jax.physics.instant import blocks


class Carrying:
    """Carries the instants of one body on, over the namespace of their array.

    Time advances, and the horizontal places of the body (its root, its landmarks, its centre of mass; not those of what it holds) move at
    the horizontal velocity of its centre of mass. A body that is fixed to the world stays where it is.

    Args:
        morphology: the body.
    """

    def __init__(self, morphology: Morphology):
        columns = blocks(morphology)
        size, sensor = columns["gait"][1], columns["sensor"][0]
        self._clock, self._steps = np.zeros(size, np.float32), np.zeros(size, bool)
        self._clock[columns["time"][0]], self._steps[columns["dt"][0]] = 1.0, True
        self._velocity = sensor + morphology.sensors["com/velocity"][0]
        self._ways = np.zeros((2, size), np.float32)  # how far each column goes for a metre along x, and along y
        if morphology.fixed:
            return
        at, end = columns["qpos"]
        still = np.zeros(end - at)
        for axis, way in enumerate(self._ways):
            way[at:end] = root.translate(morphology.model, morphology.top, still, np.eye(3)[axis])
            for name in (*(name for name in morphology.landmarks if name != objects.BODY), "com"):
                way[sensor + morphology.sensors[f"{name}/position"][0] + axis] = 1.0

    def carried(self, instants: Float[Any, "episode f"], seconds: Float[np.ndarray, " time"]) -> Float[Any, "episode time f"]:
        """Return instants carried on for some times (s), which may be negative."""
        forward, left = instants[:, self._velocity, None], instants[:, self._velocity + 1, None]
        pace = self._clock + forward * self._ways[0] + left * self._ways[1]
        return instants[:, None] + np.asarray(seconds, np.float32)[:, None] * pace[:, None]

    def features(self, instants: Float[Any, "episode f"], seconds: Float[np.ndarray, " time"], dt: float) -> Float[Any, "episode time F"]:
        """Return what rewards read of instants carried on for some times: each with its predecessor, carried to dt before it.

        Args:
            instants: now.
            seconds: from now (s).
            dt: what the instants say is the time since the one before (s).
        """
        xp, seconds = instants.__array_namespace__(), np.asarray(seconds)
        instants = xp.where(self._steps, xp.asarray(dt, instants.dtype), instants)
        return xp.concatenate([self.carried(instants, seconds), self.carried(instants, seconds - dt)], axis=-1)
