"""Sway of head and trunk over strides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from movlr_jax.gait.space_time import ways
from movlr_jax.gait.spread import Spread
from movlr_jax.gait.strides import Stride
from movlr_jax.gait.trajectory import Trajectory


@dataclass(frozen=True)
class Sway:
    """Ranges within a steady stride, and root mean squares about the stride's mean; None where the body has no such landmark.

    Attributes:
        trunk_pitch_range_deg, trunk_roll_range_deg: of the trunk's lean along and across the way (deg).
        trunk_sway_rms_deg: of the lean both ways (deg).
        head_rise_m: range of the head's height above the ground (m).
        head_lateral_range_m: range of the head's place across the way (m).
        head_sway_rms_m: of the same (m).
    """

    trunk_pitch_range_deg: Spread | None
    trunk_roll_range_deg: Spread | None
    trunk_sway_rms_deg: Spread | None
    head_rise_m: Spread | None
    head_lateral_range_m: Spread | None
    head_sway_rms_m: Spread | None

    def figures(self) -> dict[str, float | None]:
        """Return metric -> mean over steady strides."""
        return {name: None if value is None else value.mean for name, value in vars(self).items()}


def _rms(values: Float[np.ndarray, " time"]) -> float:
    return float(np.sqrt(np.mean(np.square(values - values.mean()))))


def measure(trajectory: Trajectory, steady: Sequence[Stride]) -> Sway | None:
    """Return the sway over steady strides; None without any."""
    if not steady:
        return None
    found: dict[str, list[float]] = {name: [] for name in Sway.__dataclass_fields__}
    up = trajectory.axis("trunk", 2) if trajectory.has("trunk") else None
    head = trajectory.position("head") if trajectory.has("head") else None
    for stride in steady:
        (ahead, left), rows = ways(trajectory, stride), stride.rows
        if up is not None:
            pitch, roll = (np.degrees(np.arctan2(up[rows, :2] @ axis, up[rows, 2])) for axis in (ahead, left))
            found["trunk_pitch_range_deg"].append(float(np.ptp(pitch)))
            found["trunk_roll_range_deg"].append(float(np.ptp(roll)))
            found["trunk_sway_rms_deg"].append(float(np.hypot(_rms(pitch), _rms(roll))))
        if head is not None:
            beside = head[rows, :2] @ left
            found["head_rise_m"].append(float(np.ptp(trajectory.height("head")[rows])))
            found["head_lateral_range_m"].append(float(np.ptp(beside)))
            found["head_sway_rms_m"].append(_rms(beside))
    return Sway(**{name: Spread.of(values) for name, values in found.items()})
