"""Danger: the best candidate costs far more than best candidates have cost lately. Candidates are then worth more than in calm.

Of seven walks that were pushed over (MS-Human-700 locomotion, `stride`), the cost was 1.8 standard deviations above its last second 0.8 s
before the fall in six, while the extrapolated centre of mass left what it does in calm only about 0.5 s before; one plan in ten of a calm
walk is above it by two. It needs no feet, and is of every reward's own scale. What is kept of each episode, float[E, 4]: how much is known
(0 to 1), the mean and the variance of costs, forgotten within about a second, and 1 where there is danger.
"""

from __future__ import annotations

from typing import Any

from jaxtyping import Float

_FORGOTTEN = 1.0  # s
_KNOWN = 0.2  # of what is ever known, before which nothing is called danger


def first(like: Float[Any, "episode knot d"]) -> Float[Any, "episode 4"]:
    """Return what is known of costs before the first plan, of the type of an array."""
    xp = like.__array_namespace__()
    return xp.zeros((like.shape[0], 4), dtype=like.dtype)


def after(lately: Float[Any, "episode 4"], cost: Float[Any, " episode"], seconds: float, limit: float) -> Float[Any, "episode 4"]:
    """Return what is known after one more plan.

    Args:
        lately: what was known.
        cost: of the plan's best candidate; inf, where all diverged, is danger and else forgotten.
        seconds: from plan to plan (s).
        limit: standard deviations above the mean from which there is danger.
    """
    xp = cost.__array_namespace__()
    known, mean, variance, _ = (lately[:, i] for i in range(4))
    finite = xp.isfinite(cost)
    above = xp.where(finite, cost - mean, 0.0)
    danger = ~finite | ((known > _KNOWN) & (above > limit * xp.sqrt(variance)))
    share = min(1.0, seconds / _FORGOTTEN)
    more = xp.where(finite, known + share * (1.0 - known), known)
    # The first costs weigh as much as all others, not as if there had been zeros before them.
    rate = xp.where(finite, share / xp.maximum(more, share), 0.0)
    return xp.stack([more, mean + rate * above, (1.0 - rate) * (variance + rate * above * above), danger.astype(lately.dtype)], axis=1)
