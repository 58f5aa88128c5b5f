"""Allowance: by how much a reward may change at once, told to who criticises and to who writes.

In: what was measured of the motion under the reward that is to be changed. Out: an Allowance. A reward that moves nothing well gives small
edits nothing to hold on to; one that works is lost by large ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from movlr_jax.critics.offline import gates_of
from movlr_jax.facts import Facts

Stage = Literal["start", "failing", "fine"]


@dataclass(frozen=True)
class Allowance:
    """How much may change.

    Attributes:
        stage: "start", the first reward; "failing", a gate of physics is not passed (a fall, a drop, no way made, nothing done
            of what the sentence asks for); "fine", all are.
        terms: terms that may be added, removed, rewritten or reweighed; None: all, the program may be written anew.
        suggestions: changes that a critic may suggest; the rest is cut off.
    """

    stage: Stage
    terms: int | None
    suggestions: int


ALLOWANCES: dict[Stage, Allowance] = {
    "start": Allowance("start", None, 6),
    "failing": Allowance("failing", 4, 4),
    "fine": Allowance("fine", 2, 3),
}


def allowance(facts: Facts, start: bool) -> Allowance:
    """Return how much of a reward may change.

    Args:
        facts: what was measured of the motion under it.
        start: whether it is the first reward, which nobody has edited yet.
    """
    return ALLOWANCES["start" if start else "fine" if gates_of(facts).passed else "failing"]
