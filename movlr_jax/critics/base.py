"""The Critic: who watches a motion and says what is wrong, and which of two motions is better.

In: records only (a clip's path, the facts of `movlr_jax.facts`). Out: Critique and Preference. `settle` asks for a
comparison in both orders, because a model that looks at two clips tends to favour one position.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from movlr_jax.critics.critique import Critique, Preference
from movlr_jax.facts import Facts


@dataclass(frozen=True)
class Evidence:
    """One motion, as a critic sees it.

    Attributes:
        facts: what was measured (`movlr_jax.facts`).
        clip: path of its video, or None.
        name: how people call it ("best", "iteration 3").
    """

    facts: Facts
    clip: Path | None = None
    name: str = field(default="")


@runtime_checkable
class Critic(Protocol):
    """Judges motions."""

    name: str

    def critique(self, clip: Path | None, facts: Facts) -> Critique:
        """Say whether one motion did what its goal asks for, what is wrong and what to change."""
        ...

    def compare(self, a: Evidence, b: Evidence) -> Preference:
        """Say which of two motions does the goal better. Callers use `settle`, which asks in both orders."""
        ...


def settle(critic: Critic, a: Evidence, b: Evidence) -> Preference:
    """Compare two motions in both orders; a preference that changes with the order is a tie.

    Args:
        critic: whom to ask (twice).
        a: one motion.
        b: the other.

    Returns:
        The preference in terms of this call's a and b.
    """
    first = critic.compare(a, b)
    second = critic.compare(b, a).swapped()
    if first.winner == second.winner:
        return first
    if "tie" in (first.winner, second.winner):
        return Preference(winner="tie", reason=f"Preferred in one order only: {first.reason} / {second.reason}")
    return Preference(winner="tie", reason=f"The answer followed the position: {first.reason} / {second.reason}")
