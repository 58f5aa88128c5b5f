"""Spread: how far each term of a reward sets the candidates of a plan apart, which is what it has a say by.

A plan follows differences between candidates and nothing else: a term that is large and the same for all of them decides nothing. What is
recorded is the standard deviation over the candidates of weight times term, averaged over the horizon. Where candidates that lag behind are
not simulated to the horizon's end, it is that of the others, among which the plan is made.
"""

from __future__ import annotations

from typing import Any

from jaxtyping import Bool, Float


def among(
    terms: Float[Any, "episode candidate n"], weights: Float[Any, "episode n"], sound: Bool[Any, "episode candidate"]
) -> Float[Any, "episode n"]:
    """Return the standard deviation of each weighted term over the candidates that are sound and finite; 0 where there are none.

    Args:
        terms: means over the horizon, without weights.
        weights: of each episode.
        sound: which candidates did not diverge.
    """
    xp = terms.__array_namespace__()
    counted = (sound & xp.isfinite(terms).all(axis=2))[..., None]
    values = xp.where(counted, terms, 0.0)
    count = xp.maximum(counted.sum(axis=1), 1)
    away = xp.where(counted, values - (values.sum(axis=1) / count)[:, None], 0.0)
    return xp.abs(weights) * xp.sqrt(xp.square(away).sum(axis=1) / count)
