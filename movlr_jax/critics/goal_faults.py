"""What of a goal's words was not done, and which of them nothing measures.

In: a BodyReading, whose goal says what was asked for (`movlr_jax.goals`). Out: faults, the gravest first, what is not measured last.
"""

from __future__ import annotations

from movlr_jax import goals
from movlr_jax.critics.body_reading import BodyReading
from movlr_jax.critics.body_rules import HOLDING
from movlr_jax.critics.critique import Fault
from movlr_jax.critics.rules import faults, named


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:] + "."


def of_goal(m: BodyReading) -> list[Fault]:
    """Return what was asked for and not done, what was forbidden and done, what was not held, and what is not measured."""
    found: list[Fault] = []
    for part in m.goal.measured(m.facts.lacking):
        value = m.of_goal.get(part.metric)
        if not part.done(value):
            kind, phase = "unwanted" if part.avoid else part.target.kind, "end" if part.at_end else "throughout"
            found.append(named(kind, _sentence(part.fault(value)), part.target.body_part, phase, 0.3 + 0.6 * (1.0 - part.level(value))))
    found += faults(HOLDING, m)
    held = m.of_goal.get(goals.HELD)
    if held is not None and held < 1 and not found:
        what = f"It is held in {float(held):.0%} of the episodes alone."
        found.append(named("not_held", what, "whole body", "end", 0.3 + 0.6 * (1.0 - float(held))))
    found.sort(key=lambda fault: -fault.severity)
    unread = [f"'{text}'" for text in m.goal.unread]
    unread += [f"the {part.target.what}, on this body" for part in m.goal.parts if part.metric in m.facts.lacking]
    if unread:
        found.append(named("unmeasured", f"Nothing here measures {', '.join(unread)}.", "whole body", "throughout", 0.3))
    return found
