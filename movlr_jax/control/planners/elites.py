"""Planners that follow their elites: Gaussian candidates around the plan and the body's posture, a weighted mean of the best of them.

Candidates z ~ N(mu, (sigma range)^2); of the m best, mu <- sum w z / sum w, and sigma <- their weighted spread, floored. Some candidates
are "instant": they hold the body's current posture, so that the plan reacts when the warm start is stale, as in a fall (MPC2, arXiv
2505.08238, Algorithm 1). How elites are weighed is the algorithm's.
"""

from __future__ import annotations

import abc
from dataclasses import dataclass, replace
from typing import Any, Self

from jaxtyping import Float, Int

from movlr_jax.control.planners.base import Planner, PlanState
from movlr_jax.morphologies.posture import PostureSpace


@dataclass(frozen=True)
class ElitePlanner(Planner):
    """What planners that follow their elites have in common."""

    elites: int = 6
    """Best candidates that make the new plan."""
    instant: int = 1
    """Candidates around the current posture; the first of them is exactly it. Published are ten."""
    instant_noise: bool = True
    """Whether the other instant candidates are spread around the current posture, as the paper says, or copies, as released."""
    mean_candidate: bool = False
    """Whether the un-noised plan is itself a candidate."""

    def __post_init__(self) -> None:
        """Refuse settings with which no plan can be made."""
        super().__post_init__()
        self._require_above("elites")
        self._require_above("instant", least=0)

    def _own(self) -> int:
        """See Planner."""
        return max(0, self.candidates - self.mean_candidate - self.instant)

    def with_candidates(self, candidates: int) -> Self:
        """Return the settings for another number of candidates, with elites and instant candidates in proportion."""
        settings = {"danger_candidates": self._danger_of(candidates), **self._in_proportion(candidates)}
        return replace(self, candidates=candidates, **settings)

    @property
    def cuts(self) -> tuple[tuple[int, int], ...]:
        """See Planner: after 28 of 44 steps half of the candidates go on, after 34 a quarter; at least 5 and 2.5 times the elites.

        Of 64 candidates, six elites and a walk on MS-Human-700's legs, all six were among those that went on in 98 % of the plans.
        """
        first, second = max(self.candidates // 2, 5 * self.elites), max(self.candidates // 4, (5 * self.elites + 1) // 2)
        cuts = ((round(self.steps * 28 / 44), first), (round(self.steps * 34 / 44), second))
        return tuple((step, kept) for step, kept in cuts if 1 < step < self.steps and kept < self.candidates)

    def sample(
        self,
        space: PostureSpace,
        plan: Any,
        current: Float[Any, "episode d"],
        noise: Float[Any, "episode candidate knot d"],
    ) -> Float[Any, "episode candidate knot d"]:
        """See Planner. Order: the mean (if it is a candidate), the instant candidates, those of `_again`, then the mean with noise."""
        xp = noise.__array_namespace__()
        noise = self._scaled(space, plan, noise)
        first = int(self.mean_candidate)
        stop = min(first + self.instant, self.candidates)
        mean, now = xp.broadcast_to(plan.mean[:, None], noise.shape), xp.broadcast_to(current[:, None, None], noise.shape)
        parts = [mean[:, :first], now[:, first : min(first + 1, stop)]]
        parts += [now[:, first + 1 : stop] + noise[:, first + 1 : stop] if self.instant_noise else now[:, first + 1 : stop]]
        parts += self._again(plan)
        stop = sum(part.shape[1] for part in parts)
        parts.append(mean[:, stop:] + noise[:, stop:])
        return xp.clip(xp.concatenate(parts, axis=1), space.lower, space.upper)

    def update(
        self,
        space: PostureSpace,
        plan: Any,
        candidates: Float[Any, "episode candidate knot d"],
        costs: Float[Any, "episode candidate"],
    ) -> tuple[Any, Int[Any, "episode m"]]:
        """See Planner; a diverged candidate is never an elite."""
        xp = costs.__array_namespace__()
        order = xp.argsort(costs, axis=1, stable=True)[:, : self.elites]
        chosen = xp.take_along_axis(costs, order, axis=1)
        sound = xp.isfinite(chosen)
        chosen = xp.where(sound, chosen, 0.0)
        weights = xp.where(sound, self._weights(xp.where(sound, chosen - chosen[:, :1], 0.0)), 0.0)
        weights = (weights / xp.maximum(weights.sum(axis=1, keepdims=True), 1e-30))[..., None, None]
        elites = xp.take_along_axis(candidates, order[..., None, None], axis=1)
        mean = (weights * elites).sum(axis=1)
        spread = xp.sqrt((weights * xp.square((elites - mean[:, None]) / space.range)).sum(axis=1))
        any_sound = sound[:, :1, None]
        new = replace(
            plan,
            mean=xp.where(any_sound, mean, plan.mean),
            sigma=xp.where(any_sound, xp.maximum(spread, self.around(space)), plan.sigma),
        )
        return self._learnt(space, plan, new, elites, weights, any_sound), xp.where(sound, order, -1)

    def _in_proportion(self, candidates: int) -> dict[str, Any]:
        """Return the settings that follow the number of candidates."""
        return {"elites": max(2, candidates // 10), "instant": max(1, round(candidates * self.instant / self.candidates))}

    @abc.abstractmethod
    def _weights(self, above: Any) -> Any:
        """Return the elites' weights[E, m], of any scale, from how far their costs[E, m] lie above the best."""

    def _scaled(self, space: PostureSpace, plan: Any, noise: Any) -> Any:
        """Return normals[E, N, K, d] in radians, as wide as the plan's noise."""
        return noise * (noise.__array_namespace__().maximum(plan.sigma, self.around(space)) * space.range)[:, None]

    def _again(self, plan: Any) -> list[Any]:
        """Return candidates of the plan before that are simulated again, float[E, n, K, d] each."""
        return []

    def _learnt(self, space: PostureSpace, plan: Any, new: Any, elites: Any, weights: Any, any_sound: Any) -> PlanState:
        """Return the new plan with what else the algorithm learns.

        Args:
            space: the posture space.
            plan, new: the plan before and after, whose mean and noise are done.
            elites: float[E, m, K, d] (rad), best first.
            weights: float[E, m, 1, 1], of sum 1.
            any_sound: bool[E, 1, 1], whether any candidate stayed finite.
        """
        return new  # type: ignore[no-any-return]
