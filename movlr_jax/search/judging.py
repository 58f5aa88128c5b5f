"""Which of two motions is kept: physics first, then the critic's preference, then the score.

Flows in: gates and scores. Flows out: a choice and its reason. The order cannot be out-voted from below:

1. Gates, worst first: a motion in which nothing diverged beats one that diverged; then the smaller share of episodes
   that fell wins; then, if nothing fell, a motion that moved beats one that did not (where the task asks to move), and
   one that looks like the goal beats one that does not (where CLIP has a gate).
2. Between motions that the gates do not tell apart, the critic's preference, asked in both orders.
3. Where the critic ties, the higher score; where that ties, the one that was there first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from movlr_jax.critics.critique import Preference

Rank = tuple[int, float, int, int]


def rank(metrics: Mapping[str, Any]) -> Rank:
    """Return a motion's place by the gates; the larger tuple is the better motion.

    Args:
        metrics: the record of metrics.json: "gates" (fell, diverged, and where they apply moved, looks), "falls", "episodes".
    """
    gates, count = metrics["gates"], max(len(metrics["episodes"]), 1)
    standing_share = round(1.0 - metrics["falls"] / count, 6)
    moved = int(bool(gates.get("moved", True))) if standing_share == 1.0 else 0
    looks = int(bool(gates.get("looks", True))) if moved else 0
    return (int(not gates["diverged"]), standing_share, moved, looks)


def choose(candidates: Sequence[tuple[int, Mapping[str, Any]]]) -> tuple[int | None, str]:
    """Return the candidate that goes on to the critic, by gates and then score, and why.

    Args:
        candidates: (index, record of metrics.json) of those that were proven and moved.
    """
    if not candidates:
        return None, "Every draft was refused."
    if len(candidates) == 1:
        return candidates[0][0], "It was the only one proven."
    # max keeps the first of equals, so a tie goes to the lower index.
    index, metrics = max(candidates, key=lambda c: (rank(c[1]), c[1]["score"]))
    return index, f"Best of {len(candidates)} by gates, then score ({metrics['score']:.3f})."


@dataclass(frozen=True)
class Verdict:
    """Whether a motion becomes the best, by what ("first", "gates", "preference" or "score"), and why."""

    kept: bool
    by: str
    reason: str


def gates_decide(candidate: Mapping[str, Any], best: Mapping[str, Any]) -> Verdict | None:
    """Return the gates' decision between two records of metrics.json, or None where they do not tell them apart."""
    new, old = rank(candidate), rank(best)
    if new == old:
        return None
    names = ("a diverged simulation", "falls", "standing still", "not looking like the goal")
    which = next(name for name, a, b in zip(names, new, old, strict=True) if a != b)
    return Verdict(new > old, "gates", f"Physics decides: {'the best' if new > old else 'this one'} is the worse by {which}.")


def settle(candidate: Mapping[str, Any], best: Mapping[str, Any], preference: Preference) -> Verdict:
    """Return the decision between two motions that the gates do not tell apart; the preference is between (candidate, best)."""
    if preference.winner != "tie":
        return Verdict(preference.winner == "a", "preference", preference.reason)
    new, old = candidate["score"], best["score"]
    return Verdict(new > old, "score", f"The critic ties ({preference.reason.rstrip('.')}); score {new:.3f} against {old:.3f}.")
