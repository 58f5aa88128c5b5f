"""A made-up walk whose joints follow people's curves, or others, and whose muscles work at given times of the cycle."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from movlr_jax.gait import norms
from movlr_jax.rewards.layout import SIDES, FeatureLayout
from support.footfalls import walk

STRIDE_S, LENGTH = 1.1, 1.2
SPEED = LENGTH / STRIDE_S  # m/s


def people(layout: FeatureLayout) -> dict[str, np.ndarray]:
    """Return people's mean curve of each joint at the walk's speed (deg)."""
    leg = norms.leg_length(layout)
    assert leg is not None
    return {joint: norms.band(joint, norms.dimensionless(SPEED, leg)).mean for joint in norms.JOINTS}


def striding(
    layout: FeatureLayout,
    curves: Mapping[str, np.ndarray],
    act: Callable[[str, np.ndarray], dict[int, np.ndarray]] | None = None,
) -> np.ndarray:
    """Return instants float32[T, f] of an even walk.

    Args:
        layout: where quantities stand.
        curves: joint -> float[101], its angle over the cycle of each leg (deg).
        act: of a side and its phases (0 to 1), muscle -> activation at each.
    """
    rows = walk(layout, stride_s=STRIDE_S, length=LENGTH).astype(np.float64)
    time = rows[:, layout.columns("time")][:, 0]
    for f, side in enumerate(SIDES):
        phase = ((time - 0.3 * STRIDE_S) / STRIDE_S - 0.5 * f) % 1.0
        for joint, curve in curves.items():
            name, sign = layout.anatomy[f"{side}.{joint}"]
            rows[:, layout.column("qpos", layout.joints[name][0])] = sign * np.radians(
                np.interp(phase, np.linspace(0, 1, len(curve)), curve)
            )
        for muscle, values in (act(side, phase) if act else {}).items():
            rows[:, layout.column("act", muscle)] = values
    return rows.astype(np.float32)
