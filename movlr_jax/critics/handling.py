"""The offline critic's eye for a hand with an object: is it held, is it where it is wanted and turned as wanted, is it held well.

In: facts with an "object" part (`movlr_jax.tasks.handling_facts`). Out: faults and a score, for `biomechanics`, which judges bodies that
walk and hands by one schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from movlr_jax.critics.critique import FAULTS, Fault

Facts = Mapping[str, Any]

# What counts as done, and what as not begun; the targets are half a bottle's radius and a turn that a person sees at once.
PLACED, LOST = 0.03, 0.25  # m
TURNED, WRONG = 0.2, 1.5  # rad
LOOSE = 0.09  # m from fingertips to the object's middle: a hand closed around a bottle or a cube measures 0.03 to 0.07
EFFORT = 0.12  # mean squared activation
HASTE = 0.6  # m/s, mean speed of the object


def _ramp(value: float, low: float, high: float) -> float:
    return min(max((value - low) / (high - low), 0.0), 1.0)


def about(facts: Facts) -> bool:
    """Tell whether the facts are of a hand with an object."""
    return bool(facts.get("object"))


def drop_share(facts: Facts) -> float:
    """Share of the episodes that dropped the object; the described episode alone when there is no list."""
    episodes = facts.get("episodes") or ()
    if episodes:
        return sum(bool(e.get("dropped")) for e in episodes) / len(episodes)
    return 1.0 if facts["object"].get("dropped") else 0.0


def held_share(facts: Facts) -> float:
    """Share of the asked time that the object was held, mean over the episodes."""
    asked = max(float(facts.get("seconds") or 0.0), 1e-6)
    drop = facts["object"].get("dropped")
    episodes = facts.get("episodes") or ({"dropped": bool(drop), "seconds": drop["time_s"] if drop else asked},)
    shares = [min(float(e.get("seconds") or 0.0) / asked, 1.0) if e.get("dropped") else 1.0 for e in episodes]
    return sum(shares) / len(shares)


def errors(facts: Facts) -> tuple[float, float]:
    """Return the final errors in position (m) and orientation (rad): means over the episodes where there are metrics."""
    metrics, thing = facts.get("metrics", {}), facts["object"]
    return tuple(  # type: ignore[return-value]
        float(thing[name]["final"] if metrics.get(f"final_{name}") is None else metrics[f"final_{name}"])
        for name in ("position_error_m", "orientation_error_rad")
    )


def _fault(kind: str, what: str, body_part: str, phase: Any, severity: float) -> Fault:
    return Fault(kind=kind, what=what, body_part=body_part, phase=phase, severity=round(severity, 3), stage=FAULTS[kind][0])


def faults(facts: Facts) -> list[Fault]:
    """Return what is wrong, in no order."""
    thing, found = facts["object"], []
    if facts.get("metrics", {}).get("diverged"):
        found.append(_fault("diverged", "The simulation diverged: the motion is not physical.", "whole body", "throughout", 1.0))
    share, drop = drop_share(facts), thing.get("dropped")
    if drop:
        early = 1.0 - 0.3 * min(drop["time_s"] / max(float(facts.get("seconds") or 1.0), 1e-6), 1.0)
        what = f"The object is dropped at {drop['time_s']:.2f} s, {drop['from_palm_m']:.2f} m from the palm."
        found.append(_fault("drop", what, "right hand", "fall", early))
    elif share > 0:
        what = f"The object is dropped in {share:.0%} of the episodes, though not in the one that was filmed."
        found.append(_fault("drop", what, "right hand", "fall", 0.4 + 0.5 * share))
    away, turned = errors(facts)
    if away > PLACED:
        best = thing["position_error_m"]["min"]
        what = f"The object ends {away:.3f} m from where it is wanted (nearest {best:.3f} m)."
        found.append(_fault("misplaced", what, "right arm", "end", 0.2 + 0.7 * _ramp(away, PLACED, LOST)))
    if turned > TURNED:
        best = thing["orientation_error_rad"]["min"]
        what = f"The object ends {turned:.2f} rad from the orientation wanted (nearest {best:.2f} rad)."
        found.append(_fault("misturned", what, "right hand", "end", 0.2 + 0.7 * _ramp(turned, TURNED, WRONG)))
    fingers = thing.get("finger_distance_m") or {}
    if fingers and max(fingers.values()) > LOOSE:
        far = max(fingers, key=lambda f: fingers[f])
        what = f"The {far} fingertip is {fingers[far]:.2f} m from the object's middle on average."
        found.append(_fault("loose_grip", what, f"right {far}", "throughout", 0.2 + 0.4 * _ramp(fingers[far], LOOSE, 0.2)))
    if facts.get("spoken"):
        what = f"Nothing here measures '{str(facts.get('goal', '')).strip().rstrip('.')}', only what becomes of the object."
        found.append(_fault("unmeasured", what, "whole body", "throughout", 0.3))
    effort = float(facts.get("effort", {}).get("mean_squared_activation") or 0.0)
    if effort > EFFORT:
        what = f"Mean squared activation is {effort:.2f}."
        found.append(_fault("effort", what, "muscles", "throughout", 0.1 + 0.3 * _ramp(effort, EFFORT, 0.4)))
    if float(thing.get("speed_mps") or 0.0) > HASTE:
        what = f"The object moves at {thing['speed_mps']:.2f} m/s on average."
        found.append(_fault("jerk", what, "right hand", "throughout", 0.2))
    return found


def score(facts: Facts) -> float:
    """Score a motion, 0 to 100.

    40 x share of the time held
    + (25 x nearness + 25 x alignment + 10 x finesse) x share of the time held

    Nearness is 1 at a final position error of 0 and 0 at 0.25 m; alignment 1 at a final orientation error of 0 and 0 at 1.5 rad; finesse
    is 1 minus the summed severities of coordination faults over 2. Beside a user's sentence, which nothing measures, nearness and alignment
    count half.
    """
    held = held_share(facts)
    away, turned = errors(facts)
    clumsy = sum(f.severity for f in faults(facts) if f.stage == "coordination")
    done = 25.0 * (1.0 - _ramp(away, 0.0, LOST)) + 25.0 * (1.0 - _ramp(turned, 0.0, WRONG))
    return round(held * (40.0 + (0.5 if facts.get("spoken") else 1.0) * done + 10.0 * (1.0 - _ramp(clumsy, 0.0, 2.0))), 3)


def summary(facts: Facts, first: Fault | None, success: bool) -> str:
    """Return the judgement in one line."""
    away, turned = errors(facts)
    head = f"{away:.3f} m and {turned:.2f} rad from the goal at the end, held {held_share(facts):.0%} of the time."
    if first is not None:
        return f"{head} {'Done, though: ' if success else ''}{first.what}"
    return f"{head} The goal is met."
