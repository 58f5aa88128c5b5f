"""Where the feet stand in sensordata, and the gait memory that follows from them; bodies without feet have a memory of zeros.

One place for all engines and for motions that are made without an engine.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

from movlr_jax.morphologies import Morphology
from movlr_jax.physics import gait
from movlr_jax.sides import SIDES

SIGHT = 0.3  # how far ahead of its toes a foot knows the ground (m): a step's tread
_PLACES = 4  # places looked at, 0.1 m apart


class Feet:
    """The feet of one body, left first.

    Args:
        morphology: the body.

    Attributes:
        sides: the sides that have a foot: both, or none.
    """

    def __init__(self, morphology: Morphology):
        self.sides: tuple[str, ...] = () if morphology.fixed else SIDES
        self._weight = morphology.weight
        self._at = np.array([morphology.sensors[f"{side}.foot/position"][0] + np.arange(3) for side in self.sides])
        toes = [f"{side}.{'toe' if f'{side}.toe' in morphology.landmarks else 'foot'}" for side in self.sides]
        self._toes = np.array([morphology.sensors[f"{toe}/position"][0] + np.arange(2) for toe in toes])
        self._terrain = morphology.terrain
        self._touch = [slice(a, a + n) for a, n in (morphology.sensors[f"touch/{side}"] for side in self.sides)]

    def load(self, sensors: Float[Any, "*batch n"], xp: Any = np) -> Float[Any, "*batch sides"]:
        """Return contact forces under the feet (body weights) from sensordata."""
        return xp.stack([sensors[..., touch].sum(-1) for touch in self._touch], axis=-1) / self._weight

    def initial(self, sensors: Float[np.ndarray, "*batch n"]) -> Float[np.ndarray, "*batch 2 8"]:
        """Return the gait memory at the start of an episode, from sensordata."""
        if not self.sides:
            return np.zeros((*sensors.shape[:-1], len(SIDES), len(gait.GAIT_FIELDS)))
        return np.asarray(gait.initial(sensors[..., self._at]))

    def ahead(self, sensors: Float[Any, "world time n"], forward: Float[Any, "world 2"], xp: Any = np) -> Float[Any, "world time 2"]:
        """Return the height of the highest ground from each toe to `SIGHT` ahead of it (m).

        Args:
            sensors: [W, T, n], sensordata.
            forward: [W, 2], the task's forward direction in the ground plane.
            xp: numpy or jax.numpy.
        """
        if not self.sides:
            return xp.zeros((*sensors.shape[:2], len(SIDES)), sensors.dtype)
        reach = xp.linspace(0.0, SIGHT, _PLACES, dtype=sensors.dtype)[:, None] * forward[:, None, None, None].astype(sensors.dtype)
        return self._terrain.highest(sensors[..., self._toes][..., None, :] + reach, xp)

    def over_time(
        self,
        memory: Float[Any, "world 2 8"],
        sensors: Float[Any, "world time n"],
        forward: Float[Any, "world 2"],
        dt: float,
        xp: Any = np,
    ) -> Float[Any, "world time 2 8"]:
        """Return the gait memory after each of T more instants; see gait.over_time.

        Args:
            memory: [W, 2, 8], before the first instant.
            sensors: [W, T, n], sensordata.
            forward: [W, 2], the task's forward direction in the ground plane.
            dt: time between instants (s).
            xp: numpy or jax.numpy.
        """
        if not self.sides:
            return xp.zeros((*sensors.shape[:2], *memory.shape[1:]))
        return gait.over_time(memory, self.load(sensors, xp), sensors[..., self._at], forward, dt, xp)
