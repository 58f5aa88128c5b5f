"""On-times: when each muscle of a leg works over the cycle, against when people's do.

Published on-times come from electromyograms. Here a group's activation (the mean of its muscles, the strong weighing more) is averaged over
the steady strides; the group is on where that is above a fifth of its highest value. A group that is held at one level throughout is
on throughout, and agrees with people only while theirs are on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from movlr_jax.gait import norms
from movlr_jax.gait.curves import over_cycle
from movlr_jax.gait.muscle_groups import muscle_groups
from movlr_jax.gait.strides import Stride
from movlr_jax.gait.trajectory import Trajectory

THRESHOLD = 0.2  # of the group's highest activation over the cycle
SILENT = 0.02  # activation under which a group is off whatever its highest


@dataclass(frozen=True)
class OnTimes:
    """When one group of one leg works.

    Attributes:
        side, group: which.
        activation: float[101], mean over the strides.
        on: float[101], 1 where it is on.
        norm: float[101], 1 where people's is on.
    """

    side: str
    group: str
    activation: np.ndarray
    on: np.ndarray
    norm: np.ndarray

    @property
    def agreement(self) -> float:
        """Share of the cycle in which it is on, or off, as people's is."""
        return float(np.mean(self.on[:-1] == self.norm[:-1]))


def switched(activation: Float[np.ndarray, " 101"]) -> Float[np.ndarray, " 101"]:
    """Return 1 where an activation over the cycle counts as on, else 0."""
    return np.asarray(activation > max(THRESHOLD * float(activation.max()), SILENT), np.float64)


def intervals(on: Float[np.ndarray, " 101"]) -> list[tuple[int, int]]:
    """Return (from, to) in per cent of the stretches in which it is on."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0.0], on, [0.0]])))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]


@dataclass(frozen=True)
class Timing:
    """When the muscles of both legs work.

    Attributes:
        groups: one a group and side, left first.
    """

    groups: tuple[OnTimes, ...]

    def figures(self) -> dict[str, float]:
        """Return the share of the cycle in which groups agree with people's, the mean over groups and sides."""
        return {"muscle_timing_agreement": float(np.mean([group.agreement for group in self.groups]))}


def measure(trajectory: Trajectory, steady: Sequence[Stride], peak_force: Float[np.ndarray, " m"]) -> Timing | None:
    """Return when the named groups of each leg work, over the strides of its side; None where no muscle goes by such a name.

    Args:
        trajectory: the episode.
        steady: its steady strides.
        peak_force: of the muscles (N).
    """
    out: list[OnTimes] = []
    act = trajectory.muscles("act")
    for side, groups in muscle_groups(trajectory.layout).items():
        own = [stride for stride in steady if stride.side == side]
        for group, members in groups.items() if own else ():
            strength = peak_force[list(members)]
            if not strength.any():  # an injury took all of it
                continue
            values = act[:, list(members)] @ (strength / strength.sum())
            activation = np.mean([over_cycle(values, trajectory.time, stride) for stride in own], axis=0)
            out.append(OnTimes(side, group, activation, switched(activation), norms.on(norms.ON_TIMES[group])))
    return Timing(tuple(out)) if out else None
