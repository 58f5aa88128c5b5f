"""The Critic: who watches a motion and says what is wrong, and which of two motions is better.

In: records only (a clip's path, the facts of `movlr_jax.facts`). Out: Critique and Preference. `settle` asks for a
comparison in both orders, because a model that looks at two clips tends to favour one position.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, runtime_checkable

from movlr_jax.critics.critique import Critique, Preference
from movlr_jax.facts import Facts

_MOST_SHARED = 2  # episodes that a comparison shows of each side


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
        clip: path of the film of the episode that the facts tell in detail, or None.
        name: how people call it ("best", "iteration 3"); no critic is told.
        clips: seed -> path of its film, of several episodes: the first's, the worst's and the best's, as far as they were filmed.
        background: what is known of it beside.
    """

    facts: Facts
    clip: Path | None = None
    name: str = field(default="")
    clips: Mapping[int, Path] = field(default_factory=dict)
    background: Background = field(default_factory=Background)

    def of_worst(self) -> Evidence:
        """Return the motion as one that looks at a single episode has to see it: the worst of several, or the only one."""
        worst = self.facts.worst
        return self if worst is None else replace(self, facts=self.facts.of(worst), clip=self.clips.get(worst))


@runtime_checkable
class Critic(Protocol):
    """Judges motions."""

    name: str

    def critique(self, clip: Path | None, facts: Facts) -> Critique:
        """Say whether one motion did what its goal asks for, what is wrong and what to change.

        Of several episodes `facts` tell the worst in detail, and `clip` is its film.
        """
        ...

    def compare(self, a: Evidence, b: Evidence) -> Preference:
        """Say which of two motions does the goal better. Callers use `settle`, which asks in both orders.

        Of several episodes both sides' facts tell that of the same seed, the first, in detail; `shared_seeds` are those that both sides
        tell.
        """
        ...


@runtime_checkable
class Watcher(Critic, Protocol):
    """A critic that looks at the worst and the best of several episodes, and is told the background of a motion, too."""

    def watch(self, motion: Evidence) -> Critique:
        """Judge as `critique` does."""
        ...


def shared_seeds(a: Evidence, b: Evidence, *, filmed: bool) -> tuple[int, ...]:
    """Return the seeds of the episodes by which two motions are compared, at most two, like with like.

    They are told in detail on both sides; what is the worst of either side goes first, so that neither side is seen at its best against the
    other's worst. Empty where there is one episode, or no seed in common.

    Args:
        a: one motion.
        b: the other.
        filmed: whether films are looked at: then those that both sides have, where there are any.
    """
    both = [seed for seed in a.facts.seeds if seed in b.facts.seeds]
    if filmed:
        both = [seed for seed in both if seed in a.clips and seed in b.clips] or both
    worst = {a.facts.worst, b.facts.worst}
    return tuple(sorted(sorted(both, key=lambda seed: (seed not in worst, seed))[:_MOST_SHARED]))


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
