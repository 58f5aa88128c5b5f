"""Ground reaction of a gait: force and centre of pressure over time, and the peaks that a force plate shows of each stance.

Forces are those of recorded instants, 20 ms apart: an impact between two of them is not seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from movlr_jax.gait.space_time import ways
from movlr_jax.gait.spread import Sided
from movlr_jax.gait.strides import Stride
from movlr_jax.gait.trajectory import Trajectory
from movlr_jax.morphologies import Morphology
from movlr_jax.physics import ground_reaction
from movlr_jax.rewards.layout import SIDES


@dataclass(frozen=True)
class Ground:
    """Ground reaction of an episode, left foot first, in the task's frame; figures over steady strides.

    Attributes:
        force: on each foot (body weights): forward, left, up; NaN where the state diverged.
        center: of pressure (m); NaN while the foot bears less than 1 % of the body's weight.
        first_peak: largest vertical force in the first half of a stance (body weights).
        valley: least vertical force between the peaks.
        second_peak: largest vertical force in the second half.
        braking: largest backward force of a stance, negative.
        propulsion: largest forward force of a stance.
        peak_load: largest vertical force of a stance.
    """

    force: Float[np.ndarray, "time 2 3"]
    center: Float[np.ndarray, "time 2 3"]
    first_peak: Sided
    valley: Sided
    second_peak: Sided
    braking: Sided
    propulsion: Sided
    peak_load: Sided

    def figures(self) -> dict[str, float | None]:
        """Return metric -> number: means over steady strides (body weights), and the symmetry of the loads; nothing without any."""
        if self.peak_load.both is None:
            return {}
        names = ("first_peak", "valley", "second_peak", "braking", "propulsion", "peak_load")
        return {f"{name}_bw": getattr(self, name).mean for name in names} | {"load_symmetry": self.peak_load.symmetry}


@dataclass(frozen=True)
class _Stance:
    first_peak: float
    valley: float
    second_peak: float
    braking: float
    propulsion: float
    peak_load: float


def _stance(vertical: np.ndarray, along: np.ndarray) -> _Stance | None:
    """Return the peaks of one stance; None where it is too short, or its state diverged."""
    if len(vertical) < 4 or not (np.isfinite(vertical).all() and np.isfinite(along).all()):
        return None
    half = len(vertical) // 2
    first, second = int(np.argmax(vertical[:half])), half + int(np.argmax(vertical[half:]))
    return _Stance(
        float(vertical[first]),
        float(vertical[first : second + 1].min()),
        float(vertical[second]),
        float(along.min()),
        float(along.max()),
        float(vertical.max()),
    )


def measure(body: Morphology, trajectory: Trajectory, steady: Sequence[Stride]) -> Ground | None:
    """Return the ground reaction; None for a body without feet.

    Args:
        body: the prepared body, in the scene of the episode.
        trajectory: the episode.
        steady: its steady strides.
    """
    reaction = ground_reaction.evaluate(body, trajectory.instants)
    if reaction is None:
        return None
    force = np.stack([trajectory.turn(reaction.force[:, f]) for f in range(2)], axis=1)
    center = np.stack([trajectory.place(reaction.center[:, f]) for f in range(2)], axis=1)
    found: list[list[_Stance]] = [[], []]
    for stride in steady:
        f, rows = SIDES.index(stride.side), slice(stride.touchdown_row, stride.toe_off_row)
        ahead, _ = ways(trajectory, stride)
        stance = _stance(force[rows, f, 2], force[rows, f, :2] @ ahead)
        if stance is not None:
            found[f].append(stance)

    def sided(name: str) -> Sided:
        return Sided.of(*([getattr(stance, name) for stance in own] for own in found))

    return Ground(
        force,
        center,
        sided("first_peak"),
        sided("valley"),
        sided("second_peak"),
        sided("braking"),
        sided("propulsion"),
        sided("peak_load"),
    )
