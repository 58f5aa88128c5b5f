"""A walk's curves against people's: how like they are in shape, how far apart in degrees, and how much of the cycle lies among people.

Flows in: joint curves, the walk's speed and the leg's length. Flows out, joint by joint and side by side, with the human figure beside:
r and RMS difference of the mean curve, after it was shifted against the norm by what fits a side's joints best together (a touchdown found
early or late shifts them all alike; up to 10 % of the cycle); the share of the cycle within 1 SD of people; the RMSE ratio, RMS difference
over the RMS of people's SD, which is 1 for a walker as far from the mean as people are. The gait profile score is the RMS difference over
all joints (Baker et al. 2009, Gait Posture 30:265, of nine variables; here of the sagittal ones).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from movlr_jax.gait import norms
from movlr_jax.gait.curves import JointCurve
from movlr_jax.rewards.layout import SIDES

LARGEST_SHIFT = 10  # per cent of the cycle
NEAR = 0.05  # dimensionless: a norm at most this far from the walk's speed is matched to it (0.15 m/s for an adult)


@dataclass(frozen=True)
class JointComparison:
    """One joint's mean curve of one side against the norm.

    Attributes:
        side, joint: which.
        correlation: r of the shifted curve.
        unshifted: r of the curve as it is.
        rmse_deg: RMS difference of the shifted curve (deg).
        offset_deg: its mean less the norm's (deg): zeros of models differ.
        within_sd: share of the cycle within 1 SD of people.
        spread_deg: RMS of people's SD (deg).
    """

    side: str
    joint: str
    correlation: float
    unshifted: float
    rmse_deg: float
    offset_deg: float
    within_sd: float
    spread_deg: float

    @property
    def rmse_ratio(self) -> float:
        """RMS difference over people's: 1 is within their spread."""
        return self.rmse_deg / self.spread_deg


@dataclass(frozen=True)
class Comparison:
    """A walk against the norm.

    Attributes:
        speed_mps: of the walk (m/s).
        leg_m: the leg's length (m).
        norm_speed: the one that the norm stands for.
        shift_percent: side -> by how much of the cycle its curves were put later to fit (%).
        joints: each joint of each side.
    """

    speed_mps: float
    leg_m: float
    norm_speed: float
    shift_percent: dict[str, int]
    joints: tuple[JointComparison, ...]

    @property
    def speed(self) -> float:
        """v / sqrt(g L) of the walk."""
        return norms.dimensionless(self.speed_mps, self.leg_m)

    @property
    def matched(self) -> bool:
        """Whether amplitudes may be compared: the norm is for this speed."""
        return abs(self.speed - self.norm_speed) <= NEAR

    @property
    def gait_profile_score_deg(self) -> float:
        """RMS difference over all joints of both sides (deg)."""
        return float(np.sqrt(np.mean([joint.rmse_deg**2 for joint in self.joints])))

    @property
    def human_gait_profile_score_deg(self) -> float:
        """The same of a person who is as far from the mean as people are (deg)."""
        return float(np.sqrt(np.mean([joint.spread_deg**2 for joint in self.joints])))

    def figures(self) -> dict[str, float]:
        """Return the flat figures, each the mean of both sides."""
        out: dict[str, float] = {}
        for joint in dict.fromkeys(j.joint for j in self.joints):
            own = [j for j in self.joints if j.joint == joint]
            part = joint.removesuffix("_flexion")
            out[f"{part}_correlation"] = float(np.mean([j.correlation for j in own]))
            out[f"{part}_rmse_deg"] = float(np.mean([j.rmse_deg for j in own]))
        out["within_sd_share"] = float(np.mean([j.within_sd for j in self.joints]))
        out["rmse_ratio"] = float(np.mean([j.rmse_ratio for j in self.joints]))
        out["gait_profile_score_deg"] = self.gait_profile_score_deg
        return out


def correlation(a: Float[np.ndarray, " n"], b: Float[np.ndarray, " n"]) -> float:
    """Return Pearson's r of two curves; 0 where one is flat."""
    x, y = a - a.mean(), b - b.mean()
    size = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / size if size > 1e-9 else 0.0


def shifted(curve: Float[np.ndarray, " 101"], percent: int) -> Float[np.ndarray, " 101"]:
    """Return a curve over the cycle put later by some of it; what leaves at the end comes in at the start."""
    if not percent:
        return curve
    rolled = np.roll(curve[:-1], percent)
    return np.append(rolled, rolled[0])


def best_shift(pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> int:
    """Return the shift (%) up to `LARGEST_SHIFT` either way with the highest mean r over (curve, norm); the smallest of equals."""
    shifts = sorted(range(-LARGEST_SHIFT, LARGEST_SHIFT + 1), key=abs)
    return max(shifts, key=lambda s: round(float(np.mean([correlation(shifted(curve, s), norm) for curve, norm in pairs])), 9))


def measure(curves: Sequence[JointCurve], speed_mps: float, leg_m: float) -> Comparison:
    """Compare a human's legs with people at their speed.

    Args:
        curves: of the joints, at least one.
        speed_mps: the walk's (m/s).
        leg_m: the leg's length (m).
    """
    speed = norms.dimensionless(speed_mps, leg_m)
    bands = {joint: norms.band(joint, speed) for joint in norms.JOINTS}
    shifts: dict[str, int] = {}
    out: list[JointComparison] = []
    for side in SIDES:
        own = [curve for curve in curves if curve.side == side]
        if not own:
            continue
        shifts[side] = best_shift([(curve.mean, bands[curve.joint].mean) for curve in own])
        for curve in own:
            band = bands[curve.joint]
            difference = shifted(curve.mean, shifts[side]) - band.mean
            out.append(
                JointComparison(
                    side,
                    curve.joint,
                    correlation(shifted(curve.mean, shifts[side]), band.mean),
                    correlation(curve.mean, band.mean),
                    float(np.sqrt(np.mean(difference**2))),
                    float(difference.mean()),
                    float(np.mean(np.abs(difference) <= band.sd)),
                    band.spread,
                )
            )
    return Comparison(speed_mps, leg_m, next(iter(bands.values())).speed, shifts, tuple(out))
