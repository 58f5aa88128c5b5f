"""Joint curves: hip, knee and ankle flexion of each stride over its cycle, and the events that a gait laboratory reads from them.

Flows in: a trajectory and its strides. Flows out: curves in degrees, hip and knee flexion and ankle dorsiflexion positive, found by the
body's anatomy (no joint goes by its name). Zero is the joint's own, which in models of OpenSim's legs is the straight leg: the thigh
in line with an upright pelvis (so the pelvis's own tilt is not in it), the shank in line with the thigh, the foot square to the shank.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from movlr_jax.gait.norms import JOINTS, POINTS
from movlr_jax.gait.strides import Stride
from movlr_jax.gait.trajectory import Trajectory
from movlr_jax.rewards.layout import SIDES

_LOADING_ENDS = 0.5  # share of stance in which the knee gives way under the load; in the second half it already bends for the swing
_PUSH_OFF_FROM, _PUSH_OFF_TO = 0.6, 1.15  # of stance: plantarflexion goes on shortly after the toes leave the ground


class Cycles:
    """What curves over the cycle have in common: float[n, 101], one row a stride, in a unit of their own."""

    cycles: np.ndarray

    @property
    def mean(self) -> Float[np.ndarray, " 101"]:
        """Mean over the strides."""
        return np.asarray(self.cycles.mean(axis=0))

    @property
    def sd(self) -> Float[np.ndarray, " 101"]:
        """SD over the strides."""
        return np.asarray(self.cycles.std(axis=0))


@dataclass(frozen=True)
class JointCurve(Cycles):
    """One joint's angle over the cycles of one side.

    Attributes:
        side: "left" or "right".
        joint: of `norms.JOINTS`.
        cycles: float[n, 101], one row a stride (deg).
        stance: float[n], when the foot left the ground, as a share of the cycle.
    """

    side: str
    joint: str
    cycles: np.ndarray
    stance: np.ndarray

    def events(self) -> dict[str, float]:
        """Return the joint's range and key events, each the mean over the strides (deg)."""
        rows = [_EVENTS[self.joint](cycle, float(at)) for cycle, at in zip(self.cycles, self.stance, strict=True)]
        return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def _hip(cycle: np.ndarray, stance: float) -> dict[str, float]:
    return {"hip_range_deg": float(np.ptp(cycle)), "hip_flexion_deg": float(cycle.max()), "hip_extension_deg": -float(cycle.min())}


def _knee(cycle: np.ndarray, stance: float) -> dict[str, float]:
    loading, swing = _part(cycle, 0.0, _LOADING_ENDS * stance), _part(cycle, stance, 1.0)
    return {
        "knee_range_deg": float(np.ptp(cycle)),
        "knee_loading_flexion_deg": float(loading.max()),
        "knee_swing_flexion_deg": float(swing.max()),
    }


def _ankle(cycle: np.ndarray, stance: float) -> dict[str, float]:
    push_off = _part(cycle, _PUSH_OFF_FROM * stance, min(_PUSH_OFF_TO * stance, 1.0))
    return {
        "ankle_range_deg": float(np.ptp(cycle)),
        "ankle_dorsiflexion_deg": float(_part(cycle, 0.0, stance).max()),
        "ankle_push_off_deg": -float(push_off.min()),
    }


_EVENTS = {"hip_flexion": _hip, "knee_flexion": _knee, "ankle_flexion": _ankle}


def _part(cycle: np.ndarray, start: float, stop: float) -> np.ndarray:
    """Return the points of a cycle from one share of it to another; at least one."""
    first, last = round(start * (POINTS - 1)), round(stop * (POINTS - 1))
    return cycle[first : max(last, first) + 1]


def over_cycle(values: Float[np.ndarray, "time ..."], time: Float[np.ndarray, " time"], stride: Stride) -> Float[np.ndarray, "101 ..."]:
    """Return recorded values at 0, 1, ... 100 % of a stride, between the rows by straight lines."""
    at = np.linspace(stride.touchdown_s, stride.next_touchdown_s, POINTS)
    columns = values.reshape(len(time), -1)
    first = max(int(np.searchsorted(time, at[0])) - 1, 0)
    last = int(np.searchsorted(time, at[-1])) + 1
    part = np.stack([np.interp(at, time[first:last], column) for column in columns[first:last].T], axis=1)
    return part.reshape(POINTS, *values.shape[1:])


@dataclass(frozen=True)
class Kinematics:
    """The joint curves of a gait.

    Attributes:
        curves: one a joint and side, left first.
    """

    curves: tuple[JointCurve, ...]

    def figures(self) -> dict[str, float]:
        """Return every joint's range and key events, the mean of both sides (deg)."""
        sides: dict[str, list[float]] = {}
        for curve in self.curves:
            for name, value in curve.events().items():
                sides.setdefault(name, []).append(value)
        return {name: float(np.mean(values)) for name, values in sides.items()}


def measure(trajectory: Trajectory, steady: Sequence[Stride]) -> Kinematics | None:
    """Return the curves of every joint that the body has, over the strides of each side; None where there are none.

    Args:
        trajectory: the episode.
        steady: its steady strides.
    """
    out: list[JointCurve] = []
    for side in SIDES:
        own = [stride for stride in steady if stride.side == side]
        stance = np.array([(stride.toe_off_s - stride.touchdown_s) / stride.seconds for stride in own])
        for joint in JOINTS:
            angle = trajectory.function(f"{side}.{joint}")
            if angle is not None and own:
                cycles = np.stack([over_cycle(np.degrees(angle), trajectory.time, stride) for stride in own])
                out.append(JointCurve(side, joint, cycles, stance))
    return Kinematics(tuple(out)) if out else None
