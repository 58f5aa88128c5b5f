"""The targets: what a goal sentence may ask for that is measured, a table. Each names the words for it, the number, and what it allows."""

from __future__ import annotations

from dataclasses import dataclass

from movlr_jax import units

STANDING = 0.93  # of the standing height: lower is a crouch


@dataclass(frozen=True)
class Target:
    """One measurable thing that a sentence may ask for.

    Attributes:
        kind: the fault when it is not reached.
        pattern: regular expression on the sentence in lower case.
        signal: what is measured over time; `tasks.goal_signals` says how, and what does not count.
        reach: which number of the whole motion counts where the sentence asks to get there: "min", "max" or "mean".
        goal: the number that counts as done.
        rest: the number of a body that only stands.
        what: what is measured, for people.
        needs: who needs the goal, for people.
        body_part: where.
        allows: faults that the sentence asks for and that are therefore none.
        pose: the words mean to be so in the end, not to have been so.
        lowers: the body comes down: less upright is asked for.
        metric: name of the number in an episode's record.
        serves: the fault whose library terms bring it about, where that is another one.
        older: posture signal and statistic that told it in facts of earlier versions.
        levels: words beside it -> another goal.
    """

    kind: str
    pattern: str
    signal: str
    reach: str
    goal: float
    rest: float
    what: str
    needs: str
    body_part: str
    metric: str
    allows: tuple[str, ...] = ()
    pose: bool = False
    lowers: bool = False
    serves: str = ""
    older: tuple[str, str] = ("", "")
    levels: tuple[tuple[str, float], ...] = ()

    @property
    def unit(self) -> str:
        """The unit of goal and rest; "" for a share."""
        return units.of(self.metric)

    @property
    def up(self) -> bool:
        """Whether a larger number is asked for."""
        return self.goal > self.rest


# Between a verb and what it is about: no new clause, but for "left and right".
_GAP = r"(?:(?!\b(?:then|while|but|without|not|and(?! (?:the |your |its )?(?:left|right)))\b)[^.;])*?"
_LIFT = rf"\b(?:raise|raises|raising|lift|lifts|lifting|bring|brings|bringing|hold|holds|holding|pull|pulls|pulling)\b{_GAP}"
_ONE_LEG = rf"\b(?:stand|stands|standing|balance|balances|balancing)\b{_GAP}\bon\b{_GAP}"
_LOW = ("crouch", "bent_knees", "odd_posture", "lean_forward", "collapse", "com_behind", "com_ahead")
_DOWN = (*_LOW, "lean_backward", "lean_sideways", "com_aside", "sway", "asymmetry")

TARGETS: tuple[Target, ...] = (
    Target(
        "squat_too_high",
        r"\b(?:squat|squats|squatting|crouch|crouches|crouching|knee bends?)\b",
        signal="squat_height",
        reach="min",
        goal=0.83,
        rest=1.0,
        what="pelvis height on the feet (of standing)",
        needs="a squat needs",
        body_part="pelvis",
        metric="goal_pelvis_height",
        allows=_LOW[:5],
        lowers=True,
        older=("pelvis_height_ratio", "min"),
        levels=((r"deep|deeply|low|full|as low as", 0.6), (r"half|quarter|slight|slightly|shallow|a little|a bit", 0.92)),
    ),
    Target(
        "not_kneeling",
        r"\b(?:kneel|kneels|kneeling|on (?:one|your|its|the|both|a) knees?)\b",
        signal="knee_over_ground",
        reach="min",
        goal=0.35,
        rest=1.0,
        what="height of the lower knee off the seat (of standing)",
        needs="kneeling needs",
        body_part="knees",
        metric="goal_knee_over_ground",
        allows=_DOWN,
        pose=True,
        lowers=True,
    ),
    Target(
        "not_sitting",
        r"\b(?:sit|sits|sitting)\b",
        signal="seat_height",
        reach="min",
        goal=0.3,
        rest=1.0,
        what="pelvis height with the trunk up (of standing)",
        needs="sitting needs",
        body_part="pelvis",
        metric="goal_sitting_height",
        allows=_DOWN,
        pose=True,
        lowers=True,
        levels=((r"chair|stool|bench|seat", 0.6),),
    ),
    Target(
        "not_lying",
        r"\b(?:lie|lies|lying|lay down|lays down|prone|supine|sleep|sleeps|sleeping|play dead|fall down|fall over|collapse|collapses)\b",
        signal="body_height",
        reach="min",
        goal=0.2,
        rest=1.0,
        what="height of head, trunk and pelvis (of the standing head)",
        needs="lying needs",
        body_part="whole body",
        metric="goal_body_height",
        allows=_DOWN,
        pose=True,
        lowers=True,
    ),
    *(
        Target(
            f"{side}_knee_low",
            _LIFT + rf"\b{side} (?:(?:and|or) (?:the |your |its )?(?:left|right) )?(?:knee|leg|thigh)s?\b",
            signal=f"{side}_knee_height",
            reach="max",
            goal=0.8,
            rest=0.53,
            what=f"height of the {side} knee in front (of the hip's)",
            needs="raising it needs",
            body_part=f"{side} knee",
            metric=f"goal_{side}_knee_height",
            allows=("odd_posture", "asymmetry", "com_aside"),
            older=(f"{side}_knee_height_ratio", "max"),
        )
        for side in ("left", "right")
    ),
    Target(
        "knee_low",
        _LIFT + r"\b(?:a|one|the|your|its|either|any|both)(?: of (?:the|your|its))? (?:knees?|legs?|thighs?)\b",
        signal="knee_height",
        reach="max",
        goal=0.8,
        rest=0.53,
        what="height of the higher knee in front (of the hip's)",
        needs="raising it needs",
        body_part="knees",
        metric="goal_knee_height",
        allows=("odd_posture", "asymmetry", "com_aside"),
        serves="left_knee_low",
    ),
    *(
        Target(
            f"{side}_foot_down",
            rf"(?:{_LIFT}\b{side} (?:foot|heel|toes)\b|{_ONE_LEG}\b{stance} (?:leg|foot)\b)",
            signal=f"{side}_foot_lift",
            reach="mean",
            goal=0.06,
            rest=0.0,
            what=f"lift of the {side} foot above the other",
            needs="lifting it needs",
            body_part=f"{side} foot",
            metric=f"goal_{side}_foot_lift_m",
            allows=("odd_posture", "asymmetry", "com_aside"),
            older=(f"{side}_foot_lift_m", "mean"),
        )
        for side, stance in (
            ("left", "right"),
            ("right", "(?:left|one|a single)"),  # any leg will do: stand on the left one
        )
    ),
    Target(
        "not_leaning_forward",
        rf"\b(?:lean|leans|leaning|bow|bows|bowing|bend|bends|bending)\b{_GAP}\b(?:forward|forwards|over|down)\b",
        signal="trunk_pitch",
        reach="mean",
        goal=0.3,
        rest=0.0,
        what="forward lean of the trunk",
        needs="leaning needs",
        body_part="trunk",
        metric="goal_trunk_pitch_rad",
        allows=("lean_forward", "com_ahead", "crouch", "odd_posture"),
        older=("trunk_pitch_rad", "mean"),
    ),
    Target(
        "not_jumping",
        r"\b(?:jump|jumps|jumping|hop|hops|hopping|leap|leaps|leaping)\b",
        signal="feet_lift",
        reach="max",
        goal=0.05,
        rest=0.0,
        what="lift of the lower foot",
        needs="a jump needs",
        body_part="feet",
        metric="goal_feet_lift_m",
        allows=("flight", "crouch", "bent_knees", "jerk"),
    ),
    Target(
        "not_running",
        r"\b(?:run|runs|running|sprint|sprints|jog|jogs)\b",
        signal="speed",
        reach="mean",
        goal=2.0,
        rest=0.0,
        what="mean speed",
        needs="a run needs",
        body_part="whole body",
        metric="goal_running_speed_mps",
        allows=("flight", "too_fast", "lean_forward"),
    ),
    Target(
        "not_walking",
        r"\b(?:walk|walks|walking|step forward|go forward|move forward)\b",
        signal="speed",
        reach="mean",
        goal=0.6,
        rest=0.0,
        what="mean speed",
        needs="a walk needs",
        body_part="whole body",
        metric="goal_walking_speed_mps",
    ),
    Target(
        "not_standing",
        r"\b(?:stand|stands|standing|upright|get up|gets up|rise|rises|balance|balances|balancing|in place|on the spot)\b",
        signal="standing_height",
        reach="max",
        goal=STANDING,
        rest=0.75,
        what="pelvis height with the trunk up (of standing)",
        needs="standing needs",
        body_part="pelvis",
        metric="goal_standing_height",
        pose=True,
        older=("pelvis_height_ratio", "mean"),
    ),
)
WALKING = ("not_walking", "not_running")
