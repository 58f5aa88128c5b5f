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
class Background:
    """What a critic may know of a motion beside what is seen and measured.

    Attributes:
        program: text of the reward that moved it; "" where that is not told.
        edit: what its writer changed, in one line; "" of a reward that nobody edited.
        why: the writer's reason.
        earlier: what was said of the motion under the program that was edited, or None.
        start: whether the reward is the first one.
    """

    program: str = ""
    edit: str = ""
    why: str = ""
    earlier: Critique | None = None
    start: bool = False


@dataclass(frozen=True)
class Evidence:
    """One motion, as a critic sees it.

    Attributes:
        facts: what was measured (`movlr_jax.facts`).
        clip: path of its video, or None.
        name: how people call it ("best", "iteration 3").
        background: what is known of it beside.
    """

    facts: Facts
    clip: Path | None = None
    name: str = field(default="")
    background: Background = field(default_factory=Background)


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


@runtime_checkable
class Watcher(Critic, Protocol):
    """A critic that is told the background of a motion, too."""

    def watch(self, motion: Evidence) -> Critique:
        """Judge as `critique` does."""
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
