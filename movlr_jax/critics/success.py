"""What counts as success, in words: the numbers by which a motion is measured against its goal.

In: facts, for the goal, the speed asked for and what the body lacks. Out: one line, from the very tables that measure.
"""

from __future__ import annotations

from movlr_jax.critics.body_reading import BodyReading
from movlr_jax.critics.body_rules import PROGRESS
from movlr_jax.critics.handling import PLACED, TURNED
from movlr_jax.facts import Facts
from movlr_jax.tasks.gates import STALLED

_BEGINS = {rule.kind: rule.begins for rule in PROGRESS}


def words(facts: Facts) -> str:
    """Return what a motion has to do, in one line."""
    time = f"for the whole {facts.seconds:g} s" if facts.seconds else "for the whole time"
    if facts.object is not None:
        return f"the object is held {time}, in every episode, and ends within {PLACED:g} m and {TURNED:g} rad of where it is wanted."
    m = BodyReading(facts)
    free = facts.joints or m.goal.asks("not_lying")  # of a fixed body, and of one that is to lie, no fall is told
    parts = ["it does what is asked, in every episode" if free else f"it stays up {time}, in every episode"]
    if m.has_way:
        slow, fast = _BEGINS["too_slow"] * m.wanted, _BEGINS["too_fast"] * m.wanted
        parts.append(f"goes forward at {m.wanted:g} m/s ({slow:.2g} to {fast:.2g}; under {STALLED * m.wanted:.2g} it has not moved)")
        parts.append(f"drifts sideways by less than {_BEGINS['drift']:g} of its way, and turns by less than {_BEGINS['veer']:g} rad")
    measures = m.goal.measures(facts.lacking) if m.goal.measured(facts.lacking) else []
    if m.by_sentence and not measures and not m.has_way:
        measures = ["What the sentence asks beside is not measured: judge it by what is known of the motion."]
    return f"{', '.join(parts)}. {' '.join(measures)}".strip()
