"""The offline critic's eye for a hand with an object: is it held, is it where it is wanted and turned as wanted, is it held well.

In: facts with an object (`movlr_jax.tasks.handling_facts`). Out: faults, a score and one line, in the schema of the bodies that walk.
"""

from __future__ import annotations

from functools import cached_property

from movlr_jax.critics import rules
from movlr_jax.critics.body_rules import DIVERGED, EFFORT
from movlr_jax.critics.critique import Fault
from movlr_jax.critics.rules import Rule, ramp
from movlr_jax.facts import Facts

# What counts as done, and what as not begun; the targets are half a bottle's radius and a turn that a person sees at once.
PLACED, LOST = 0.03, 0.25  # m
TURNED, WRONG = 0.2, 1.5  # rad
LOOSE = 0.09  # m from fingertips to the object's middle: a hand closed around a bottle or a cube measures 0.03 to 0.07
HASTE = 0.6  # m/s, mean speed of the object


class HandReading:
    """The numbers of one motion.

    Args:
        facts: what was measured, of a hand with an object.
    """

    def __init__(self, facts: Facts):
        assert facts.object is not None
        self.facts, self.object, self.drop = facts, facts.object, facts.object.dropped
        final, metrics = self.object, facts.metrics
        # Final errors (m and rad): means over the episodes where there are metrics.
        self.away = final.position_error_m.final if metrics.final_position_error_m is None else metrics.final_position_error_m
        self.turned = (
            final.orientation_error_rad.final if metrics.final_orientation_error_rad is None else metrics.final_orientation_error_rad
        )

    @cached_property
    def drop_share(self) -> float:
        """Share of the episodes that dropped the object; the described episode alone when there is no list."""
        episodes = self.facts.episodes
        return sum(episode.dropped for episode in episodes) / len(episodes) if episodes else float(self.drop is not None)

    @cached_property
    def held_share(self) -> float:
        """Share of the asked time that the object was held, mean over the episodes."""
        whole = max(self.facts.seconds, 1e-6)
        if not self.facts.episodes:
            return min(self.drop.time_s / whole, 1.0) if self.drop else 1.0
        shares = [min((episode.seconds or 0.0) / whole, 1.0) if episode.dropped else 1.0 for episode in self.facts.episodes]
        return sum(shares) / len(shares)

    @cached_property
    def early(self) -> float | None:
        """How grave the described drop is by its time: 1 at once, 0.7 at the end."""
        return None if self.drop is None else 1.0 - 0.3 * min(self.drop.time_s / max(self.facts.seconds or 1.0, 1e-6), 1.0)

    @cached_property
    def farthest(self) -> float | None:
        """The largest distance of a fingertip to the object's middle (m)."""
        return max(self.object.finger_distance_m.values(), default=None)

    @cached_property
    def far_finger(self) -> str:
        """That finger."""
        return max(self.object.finger_distance_m, key=lambda finger: self.object.finger_distance_m[finger])

    @cached_property
    def sentence(self) -> str:
        """What the user asked for."""
        return self.facts.goal.strip().rstrip(".")


HandRule = Rule[HandReading]

_DROPS = "The object is dropped at {m.drop.time_s:.2f} s, {m.drop.from_palm_m:.2f} m from the palm."
_ELSEWHERE = "The object is dropped in {value:.0%} of the episodes, though not in the one that was filmed."
_AWAY = "The object ends {value:.3f} m from where it is wanted (nearest {m.object.position_error_m.min:.3f} m)."
_TURNED = "The object ends {value:.2f} rad from the orientation wanted (nearest {m.object.orientation_error_rad.min:.2f} rad)."
_LOOSE = "The {m.far_finger} fingertip is {value:.2f} m from the object's middle on average."
_UNMEASURED = "Nothing here measures '{m.sentence}', only what becomes of the object."
_TIRES = "Mean squared activation is {value:.2f}."
_HASTES = "The object moves at {value:.2f} m/s on average."

RULES: tuple[HandRule, ...] = (
    HandRule("diverged", lambda m: float(m.facts.metrics.diverged), 0.0, 1.0, DIVERGED, "whole body", least=1.0, span=0.0),
    HandRule("drop", lambda m: m.early, 0.0, 1.0, _DROPS, "right hand", "fall", 0.0, 1.0),
    HandRule("drop", lambda m: None if m.drop else m.drop_share, 0.0, 1.0, _ELSEWHERE, "right hand", "fall", 0.4, 0.5),
    HandRule("misplaced", lambda m: m.away, PLACED, LOST, _AWAY, "right arm", "end", span=0.7),
    HandRule("misturned", lambda m: m.turned, TURNED, WRONG, _TURNED, "right hand", "end", span=0.7),
    HandRule("loose_grip", lambda m: m.farthest, LOOSE, 0.2, _LOOSE, "right {m.far_finger}", span=0.4),
    HandRule("unmeasured", lambda m: float(m.facts.spoken), 0.0, 1.0, _UNMEASURED, "whole body", least=0.3, span=0.0),
    HandRule("effort", lambda m: m.facts.effort.mean_squared_activation, EFFORT, 0.4, _TIRES, "muscles", least=0.1),
    HandRule("jerk", lambda m: m.object.speed_mps, HASTE, 1.0, _HASTES, "right hand", span=0.0),
)


def faults(facts: Facts) -> list[Fault]:
    """Return what is wrong, in no order."""
    return rules.faults(RULES, HandReading(facts))


def score(facts: Facts) -> float:
    """Score a motion, 0 to 100.

    40 x share of the time held
    + (25 x nearness + 25 x alignment + 10 x finesse) x share of the time held

    Nearness is 1 at a final position error of 0 and 0 at 0.25 m; alignment 1 at a final orientation error of 0 and 0 at 1.5 rad; finesse
    is 1 minus the summed severities of coordination faults over 2. Beside a user's sentence, which nothing measures, nearness and alignment
    count half.
    """
    m = HandReading(facts)
    clumsy = sum(fault.severity for fault in faults(facts) if fault.stage == "coordination")
    done = 25.0 * (1.0 - ramp(m.away, 0.0, LOST)) + 25.0 * (1.0 - ramp(m.turned, 0.0, WRONG))
    return round(m.held_share * (40.0 + (0.5 if facts.spoken else 1.0) * done + 10.0 * (1.0 - ramp(clumsy, 0.0, 2.0))), 3)


def summary(facts: Facts, first: Fault | None, success: bool) -> str:
    """Return the judgement in one line."""
    m = HandReading(facts)
    head = f"{m.away:.3f} m and {m.turned:.2f} rad from the goal at the end, held {m.held_share:.0%} of the time."
    if first is not None:
        return f"{head} {'Done, though: ' if success else ''}{first.what}"
    return f"{head} The goal is met."
