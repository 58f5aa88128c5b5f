"""Screening: candidates that lag behind when most of the horizon is simulated are given up, and the others simulated to its end.

What a candidate will cost is foretold from the stage costs c_1 .. c_k so far, the last one held on with half of its latest trend s:

    C = (sum_i c_i + (H - k) c_k + s / 2 (H - k)(H - k + 1) / 2) / H,        s = (c_k - c_(k-4)) / 4.

Those that go on are simulated to the bits that they would have had in company, so that a plan differs only where an elite was given up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from movlr_jax.control.planners.base import Planner
from movlr_jax.control.values.base import valued
from movlr_jax.physics.simulator import Rolled
from movlr_jax.rewards.reward import RewardBatch

_SPAN = 4  # steps that a trend is taken over
_TREND = 0.5  # how much of it goes on


def foretold(stage: Float[np.ndarray, "episode candidate time"], steps: int) -> Float[np.ndarray, "episode candidate"]:
    """Return the mean over `steps` that values[..., t] of their first steps let expect."""
    known = stage.shape[-1]
    left, span = steps - known, min(_SPAN, known - 1)
    trend = (stage[..., -1] - stage[..., -1 - span]) / max(span, 1)
    total = stage.sum(axis=-1) + left * stage[..., -1] + _TREND * trend * left * (left + 1) / 2
    return np.asarray(total / steps)


def steps_spared(planner: Planner) -> int:
    """Return how many steps of a round of candidates a planner's cuts leave out."""
    counts = (planner.candidates, *(kept for _, kept in planner.cuts))
    return sum((planner.steps - step) * (before - kept) for (step, kept), before in zip(planner.cuts, counts, strict=False))


class Screening:
    """The screening of one round of candidates; a Screen (`movlr_jax.physics.simulator`).

    Args:
        planner: says when how many go on.
        rewards: each episode's reward.
        value: the terminal value, if the planner has one.
        shape: episodes and candidates.
    """

    def __init__(self, planner: Planner, rewards: RewardBatch, value: Callable[[Any], Any] | None, shape: tuple[int, int]):
        self.cuts = planner.cuts
        self._planner, self._rewards, self._value = planner, rewards, value
        self._reward, self._end = np.zeros(shape), np.zeros(shape)

    def __call__(
        self,
        going: Int[np.ndarray, "episode n"],
        instants: Float[np.ndarray, "episode n time f"],
        diverged: Bool[np.ndarray, "episode n"],
        kept: int,
    ) -> Int[np.ndarray, "episode kept"]:
        """Return which of n candidates go on, as rows of `going` in their order.

        Args:
            going: the candidates that are still simulated.
            instants: theirs so far; row 0 is the predecessor of the first.
            diverged: which of them did.
            kept: how many go on.
        """
        reward = foretold(self._rewards.over_time(instants).astype(float), self._planner.steps)
        self._note(going, reward, None if self._value is None else self._value(instants[:, :, -1]))
        costs = np.where(diverged | ~np.isfinite(reward), np.inf, -reward)
        if self._value is not None:
            costs = valued(costs, np.take_along_axis(self._end, going, axis=1), self._planner.value_weight)
        return np.sort(np.argsort(costs, axis=1, stable=True)[:, :kept], axis=1)

    def whole(
        self, rolled: Rolled, reward: Float[Any, "episode kept"], value: Float[Any, "episode kept"] | None
    ) -> tuple[Float[np.ndarray, "episode n"], Float[np.ndarray, "episode n"] | None, Bool[np.ndarray, "episode n"]]:
        """Return rewards and terminal values of all candidates, as they were last foretold of those given up, and which those are.

        Args:
            rolled: what was simulated.
            reward, value: of the candidates that went on to the end.
        """
        kept = np.asarray(rolled.kept)
        self._note(kept, reward, value)
        given_up = np.ones(self._reward.shape, bool)
        np.put_along_axis(given_up, kept, False, axis=1)
        return self._reward, None if value is None else self._end, given_up

    def _note(self, going: Any, reward: Any, value: Any) -> None:
        np.put_along_axis(self._reward, going, np.asarray(reward, float), axis=1)
        if value is not None:
            np.put_along_axis(self._end, going, np.asarray(value, float), axis=1)
