"""Ground reaction over the cycle: vertical and forward force under each foot in body weights, beside people's at the same speed.

Flows in: the forces of an episode's ground reaction and its steady strides. Flows out: curves at 0, 1, ... 100 % of the cycle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from movlr_jax.gait import norms
from movlr_jax.gait.comparison import correlation
from movlr_jax.gait.curves import Cycles, over_cycle
from movlr_jax.gait.norms import FORCES
from movlr_jax.gait.space_time import ways
from movlr_jax.gait.strides import Stride
from movlr_jax.gait.trajectory import Trajectory
from movlr_jax.rewards.layout import SIDES


@dataclass(frozen=True)
class ForceCurve(Cycles):
    """One component of the force under one foot.

    Attributes:
        side: "left" or "right".
        force: of `norms.FORCES`.
        cycles: float[n, 101], one row a stride (body weights).
    """

    side: str
    force: str
    cycles: np.ndarray


@dataclass(frozen=True)
class Forces:
    """The ground reaction of a gait over the cycle.

    Attributes:
        curves: one a component and side, left first.
        speed: dimensionless speed of the people beside it; None: it is not compared with people.
    """

    curves: tuple[ForceCurve, ...]
    speed: float | None

    def figures(self) -> dict[str, float]:
        """Return r of the mean curves with people's, the mean of both sides; nothing where it is not compared."""
        if self.speed is None:
            return {}
        out = {}
        for name in FORCES:
            band = norms.band(name, self.speed)
            out[f"{name}_correlation"] = float(np.mean([correlation(c.mean, band.mean) for c in self.curves if c.force == name]))
        return out


def measure(
    trajectory: Trajectory, force: Float[np.ndarray, "time 2 3"], steady: Sequence[Stride], speed: float | None = None
) -> Forces | None:
    """Return the ground reaction over the cycle; None where no stride has forces.

    Args:
        trajectory: the episode.
        force: on each foot, left first: forward, left, up (body weights); NaN where it is not known.
        steady: its steady strides; forward is along the way of each.
        speed: dimensionless speed of people to put beside it.
    """
    found: dict[tuple[str, str], list[np.ndarray]] = {}
    for stride in steady:
        cycle = over_cycle(force[:, SIDES.index(stride.side)], trajectory.time, stride)
        if np.isfinite(cycle).all():
            ahead, _ = ways(trajectory, stride)
            found.setdefault((stride.side, "vertical_force"), []).append(cycle[:, 2])
            found.setdefault((stride.side, "forward_force"), []).append(cycle[:, :2] @ ahead)
    curves = tuple(ForceCurve(side, name, np.stack(found[side, name])) for side in SIDES for name in FORCES if (side, name) in found)
    return Forces(curves, speed) if curves else None
