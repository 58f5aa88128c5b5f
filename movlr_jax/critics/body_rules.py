"""The rules by which the offline critic judges a body: does it stay up, does it get on, does it move well.

In: nothing; these are tables, for `rules.faults` and a `BodyReading`. The two numbers of a rule are where its fault begins and where it is
full. Speeds and widths are a level walk's (Perry & Burnfield, Gait Analysis); the other bands are what separates the package's own
human-designed walks from falls and shuffles.
"""

from __future__ import annotations

from collections.abc import Callable

from movlr_jax import goals
from movlr_jax.critics.body_reading import BodyReading
from movlr_jax.critics.rules import Rule
from movlr_jax.tasks.gates import STALLED

DIVERGED = "The simulation diverged: the motion is not physical."
EFFORT = 0.12  # mean squared activation
_JERK = 300.0  # m/s^3 of the centre of mass; planned walks that look even measure 250 to 300

BodyRule = Rule[BodyReading]

_FALLS = "{what} at {{m.fall.time_s:.2f}} s; first, {{m.sign}} at {{m.fall.first_sign_s:.2f}} s."
_LEANS = "The trunk leans {way} by {{value:.2f}} rad on average."
_CENTRE = "The centre of mass is {{value:.2f}} m {way} the feet on average."
_LOW = "The body is held low: {value:.2f} of its standing height on average."
_SWAYS = "The trunk sways to a side by up to {value:.2f} rad."


def _fall(kind: str, what: str, measure: Callable[[BodyReading], float | None]) -> BodyRule:
    return BodyRule(kind, measure, 0.0, 1.0, _FALLS.format(what=what), "{m.sign_part}", "fall", 0.0, 1.0)


def _elsewhere(kind: str, ahead: bool) -> BodyRule:
    words = "The body falls in {value:.0%} of the episodes, though not in the one that was filmed."
    return BodyRule(kind, lambda m: m.elsewhere if (m.ahead >= 0) == ahead else None, 0.0, 1.0, words, "whole body", "fall", 0.4, 0.5)


def _leans(kind: str, way: str, measure: Callable[[BodyReading], float], begins: float, full: float, phase: str) -> BodyRule:
    return BodyRule(kind, measure, begins, full, _LEANS.format(way=way), "trunk", phase, span=0.6)


def _centre(kind: str, way: str, measure: Callable[[BodyReading], float], begins: float, full: float) -> BodyRule:
    return BodyRule(kind, measure, begins, full, _CENTRE.format(way=way), "whole body", span=0.5)


# How it stood while it was up comes after the fall: these are its causes, so they are named though they hardly matter by themselves.
STABILITY: tuple[BodyRule, ...] = (
    BodyRule("diverged", lambda m: float(m.diverged), 0.0, 1.0, DIVERGED, "whole body", least=1.0, span=0.0),
    _fall("collapse", "The legs give way", lambda m: m.early if m.sinks else None),
    _fall("fall_forward", "The body falls forward", lambda m: m.falls("forward")),
    _fall("fall_backward", "The body falls backward", lambda m: m.falls("backward")),
    _fall("fall_left", "The body falls to the left", lambda m: m.falls("left")),
    _fall("fall_right", "The body falls to the right", lambda m: m.falls("right")),
    _elsewhere("fall_forward", True),
    _elsewhere("fall_backward", False),
    _leans("lean_forward", "forward", lambda m: m.pitch, 0.15, 0.6, "{m.pitch_phase}"),
    _leans("lean_backward", "backward", lambda m: -m.pitch, 0.15, 0.6, "{m.pitch_phase}"),
    _leans("lean_sideways", "to the right", lambda m: m.roll, 0.1, 0.5, "{m.roll_phase}"),
    _leans("lean_sideways", "to the left", lambda m: -m.roll, 0.1, 0.5, "{m.roll_phase}"),
    BodyRule("crouch", lambda m: m.low, goals.STANDING, 0.75, _LOW, "pelvis", span=0.6),
    _centre("com_ahead", "ahead of", lambda m: m.ahead, 0.12, 0.35),
    _centre("com_behind", "behind", lambda m: -m.ahead, 0.12, 0.35),
    _centre("com_aside", "to the left of", lambda m: m.aside, 0.08, 0.25),
    _centre("com_aside", "to the right of", lambda m: -m.aside, 0.08, 0.25),
    BodyRule("sway", lambda m: m.sway, 0.2, 0.5, _SWAYS, "trunk", "{m.roll_phase}", span=0.4, unless=("lean_sideways",)),
)

_BACK = "The body moves backward, at {value:.2f} m/s."
_STAYS = "The body hardly moves: {m.speed:.2f} of {m.wanted:.2f} m/s."
_SLOW = "Forward speed is {m.speed:.2f} of {m.wanted:.2f} m/s, slowest in the {m.slowest}."
_FAST = "Forward speed is {m.speed:.2f}, asked were {m.wanted:.2f} m/s."


def _sideways(way: str, sign: float) -> tuple[BodyRule, BodyRule]:
    drifts = f"The body drifts {{m.sideways:.2f}} m to the {way} over {{m.distance:.2f}} m."
    turned = f"The pelvis is turned to the {way} by {{value:.2f}} rad."
    return (
        BodyRule("drift", lambda m: m.drift if sign * m.lateral > 0 else None, 0.1, 0.5, drifts, "whole body", "end", span=0.5),
        BodyRule("veer", lambda m: sign * m.heading, 0.2, 0.8, turned, "pelvis", "{m.heading_phase}", span=0.5),
    )


PROGRESS: tuple[BodyRule, ...] = (
    BodyRule("backward", lambda m: m.retreat, 0.05, 1.0, _BACK, "whole body", "{m.slowest}", 0.9, 0.0),
    BodyRule("not_moving", lambda m: m.pace, STALLED, 0.0, _STAYS, "whole body", "throughout", 0.9, 0.0, unless=("backward",)),
    BodyRule("too_slow", lambda m: m.pace, 0.9, 0.3, _SLOW, "whole body", "{m.slowest}", span=0.6, unless=("backward", "not_moving")),
    BodyRule("too_fast", lambda m: m.pace, 1.5, 2.5, _FAST, "whole body", span=0.4),
    *_sideways("left", 1.0),
    *_sideways("right", -1.0),
)

_MOVES = f"Over the last third the pelvis still moves at {{value:.2f}} m/s, to hold is {goals.HOLD_SPEED:.2f} m/s at most."
_SINKS = f"Over the last third the pelvis sinks or rises at {{value:.2f}} m/s, to hold is {goals.HOLD_DRIFT:.2f} m/s at most."
_LIFTS = f"Over the last third {{m.planted}} on the ground for {{value:.0%}} of the time, to stand is {goals.HOLD_CONTACT:.0%}."

# What holding a posture takes beside the posture.
HOLDING: tuple[BodyRule, ...] = (
    BodyRule("not_held", lambda m: m.held(goals.MOVING), goals.HOLD_SPEED, 5.0 * goals.HOLD_SPEED, _MOVES, "pelvis", "end", 0.3, 0.6),
    BodyRule("not_held", lambda m: m.held(goals.SINKING), goals.HOLD_DRIFT, 5.0 * goals.HOLD_DRIFT, _SINKS, "pelvis", "end", 0.3, 0.6),
    BodyRule("foot_off_ground", lambda m: m.held(goals.FEET), goals.HOLD_CONTACT, 0.0, _LIFTS, "feet", "end", 0.3, 0.6),
)

_WANDERS = f"The body moves {{value:.2f}} m from where it was to stay, {goals.PLACE:g} m are allowed."

STAYING: tuple[BodyRule, ...] = (
    BodyRule(
        "wander",
        lambda m: m.away if m.goal.stays and not m.has_way else None,
        goals.PLACE,
        4.0 * goals.PLACE,
        _WANDERS,
        "whole body",
        span=0.5,
    ),
)

_CROSS = "The feet cross during {value:.0%} of the time."
_NARROW = "The feet come as close as {value:.2f} m."
_WIDE = "The feet are {value:.2f} m apart on average."
_SHORT = "Steps are {m.gait.mean_step_length_m:.2f} m long on average."
_UNEVEN = "Left and right differ by {value:.0%} in step length or knee movement."
_SCUFFS = "The swinging toes rise by {value:.3f} m only."
_STIFF = "The {m.stiffer} knee bends by {value:.2f} rad at most."
_FLIES = "Both feet are off the ground during {value:.0%} of the time."
_SLIPS = "Loaded feet slide at {value:.2f} m/s."
_TIRES = "Mean squared activation is {value:.2f}; most active: {m.muscles}."
_JERKS = "The centre of mass jerks ({value:.0f} m/s^3)."
_NO_STEPS = ("no_steps",)
_FLEXES = "In swing the knees bend by {value:.0f} deg, in a human walk by 58."
_NO_PUSH = "At the end of a stance the ankle is stretched by {value:.0f} deg, in a human walk by 18."
_LANDS = "Feet land with their toes {value:.0f} deg up, in a human walk about 20: not on the heel."
_STANDS = "A foot stands for {value:.0%} of a stride, in a human walk for 60 %."
_LIMPS = "The symmetry of left and right in time is {value:.2f}; 1 is even."
_HURRIES = "There are {value:.0f} steps a minute, in a human walk about 113."
_TOUCHES = "A foot touches down {value:.1f} times a stride."
_DRAGS = "The swinging foot touches the ground during {value:.0%} of its swing."

# Where a walk is no longer a human's, by figures of the gait laboratory: the norm of a comfortable speed (hip and knee: Winter 1991, Bovi
# 2011; ankle and stance: those and a subject's 25 strides on force plates; landing, cadence: Perry & Burnfield, Gait Analysis) less two to
# three of its standard deviations, and wide where slower walks, which these are, have less of it. Norms: knee in swing 58 (4.5 to 6) deg,
# ankle at push-off 18 (6) deg, foot to floor at contact about 20 (5) deg, stance 60.5 (2) %, cadence 113 (9) steps a minute. Healthy ratios
# of left and right are at most 1.06 for times of stance and swing (Patterson 2010, Gait & Posture 31:241), a symmetry of 0.97 here; 0.9 is
# a ratio of 1.22. A foot of a sound walk touches down once a stride; one more in five strides is let pass, as is a graze of a twentieth of
# the swing.
GAIT: tuple[BodyRule, ...] = (
    BodyRule(
        "stiff_knee", lambda m: m.human(m.gait.knee_swing_flexion_deg), 40.0, 10.0, _FLEXES, "knees", "swing", 0.1, unless=("stiff_knee",)
    ),
    BodyRule("no_push_off", lambda m: m.human(m.gait.ankle_push_off_deg), 5.0, -10.0, _NO_PUSH, "ankles", "stance", 0.1, 0.2),
    BodyRule("flat_footed", lambda m: m.human(m.gait.foot_strike_deg), 5.0, -20.0, _LANDS, "feet", "swing", 0.1, 0.2),
    BodyRule("short_stance", lambda m: m.stepping(m.stance), 0.54, 0.35, _STANDS, "feet", "stance", 0.1, 0.2),
    BodyRule("limp", lambda m: m.stepping(m.even), 0.9, 0.5, _LIMPS, "legs"),
    BodyRule("quick_steps", lambda m: m.stepping(m.cadence), 135.0, 200.0, _HURRIES, "legs", "throughout", 0.1),
    BodyRule("chatter", lambda m: m.stepping(m.gait.touchdowns_per_stride), 1.2, 4.0, _TOUCHES, "feet", "stance"),
    BodyRule("toe_drag", lambda m: m.stepping(m.gait.toe_drag_share), 0.05, 0.5, _DRAGS, "feet", "swing"),
)

COORDINATION: tuple[BodyRule, ...] = (
    BodyRule("crossed_feet", lambda m: m.gait.crossed_feet_fraction, 0.02, 0.4, _CROSS, "feet", "swing", span=0.5),
    BodyRule("narrow_stance", lambda m: m.narrowest, 0.06, 0.0, _NARROW, "feet", "swing", unless=("crossed_feet",)),
    BodyRule("wide_stance", lambda m: m.width, 0.28, 0.5, _WIDE, "feet", span=0.4),
    BodyRule("no_steps", lambda m: m.stepping(m.gait.steps), 2, 0, "There are {value} steps.", "feet", least=0.5, span=0.0),
    BodyRule("shuffle", lambda m: m.stepping(m.stride), 0.25, 0.0, _SHORT, "feet", "swing", unless=_NO_STEPS),
    BodyRule("asymmetry", lambda m: m.stepping(m.uneven), 0.3, 1.0, _UNEVEN, "legs", "swing", unless=_NO_STEPS),
    BodyRule("low_clearance", lambda m: m.stepping(m.clearance), 0.03, 0.0, _SCUFFS, "feet", "swing", unless=_NO_STEPS),
    BodyRule("stiff_knee", lambda m: m.stepping(m.least_bend), 0.5, 0.1, _STIFF, "{m.stiffer} knee", "swing", unless=_NO_STEPS),
    BodyRule("flight", lambda m: m.stepping(m.flight), 0.1, 0.5, _FLIES, "feet", "swing", unless=_NO_STEPS),
    *GAIT,
    BodyRule("foot_slip", lambda m: m.gait.foot_slip_mps, 0.25, 0.8, _SLIPS, "feet", "stance"),
    BodyRule("effort", lambda m: m.facts.effort.mean_squared_activation, EFFORT, 0.4, _TIRES, "muscles", least=0.1),
    BodyRule("jerk", lambda m: m.facts.smoothness.jerk, _JERK, 3.0 * _JERK, _JERKS, "whole body", least=0.1),
)
