"""The term library: reward terms with a name, a class, a starting weight and the faults they cure.

Every expression is text in terms of `m` (Motion) that uses only `jnp` and the shaping functions, so that it can be
spliced into any reward program. Convention: a term is 0 when all is well and falls below 0 as the motion gets worse, of
order 1 for a bad posture, and its slope is finite everywhere. Weights marked "published" in a doc are those of the
human-designed walk of MoVLR (arXiv 2512.23077, released task files); the others were chosen so that the weighted term
is of the size of the published ones when its fault is plain. Joints are named by what they do in a leg
(`m.joint("left.knee_flexion")`, see `morphologies.anatomy`); `on` writes the body's own names in their place. A term may declare
parameters, which a program that takes it declares; terms that read the same one share it.

Long because it is a list: one entry a term, and nothing but entries.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from movlr_jax.rewards import program
from movlr_jax.rewards.layout import FeatureLayout

STRAIGHT = 0.35  # rad; angles of the terms are those of a leg that stands as straight as a human's does
_FUNCTION = re.compile(r'm\.joint\("((?:left|right)\.\w+)"\)')

# From global stability to fine coordination: the order in which a body must learn them.
CLASSES: tuple[str, ...] = ("stability", "balance", "progress", "gait", "coordination", "economy")


@dataclass(frozen=True)
class LibraryTerm:
    """One reusable reward term.

    Attributes:
        name: its key in a reward program.
        term_class: one of CLASSES.
        expression: source text in terms of m.
        weight: the weight to start with.
        fixes: kinds of fault (see critics.faults) that it acts against, the most direct first.
        needs: landmarks and functions of a leg's joints that the body must have.
        doc: what it asks for, one sentence.
        parameters: name -> (value, lowest, highest) of the constants that its expression reads as m.parameters.NAME.
    """

    name: str
    term_class: str
    expression: str
    weight: float
    fixes: tuple[str, ...]
    needs: tuple[str, ...]
    doc: str
    parameters: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)

    def on(self, joints: Mapping[str, str]) -> LibraryTerm:
        """Return the term with a body's own joints: function -> how a program writes its joint."""
        return replace(self, expression=_FUNCTION.sub(lambda match: joints.get(match[1], match[0]), self.expression))


_FEET = ("left.foot", "right.foot")
_SOLES = ("left.heel", "right.heel", "left.toe", "right.toe")
_KNEES = ("left.knee", "right.knee")
_FALLS = ("fall_forward", "fall_backward", "fall_left", "fall_right", "collapse")
_TIPS = ("right.thumb", "right.index", "right.middle", "right.ring", "right.little")
_MEAN_FOOT = "0.5 * (m.left.foot.position + m.right.foot.position)"
# The clock that some terms keep: each foot swings once a stride, for what its stance leaves of it, the right one half a stride after the
# left one. Sines of the phase above `_SWINGS` are the swing's. Periods are a walk's at 0.5 to 1.4 m/s, stance shares those of walking
# (60 %, Perry & Burnfield, Gait Analysis), clearances of the toes up to a high step.
_PERIOD = {"stride_period": (1.15, 0.9, 1.5)}  # s
_STANCE = {"stance_share": (0.62, 0.55, 0.7)}
_TOES = {"toe_clearance": (0.05, 0.02, 0.12)}  # m
_REACH = {"step_reach": (0.25, 0.1, 0.45)}  # m
# How far the extrapolated centre of mass is ahead of the landing foot and inside of it: a constant offset makes a walk (Hof 2008, Hum Mov
# Sci 27:112).
_MARGINS = {"landing_margin": (0.1, -0.05, 0.25), "landing_width": (0.05, 0.0, 0.12)}  # m
_PHASE = {"left": "6.2831853 * m.time / m.parameters.stride_period", "right": "6.2831853 * (m.time / m.parameters.stride_period + 0.5)"}
_SWINGS = "jnp.cos(3.1415927 * (1.0 - m.parameters.stance_share))"
_SWING = {side: f"ramp(jnp.sin({phase}), {_SWINGS} - 0.1, {_SWINGS} + 0.1)" for side, phase in _PHASE.items()}
_LANDING = {side: f"{_SWING[side]} * ramp(-jnp.cos({phase}), 0.0, 0.6)" for side, phase in _PHASE.items()}
_PENDULUM = "jnp.sqrt(jnp.maximum(m.com.height, 0.1) / 9.81)"

_TERMS: tuple[LibraryTerm, ...] = (
    # stability: stay up
    LibraryTerm(
        "head_height",
        "stability",
        "-smooth_abs(below(m.head.height, 0.97 * m.standing.head_height))",
        200.0,
        (*_FALLS, "crouch"),
        ("head",),
        "Keep the head within 3 % of its standing height (published, 200).",
    ),
    LibraryTerm(
        "pelvis_height",
        "stability",
        "-smooth_abs(below(m.pelvis.height, 0.95 * m.standing.pelvis_height))",
        200.0,
        ("collapse", "crouch", "fall_backward"),
        ("pelvis",),
        "Keep the pelvis within 5 % of its standing height.",
    ),
    LibraryTerm(
        "upright",
        "stability",
        "-smooth_abs(2.0 - m.pelvis.up[2] - m.head.up[2] + 0.1 * (2.0 - m.left.foot.up[2] - m.right.foot.up[2]))",
        200.0,
        ("lean_forward", "lean_backward", "lean_sideways", *_FALLS),
        ("pelvis", "head", *_FEET),
        "Keep pelvis and head upright, and a little the feet (published, 200).",
    ),
    LibraryTerm(
        "trunk_upright",
        "stability",
        "-(1.0 - m.trunk.up[2])",
        100.0,
        ("lean_forward", "lean_backward", "lean_sideways", *_FALLS),
        ("trunk",),
        "Keep the chest upright: one minus the cosine of its lean.",
    ),
    LibraryTerm(
        "pelvis_upright",
        "stability",
        "-(1.0 - m.pelvis.up[2])",
        100.0,
        ("lean_forward", "lean_backward", "lean_sideways"),
        ("pelvis",),
        "Keep the pelvis upright: one minus the cosine of its lean.",
    ),
    LibraryTerm(
        "no_sinking",
        "stability",
        "-above(-m.com.velocity[2], 0.3)",
        20.0,
        ("collapse", "fall_forward", "fall_backward"),
        (),
        "Do not let the centre of mass sink faster than a walking step does (0.3 m/s).",
    ),
    LibraryTerm(
        "grasp",
        "stability",
        "-above(norm(m.right.hand.position - m.object.position), 0.06)",
        50.0,
        ("drop", "loose_grip"),
        ("object", "right.hand"),
        "Keep the palm within 6 cm of the object's middle.",
    ),
    LibraryTerm(
        "object_not_falling",
        "stability",
        "-above(-m.object.velocity[2], 0.3)",
        20.0,
        ("drop",),
        ("object",),
        "Do not let the object sink faster than a hand lowers it (0.3 m/s).",
    ),
    # balance: keep the weight over the feet
    LibraryTerm(
        "balance",
        "balance",
        f"-smooth_abs(norm((m.com.position - {_MEAN_FOOT})[:2]))",
        100.0,
        ("com_ahead", "com_behind", "com_aside", *_FALLS),
        _FEET,
        "Keep the centre of mass over the middle of the feet (published, 100).",
    ),
    LibraryTerm(
        "capture_point",
        "balance",
        f"-smooth_abs(norm((m.com.position + 0.2 * m.com.velocity - {_MEAN_FOOT})[:2]))",
        50.0,
        ("sway", "com_ahead", "com_behind", "com_aside"),
        _FEET,
        "Keep the capture point (where the body is heading in 0.2 s) over the feet (published for standing, 50).",
    ),
    LibraryTerm(
        "sideways_capture",
        "balance",
        f"-smooth_abs((m.com.position + 0.3 * m.com.velocity - {_MEAN_FOOT})[1])",
        50.0,
        ("com_aside", "fall_left", "fall_right", "sway", "drift"),
        _FEET,
        "Keep the sideways capture point between the feet.",
    ),
    LibraryTerm(
        "lead_foot",
        "balance",
        "-smooth_abs(below(jnp.maximum(m.left.toe.position[0], m.right.toe.position[0]), "
        "m.com.position[0] + 0.25 * m.com.velocity_forward))",
        50.0,
        ("fall_forward", "com_ahead", "lean_forward"),
        ("left.toe", "right.toe"),
        "Keep one foot ahead of where the centre of mass is going, so that a step catches the body.",
    ),
    LibraryTerm(
        "feet_apart",
        "balance",
        "-smooth_abs("
        "below(jnp.dot(m.left.heel.position - m.right.heel.position, m.pelvis.left), 0.15)"
        " + below(jnp.dot(m.left.toe.position - m.right.toe.position, m.pelvis.left), 0.15)"
        " + below(jnp.dot(m.left.knee.position - m.right.knee.position, m.pelvis.left), 0.15))",
        50.0,
        ("crossed_feet", "fall_left", "fall_right", "narrow_stance"),
        ("pelvis", *_SOLES, *_KNEES),
        "Keep heels, toes and knees 0.15 m apart along the hip axis (published as feet cross, 50).",
    ),
    LibraryTerm(
        "feet_not_wide",
        "balance",
        "-smooth_abs(above(jnp.dot(m.left.foot.position - m.right.foot.position, m.pelvis.left), 0.3))",
        50.0,
        ("wide_stance",),
        ("pelvis", *_FEET),
        "Do not spread the feet by more than 0.3 m.",
    ),
    # progress: do what was asked
    LibraryTerm(
        "forward_speed",
        "progress",
        "-smooth_abs(below(m.com.velocity_forward, m.goal.speed))",
        10.0,
        ("too_slow", "backward", "not_moving"),
        (),
        "Move forward at least at the goal speed (published, 10).",
    ),
    LibraryTerm(
        "speed_match",
        "progress",
        "-smooth_abs(m.com.velocity_forward - m.goal.speed)",
        10.0,
        ("too_fast", "too_slow"),
        (),
        "Move forward at the goal speed, neither slower nor faster.",
    ),
    LibraryTerm(
        "no_backward",
        "progress",
        "-below(m.com.velocity_forward, 0.0)",
        10.0,
        ("backward",),
        (),
        "Never move backward.",
    ),
    LibraryTerm(
        "lateral_speed",
        "progress",
        "-smooth_abs(m.com.velocity_left)",
        10.0,
        ("drift", "sway"),
        (),
        "Do not move sideways (published, 10).",
    ),
    LibraryTerm(
        "heading",
        "progress",
        "-smooth_abs(1.0 - m.pelvis.forward[0])",
        100.0,
        ("veer",),
        ("pelvis",),
        "Face the task's forward direction (published, 100).",
    ),
    LibraryTerm(
        "facing",
        "progress",
        "-smooth_abs(m.pelvis.forward[1])",
        30.0,
        ("veer", "drift"),
        ("pelvis",),
        "Do not turn to a side; unlike heading, it also sees a small turn.",
    ),
    LibraryTerm(
        "lateral_position",
        "progress",
        "-smooth_abs(m.com.position[1])",
        20.0,
        ("drift", "veer"),
        (),
        "Stay on the straight line through the start.",
    ),
    LibraryTerm(
        "stay_in_place",
        "progress",
        "-smooth_abs(norm(m.com.position[:2]))",
        20.0,
        ("wander",),
        (),
        "Stay where the episode began.",
    ),
    LibraryTerm(
        "stillness",
        "progress",
        "-smooth_abs(norm(m.com.velocity[:2]))",
        20.0,
        ("wander", "sway"),
        (),
        "Keep the centre of mass still.",
    ),
    LibraryTerm(
        "squat_depth",
        "progress",
        "-smooth_abs(m.pelvis.height - 0.8 * m.standing.pelvis_height)",
        100.0,
        ("squat_too_high",),
        ("pelvis",),
        "Lower the pelvis to four fifths of its standing height, and no further.",
    ),
    LibraryTerm(
        "left_knee_up",
        "progress",
        "-(smooth_abs(below(m.left.knee.height, 0.85 * m.standing.left_hip_height))"
        " + smooth_abs(below(jnp.dot(m.left.knee.position - m.left.hip.position, m.pelvis.forward), 0.25)))",
        50.0,
        ("left_knee_low",),
        ("pelvis", "left.knee", "left.hip"),
        "Raise the left knee nearly to hip height, in front of the hip by 0.25 m.",
    ),
    LibraryTerm(
        "right_knee_up",
        "progress",
        "-(smooth_abs(below(m.right.knee.height, 0.85 * m.standing.right_hip_height))"
        " + smooth_abs(below(jnp.dot(m.right.knee.position - m.right.hip.position, m.pelvis.forward), 0.25)))",
        50.0,
        ("right_knee_low",),
        ("pelvis", "right.knee", "right.hip"),
        "Raise the right knee nearly to hip height, in front of the hip by 0.25 m.",
    ),
    LibraryTerm(
        "left_foot_up",
        "progress",
        "-smooth_abs(below(m.left.foot.height, m.standing.left_foot_height + 0.1))",
        50.0,
        ("left_foot_down",),
        ("left.foot",),
        "Lift the left foot 0.1 m off the ground.",
    ),
    LibraryTerm(
        "right_foot_up",
        "progress",
        "-smooth_abs(below(m.right.foot.height, m.standing.right_foot_height + 0.1))",
        50.0,
        ("right_foot_down",),
        ("right.foot",),
        "Lift the right foot 0.1 m off the ground.",
    ),
    LibraryTerm(
        "weight_over_left_foot",
        "progress",
        "-smooth_abs(norm((m.com.position - m.left.foot.position)[:2]))",
        50.0,
        ("right_foot_down", "right_knee_low"),
        ("left.foot",),
        "Bring the centre of mass over the left foot, so that the right one is free.",
    ),
    LibraryTerm(
        "weight_over_right_foot",
        "progress",
        "-smooth_abs(norm((m.com.position - m.right.foot.position)[:2]))",
        50.0,
        ("left_foot_down", "left_knee_low"),
        ("right.foot",),
        "Bring the centre of mass over the right foot, so that the left one is free.",
    ),
    LibraryTerm(
        "bow_forward",
        "progress",
        "-smooth_abs(below(jnp.dot(m.trunk.up, m.pelvis.forward) + m.pelvis.up[0], 0.4))",
        50.0,
        ("not_leaning_forward",),
        ("trunk", "pelvis"),
        "Incline pelvis and trunk forward by about 0.4 rad.",
    ),
    LibraryTerm(
        "kneel",
        "progress",
        "-smooth_abs(above(jnp.minimum(m.left.knee.height / m.standing.left_knee_height,"
        " m.right.knee.height / m.standing.right_knee_height), 0.3))",
        100.0,
        ("not_kneeling",),
        ("left.knee", "right.knee"),
        "Bring a knee down to the ground, below 0.3 of its standing height.",
    ),
    LibraryTerm(
        "sit_low",
        "progress",
        "-smooth_abs(above(m.pelvis.height, 0.28 * m.standing.pelvis_height))",
        100.0,
        ("not_sitting",),
        ("pelvis",),
        "Lower the pelvis to the ground, below 0.28 of its standing height.",
    ),
    LibraryTerm(
        "lie_low",
        "progress",
        "-smooth_abs(above(m.head.height, 0.15 * m.standing.head_height) + above(m.pelvis.height, 0.15 * m.standing.head_height))",
        100.0,
        ("not_lying",),
        ("head", "pelvis"),
        "Bring head and pelvis down to the ground.",
    ),
    LibraryTerm(
        "both_feet_up",
        "progress",
        "-smooth_abs(below(jnp.minimum(m.left.foot.height - m.standing.left_foot_height,"
        " m.right.foot.height - m.standing.right_foot_height), 0.08))",
        100.0,
        ("not_jumping",),
        _FEET,
        "Have both feet 0.08 m off the ground at once.",
    ),
    LibraryTerm(
        "walking_speed",
        "progress",
        "-smooth_abs(below(m.com.velocity_forward, 0.8))",
        10.0,
        ("not_walking",),
        (),
        "Move forward at 0.8 m/s or more, whatever the goal speed.",
    ),
    LibraryTerm(
        "running_speed",
        "progress",
        "-smooth_abs(below(m.com.velocity_forward, 2.0))",
        10.0,
        ("not_running",),
        (),
        "Move forward at 2 m/s or more, whatever the goal speed.",
    ),
    LibraryTerm(
        "object_position",
        "progress",
        "-smooth_abs(m.goal.object_position_error, 0.03)",
        100.0,
        ("misplaced", "drop"),
        ("object",),
        "Bring the object to where it is wanted (published as position, 100).",
    ),
    LibraryTerm(
        "object_orientation",
        "progress",
        "-smooth_abs(m.goal.object_orientation_error)",
        10.0,
        ("misturned",),
        ("object",),
        "Turn the object into the orientation wanted (published, 10).",
    ),
    LibraryTerm(
        "object_still",
        "progress",
        "-smooth_abs(norm(m.object.velocity))",
        5.0,
        ("misplaced", "misturned", "jerk"),
        ("object",),
        "Keep the object still: it may move only as fast as it must.",
    ),
    # gait: how the feet step
    LibraryTerm(
        "foot_clearance",
        "gait",
        "-20.0 * ((1.0 - m.left.foot.in_contact) * below(m.left.toe.height, m.standing.left_toe_height + 0.05)"
        " + (1.0 - m.right.foot.in_contact) * below(m.right.toe.height, m.standing.right_toe_height + 0.05))",
        5.0,
        ("low_clearance", "shuffle"),
        (*_FEET, "left.toe", "right.toe"),
        "Lift the toes of a swinging foot by 0.05 m.",
    ),
    LibraryTerm(
        "alternation",
        "gait",
        "-(m.left.foot.in_contact * above(m.left.foot.time_since_touchdown, 0.8)"
        " + m.right.foot.in_contact * above(m.right.foot.time_since_touchdown, 0.8))",
        5.0,
        ("no_steps", "shuffle", "asymmetry"),
        _FEET,
        "Lift each foot again within 0.8 s of its touchdown, so that left and right alternate.",
    ),
    LibraryTerm(
        "step_symmetry",
        "gait",
        "-smooth_abs(m.left.foot.step_length - m.right.foot.step_length)",
        5.0,
        ("asymmetry",),
        _FEET,
        "Make left and right steps equally long.",
    ),
    LibraryTerm(
        "step_length",
        "gait",
        "-smooth_abs(below(0.5 * (m.left.foot.step_length + m.right.foot.step_length), 0.5 * m.goal.speed))",
        10.0,
        ("shuffle", "no_steps"),
        _FEET,
        "Make steps as long as a walk at the goal speed needs (0.5 s a step).",
    ),
    LibraryTerm(
        "foot_slip",
        "gait",
        "-(m.left.foot.in_contact * smooth_abs(norm(m.left.heel.velocity[:2]) * norm(m.left.toe.velocity[:2]))"
        " + m.right.foot.in_contact * smooth_abs(norm(m.right.heel.velocity[:2]) * norm(m.right.toe.velocity[:2])))",
        10.0,
        ("foot_slip",),
        (*_FEET, *_SOLES),
        "Do not let a loaded foot slide: of heel and toe, one must rest.",
    ),
    LibraryTerm(
        "foot_placement",
        "gait",
        "-(smooth_abs(jnp.dot(m.left.foot.position - m.left.hip.position, m.pelvis.left))"
        " + smooth_abs(jnp.dot(m.right.foot.position - m.right.hip.position, m.pelvis.left)))",
        30.0,
        ("wide_stance", "crossed_feet", "narrow_stance"),
        ("pelvis", *_FEET, "left.hip", "right.hip"),
        "Place the feet below the hips, neither crossing nor straddling.",
    ),
    LibraryTerm(
        "ground_contact",
        "gait",
        "-(1.0 - m.left.foot.in_contact) * (1.0 - m.right.foot.in_contact)",
        20.0,
        ("flight",),
        _FEET,
        "Keep at least one foot on the ground.",
    ),
    LibraryTerm(
        "toe_lift",
        "gait",
        "-20.0 * (norm(m.left.toe.velocity[:2]) * below(m.left.toe.height, m.standing.left_toe_height + 0.02)"
        " + norm(m.right.toe.velocity[:2]) * below(m.right.toe.height, m.standing.right_toe_height + 0.02))",
        5.0,
        ("toe_drag",),
        ("left.toe", "right.toe"),
        "Lift toes that travel over the ground by 0.02 m, whether they touch it or not.",
    ),
    LibraryTerm(
        "swing_time",
        "gait",
        "-4.0 * ("
        + " + ".join(
            f"m.{side}.foot.in_contact * ramp(m.time - m.{side}.foot.time_since_touchdown, 0.01, 0.05)"
            f" * below(m.{side}.foot.time_since_liftoff - m.{side}.foot.time_since_touchdown, 0.25)"
            for side in ("left", "right")
        )
        + ")",
        5.0,
        ("chatter",),
        _FEET,
        "Put a foot down only after it has been in the air for 0.25 s, and not again and again.",
    ),
    LibraryTerm(
        "stance_time",
        "gait",
        "-2.0 * ("
        + " + ".join(
            f"(1.0 - m.{side}.foot.in_contact) * below(jnp.abs(m.{side}.foot.time_since_touchdown - m.{side}.foot.time_since_liftoff), 0.5)"
            for side in ("left", "right")
        )
        + ")",
        5.0,
        ("short_stance",),
        _FEET,
        "Lift a foot only after it has stood for 0.5 s.",
    ),
    LibraryTerm(
        "even_steps",
        "gait",
        "-jnp.minimum(1.0, above(2.0 * jnp.minimum(m.left.foot.time_since_touchdown, m.right.foot.time_since_touchdown)"
        " - jnp.maximum(m.left.foot.time_since_touchdown, m.right.foot.time_since_touchdown), 0.05))",
        20.0,
        ("limp",),
        _FEET,
        "Let no step take longer than the one before it.",
    ),
    LibraryTerm(
        "heel_strike",
        "gait",
        "-("
        + " + ".join(
            f"(1.0 - m.{side}.foot.in_contact) * below(m.{side}.foot.forward[2], 0.3)"
            f" * ramp(jnp.dot(m.{side}.foot.position - m.com.position, m.pelvis.forward), 0.05, 0.25)"
            for side in ("left", "right")
        )
        + ")",
        20.0,
        ("flat_footed",),
        ("pelvis", *_FEET),
        "Lift the toes of the foot that is about to land, by the sine of 0.3 rad, so that the heel comes first.",
    ),
    LibraryTerm(
        "swing_clock",
        "gait",
        "-(" + " + ".join(f"{_SWING[side]} * jnp.minimum(m.{side}.foot.load, 1.0)" for side in ("left", "right")) + ")",
        20.0,
        ("no_steps", "quick_steps", "limp", "shuffle"),
        _FEET,
        "Carry no load on a foot while the clock has it swing: left and right alternate, each once a stride.",
        _PERIOD | _STANCE,
    ),
    LibraryTerm(
        "stance_clock",
        "gait",
        "-(" + " + ".join(f"(1.0 - {_SWING[side]}) * (1.0 - m.{side}.foot.in_contact)" for side in ("left", "right")) + ")",
        20.0,
        ("short_stance", "flight", "quick_steps", "limp"),
        _FEET,
        "Have a foot on the ground for its share of the stride, while the clock has it stand.",
        _PERIOD | _STANCE,
    ),
    LibraryTerm(
        "swing_clearance",
        "gait",
        "-20.0 * ("
        + " + ".join(
            f"below(m.{side}.toe.height, m.standing.{side}_toe_height"
            f" + m.parameters.toe_clearance * ramp(jnp.sin({_PHASE[side]}), {_SWINGS}, 1.0))"
            for side in ("left", "right")
        )
        + ")",
        5.0,
        ("low_clearance", "toe_drag", "no_steps"),
        ("left.toe", "right.toe"),
        "Raise the toes in the middle of a foot's swing, as the clock has it, and lower them again.",
        _PERIOD | _STANCE | _TOES,
    ),
    LibraryTerm(
        "swing_reach",
        "gait",
        "-4.0 * ("
        + " + ".join(
            f"{_LANDING[side]} * below(jnp.dot(m.{side}.foot.position - m.com.position, m.pelvis.forward), m.parameters.step_reach)"
            for side in ("left", "right")
        )
        + ")",
        10.0,
        ("shuffle", "too_slow", "no_steps"),
        ("pelvis", *_FEET),
        "Bring a foot ahead of the centre of mass towards the end of its swing, as the clock has it.",
        _PERIOD | _STANCE | _REACH,
    ),
    LibraryTerm(
        "capture_placement",
        "gait",
        "-4.0 * ("
        + " + ".join(
            f"{_LANDING[side]} * (smooth_abs(m.com.position[0] + {_PENDULUM} * m.com.velocity[0] - m.parameters.landing_margin"
            f" - m.{side}.foot.position[0]) + smooth_abs(m.com.position[1] + {_PENDULUM} * m.com.velocity[1] {sign}"
            f" m.parameters.landing_width - m.{side}.foot.position[1]))"
            for side, sign in (("left", "+"), ("right", "-"))
        )
        + ")",
        10.0,
        ("com_ahead", "com_behind", "com_aside", "sway", "crossed_feet", "fall_forward", "fall_backward", "fall_left", "fall_right"),
        _FEET,
        "Land a foot by the extrapolated centre of mass, a little behind it and outside of it, so that the step catches the body.",
        _PERIOD | _STANCE | _MARGINS,
    ),
    # coordination: how the joints move together
    LibraryTerm(
        "knee_alignment",
        "coordination",
        "-(smooth_abs(jnp.dot(m.left.knee.position - 0.5 * (m.left.hip.position + m.left.foot.position),"
        " m.pelvis.left))"
        " + smooth_abs(jnp.dot(m.right.knee.position - 0.5 * (m.right.hip.position + m.right.foot.position),"
        " m.pelvis.left)))",
        50.0,
        ("knees_in", "crossed_feet", "narrow_stance"),
        ("pelvis", *_FEET, *_KNEES, "left.hip", "right.hip"),
        "Keep each knee on the line between hip and foot, seen from the front.",
    ),
    LibraryTerm(
        "swing_knee",
        "coordination",
        '-((1.0 - m.left.foot.in_contact) * below(m.joint("left.knee_flexion").angle, 0.7)'
        ' + (1.0 - m.right.foot.in_contact) * below(m.joint("right.knee_flexion").angle, 0.7))',
        10.0,
        ("stiff_knee", "low_clearance"),
        (*_FEET, "left.knee_flexion", "right.knee_flexion"),
        "Bend the knee of a swinging leg by 0.7 rad or more.",
    ),
    LibraryTerm(
        "stance_knee",
        "coordination",
        '-(m.left.foot.in_contact * above(m.joint("left.knee_flexion").angle, 0.5)'
        ' + m.right.foot.in_contact * above(m.joint("right.knee_flexion").angle, 0.5))',
        20.0,
        ("crouch", "collapse", "bent_knees"),
        (*_FEET, "left.knee_flexion", "right.knee_flexion"),
        "Do not bend the knee of a loaded leg beyond 0.5 rad.",
    ),
    LibraryTerm(
        "hip_adduction",
        "coordination",
        '-(quadratic(m.joint("left.hip_adduction").angle) + quadratic(m.joint("right.hip_adduction").angle))',
        20.0,
        ("crossed_feet", "wide_stance", "narrow_stance"),
        ("left.hip_adduction", "right.hip_adduction"),
        "Keep the thighs from swinging in or out.",
    ),
    LibraryTerm(
        "hip_rotation",
        "coordination",
        '-(quadratic(m.joint("left.hip_rotation").angle) + quadratic(m.joint("right.hip_rotation").angle))',
        20.0,
        ("toes_out", "knees_in"),
        ("left.hip_rotation", "right.hip_rotation"),
        "Keep the thighs from turning in or out.",
    ),
    LibraryTerm(
        "hip_level",
        "coordination",
        "-smooth_abs(5.0 * (m.left.hip.position[2] - m.right.hip.position[2]))",
        20.0,
        ("lean_sideways", "sway", "hip_drop"),
        ("left.hip", "right.hip"),
        "Keep the hips level.",
    ),
    LibraryTerm(
        "hip_alternation",
        "coordination",
        '-smooth_abs(m.joint("left.hip_flexion").velocity + m.joint("right.hip_flexion").velocity)',
        2.0,
        ("asymmetry",),
        ("left.hip_flexion", "right.hip_flexion"),
        "Move the thighs against each other: one forward while the other goes back.",
    ),
    LibraryTerm(
        "ankle_range",
        "coordination",
        '-(quadratic(m.joint("left.ankle_flexion").angle) + quadratic(m.joint("right.ankle_flexion").angle))',
        20.0,
        ("tiptoe", "foot_slip"),
        ("left.ankle_flexion", "right.ankle_flexion"),
        "Keep the ankles near neutral.",
    ),
    LibraryTerm(
        "push_off",
        "coordination",
        "-("
        + " + ".join(
            f'm.{side}.foot.in_contact * below(-m.joint("{side}.ankle_flexion").angle, 0.25)'
            f" * ramp(jnp.dot(m.com.position - m.{side}.foot.position, m.pelvis.forward), 0.15, 0.35)"
            for side in ("left", "right")
        )
        + ")",
        20.0,
        ("no_push_off",),
        ("pelvis", *_FEET, "left.ankle_flexion", "right.ankle_flexion"),
        "Stretch the ankle of the leg that is left behind by 0.25 rad, so that it pushes the body on.",
    ),
    LibraryTerm(
        "toe_out",
        "coordination",
        "-(2.0 - jnp.dot(m.left.foot.forward, m.pelvis.forward) - jnp.dot(m.right.foot.forward, m.pelvis.forward))",
        10.0,
        ("toes_out",),
        ("pelvis", *_FEET),
        "Point the feet where the pelvis points.",
    ),
    LibraryTerm(
        "trunk_pitch",
        "coordination",
        "-smooth_abs(m.trunk.up[0])",
        50.0,
        ("lean_forward", "lean_backward"),
        ("trunk",),
        "Keep the chest from leaning forward or backward.",
    ),
    LibraryTerm(
        "trunk_sway",
        "coordination",
        "-smooth_abs(m.trunk.up[1])",
        50.0,
        ("lean_sideways", "sway"),
        ("trunk",),
        "Keep the chest from leaning to a side.",
    ),
    LibraryTerm(
        "trunk_turning",
        "coordination",
        "-smooth_abs(norm(m.trunk.angular_velocity))",
        5.0,
        ("jerk", "sway"),
        ("trunk",),
        "Keep the chest from turning quickly in any direction.",
    ),
    LibraryTerm(
        "posture",
        "coordination",
        "-quadratic(norm(m.joints.deviation))",
        2.5,
        ("odd_posture", "bent_knees"),
        (),
        "Stay near the standing posture in all planned joints (published as joint position, 2.5).",
    ),
    LibraryTerm(
        "arms_down",
        "coordination",
        "-(above(m.left.hand.height, 0.9 * m.standing.pelvis_height) + above(m.right.hand.height, 0.9 * m.standing.pelvis_height))",
        20.0,
        ("arms_raised",),
        ("left.hand", "right.hand"),
        "Let the arms hang.",
    ),
    LibraryTerm(
        "fingertips",
        "coordination",
        "-(" + " + ".join(f"above(norm(m.{tip}.position - m.object.position), 0.05)" for tip in _TIPS) + ")",
        20.0,
        ("loose_grip", "drop", "misturned"),
        ("object", *_TIPS),
        "Keep every fingertip within 5 cm of the object's middle (published as five finger terms, 20).",
    ),
    LibraryTerm(
        "thumb_opposed",
        "coordination",
        "-100.0 * above(jnp.dot(m.right.thumb.position - m.object.position, m.right.middle.position - m.object.position), 0.0)",
        5.0,
        ("loose_grip", "drop"),
        ("object", "right.thumb", "right.middle"),
        "Keep thumb and middle finger on opposite sides of the object.",
    ),
    # economy: do it with little
    LibraryTerm(
        "effort",
        "economy",
        "-mean_square(m.muscles.activation)",
        10.0,
        ("effort",),
        (),
        "Activate the muscles little (mean squared activation).",
    ),
    LibraryTerm(
        "excitation_change",
        "economy",
        "-mean_square(m.muscles.excitation - m.previous.muscles.excitation)",
        10.0,
        ("jerk", "effort"),
        (),
        "Change the muscles' excitations smoothly.",
    ),
    LibraryTerm(
        "joint_velocity",
        "economy",
        "-0.05 * mean_square(m.joints.velocity)",
        5.0,
        ("jerk", "effort"),
        (),
        "Move the joints no faster than needed.",
    ),
    LibraryTerm(
        "com_acceleration",
        "economy",
        "-smooth_abs(0.1 * norm((m.com.velocity - m.previous.com.velocity) / jnp.maximum(m.dt, 1e-3)))",
        5.0,
        ("jerk",),
        (),
        "Do not jolt the centre of mass.",
    ),
    LibraryTerm(
        "bounce",
        "economy",
        "-smooth_abs(m.com.velocity[2])",
        10.0,
        ("jerk", "flight"),
        (),
        "Do not bob up and down.",
    ),
)

LIBRARY: dict[str, LibraryTerm] = {term.name: term for term in _TERMS}


def fixing(kind: str) -> list[LibraryTerm]:
    """Return the terms that act against a kind of fault: the most direct first, then by class from stability to
    finesse."""
    terms = [term for term in _TERMS if kind in term.fixes]
    return sorted(terms, key=lambda t: (t.fixes.index(kind), CLASSES.index(t.term_class)))


def parameters_of(terms: Iterable[LibraryTerm]) -> dict[str, tuple[float, float, float]]:
    """Return the parameters that a program of these terms declares."""
    return {name: triple for term in terms for name, triple in term.parameters.items()}


def text(terms: Iterable[LibraryTerm]) -> str:
    """Return the program of some terms, each at the weight to start with."""
    terms = list(terms)
    weights, entries = {term.name: term.weight for term in terms}, {term.name: term.expression for term in terms}
    return program.write(weights, entries, parameters=parameters_of(terms))


def joints(layout: FeatureLayout) -> dict[str, str]:
    """Return function of a leg -> how a program writes its joint, of those that stand straight enough for the terms' angles."""
    return {
        function: f'{"-" if sign < 0 else ""}m.joint("{joint}")'
        for function, (joint, sign) in layout.anatomy.items()
        if joint in layout.joints and abs(layout.standing_angles[joint]) <= STRAIGHT
    }


def for_layout(layout: FeatureLayout) -> dict[str, LibraryTerm]:
    """Return the terms that a body can be asked for, written for its joints."""
    own = joints(layout)
    return {name: term.on(own) for name, term in LIBRARY.items() if all(n in layout.landmarks or n in own for n in term.needs)}
