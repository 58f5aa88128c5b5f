"""Feet: how they meet the ground, how they leave it behind, and how often they touch it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from movlr_jax.gait.spread import Sided
from movlr_jax.gait.strides import Stride
from movlr_jax.gait.trajectory import Trajectory
from movlr_jax.rewards.layout import SIDES

_MIDDLE = (0.25, 0.75)  # of a swing: before it the toes leave the ground, after it they come down
_ENDS = 0.1  # of a swing at either end, in which a foot that touches does not drag
_DRAGS = 0.02  # body weights


@dataclass(frozen=True)
class Feet:
    """What feet do over steady strides.

    Attributes:
        touchdowns_per_stride: of a foot; 1 without chatter.
        foot_strike_deg: pitch of the foot at touchdown against its pitch in standing, toes up positive (deg); 0 is a flat landing on level
            ground. A human lands on the heel, toes up by about 20 deg.
        toe_clearance_m: least height of the toes in the middle half of the swing, above their height in standing (m).
        toe_drag_share: share of the swing in which the foot touches the ground, without its ends.
    """

    touchdowns_per_stride: Sided
    foot_strike_deg: Sided
    toe_clearance_m: Sided
    toe_drag_share: Sided

    def figures(self) -> dict[str, float | None]:
        """Return metric -> mean over steady strides."""
        return {name: value.mean for name, value in vars(self).items()}


def measure(trajectory: Trajectory, steady: Sequence[Stride]) -> Feet | None:
    """Return what the feet do; None without steady strides."""
    if not steady:
        return None
    found: dict[str, list[list[float | None]]] = {name: [[], []] for name in Feet.__dataclass_fields__}
    for f, side in enumerate(SIDES):
        forward = trajectory.axis(f"{side}.foot", 0)
        pitch = np.degrees(np.arctan2(forward[:, 2], np.linalg.norm(forward[:, :2], axis=1)))
        low = "toe" if trajectory.has(f"{side}.toe") else "foot"
        clearance = trajectory.height(f"{side}.{low}") - trajectory.layout.standing.get(f"{side}_{low}_height", 0.0)
        load = trajectory.gait(side, "load")
        for stride in steady:
            if stride.side != side:
                continue
            found["touchdowns_per_stride"][f].append(float(stride.touchdowns))
            found["foot_strike_deg"][f].append(float(pitch[_nearest(trajectory, stride.next_touchdown_s)]))
            swing = np.arange(stride.toe_off_row, stride.next_touchdown_row)
            middle = swing[round(_MIDDLE[0] * len(swing)) : max(round(_MIDDLE[1] * len(swing)), 1)]
            found["toe_clearance_m"][f].append(float(clearance[middle].min()) if len(middle) else None)
            inside = swing[round(_ENDS * len(swing)) : len(swing) - round(_ENDS * len(swing))]
            found["toe_drag_share"][f].append(float((load[inside] > _DRAGS).mean()) if len(inside) else None)
    return Feet(**{name: Sided.of(*sides) for name, sides in found.items()})


def _nearest(trajectory: Trajectory, at_s: float) -> int:
    """Return the recorded row nearest to a time."""
    return int(np.argmin(np.abs(trajectory.time - at_s)))
