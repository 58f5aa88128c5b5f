"""Knots: postures at a few times of a horizon, and what lies between them.

Held, knot k is the posture of the k-th share of the horizon. Interpolated, knot k is the posture at time k T / (K - 1), so that a foot can
be brought forward by one knot and put down by the next; in between they follow a line or a Catmull-Rom spline (cubic Hermite, whose slopes
are the differences of the neighbouring knots). A simulator always holds postures for a while: interpolated ones, and those that move along
with a nominal posture, for 70 ms each, for which a muscle law computes its targets once, on every engine alike.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

INTERPOLATIONS: tuple[str, ...] = ("hold", "linear", "cubic")
_SECTION = 0.07  # s; a muscle reaches an activation in 0.05. On MS-Human-700's locomotion body the targets of a section cost 0.9 of a step


@dataclass(frozen=True)
class Knots:
    """Postures between knots; all is linear in the knots, so that it is one small matrix.

    Attributes:
        interpolation: one of `INTERPOLATIONS`.
        count: K.
        horizon: T (s).
    """

    interpolation: str
    count: int
    horizon: float

    @property
    def smooth(self) -> bool:
        """Whether postures between knots differ from them."""
        return self.interpolation != "hold" and self.count > 1

    @property
    def times(self) -> tuple[float, ...]:
        """When each knot counts (s): of held ones the middle of its share."""
        if self.smooth:
            return tuple(self.horizon * k / (self.count - 1) for k in range(self.count))
        return tuple(self.horizon * (k + 0.5) / self.count for k in range(self.count))

    @property
    def middles(self) -> Float[np.ndarray, " section"]:
        """The middles of the sections (s) where postures move within the horizon: each held knot's share has as many."""
        if self.smooth:
            sections = math.ceil(self.horizon / _SECTION)
        else:
            sections = self.count * math.ceil(self.horizon / self.count / _SECTION)
        return self.horizon * (np.arange(sections) + 0.5) / sections

    def divided(self, postures: Float[Any, "episode candidate knot d"]) -> Float[Any, "episode candidate section d"]:
        """Return the postures of all sections, in turn; those of one held knot are the same."""
        if self.smooth:
            return self._at(self.middles, postures)
        return postures.__array_namespace__().repeat(postures, len(self.middles) // self.count, axis=2)

    def held(self, postures: Float[Any, "episode candidate knot d"]) -> Float[Any, "episode candidate section d"]:
        """Return the postures that are held one after the other, each for its share of the horizon."""
        if not self.smooth:
            return postures
        return self.divided(postures)

    def first(self, seconds: float, postures: Float[Any, "episode knot d"]) -> Float[Any, "episode 1 d"]:
        """Return the posture that is held for the first seconds."""
        return self._at(np.array([seconds / 2]), postures) if self.smooth else postures[:, :1]

    def later(self, values: Float[Any, "episode knot d"], seconds: float) -> Float[Any, "episode knot d"]:
        """Return knots as they stand after some time; what lay beyond the horizon is as at its end."""
        if self.smooth:
            return self._at(np.array(self.times) + seconds, values)
        xp = values.__array_namespace__()
        after = xp.concatenate([values[:, 1:], values[:, -1:]], axis=1)
        return values + seconds * self.count / self.horizon * (after - values)

    def _at(self, times: Float[np.ndarray, " time"], values: Any) -> Any:
        """Return values[..., time, d] at times (s), of values[..., knot, d]."""
        xp = values.__array_namespace__()
        return xp.asarray(self.weights(times), values.dtype) @ values

    def weights(self, times: Float[np.ndarray, " time"]) -> Float[np.ndarray, "time knot"]:
        """Return the weight of every knot at times (s)."""
        last = self.count - 1
        place = np.clip(times / self.horizon * last, 0.0, last)
        left = np.minimum(place.astype(int), last - 1)
        x = place - left
        out = np.zeros((len(times), self.count))
        rows = np.arange(len(times))
        if self.interpolation == "linear":
            shares = {0: 1 - x, 1: x}
        else:
            shares = {
                -1: -0.5 * x + x**2 - 0.5 * x**3,
                0: 1 - 2.5 * x**2 + 1.5 * x**3,
                1: 0.5 * x + 2 * x**2 - 1.5 * x**3,
                2: -0.5 * x**2 + 0.5 * x**3,
            }
        for offset, share in shares.items():  # beyond an end stands the end's knot
            np.add.at(out, (rows, np.clip(left + offset, 0, last)), share)
        return out
