"""What people have of each figure of a gait: mean and SD at the walk's own speed, for tables that put the two beside each other.

Flows in: a figure's name, and the walk's speed with its leg's length. Flows out: a `norms.Fact`, or None where nothing is published.
"""

from __future__ import annotations

import functools

import numpy as np

from movlr_jax.gait import norms
from movlr_jax.gait.curves import JointCurve, Kinematics
from movlr_jax.gait.norms import Fact

_AS_FAR_AS_PEOPLE = "a person as far from the mean as people are, at every point of the cycle"
_WITHIN = "the share of a normal distribution within 1 SD"


def fact(name: str, speed_mps: float | None, leg_m: float | None) -> Fact | None:
    """Return what people have of a figure.

    Args:
        name: of the figure, as metrics call it.
        speed_mps: of the walk (m/s); None: it is not known, and neither is what depends on it.
        leg_m: the leg's length (m).
    """
    if name in norms.ADULTS:
        return norms.adults(name, speed_mps)
    if speed_mps is None or leg_m is None:
        return None
    return _of_curves(round(norms.dimensionless(speed_mps, leg_m), 3), leg_m).get(name)


@functools.lru_cache(maxsize=64)
def _of_curves(speed: float, leg_m: float) -> dict[str, Fact]:
    """Return the figures that follow from the norm's curves at a dimensionless speed.

    Events are those of people's mean curve, with the SD that people have where the curve has its peak; that of a range is not published.
    """
    bands = {name: norms.band(name, speed) for name in (*norms.JOINTS, *norms.FORCES)}
    first = next(iter(bands.values()))
    at = first.speed * float(np.sqrt(norms.GRAVITY * leg_m))

    def known(name: str, mean: float, sd: float | None, source: str = first.source) -> Fact:
        return Fact(name, mean, sd, at, source)

    stance = norms.adults("stance_share", at)
    assert stance is not None
    facts: list[Fact] = []
    for joint in norms.JOINTS:
        band = bands[joint]
        for name, value in Kinematics((JointCurve("", joint, band.mean[None], np.array([stance.mean])),)).figures().items():
            peak = float(band.sd[np.argmin(np.abs(np.abs(band.mean) - abs(value)))])
            facts.append(known(name, value, None if name.endswith("range_deg") else peak))
        part = joint.removesuffix("_flexion")
        adult = "one adult at 1.25 m/s (neumovelab/myoassist) against the norm at that speed"
        facts += [
            known(f"{part}_correlation", norms.ONE_ADULT[joint][0], None, adult),
            known(f"{part}_rmse_deg", band.spread, None, _AS_FAR_AS_PEOPLE),
        ]
    vertical, forward = bands["vertical_force"], bands["forward_force"]
    half = round(stance.mean * 50.0)
    peaks = {
        "first_peak_bw": (vertical, int(np.argmax(vertical.mean[:half]))),
        "second_peak_bw": (vertical, half + int(np.argmax(vertical.mean[half:]))),
        "braking_bw": (forward, int(np.argmin(forward.mean))),
        "propulsion_bw": (forward, int(np.argmax(forward.mean))),
    }
    low, high = peaks["first_peak_bw"][1], peaks["second_peak_bw"][1]
    peaks["valley_bw"] = (vertical, low + int(np.argmin(vertical.mean[low : high + 1])))
    peaks["peak_load_bw"] = (vertical, int(np.argmax(vertical.mean)))
    facts += [known(name, float(band.mean[i]), float(band.sd[i])) for name, (band, i) in peaks.items()]
    spread = float(np.sqrt(np.mean([bands[joint].spread ** 2 for joint in norms.JOINTS])))
    facts += [
        known("gait_profile_score_deg", spread, None, _AS_FAR_AS_PEOPLE),
        known("rmse_ratio", 1.0, None, _AS_FAR_AS_PEOPLE),
        known("within_sd_share", 0.68, None, _WITHIN),
    ]
    return {one.name: one for one in facts}
