"""A motion of a body as the offline critic's rules read it: numbers made of facts, each once.

In: Facts. Out: shares, ways, leans and the numbers of the goal's words; what facts lack is what a sound walk would have. Directions are the
facts'.
"""

from __future__ import annotations

import math
from functools import cached_property

from movlr_jax import goals
from movlr_jax.critics.rules import ramp
from movlr_jax.facts import Facts, Measure, Signal
from movlr_jax.goals import Goal

WALKS = 0.05  # m/s: a task that asks for less has no way to go
_SIGNS = {
    "trunk_pitch_rad": ("trunk", "the trunk pitches"),
    "trunk_roll_rad": ("trunk", "the trunk tips sideways"),
    "pelvis_height_ratio": ("legs", "the pelvis sinks"),
    "com_ahead_of_feet_m": ("whole body", "the centre of mass leaves the feet lengthwise"),
    "com_left_of_feet_m": ("whole body", "the centre of mass leaves the feet sideways"),
}


def _mean(signal: Signal | None, otherwise: float = 0.0) -> float:
    return otherwise if signal is None else signal.mean


class BodyReading:
    """The numbers of one motion.

    Args:
        facts: what was measured.
    """

    def __init__(self, facts: Facts):
        self.facts = facts
        self.posture, self.gait, self.fall = facts.posture, facts.gait, facts.fall
        self.seconds = facts.seconds
        self.wanted = facts.goal_speed_mps or 0.0  # m/s
        self.diverged = facts.metrics.diverged
        self.has_way = self.wanted > WALKS

    # What is asked for.

    @cached_property
    def by_sentence(self) -> bool:
        """Whether the words of the goal are measured: a task with a way to go has a measure of its own, unless a user gave the goal."""
        return self.facts.spoken or not self.has_way

    @cached_property
    def goal(self) -> Goal:
        """What the words of the goal ask for beside the task's own way to go."""
        goal = goals.read(self.facts.goal) if self.by_sentence else Goal("")
        return goal.without("not_walking") if self.has_way else goal

    @cached_property
    def walks(self) -> bool:
        """Whether steps are asked for."""
        return self.has_way or self.goal.walks

    @cached_property
    def of_goal(self) -> dict[str, Measure]:
        """The numbers of the goal's words: means over the episodes; in facts of earlier versions what they had in their place."""
        record: dict[str, Measure] = {}
        for part in self.goal.parts:
            name, statistic = part.target.older
            signal = getattr(self.posture, name, None)
            speed = self.facts.metrics.mean_speed_mps if part.target.signal == "speed" else None
            record[part.metric] = speed if signal is None else getattr(signal, statistic)
        return record | self.facts.metrics.of_goal

    def held(self, name: str) -> float | None:
        """Return a number of what has to be held; None where nothing has to be, or it was not measured."""
        value = self.of_goal.get(name)
        return None if value is None or not self.goal.holds else float(value)

    @cached_property
    def planted(self) -> str:
        """The feet that have to stand, as a sentence begins with them."""
        return {"both": "both feet are", "one": "a foot is"}.get(self.goal.planted, f"the {self.goal.planted} foot is")

    @cached_property
    def reached(self) -> float:
        """The share of the goal that was reached, 0 to 1; 0 where nothing of it is measured."""
        progress = [min(max(self.distance / max(self.wanted * self.seconds, 1e-6), 0.0), 1.0)] if self.has_way else []
        if not self.by_sentence:
            return progress[0]
        measured = goals.REACHED in self.of_goal
        reached = self.of_goal[goals.REACHED] if measured else self.goal.reached(self.of_goal, progress)
        if self.goal.stays and not self.has_way:
            reached = (reached or 0.0) * (1.0 - ramp(self.away, goals.PLACE, 6.0 * goals.PLACE))
        return float(reached or 0.0)

    # Whether it stays up.

    @cached_property
    def fell_share(self) -> float:
        """Share of the episodes that fell; the described episode alone when there is no list."""
        episodes = self.facts.episodes
        if episodes:
            return sum(episode.fell for episode in episodes) / len(episodes)
        return 1.0 if self.fall or self.facts.metrics.fell else 0.0

    @cached_property
    def upright_share(self) -> float:
        """Share of the asked time that the body stayed up, mean over the episodes."""
        whole = max(self.seconds, 1e-6)
        shares = []
        for episode in self.facts.episodes:
            most = max(whole, episode.seconds or 0.0)
            time = episode.fall_time_s if episode.fell else None
            shares.append(min((most if time is None else time) / most, 1.0))
        if shares:
            return sum(shares) / len(shares)
        return min(self.fall.time_s / whole, 1.0) if self.fall else 1.0

    @cached_property
    def upright_s(self) -> float:
        """How long it stayed up (s)."""
        return self.upright_share * self.seconds

    @cached_property
    def early(self) -> float | None:
        """How grave the described fall is by its time: 1 at once, 0.7 at the end."""
        return None if self.fall is None else 1.0 - 0.3 * min(self.fall.time_s / max(self.seconds or 1.0, 1e-6), 1.0)

    @cached_property
    def sinks(self) -> bool:
        """Whether the described fall goes straight down."""
        return self.fall is not None and self.fall.first_sign == "pelvis_height_ratio" and self.fall.lean_m < 0.2

    def falls(self, direction: str) -> float | None:
        """Return how grave the described fall is, where it went in a direction."""
        return self.early if self.fall is not None and not self.sinks and self.fall.direction == direction else None

    @cached_property
    def elsewhere(self) -> float | None:
        """Share of the episodes that fell, where the described one did not."""
        return None if self.fall else self.fell_share

    @cached_property
    def sign(self) -> str:
        """What was first to go, of the described fall, in words."""
        assert self.fall is not None
        return _SIGNS.get(self.fall.first_sign, ("", self.fall.first_sign))[1]

    @cached_property
    def sign_part(self) -> str:
        """Where that was."""
        assert self.fall is not None
        return _SIGNS.get(self.fall.first_sign, ("whole body", ""))[0]

    # How it stood while it was up.

    @cached_property
    def pitch(self) -> float:
        """Mean lean of the trunk, forward (rad)."""
        return _mean(self.posture.trunk_pitch_rad)

    @cached_property
    def roll(self) -> float:
        """Mean lean of the trunk, to the right (rad)."""
        return _mean(self.posture.trunk_roll_rad)

    @cached_property
    def sway(self) -> float | None:
        """Largest lean of the trunk to a side (rad); None of a body that fell."""
        roll = self.posture.trunk_roll_rad
        return None if self.fall else abs((roll.max if roll else None) or 0.0)

    @cached_property
    def low(self) -> float:
        """Mean height of what is lower, pelvis or head, over its standing height."""
        return min(_mean(self.posture.pelvis_height_ratio, 1.0), _mean(self.posture.head_height_ratio, 1.0))

    @cached_property
    def ahead(self) -> float:
        """Mean way of the centre of mass ahead of the feet (m)."""
        return _mean(self.posture.com_ahead_of_feet_m)

    @cached_property
    def aside(self) -> float:
        """Mean way of the centre of mass to the left of the feet (m)."""
        return _mean(self.posture.com_left_of_feet_m)

    def phase_of(self, signal: Signal | None) -> str:
        """Return the third of the time in which a signal was at its extreme."""
        time = 0.0 if signal is None else signal.at_s
        thirds = (phase.name for phase in self.facts.phases if time <= phase.to_s and phase.name in ("start", "middle", "end"))
        return next(thirds, "end")

    @property
    def pitch_phase(self) -> str:
        """When it leant farthest forward or back."""
        return self.phase_of(self.posture.trunk_pitch_rad)

    @property
    def roll_phase(self) -> str:
        """When it leant farthest to a side."""
        return self.phase_of(self.posture.trunk_roll_rad)

    @property
    def heading_phase(self) -> str:
        """When it was turned farthest."""
        return self.phase_of(self.posture.heading_rad)

    # Where it went.

    @cached_property
    def distance(self) -> float:
        """The way forward (m)."""
        measured = self.facts.metrics.distance_m
        return sum(p.speed_mps * (p.to_s - p.from_s) for p in self.facts.phases) if measured is None else measured

    @cached_property
    def lateral(self) -> float:
        """Drift to the left (m): its size is the metrics' where they have it, its side is the described episode's."""
        here = self.facts.phases[-1].lateral_m if self.facts.phases else 0.0
        size = self.facts.metrics.lateral_drift_m
        return here if size is None else math.copysign(abs(size), here)

    @cached_property
    def heading(self) -> float:
        """Turn to the left (rad): its size is the metrics' where they have it, its side is the described episode's."""
        here, size = _mean(self.posture.heading_rad), self.facts.metrics.heading_error_rad
        return here if size is None else math.copysign(abs(size), here)

    @cached_property
    def away(self) -> float:
        """How far it ended from where it began (m)."""
        return math.hypot(self.distance, self.lateral)

    @cached_property
    def sideways(self) -> float:
        """The drift's size (m)."""
        return abs(self.lateral)

    @cached_property
    def drift(self) -> float | None:
        """Drift per distance walked; None where no way is asked for, or it was never up."""
        return None if self.speed is None else self.sideways / max(self.distance, 0.5)

    @cached_property
    def speed(self) -> float | None:
        """Forward speed while it was up (m/s); None where no way is asked for, or it was never up."""
        return self.distance / self.upright_s if self.has_way and self.upright_s > 0 else None

    @cached_property
    def pace(self) -> float | None:
        """That speed over the speed asked for."""
        return None if self.speed is None else self.speed / self.wanted

    @cached_property
    def retreat(self) -> float | None:
        """Backward speed (m/s); likewise."""
        return None if self.speed is None else -self.speed

    @cached_property
    def slowest(self) -> str:
        """The third of the time in which it was slowest."""
        slow = min(self.facts.phases, key=lambda p: p.speed_mps, default=None)
        return "throughout" if slow is None else slow.name

    # How it steps.

    @cached_property
    def narrowest(self) -> float:
        """Least distance of the feet (m)."""
        return 0.2 if self.gait.stance_width_m is None else self.gait.stance_width_m.min

    @cached_property
    def width(self) -> float:
        """Mean distance of the feet (m)."""
        return 0.2 if self.gait.stance_width_m is None else self.gait.stance_width_m.mean

    def stepping(self, value: float | None) -> float | None:
        """Return a number of the gait, where steps are asked for."""
        return value if self.walks else None

    @cached_property
    def stride(self) -> float | None:
        """Mean step length over the speed asked for (s); None where none is."""
        return self.gait.mean_step_length_m / self.wanted if self.has_way else None

    @cached_property
    def uneven(self) -> float:
        """By how much left and right differ, in step length or knee movement."""
        return max(self.gait.step_length_asymmetry, self.gait.knee_asymmetry)

    @cached_property
    def clearance(self) -> float:
        """How far the swinging toes rise (m)."""
        return self.gait.mean_swing_clearance_m

    @cached_property
    def bends(self) -> dict[str, float]:
        """Largest flexion of each knee (rad)."""
        return {side: flexion for side, flexion in self.gait.max_knee_flexion_rad.items() if flexion is not None}

    @cached_property
    def stiffer(self) -> str:
        """The side of the knee that bends least."""
        return min(self.bends, key=lambda side: self.bends[side])

    @cached_property
    def least_bend(self) -> float | None:
        """How far that knee bends (rad); None where none was measured."""
        return min(self.bends.values(), default=None)

    def human(self, figure: float | None) -> float | None:
        """Return a figure of the gait laboratory, where steps are asked for of legs that are built as a human's; None else.

        Only such a body's joints were compared with a norm.
        """
        return figure if self.walks and self.gait.knee_correlation is not None else None

    @cached_property
    def runs(self) -> bool:
        """Whether it is fast enough to run."""
        return self.distance >= 2.0 * (self.seconds or 1.0)

    @cached_property
    def stance(self) -> float | None:
        """Share of the stride that a foot stands; None of a body that is fast enough to run."""
        return None if self.runs else self.gait.stance_share

    @cached_property
    def cadence(self) -> float | None:
        """Steps a minute; None of a body that is fast enough to run."""
        return None if self.runs else self.gait.cadence_spm

    @cached_property
    def even(self) -> float | None:
        """Symmetry of step times or of stances, whichever is less; None where neither is known."""
        known = [value for value in (self.gait.step_time_symmetry, self.gait.stance_symmetry) if value is not None]
        return min(known, default=None)

    @cached_property
    def flight(self) -> float | None:
        """Share of the time with both feet off the ground; None of a body that is fast enough to run."""
        return None if self.runs else self.gait.flight_fraction

    @cached_property
    def muscles(self) -> str:
        """The muscles that did most, in words."""
        return ", ".join(self.facts.effort.peak_muscles[:3]) or "unknown"
