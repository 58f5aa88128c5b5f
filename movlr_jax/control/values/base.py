"""A terminal value: of the last instant of a rollout, how safe the body is in the time that the rollout does not reach.

A plan's cost is a mean over its horizon, in which a fall that begins at the horizon's end does not show. A terminal value tells it. It lies
between -1, a body that is sure to fall, and 0, one that is in no danger, and enters a cost as

    C_n = -(mean reward)_n - w s V_n,        s = interquartile range of the candidates' mean rewards,

so its weight w needs no knowledge of a reward's scale: w is how many spreads of the candidates a candidate's certain fall costs. Because V
is absolute and not ranked, it orders candidates only as far as their danger differs: where all are safe, plans are those without it. The
quartiles, and not the standard deviation, because a few candidates that fall within the horizon stretch that by as much as they like.
"""

from __future__ import annotations

import abc
from typing import Any, ClassVar

from jaxtyping import Float

from movlr_jax.rewards.layout import FeatureLayout


class TerminalValue(abc.ABC):
    """A terminal value of one body; a subclass has a name and computes it from the columns that a layout names.

    Args:
        layout: of the body's instants.

    Raises:
        MovlrError: it does not suit the body.
    """

    name: ClassVar[str]

    @abc.abstractmethod
    def __init__(self, layout: FeatureLayout):
        """Find the columns."""

    @abc.abstractmethod
    def __call__(self, instants: Float[Any, "episode candidate f"]) -> Float[Any, "episode candidate"]:
        """Return the values, -1 to 0, of rollouts' last instants; over numpy or jax.numpy, inside compiled programs."""


def valued(
    costs: Float[Any, "episode candidate"], value: Float[Any, "episode candidate"], weight: float
) -> Float[Any, "episode candidate"]:
    """Return the costs of candidates with their terminal values.

    Args:
        costs: without; inf for candidates that diverged.
        value: -1 to 0; where it is not finite the candidate counts as diverged.
        weight: in interquartile ranges of an episode's finite costs.
    """
    xp = costs.__array_namespace__()
    value = xp.asarray(value, costs.dtype)
    ordered, sound = xp.sort(costs, axis=1), xp.isfinite(costs).sum(axis=1, keepdims=True)
    quartiles = [xp.take_along_axis(ordered, xp.maximum(k * (sound - 1), 0) // 4, axis=1) for k in (1, 3)]
    first, third = (xp.where(sound > 0, quartile, 0.0) for quartile in quartiles)
    # Candidates that all earn the same differ by their danger alone, in whatever unit.
    spread = xp.where(third > first, third - first, 1.0)
    return xp.where(xp.isfinite(value), costs - weight * spread * xp.where(xp.isfinite(value), value, 0.0), xp.inf)
