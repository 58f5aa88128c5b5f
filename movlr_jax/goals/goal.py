"""A goal as a sentence gave it: its parts with the numbers that are applied, how far an episode reached them, and the words for both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from movlr_jax.goals.targets import WALKING, Target

Record = Mapping[str, Any]

# Held is what is so over the last third of the time asked for, by level, by speed, and by the feet that stand.
LAST = 2.0 / 3.0  # where the last third begins, of the time asked for
HOLD_SPEED = 0.15  # m/s, mean speed of the pelvis; a body that stands under the planner's noise measures 0.02 to 0.10
HOLD_DRIFT = 0.05  # m/s by which the pelvis sinks or rises on the whole
HOLD_CONTACT = 0.9  # share of that time in which the feet that stand are on the ground
PLACE = 0.25  # m from where it began: what stays in place stays within it
AVOIDED = 0.5  # of the way from rest to the goal: what a sentence forbids may go no further
UNMEASURED_SCORE = 60.0  # the most that a motion scores whose goal nothing measures: staying up, straightness and finesse

# Metrics beside those of the targets.
REACHED, HELD, MOVING, SINKING, FEET = "goal_reached", "goal_held", "goal_moving_mps", "goal_sinking_mps", "goal_feet_down"


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
