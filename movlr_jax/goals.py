"""What a goal sentence asks for, and which measure tells whether it was done.

In: a sentence. Out: a `Goal`: what it asks for, what it forbids ("without raising the knee"), what has to be held ("and stay there"), and
the words that nothing here measures. Tasks measure by it and end episodes by it, critics judge by it, writers leave out what it speaks
against; all read the same numbers, those of this file. It looks for the words of `TARGETS` and a few more, and for nothing else.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from movlr_jax import units

Record = Mapping[str, Any]

# Held is what is so over the last third of the time asked for, by level, by speed, and by the feet that stand.
LAST = 2.0 / 3.0  # where the last third begins, of the time asked for
HOLD_SPEED = 0.15  # m/s, mean speed of the pelvis; a body that stands under the planner's noise measures 0.02 to 0.10
HOLD_DRIFT = 0.05  # m/s by which the pelvis sinks or rises on the whole
HOLD_CONTACT = 0.9  # share of that time in which the feet that stand are on the ground
PLACE = 0.25  # m from where it began: what stays in place stays within it
STANDING = 0.93  # of the standing height: lower is a crouch
AVOIDED = 0.5  # of the way from rest to the goal: what a sentence forbids may go no further
UNMEASURED_SCORE = 60.0  # the most that a motion scores whose goal nothing measures: staying up, straightness and finesse

# Metrics beside those of the targets.
REACHED, HELD, MOVING, SINKING, FEET = "goal_reached", "goal_held", "goal_moving_mps", "goal_sinking_mps", "goal_feet_down"


@dataclass(frozen=True)
class Target:
    """One measurable thing that a sentence may ask for.

    Attributes:
        kind: the fault when it is not reached.
        pattern: regular expression on the sentence in lower case.
        signal: what is measured over time; `tasks.goal_metrics` says how.
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
        signal="pelvis_height",
        reach="min",
        goal=0.83,
        rest=1.0,
        what="pelvis height (of standing)",
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
        what="height of the lower knee (of standing)",
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
        signal="pelvis_height",
        reach="min",
        goal=0.3,
        rest=1.0,
        what="pelvis height (of standing)",
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
            what=f"height of the {side} knee (of the hip's)",
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
        what="height of the higher knee (of the hip's)",
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
            what=f"lift of the {side} foot",
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
        signal="pelvis_height",
        reach="max",
        goal=STANDING,
        rest=0.75,
        what="pelvis height (of standing)",
        needs="standing needs",
        body_part="pelvis",
        metric="goal_standing_height",
        pose=True,
        older=("pelvis_height_ratio", "mean"),
    ),
)
_KINDS = {target.kind: target for target in TARGETS}
WALKING = ("not_walking", "not_running")
# Targets whose number does not stay: they are asked for over the whole motion.
_PASSING = (*WALKING, "not_jumping")
_RAISES = {"left_knee_low": "left", "right_knee_low": "right", "left_foot_down": "left", "right_foot_down": "right", "knee_low": "one"}
_SUNK = ("not_kneeling", "not_sitting", "not_lying")  # the feet do not carry the body then

# "keep your balance", "without falling": what the fall rule measures.
_UP = re.compile(
    r"\b(?:keep|keeps|keeping|lose|loses|losing) (?:your|its|the|his|her)? ?balance\b"
    r"|\b(?:without|not|don't|never) (?:to )?(?:fall|falling|topple|toppling|collapsing|tip|tipping)(?: (?:over|down))?\b"
    r"|\bon (?:its|your) feet\b"
)
_STILL = r"(?:do not|don't|does not|doesn't|not|without) (?:move|moving)"
_HOLD = re.compile(
    r"\b(?:stay|stays|staying|remain|remains|remaining|hold|holds|holding|keep|keeps|keeping|still|motionless|freeze|freezes|wait|waits)\b"
    rf"|\b{_STILL}\b|\bfor (?:a|some|\d+(?:\.\d+)?|one|two|three|four|five|ten) ?(?:while|time|s|sec|second|seconds)\b"
)
_THEN = re.compile(
    r"\b(?:then|afterwards|after that|after which|first|before|finally|again|stand up|stands up|get up|gets up|rise|rises)\b"
)
_NOT = re.compile(r"\b(?:without|not|never|no|don't|doesn't|mustn't|avoid|avoids|avoiding|instead of|rather than)\b")
_CLAUSE = re.compile(
    r"[,.;:!?]|(?=\b(?:without|instead of|rather than|not|never|don't|doesn't)\b)"
    r"|\b(?:and(?! (?:the |your |its )?(?:left|right)\b)|but|then|while|before|afterwards|finally|first|so that)\b"
)
_STAY = re.compile(r"\b(?:stand|stands|standing|still|balance|balancing|in place|on the spot|squat|squats)\b")
# How something is done is measured by nothing here; "only" and its like are no manner.
_MANNER = re.compile(
    r"\b(?!only\b|family\b|nearly\b|really\b|fully\b|deeply\b|slightly\b|lie\b|fly\b)[a-z]+ly\b|\bas (?:fast|slow|soft) as\b"
)
_FILLERS = frozenset(
    re.findall(
        r"\w+",
        """a an the your you its it his her their there here this that them of to in on at with or for into onto from by as be is are do
        does not without no never down up forward please now next body person human skeleton figure one both s sec second seconds all very
        more most just also""",
    )
)


@dataclass(frozen=True)
class Part:
    """A target as a sentence asks for it.

    Attributes:
        target: what.
        goal: the number that counts as done.
        at_end: it counts over the last third of the time.
        holds: so do the speed of the pelvis, and the feet that have to stand.
        avoid: the sentence forbids it.
        at: where in the sentence.
    """

    target: Target
    goal: float
    at_end: bool = False
    holds: bool = False
    avoid: bool = False
    at: int = 0

    @property
    def metric(self) -> str:
        """Name of its number in an episode's record."""
        return self.target.metric

    @property
    def limit(self) -> float:
        """The number that is done, or for what is forbidden, the number that is too much."""
        return round(self.target.rest + AVOIDED * (self.goal - self.target.rest), 2) if self.avoid else self.goal

    @property
    def statistic(self) -> str:
        """Which number of the signal counts: "last" (the mean of the last third), "min", "max" or "mean"."""
        if self.at_end:
            return "last"
        extreme = "max" if self.target.up else "min"
        return extreme if self.avoid or self.target.pose else self.target.reach

    def level(self, value: float | None) -> float:
        """Return the share of the way that a number is, 0 to 1; of what is forbidden, 1 within the limit and 0 at the goal."""
        if value is None:
            return 0.0
        low, high = (self.goal, self.limit) if self.avoid else (self.target.rest, self.goal)
        return min(max((value - low) / (high - low), 0.0), 1.0)

    def done(self, value: float | None) -> bool:
        """Tell whether a number is what was asked for."""
        if value is None:
            return False
        beyond = value >= self.limit if self.target.up else value <= self.limit
        return beyond != self.avoid or (self.avoid and value == self.limit)

    def words(self) -> str:
        """Say what is asked for, with the number that is applied."""
        bound = "at least" if self.target.up != self.avoid else "at most"
        when = ", held over the last third" if self.holds else " over the last third" if self.at_end else ""
        unit = f" {self.target.unit}" if self.target.unit else ""
        return f"{self.target.what} {bound} {_number(self.limit)}{unit}{when}"

    def fault(self, value: float | None) -> str:
        """Say how far a number is from what is asked for."""
        unit = f" {self.target.unit}" if self.target.unit else ""
        if value is None:
            return f"the {self.target.what} could not be measured: the episode ended before its last third, or the body lacks a landmark"
        kind = {"last": "over the last third, ", "min": "at its lowest, ", "max": "at its highest, ", "mean": "on average, "}[
            self.statistic
        ]
        said = f"{kind}the {self.target.what} is {_number(value)}{unit}"
        if self.avoid:
            return f"{said}, {'at most' if self.target.up else 'at least'} {_number(self.limit)}{unit} is allowed"
        return f"{said}, {self.target.needs} {_number(self.limit)}{unit}"


@dataclass(frozen=True)
class Goal:
    """A sentence, read.

    Attributes:
        sentence: it.
        asked: what it asks for, in its order.
        avoided: what it forbids.
        unread: its parts that nothing here measures.
        manner: words for how, which nothing here measures either.
        ordered: it asks for one thing after the other; that order is not measured.
        planted: the feet that stand while something is held: "both", "left", "right", "one" or "".
        stays: it asks to remain in place.
    """

    sentence: str
    asked: tuple[Part, ...] = ()
    avoided: tuple[Part, ...] = ()
    unread: tuple[str, ...] = ()
    manner: tuple[str, ...] = ()
    ordered: bool = False
    planted: str = ""
    stays: bool = False

    @property
    def parts(self) -> tuple[Part, ...]:
        """What is measured."""
        return (*self.asked, *self.avoided)

    @property
    def holds(self) -> bool:
        """Whether something has to be held."""
        return any(part.holds for part in self.asked)

    @property
    def walks(self) -> bool:
        """Whether it asks to walk or run."""
        return self.asks(*WALKING)

    def asks(self, *kinds: str) -> bool:
        """Tell whether it asks for one of these targets."""
        return any(part.target.kind in kinds for part in self.asked)

    def kinds(self) -> set[str]:
        """Return the faults that it makes possible, and those whose library terms serve it."""
        return {part.target.kind for part in self.asked} | {part.target.serves for part in self.asked if part.target.serves}

    def allowed(self) -> set[str]:
        """Return the faults that it asks for."""
        return {kind for part in self.asked for kind in part.target.allows}

    def without(self, kind: str) -> Goal:
        """Return the goal without one target, which is measured otherwise."""
        return replace(self, asked=tuple(part for part in self.asked if part.target.kind != kind))

    def measured(self, lacking: Sequence[str] = ()) -> tuple[Part, ...]:
        """Return the parts that can be measured on a body that lacks some metrics."""
        return tuple(part for part in self.parts if part.metric not in lacking)

    def reached(self, record: Record, own: Sequence[float] = ()) -> float | None:
        """Return the share of the goal that an episode reached, 0 to 1; None where nothing of it is measured.

        The mean over what is asked for, what nothing measures counting as 0, times the least of what is forbidden. What is held counts by
        level, half of it whatever the rest, a quarter each for the pelvis at rest and for the feet on the ground.

        Args:
            record: the episode's metrics.
            own: shares of what the task asks for beside the sentence.
        """
        wanted = [self._share(part, record) for part in self.asked] + list(own) + [0.0] * len(self.unread)
        avoided = [part.level(record.get(part.metric)) for part in self.avoided]
        if not (self.asked or self.avoided or own):
            return None
        return (sum(wanted) / len(wanted) if wanted else 1.0) * min(avoided, default=1.0)

    def _share(self, part: Part, record: Record) -> float:
        level = part.level(record.get(part.metric))
        if not part.holds:
            return level
        rates, feet = ((record.get(MOVING), HOLD_SPEED), (record.get(SINKING), HOLD_DRIFT)), record.get(FEET)
        still = min(1.0 - min(max((rate - most) / (4.0 * most), 0.0), 1.0) if rate is not None else 1.0 for rate, most in rates)
        stand = 1.0 if feet is None else min(feet / HOLD_CONTACT, 1.0)
        return level * (0.5 + 0.25 * still + 0.25 * stand)

    def held(self, record: Record) -> bool | None:
        """Tell whether all that has to be held was held; None where nothing has to be."""
        if not self.holds:
            return None
        levels = all(part.done(record.get(part.metric)) for part in self.asked if part.holds)
        moving, sinking, feet = record.get(MOVING), record.get(SINKING), record.get(FEET)
        if moving is None or sinking is None:
            return False
        return levels and moving <= HOLD_SPEED and sinking <= HOLD_DRIFT and (feet is None or feet >= HOLD_CONTACT)

    def measures(self, lacking: Sequence[str] = (), own: Sequence[str] = ()) -> list[str]:
        """Say what is measured, with the numbers that are applied, and what is not, a sentence each.

        Args:
            lacking: metrics that the body has not what it takes for.
            own: what the task measures beside the sentence, in words.
        """
        parts = self.measured(lacking)
        said = []
        if parts or own:
            said.append(f"Measured: {'; '.join([*own, *(part.words() for part in parts)])}.")
        if any(part.holds for part in parts):
            which = {"both": "both feet", "one": "a foot"}.get(self.planted, f"the {self.planted} foot")
            feet = f", {which} on the ground for {HOLD_CONTACT:.0%} of it" if self.planted else ""
            speeds = f"the pelvis at {HOLD_SPEED:g} m/s at most, sinking or rising at {HOLD_DRIFT:g} m/s at most"
            said.append(f"To hold is, over the last third of the time: {speeds}{feet}.")
        if self.ordered and len(self.asked) > 1:
            said.append("That one comes after the other is not measured: only the last has to be so in the end.")
        missing = [part.target.what for part in self.parts if part.metric in lacking]
        if missing:
            said.append(f"Not measured, for the body lacks the landmarks: {'; '.join(missing)}.")
        if self.manner:
            said.append(f"How is not measured: {', '.join(self.manner)}.")
        if not (parts or own):
            return [self.nothing(), *said]
        if self.unread:
            said.append(f"Nothing here measures {_quoted(self.unread)}: it counts as not done.")
        return said

    def nothing(self) -> str:
        """Say that nothing of it is measured."""
        return (
            f"Nothing here measures '{self.sentence.strip().rstrip('.!')}': the offline critic judges stability alone, "
            f"and no score is above {UNMEASURED_SCORE:g}."
        )


def _number(value: float) -> str:
    return f"{value:.2f}"


def _quoted(texts: Sequence[str]) -> str:
    return ", ".join(f"'{text}'" for text in texts)


@functools.lru_cache(maxsize=64)
def read(sentence: str) -> Goal:
    """Read a sentence."""
    text = " ".join(sentence.lower().replace("\u2019", "'").split())
    up = [m.span() for m in _UP.finditer(text)]
    plain = _blanked(text, up)
    clauses = _clauses(plain)
    holding = [m.span() for m in _HOLD.finditer(plain)]
    forbidden = _forbidden(plain, clauses, holding)
    found: dict[str, tuple[Target, tuple[int, int]]] = {}
    avoided: dict[str, Part] = {}
    spans: list[tuple[int, int]] = []
    for target in TARGETS:
        for match in re.finditer(target.pattern, plain):
            spans.append(match.span())
            if any(_overlap(match.span(), region) for region in forbidden):
                avoided.setdefault(target.kind, Part(target, _goal(target, plain, clauses, match.span()), avoid=True, at=match.start()))
            else:
                found.setdefault(target.kind, (target, match.span()))
    ordered = bool(_THEN.search(plain))
    kept = _without_modifiers(found, ordered)
    at_rest = any(not _content(plain, clause, holding) and _within(clause, holding) for clause in clauses)
    last = max((span[0] for kind, (_, span) in kept.items() if kind not in _PASSING), default=-1)
    asked = []
    for kind, (target, span) in kept.items():
        final = not ordered or span[0] == last
        here = any(_overlap(span, clause) and _within(clause, holding) for clause in clauses)
        inherent = bool(re.match(r"(?!stands? up)(?:stand|balanc|upright|in place|on the spot)", plain[span[0] :]))
        holds = kind not in _PASSING and final and (at_rest or here or inherent)
        asked.append(Part(target, _goal(target, plain, clauses, span), at_end=holds or (target.pose and final), holds=holds, at=span[0]))
    asked.sort(key=lambda part: part.at)
    unread = tuple(
        sentence_part
        for clause in clauses
        if not any(_overlap(clause, span) for span in spans)
        and _content(plain, clause, holding)
        and (sentence_part := " ".join(text[clause[0] : clause[1]].split()).strip(" ,.;:!?"))
    )
    goal = Goal(
        sentence,
        tuple(asked),
        tuple(part for kind, part in avoided.items() if kind not in found),
        unread,
        tuple(dict.fromkeys(m.group() for m in _MANNER.finditer(plain))),
        ordered,
        _planted(asked),
    )
    return replace(goal, stays=not goal.walks and bool(_STAY.search(plain) or goal.holds))


def _blanked(text: str, spans: Sequence[tuple[int, int]]) -> str:
    for start, end in spans:
        text = text[:start] + " " * (end - start) + text[end:]
    return text


def _clauses(text: str) -> list[tuple[int, int]]:
    """Return the spans between what parts clauses."""
    cuts = [m.span() for m in _CLAUSE.finditer(text)]
    starts, ends = [0, *(end for _, end in cuts)], [*(start for start, _ in cuts), len(text)]
    return [(start, end) for start, end in zip(starts, ends, strict=True) if text[start:end].strip()]


def _forbidden(text: str, clauses: Sequence[tuple[int, int]], holding: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return what stands under a negation: from it to the end of its clause; "do not move" forbids nothing, it holds."""
    regions = []
    for match in _NOT.finditer(text):
        if any(_overlap(match.span(), span) for span in holding):
            continue
        end = next((stop for start, stop in clauses if start <= match.start() < stop), len(text))
        regions.append((match.end(), end))
    return regions


def _without_modifiers(found: Mapping[str, Any], ordered: bool) -> dict[str, Any]:
    """Return what is asked for without what only says how: "stand" is none beside walking, on one leg, or in a squat."""
    kept = dict(found)
    if "not_standing" in kept:
        own = kept["not_standing"][1]
        others = {kind: span for kind, (_, span) in kept.items() if kind != "not_standing"}
        low = any(_KINDS[kind].lowers for kind in others)
        walks = any(kind in _PASSING for kind in others)
        if any(_overlap(own, span) for span in others.values()) or ((low or walks) and not ordered):
            del kept["not_standing"]
    return kept


def _goal(target: Target, text: str, clauses: Sequence[tuple[int, int]], span: tuple[int, int]) -> float:
    """Return the number that is asked for: a word of level in the same clause may make it another than the target's."""
    clause = " ".join(text[start:end] for start, end in clauses if _overlap((start, end), span))
    return next((goal for words, goal in target.levels if re.search(rf"\b(?:{words})\b", clause)), target.goal)


def _planted(asked: Sequence[Part]) -> str:
    """Return the feet that have to stand while something is held."""
    if not any(part.holds for part in asked) or any(part.target.kind in _SUNK for part in asked if part.at_end):
        return ""
    raised = {_RAISES[part.target.kind] for part in asked if part.target.kind in _RAISES}
    if "one" in raised or raised == {"left", "right"}:
        return "one" if raised == {"one"} else ""
    return {"left": "right", "right": "left"}[raised.pop()] if raised else "both"


def _overlap(a: tuple[int, int], b: tuple[int, int]) -> bool:
    return a[0] < b[1] and b[0] < a[1]


def _within(clause: tuple[int, int], spans: Sequence[tuple[int, int]]) -> bool:
    return any(_overlap(clause, span) for span in spans)


def _content(text: str, clause: tuple[int, int], holding: Sequence[tuple[int, int]]) -> list[str]:
    """Return the words of a clause that say something, but for those that ask to hold and those that say how."""
    said = _blanked(text, [span for span in holding if _overlap(clause, span)])[clause[0] : clause[1]]
    return [word for word in re.findall(r"[^\W\d_]+", _MANNER.sub(" ", said)) if word not in _FILLERS]
