"""Which of two motions is kept: physics first, then the critic's preference, then the score.

Flows in: gates and scores. Flows out: a decision and its reason. The order cannot be out-voted from below:

1. The gates, by their one order (`movlr_jax.tasks.gates`).
2. Between motions that the gates do not tell apart, the critic's preference, asked in both orders.
3. Where the critic ties, the higher score; where that ties, the one that was there first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from movlr_jax.critics.critique import Preference
from movlr_jax.tasks import gates
from movlr_jax.tasks.gates import Gates


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
    index, metrics = max(candidates, key=lambda c: (gates.rank(gates.read(c[1])), c[1]["score"]))
    return index, f"Best of {len(candidates)} by gates, then score ({metrics['score']:.3f})."


@dataclass(frozen=True)
class Decision:
    """Whether a motion becomes the best, by what ("first", "gates", "preference" or "score"), and why."""

    kept: bool
    by: str
    reason: str


def gates_decide(candidate: Gates, best: Gates) -> Decision | None:
    """Return the gates' decision between two motions, or None where they do not tell them apart."""
    gate = gates.decides(candidate, best)
    if not gate:
        return None
    kept = gates.rank(candidate) > gates.rank(best)
    return Decision(kept, "gates", f"Physics decides: {'the best' if kept else 'this one'} is the worse by {gates.FAULTS[gate]}.")


def settle(candidate: Mapping[str, Any], best: Mapping[str, Any], preference: Preference) -> Decision:
    """Return the decision between two motions that the gates do not tell apart; the preference is between (candidate, best)."""
    if preference.winner != "tie":
        return Decision(preference.winner == "a", "preference", preference.reason)
    new, old = candidate["score"], best["score"]
    return Decision(new > old, "score", f"The critic ties ({preference.reason.rstrip('.')}); score {new:.3f} against {old:.3f}.")
