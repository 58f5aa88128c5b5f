"""MPPI with smooth noise: what LP-MPPI (arXiv 2503.11717) gets by a Butterworth low-pass over a horizon's steps, over knots of a spline.

Noise behind a Butterworth low-pass of second order with the cutoff f has the autocorrelation exp(-x) (cos x + sin x), x = sqrt(2) pi f t;
so is noise at knots that are t apart correlated here, each knot of unit variance. Above a knot's own frequency nothing is left to filter.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from movlr_jax.control.planners.mppi import MPPI
from movlr_jax.errors import MovlrError
from movlr_jax.morphologies.posture import PostureSpace


@dataclass(frozen=True)
class LPMPPI(MPPI):
    """Noise that changes over the horizon no faster than a body can follow."""

    name: str = "lp-mppi"
    """The algorithm: mppi, cem, icem, cma or lp-mppi, or one that another package adds; --help beside it lists its settings."""
    knots: int = 4
    """Target postures in a horizon."""
    interpolation: str = "cubic"
    """Between knots: hold (one after the other, each for its share), linear, or cubic (Catmull-Rom). From linear on the first knot is now,
    the last where the horizon ends."""
    cutoff: float = 3.0
    """Frequency from which the noise over a horizon is damped (Hz); published are 2 to 4."""

    def __post_init__(self) -> None:
        """Refuse settings with which no plan can be made."""
        super().__post_init__()
        self._require_above("cutoff")
        if self.knots < 2:
            raise MovlrError(f"planner.knots is {self.knots}: noise is smooth over two or more.")

    def draw(self, space: PostureSpace, rngs: Sequence[np.random.Generator]) -> np.ndarray:
        """See Planner."""
        noise: np.ndarray = np.einsum("kj,...jd->...kd", _mixed(self.between.times, self.cutoff), super().draw(space, rngs))
        return noise


def _mixed(times: Sequence[float], cutoff: float) -> np.ndarray:
    """Return the matrix that makes independent normals as correlated as low-passed noise is between times (s)."""
    x = math.sqrt(2) * math.pi * cutoff * np.abs(np.subtract.outer(times, times))
    return np.linalg.cholesky(np.exp(-x) * (np.cos(x) + np.sin(x)) + 1e-9 * np.eye(len(times)))
