"""Gates: what physics says of a motion, which no critic and no metric can out-vote, and the one order of motions by it.

In: what an evaluation measured, episode by episode. Out: `Gates`; `rank`, by which every part of the package compares two motions; `place`,
the same order with metric and score behind it; `penalty`, the same order as one number for optimisers; the words for what is wrong.

The order, gravest first: nothing diverged; the smaller share of episodes that fell, where falls are early or many; it moved; it did what
its sentence asks for; the smaller share of episodes that fell, where falls are few and late; it looks like the goal. So a motion that does
what was asked and fell at the very end of one episode in three is better than one that never did it and fell in none. A new gate is a field
that may be None (True: passed) and its words in `FAULTS`, whose order is the order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from movlr_jax import goals

Record = Mapping[str, Any]

STALLED = 0.25  # of the way that was asked for: a body that goes less does not walk, it stays
DONE = 0.6  # of what a sentence asks for, mean over the episodes: more than a half, so that one of two things asked for is not it
LATE = 0.8  # of the time asked for: by then an episode has shown the most of what it does
FEW = 1.0 / 3.0  # of the episodes: one of the three that a search runs by default
# Gate -> what is wrong where it is not passed; in the order in which gates decide.
FAULTS = {
    "diverged": "a diverged simulation",
    "fell": "falls",
    "moved": "standing still",
    "did": "not doing what was asked for",
    "late": "falls near the end",
    "looks": "not looking like the goal",
}
_PASSABLE = ("moved", "did", "looks")  # gates that a motion may lack, and that a document says True of where they are passed


@dataclass(frozen=True)
class Gates:
    """The gates of a motion over all its seeds.

    Attributes:
        diverged: whether the simulation of any episode diverged.
        fell: share of the episodes that fell, or dropped their object, 0 to 1; 0 where they count as `late`.
        moved: whether it went as far as the task asks at the least; None where the task asks for no way.
        looks: whether its pictures look like the goal to CLIP; None where CLIP has no gate.
        did: whether it did what its sentence asks for; None where no sentence is measured.
        late: the same share, where falls are few and came near the end (`few_and_late`).
    """

    diverged: bool
    fell: float
    moved: bool | None = None
    looks: bool | None = None
    did: bool | None = None
    late: float = 0.0

    def amounts(self) -> dict[str, float]:
        """Return gate -> how far it is from being passed (0: passed, 1: not at all), for the gates that the motion has."""
        # Shares of the same episodes, counted or averaged, are the same number.
        shares = {"diverged": float(self.diverged), "fell": round(self.fell, 6), "late": round(self.late, 6)}
        passed = {name: 1.0 - value for name in _PASSABLE if (value := getattr(self, name)) is not None}
        return {name: (shares | passed)[name] for name in FAULTS if name in shares or name in passed}

    def faults(self) -> dict[str, float]:
        """Return what decides: gate -> amount for every gate, the gravest in front.

        Divergence aside, a gate is looked at only where those before it are passed: whether a body moved where it did not fall early, and
        what it looks like where it did what was asked for. Late falls count beside a body's not moving or doing, too.
        """
        amounts, faults, blamed = self.amounts(), dict.fromkeys(FAULTS, 0.0), False
        for name in FAULTS:
            if not blamed or (name == "late" and not faults["fell"]):
                faults[name] = amounts.get(name, 0.0)
                blamed = blamed or (name != "diverged" and faults[name] > 0)
        return faults

    def penalties(self) -> dict[str, float]:
        """Return gate -> its part of the penalty, for the gates that the motion has.

        A gate's part begins above all that the gates behind it can add up to, so that the sum is in the order of `rank`: of the last gate
        it is 0 to 1, of the one before it 1 to 2, then 3 to 4, 7 to 8 and so on.
        """
        amounts, parts = self.amounts(), {}
        for behind, (name, fault) in enumerate(reversed(self.faults().items())):
            parts[name] = fault and 2.0**behind - 1.0 + fault
        return {name: parts[name] for name in amounts}

    @property
    def penalty(self) -> float:
        """How bad it is, as one number: 0 where all gates are passed, and greater for every motion that ranks lower."""
        return sum(self.penalties().values())

    @property
    def passed(self) -> bool:
        """Whether all gates are passed."""
        return not any(self.faults().values())

    def words(self) -> list[str]:
        """Say what is wrong, the gravest first; nothing where all gates are passed."""
        return [FAULTS[name] for name, fault in self.faults().items() if fault]

    def document(self) -> dict[str, bool]:
        """Return the gates as metrics.json has them: fell, early or late, and diverged; where they apply the others; late if it is."""
        amounts = self.amounts()
        passed = {name: not amounts[name] for name in _PASSABLE if name in amounts}
        late = amounts["late"] > 0
        return {"fell": late or amounts["fell"] > 0, "diverged": self.diverged} | passed | ({"late": True} if late else {})


def fell(episode: Record) -> bool:
    """Whether the episode of a record ended in a fall: of the body, or of its object."""
    return bool(episode.get("fell") or episode.get("dropped"))


def ended_early(episode: Record) -> bool:
    """Whether the episode of a record ended before its time: in a fall, or because the simulation diverged."""
    return fell(episode) or bool(episode.get("diverged"))


def few_and_late(episodes: Sequence[Record]) -> bool:
    """Whether there are falls, in no more than `FEW` of the episodes and none before `LATE` of the time that the others lasted."""
    fallen = [episode for episode in episodes if fell(episode)]
    whole = max((_lasted(episode) for episode in episodes if not ended_early(episode)), default=0.0)
    few = 0 < len(fallen) <= FEW * len(episodes) + 1e-9
    return few and all(_lasted(episode) >= LATE * whole > 0 for episode in fallen)


def went(distance: float | None, way: float) -> bool:
    """Whether a body moved, of a way that was asked for (m): a distance that is not known is none."""
    return distance is not None and distance >= STALLED * way


def of_episodes(episodes: Sequence[Record], moved: bool | None = None) -> Gates:
    """Return the gates of a motion, of which there is one episode at least.

    Args:
        episodes: metric records, one a seed.
        moved: whether it moved; None where no way is asked for.
    """
    share = sum(map(fell, episodes)) / len(episodes)
    return _with_falls(any(bool(e.get("diverged")) for e in episodes), share, few_and_late(episodes), moved=moved, did=_did(episodes))


def _lasted(episode: Record) -> float:
    return float(episode.get("seconds") or 0.0)


def _did(episodes: Sequence[Record]) -> bool | None:
    """Return whether a motion did what its sentence asks for, over all its seeds; None where no sentence is measured."""
    reached = [episode.get(goals.REACHED) for episode in episodes]
    if all(value is None for value in reached):
        return None
    return sum(float(value or 0.0) for value in reached) >= DONE * len(reached) - 1e-9


def _with_falls(diverged: bool, share: float, late: bool, **passed: bool | None) -> Gates:
    return Gates(diverged, 0.0 if late else share, late=share if late else 0.0, **passed)


def rank(gates: Gates) -> tuple[float, ...]:
    """Return a motion's place; the larger tuple is the better motion, and equal ones are told apart by no gate."""
    return tuple(-fault for fault in gates.faults().values())


def place(gates: Gates, value: float | None, score: float, sign: int = 1) -> tuple[float, ...]:
    """Return a motion's place by the whole order: its gates, then the task's metric, then its score; the larger tuple is the better motion.

    Args:
        gates: its gates.
        value: of the task's metric; None where it was not measured, which is worse than any value.
        score: its score.
        sign: 1 where more of the metric is better, -1 where less is.
    """
    return (*rank(gates), float("-inf") if value is None else sign * value, score)


def decides(a: Gates, b: Gates) -> str:
    """Return the gate by which two motions differ in rank; "" where none does."""
    mine, its = a.faults(), b.faults()
    return next((name for name in mine if mine[name] != its[name]), "")


def failed(document: Mapping[str, Any]) -> list[str]:
    """Return the gates that a `document` says are not passed, the gravest first; what is no gate's is left out."""
    late = document.get("late") is True
    return [name for name in FAULTS if document.get(name) is (name not in _PASSABLE) and not (late and name == "fell")]


def of_amounts(amounts: Mapping[str, float]) -> Gates:
    """Return the gates that have these amounts, by their names or by those of earlier versions (sound, upright)."""
    diverged, fell = amounts.get("diverged", amounts.get("sound", 0.0)), amounts.get("fell", amounts.get("upright", 0.0))
    passed: dict[str, bool | None] = {name: not amounts[name] for name in _PASSABLE if name in amounts}
    fell, late = (min(max(share, 0.0), 1.0) for share in (fell, amounts.get("late", 0.0)))
    return Gates(bool(diverged), fell, late=late, **passed)


def of_document(document: Mapping[str, Any]) -> Gates:
    """Return the gates that a `document` says: how large a share is that is not 0 it does not say, so it counts whole."""
    late = document.get("late") is True
    passed: dict[str, bool | None] = {name: document.get(name) for name in _PASSABLE}
    return _with_falls(bool(document.get("diverged")), float(bool(document.get("fell"))), late, **passed)


def read(record: Record) -> Gates:
    """Return the gates of a record of metrics.json, of this version or an earlier one, which judged neither lateness nor sentences.

    Args:
        record: "gates" (the `document` of Gates), "falls" (episodes that fell or dropped their object) and "episodes".
    """
    gates, episodes = record["gates"], record["episodes"]
    share = min(record["falls"] / max(len(episodes), 1), 1.0)
    passed: dict[str, bool | None] = {name: gates.get(name) for name in _PASSABLE} | {"did": gates.get("did", _did(episodes))}
    return _with_falls(bool(gates["diverged"]), share, bool(gates.get("late", few_and_late(episodes))), **passed)
