"""What the offline critic understands of a goal sentence: a few words, each with a measurable target.

In: a sentence. Out: the targets that its words ask for. It looks for the words of `TARGETS` and nothing else; a
sentence without any of them gives no target, and the critic then says that it can judge stability alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Target:
    """One measurable thing that a sentence asks for.

    Attributes:
        kind: the fault when it is not reached.
        pattern: regular expression on the sentence in lower case.
        measure: facts -> the measured number.
        goal: the number that counts as done.
        rest: the number of a body that only stands.
        words: what is measured, with {value} and {goal} to fill in.
        body_part: where.
        allows: faults that the sentence asks for and that are therefore none.
    """

    kind: str
    pattern: str
    measure: Callable[[Facts], float]
    goal: float
    rest: float
    words: str
    body_part: str
    allows: tuple[str, ...] = ()

    def reached(self, facts: Facts) -> float:
        """Return the share of the way from rest to goal that was reached, 0 to 1."""
        return min(max((self.measure(facts) - self.rest) / (self.goal - self.rest), 0.0), 1.0)


def _posture(name: str, field: str) -> Callable[[Facts], float]:
    return lambda facts: float(facts.get("posture", {}).get(name, {}).get(field, 0.0))


def _speed(facts: Facts) -> float:
    return float(facts.get("metrics", {}).get("mean_speed_mps") or 0.0)


_LIFT = r"\b(raise|raises|raising|lift|lifts|lifting|bring|hold|pull)\b[^.;]*"
_ONE_LEG = r"\b(stand|stands|standing|balance|balances|balancing)\b[^.;]*\bon\b[^.;]*"

TARGETS: tuple[Target, ...] = (
    Target(
        "squat_too_high",
        r"\b(squat|squats|squatting|crouch|crouches|sit down|knee bend)\b",
        _posture("pelvis_height_ratio", "min"),
        0.83,
        1.0,
        "lowest pelvis height is {value:.2f} of standing, a squat needs {goal:.2f}",
        "pelvis",
        ("crouch", "bent_knees", "odd_posture", "lean_forward", "collapse"),
    ),
    *(
        Target(
            f"{side}_knee_low",
            _LIFT + rf"\b{side} (knee|leg|thigh)\b",
            _posture(f"{side}_knee_height_ratio", "max"),
            0.8,
            0.53,
            f"highest {side} knee is at {{value:.2f}} of hip height, {{goal:.2f}} is asked for",
            f"{side} knee",
            ("odd_posture", "asymmetry", "com_aside"),
        )
        for side in ("left", "right")
    ),
    *(
        Target(
            f"{side}_foot_down",
            rf"(?:{_LIFT}\b{side} (foot|heel|toes)\b|{_ONE_LEG}\b{stance} (leg|foot)\b)",
            _posture(f"{side}_foot_lift_m", "mean"),
            0.06,
            0.0,
            f"the {side} foot is lifted by {{value:.2f}} m on average, {{goal:.2f}} m is asked for",
            f"{side} foot",
            ("odd_posture", "asymmetry", "com_aside"),
        )
        for side, stance in (
            ("left", "right"),
            ("right", "(?:left|one|a single)"),  # any leg will do: stand on the left one
        )
    ),
    Target(
        "not_leaning_forward",
        r"\b(lean|leans|leaning|bow|bows|bend)\b[^.;]*\b(forward|forwards|over|down)\b",
        _posture("trunk_pitch_rad", "mean"),
        0.3,
        0.0,
        "the trunk leans forward by {value:.2f} rad on average, {goal:.2f} rad is asked for",
        "trunk",
        ("lean_forward", "com_ahead", "crouch", "odd_posture"),
    ),
    Target(
        "not_running",
        r"\b(run|runs|running|sprint|jog)\b",
        _speed,
        2.0,
        0.0,
        "mean speed is {value:.2f} m/s, a run needs {goal:.2f} m/s",
        "whole body",
        ("flight", "too_fast", "lean_forward"),
    ),
    Target(
        "not_walking",
        r"\b(walk|walks|walking|step forward|go forward|move forward)\b",
        _speed,
        0.6,
        0.0,
        "mean speed is {value:.2f} m/s, a walk needs {goal:.2f} m/s",
        "whole body",
    ),
)

_STAY = re.compile(r"\b(stand|stands|standing|still|balance|in place|on the spot|squat|squats)\b")


def targets(sentence: str) -> tuple[Target, ...]:
    """Return the targets that a sentence asks for, in the order of TARGETS."""
    return tuple(t for t in TARGETS if re.search(t.pattern, sentence.lower()))


def asks_to_stay(sentence: str) -> bool:
    """Tell whether a sentence asks to remain in place."""
    return bool(_STAY.search(sentence.lower())) and not any(t.kind in ("not_walking", "not_running") for t in targets(sentence))
