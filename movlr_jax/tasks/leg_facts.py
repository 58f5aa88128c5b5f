"""Facts of legs: their joints' angles in the signs of anatomy, in degrees, over the time upright and at moments that matter.

In: the trajectory of one episode. Out: "left_knee_flexion_deg" and its like -> an `Angle`, of the functions that the body's legs have
(`movlr_jax.morphologies.anatomy`): flexion of hip and knee positive, abduction away from the other leg, the ankle positive toes up. Zero is
the joint's own, in models of OpenSim's legs that of a straight leg. Moments: the start and the end; where a foot lands, its touchdowns and
toe-offs, the mean over them; where none does, the instant at which the pelvis is lowest; and the first sign of a fall.
"""

from __future__ import annotations

import numpy as np

from movlr_jax.facts import Angle
from movlr_jax.gait.strides import contacts
from movlr_jax.gait.trajectory import Trajectory
from movlr_jax.rewards.layout import SIDES

# What it is called -> the function that has it, and the sign.
ANGLES: dict[str, tuple[str, float]] = {
    "hip_flexion_deg": ("hip_flexion", 1.0),
    "hip_abduction_deg": ("hip_adduction", -1.0),
    "knee_flexion_deg": ("knee_flexion", 1.0),
    "ankle_dorsiflexion_deg": ("ankle_flexion", 1.0),
}


def angles(t: Trajectory, first_sign_s: float | None = None) -> dict[str, Angle]:
    """Return the angles of both legs (deg); nothing of a body whose legs' joints are not known.

    Args:
        t: the episode while it was upright.
        first_sign_s: when a fall began to show; None where there is none.
    """
    found: dict[str, Angle] = {}
    for side in SIDES:
        moments = _moments(t, side, first_sign_s)
        for name, (function, sign) in ANGLES.items():
            values = t.function(f"{side}.{function}")
            if values is None:
                continue
            values = sign * np.degrees(values)
            least, most = int(np.argmin(values)), int(np.argmax(values))
            found[f"{side}_{name}"] = Angle(
                mean=_degrees(values.mean()),
                min=_degrees(values[least]),
                min_at_s=round(float(t.time[least]), 3),
                max=_degrees(values[most]),
                max_at_s=round(float(t.time[most]), 3),
                at={moment: _degrees(values[rows].mean()) for moment, rows in moments.items()},
            )
    return found


def _moments(t: Trajectory, side: str, first_sign_s: float | None) -> dict[str, list[int]]:
    """Return moment -> the rows that it is."""
    stances = contacts(t, side)
    moments = {"start": [0], "end": [-1]}
    landed, left = ([s.from_s for s in stances if s.landed], [s.to_s for s in stances if s.left])
    if landed:
        moments["touchdown"] = [_row(t, at) for at in landed]
    if left:
        moments["toe_off"] = [_row(t, at) for at in left]
    if not landed:
        moments["pelvis_lowest"] = [int(np.argmin(t.height("pelvis")))]
    return moments if first_sign_s is None else {**moments, "first_sign_of_fall": [_row(t, first_sign_s)]}


def _row(t: Trajectory, at_s: float) -> int:
    return int(np.argmin(np.abs(t.time - at_s)))


def _degrees(value: float) -> float:
    return round(float(value), 1)
