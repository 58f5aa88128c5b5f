"""Allowance: by how much a reward may change at once, told to who criticises and to who writes.

In: what was measured of the motion under the reward that is to be changed. Out: an Allowance. A reward that moves nothing well gives small
edits nothing to hold on to; one that works is lost by large ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from movlr_jax.facts import Facts
from movlr_jax.tasks.gates import STALLED

Stage = Literal["start", "failing", "fine"]


@dataclass(frozen=True)
class Allowance:
    """How much may change.

    Attributes:
        stage: "start", the first reward; "failing", the body falls, drops its object or does not get on; "fine", neither.
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
    return ALLOWANCES["start" if start else "failing" if _fails(facts) else "fine"]


def _fails(facts: Facts) -> bool:
    metrics = facts.metrics
    least_way = STALLED * (facts.goal_speed_mps or 0.0) * facts.seconds
    stalled = facts.object is None and metrics.distance_m is not None and metrics.distance_m < least_way
    return metrics.fell or metrics.dropped or metrics.diverged or stalled
