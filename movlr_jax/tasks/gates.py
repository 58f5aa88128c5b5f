"""Gates: what physics says of a motion, which no critic and no metric can out-vote, and the one order of motions by it.

In: what an evaluation measured. Out: `Gates`; `rank`, by which every part of the package compares two motions; `place`, the same order with
metric and score behind it; `penalty`, the same order as one number for optimisers; the words for what is wrong. The order, gravest first:
nothing diverged, the smaller share of episodes that fell, then, where nothing fell, it moved, and then it looks like the goal. A new gate
is a field that may be None (True: passed) and its words in `FAULTS`, whose order is the order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

STALLED = 0.25  # of the way that was asked for: a body that goes less does not walk, it stays
# Gate -> what is wrong where it is not passed; in the order in which gates decide.
FAULTS = {"diverged": "a diverged simulation", "fell": "falls", "moved": "standing still", "looks": "not looking like the goal"}


@dataclass(frozen=True)
class Gates:
    """The gates of a motion over all its seeds.

    Attributes:
        diverged: whether the simulation of any episode diverged.
        fell: share of the episodes that fell, or dropped their object, 0 to 1.
        moved: whether it went as far as the task asks at the least; None where the task asks for no way.
        looks: whether its pictures look like the goal to CLIP; None where CLIP has no gate.
    """

    diverged: bool
    fell: float
    moved: bool | None = None
    looks: bool | None = None

    def amounts(self) -> dict[str, float]:
        """Return gate -> how far it is from being passed (0: passed, 1: not at all), for the gates that the motion has."""
        passed = {name: value for name in _optional() if (value := getattr(self, name)) is not None}
        # Shares of the same episodes, counted or averaged, are the same number.
        return {"diverged": float(self.diverged), "fell": round(self.fell, 6)} | {name: 1.0 - value for name, value in passed.items()}

    def faults(self) -> dict[str, float]:
        """Return what decides: gate -> amount for every gate, the gravest in front.

        Divergence aside, a gate is looked at only where those before it are passed: whether a body moved where nothing fell, and what it
        looks like where it moved.
        """
        amounts, faults, blamed = self.amounts(), dict.fromkeys(FAULTS, 0.0), False
        for name in FAULTS:
            if not blamed:
                faults[name] = amounts.get(name, 0.0)
                blamed = name != "diverged" and faults[name] > 0
        return faults

    def penalties(self) -> dict[str, float]:
        """Return gate -> its part of the penalty, for the gates that the motion has.

        A gate's part begins above all that the gates behind it can add up to, so that the sum is in the order of `rank`.
        """
        faults = self.faults()
        parts = {name: fault and len(faults) - 1 - i + fault for i, (name, fault) in enumerate(faults.items())}
        return {name: part for name, part in parts.items() if getattr(self, name) is not None}

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
        """Return the gates as metrics.json has them: fell, diverged, and where they apply moved and looks."""
        passed = {name: value for name in _optional() if (value := getattr(self, name)) is not None}
        return {"fell": self.amounts()["fell"] > 0, "diverged": self.diverged} | passed


def _optional() -> tuple[str, ...]:
    """Return the gates that a motion may lack."""
    return tuple(field.name for field in fields(Gates) if field.default is None)


def fell(episode: Mapping[str, Any]) -> bool:
    """Whether the episode of a record ended in a fall: of the body, or of its object."""
    return bool(episode.get("fell") or episode.get("dropped"))


def ended_early(episode: Mapping[str, Any]) -> bool:
    """Whether the episode of a record ended before its time: in a fall, or because the simulation diverged."""
    return fell(episode) or bool(episode.get("diverged"))


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


def at_best(gates: Gates, ran: int, of: int) -> Gates:
    """Return the best gates that a motion can still come to of which only some episodes were run, or these in part alone.

    What diverged or fell stays so; whatever has not been run yet may pass.

    Args:
        gates: those of what was run.
        ran: how many episodes that were.
        of: how many it will be in all.
    """
    hoped = {name: True for name in _optional() if getattr(gates, name) is not None}
    return replace(gates, fell=gates.fell * ran / of, **hoped)


def decides(a: Gates, b: Gates) -> str:
    """Return the gate by which two motions differ in rank; "" where none does."""
    mine, its = a.faults(), b.faults()
    return next((name for name in mine if mine[name] != its[name]), "")


def failed(document: Mapping[str, Any]) -> list[str]:
    """Return the gates that a `document` says are not passed, the gravest first; what is no gate's is left out."""
    return [name for name in FAULTS if document.get(name) is (name not in _optional())]


def of_amounts(amounts: Mapping[str, float]) -> Gates:
    """Return the gates that have these amounts, by their names or by those of earlier versions (sound, upright)."""
    diverged, fell = amounts.get("diverged", amounts.get("sound", 0.0)), amounts.get("fell", amounts.get("upright", 0.0))
    passed = {name: not amounts[name] for name in _optional() if name in amounts}
    return Gates(bool(diverged), min(max(fell, 0.0), 1.0), **passed)


def read(record: Mapping[str, Any]) -> Gates:
    """Return the gates of a record of metrics.json, of this version or an earlier one.

    Args:
        record: "gates" (the `document` of Gates), "falls" (episodes that fell or dropped their object) and "episodes".
    """
    gates, count = record["gates"], max(len(record["episodes"]), 1)
    return Gates(bool(gates["diverged"]), min(record["falls"] / count, 1.0), **{name: gates.get(name) for name in _optional()})
