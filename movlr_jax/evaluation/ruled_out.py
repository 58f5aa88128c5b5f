"""Faults that physics rules out: what cannot be wrong with a motion whose measurements are well on the sound side.

In: the facts of one episode. Out: kinds of faults. The limits leave room: between where a fault is called one and where it is ruled out
lies a band in which a critic may say either. A critic that reads the same measurements can hardly be wrong here; one that looks at films
can.
"""

from __future__ import annotations

from collections.abc import Callable

from movlr_jax.evaluation.known_pairs import FALLS, evenness
from movlr_jax.facts import Facts, Signal
from movlr_jax.tasks import gates

_OPPOSITE = {"forward": "backward", "backward": "forward", "left": "right", "right": "left"}
_LEANT = 0.2  # m, from which the direction of a fall is certain

# Limits. Speeds are shares of the speed asked for.
_GETS_ON, _FAST_ENOUGH, _SLOW_ENOUGH, _AHEAD_M = 0.5, 1.05, 0.95, 0.3
_DRIFTS_M, _TURNS_RAD, _TURNED_RAD = 0.1, 0.05, 0.2
_UPRIGHT_RAD, _TALL = 0.1, 0.95
_STEPS, _APART_M, _NEAR_M = 4, 0.12, 0.2
_EVEN, _TOUCHDOWNS, _BENDS_DEG, _BENDS_RAD, _STANDS = 0.97, 1.05, 55.0, 0.9, 0.6


def _reaches(signal: Signal | None, limit: float) -> bool:
    """Tell whether a signal is known and stays within a limit, in size."""
    return signal is not None and signal.max is not None and abs(signal.max) <= limit


def _stays_tall(facts: Facts) -> bool:
    heights = (facts.posture.pelvis_height_ratio, facts.posture.head_height_ratio)
    return all(height is not None and height.min is not None and height.min >= _TALL for height in heights)


def _fell(facts: Facts) -> bool:
    return gates.fell(facts.metrics.root)


def _no_fall(facts: Facts, kind: str) -> bool:
    """Tell whether a kind of fall is ruled out: nothing fell, or it fell the other way."""
    if not _fell(facts):
        return True
    fall = facts.fall
    return fall is not None and fall.lean_m >= _LEANT and kind == f"fall_{_OPPOSITE[fall.direction]}"


def _pace(facts: Facts) -> float | None:
    """Return the forward speed over the speed asked for; None where none is, or the motion fell."""
    metrics = facts.metrics
    if not facts.goal_speed_mps or metrics.distance_m is None or not metrics.seconds or _fell(facts):
        return None
    return metrics.distance_m / metrics.seconds / facts.goal_speed_mps


def _over(value: float | None, limit: float) -> bool:
    return value is not None and value >= limit


def _under(value: float | None, limit: float) -> bool:
    return value is not None and value <= limit


# kind -> whether facts rule it out.
RULES: dict[str, Callable[[Facts], bool]] = {
    **{kind: (lambda facts, kind=kind: _no_fall(facts, kind)) for kind in FALLS if kind != "collapse"},  # type: ignore[misc]
    "collapse": lambda f: not _fell(f),
    "drop": lambda f: f.object is None or f.object.dropped is None,
    "diverged": lambda f: not f.metrics.diverged,
    "not_moving": lambda f: _over(_pace(f), _GETS_ON),
    "too_slow": lambda f: _over(_pace(f), _FAST_ENOUGH),
    "too_fast": lambda f: _under(_pace(f), _SLOW_ENOUGH),
    "backward": lambda f: _over(f.metrics.distance_m, _AHEAD_M),
    "drift": lambda f: _under(f.metrics.lateral_drift_m, _DRIFTS_M) and _over(f.metrics.distance_m, 10.0 * _DRIFTS_M),
    "veer": lambda f: _under(f.metrics.heading_error_rad, _TURNS_RAD) and _reaches(f.posture.heading_rad, _TURNED_RAD),
    "lean_forward": lambda f: _reaches(f.posture.trunk_pitch_rad, _UPRIGHT_RAD),
    "lean_backward": lambda f: _reaches(f.posture.trunk_pitch_rad, _UPRIGHT_RAD),
    "lean_sideways": lambda f: _reaches(f.posture.trunk_roll_rad, _UPRIGHT_RAD),
    "sway": lambda f: _reaches(f.posture.trunk_roll_rad, _UPRIGHT_RAD),
    "crouch": _stays_tall,
    "no_steps": lambda f: f.gait.steps >= _STEPS,
    "crossed_feet": lambda f: f.gait.stance_width_m is not None and f.gait.stance_width_m.min >= _APART_M,
    "narrow_stance": lambda f: f.gait.stance_width_m is not None and f.gait.stance_width_m.min >= _APART_M,
    "wide_stance": lambda f: f.gait.stance_width_m is not None and f.gait.stance_width_m.mean <= _NEAR_M,
    "flight": lambda f: f.gait.steps >= _STEPS and f.gait.flight_fraction == 0.0,
    "limp": lambda f: _over(evenness(f), _EVEN),
    "chatter": lambda f: _under(f.gait.touchdowns_per_stride, _TOUCHDOWNS),
    "toe_drag": lambda f: f.gait.toe_drag_share == 0.0,
    "stiff_knee": lambda f: (
        _over(f.gait.knee_swing_flexion_deg, _BENDS_DEG) and all(_over(bend, _BENDS_RAD) for bend in f.gait.max_knee_flexion_rad.values())
    ),
    "short_stance": lambda f: _over(f.gait.stance_share, _STANDS),
}


def kinds(facts: Facts) -> set[str]:
    """Return the kinds of faults that the measurements of one episode rule out."""
    return {kind for kind, rules_out in RULES.items() if rules_out(facts)}
