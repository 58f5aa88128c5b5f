"""The offline critic: it needs no key, no network, no GPU and no video. It reads the facts and fills the same schema as
a model would.

It asks, in this order: does the body stay up (and if not, in which direction and how it fell), does it do what was
asked (speed, drift, heading, and the words of the goal that `goals` understands), and does it move well (feet, knees,
symmetry, effort, smoothness). While the body is unstable nothing is said about finesse. What it looks for stands in tables
(`body_rules`, `handling`). `compare` is a documented score, so the order of its arguments cannot matter.
"""

from __future__ import annotations

from pathlib import Path

from movlr_jax.critics import goal_faults, handling
from movlr_jax.critics.base import Evidence
from movlr_jax.critics.body_reading import BodyReading
from movlr_jax.critics.body_rules import COORDINATION, PROGRESS, STABILITY, STAYING
from movlr_jax.critics.critique import STAGES, Critique, Fault, Preference
from movlr_jax.critics.remedies import suggest
from movlr_jax.critics.rules import faults, ramp
from movlr_jax.facts import Facts
from movlr_jax.goals import Goal
from movlr_jax.rewards import library
from movlr_jax.tasks import gates
from movlr_jax.tasks.gates import Gates

# Two scores (0 to 100) closer than this are a tie: the spread between seeds of one reward is larger.
TIE = 1.0
SHORTEST = 1.0  # s upright: of a body that falls sooner neither progress nor coordination can be told
GRAVE = 0.3  # severity from which a fault of stability or progress means that the goal is not met


def gates_of(facts: Facts) -> Gates:
    """Return a motion's gates as its facts tell them."""
    m = BodyReading(facts)
    moved = gates.went(m.distance, m.wanted * min(m.seconds, facts.metrics.seconds or m.seconds)) if m.has_way else None
    if facts.episodes:
        return gates.of_episodes([episode.root for episode in facts.episodes], moved)
    fell = m.fell_share if facts.object is None else handling.HandReading(facts).drop_share
    return gates.of_episodes([{**facts.metrics.root, "fell": fell > 0, "dropped": False}], moved)


def score(facts: Facts) -> float:
    """Score a motion, 0 to 100.

    40 x share of the time upright, plus that share x (1 - half the share of episodes that fell) x the sum of
    40 x share of the goal reached, where there is a way to go x (1 + straightness) / 2: a way gone sideways is half a way
    10 x straightness (1 without lateral drift and heading error, 0 at 0.5 m per m walked or at 0.8 rad)
    10 x coordination (1 minus the summed severities of coordination faults over 2).

    A lunge that ends in a fall is no progress, and one fall of three costs seven points even at the very end.

    A hand with an object has a score of its own (`handling.score`).

    The share of the goal is distance over goal speed times time; without a goal speed, or where a user gave the goal, how far its
    words were reached (`goals.Goal.reached`), within 0.25 m for a sentence that asks to stay. What nothing measures was not reached: a
    goal of which nothing is measured scores 60 at most.
    """
    if facts.object is not None:
        return handling.score(facts)
    m = BodyReading(facts)
    drift = m.sideways / max(m.distance, 0.5) if m.has_way else 0.0
    straight = 1.0 - max(ramp(drift, 0.0, 0.5), ramp(abs(m.heading), 0.0, 0.8))
    finesse = 1.0 - ramp(sum(fault.severity for fault in faults(COORDINATION, m)), 0.0, 2.0)
    progress = m.reached * (0.5 * (1.0 + straight) if m.has_way else 1.0)
    done = 40.0 * progress + 10.0 * straight + 10.0 * finesse
    return round(m.upright_share * (40.0 + (1.0 - 0.5 * m.fell_share) * done), 3)


def _found(m: BodyReading, allowed: set[str]) -> list[Fault]:
    """Return what is wrong with a body's motion, but for what the goal allows; a fall is never allowed."""
    found = [fault for fault in faults(STABILITY, m) if fault.kind not in allowed or fault.phase == "fall"]
    if m.upright_s >= SHORTEST or not m.fall:
        found += [*faults(PROGRESS, m), *goal_faults.of_goal(m), *faults(STAYING, m)]
        found += [fault for fault in faults(COORDINATION, m) if fault.kind not in allowed]
    return found


def _excluded(goal: Goal, allowed: set[str], walks: bool) -> set[str]:
    """Return the library terms that speak against a goal."""
    excluded: set[str] = set()
    if "crouch" in allowed:
        excluded |= {"pelvis_height", "head_height", "stance_knee", "posture", "no_sinking"}
    if "lean_forward" in allowed:
        excluded |= {"trunk_upright", "trunk_pitch"} | ({"upright"} if goal.asks("not_leaning_forward", "not_lying") else set())
    if any(part.target.kind.endswith(("knee_low", "foot_down")) for part in goal.asked):
        excluded |= {"posture", "feet_not_wide", "balance", "hip_level"}
    if not walks:
        excluded |= {"forward_speed", "speed_match", "step_length", "alternation", "step_symmetry", "lead_foot"}
        excluded |= {name for name, term in library.LIBRARY.items() if "stride_period" in term.parameters}
    return excluded


def _summary(m: BodyReading, found: list[Fault], success: bool, understood: bool) -> str:
    head = f"{m.distance:.2f} m in {m.seconds:.1f} s, upright {m.upright_share:.0%} of the time."
    if m.facts.joints:  # of a body that is fixed to the world
        head = f"{m.seconds:.1f} s, fixed to the world."
    if not understood:
        head += " The goal's words name nothing this critic can measure: it judges stability alone."
    elif m.goal.unread and not any(fault.kind == "unmeasured" for fault in found[:1]):
        head += f" Nothing here measures {', '.join(repr(text) for text in m.goal.unread)}."
    if found:
        return f"{head} {'Done, though: ' if success else ''}{found[0].what}"
    return f"{head} {'The goal is met.' if success else 'Nothing measurable is wrong.'}"


class OfflineCritic:
    """Judges from measured facts alone; the clip is not opened."""

    name = "offline"

    def critique(self, clip: Path | None, facts: Facts) -> Critique:
        """Judge one motion.

        Args:
            clip: ignored.
            facts: what was measured.
        """
        del clip
        excluded: set[str] = set()
        understood = True
        if facts.object is not None:
            found = handling.faults(facts)
        else:
            m = BodyReading(facts)
            allowed = m.goal.allowed()
            found = _found(m, allowed)
            excluded = _excluded(m.goal, allowed, m.walks)
            understood = m.has_way or bool(m.goal.measured(facts.lacking))
        found.sort(key=lambda fault: (STAGES.index(fault.stage), -fault.severity))
        success = understood and not any(fault.stage != "coordination" and fault.severity >= GRAVE for fault in found)
        if facts.object is not None:
            summary = handling.summary(facts, found[0] if found else None, success)
        else:
            summary = _summary(m, found, success, understood)
        suggestions = suggest(found, facts.terms, excluded, parameters=facts.parameters)
        return Critique(success=success, summary=summary, faults=tuple(found), suggestions=suggestions)

    def compare(self, a: Evidence, b: Evidence) -> Preference:
        """Prefer by the gates, then by `score`; closer than TIE is a tie."""
        first, second = score(a.facts), score(b.facts)
        rank_a, rank_b = gates.rank(gates_of(a.facts)), gates.rank(gates_of(b.facts))
        if rank_a != rank_b:
            return Preference(
                winner="a" if rank_a > rank_b else "b",
                reason=f"Physical gates: score {first:.1f} against {second:.1f}.",
            )
        if abs(first - second) < TIE:
            return Preference(winner="tie", reason=f"Scores {first:.1f} and {second:.1f} are too close to call.")
        return Preference(winner="a" if first > second else "b", reason=f"Score {first:.1f} against {second:.1f}.")
