"""Noise that learns the elites' full covariance, by the rank-mu update of CMA-ES (Hansen, arXiv 1604.00772, eq. 30), one for each knot.

The mean is updated as MPPI updates it, without the step size control of CMA-ES: the noise has a floor, because a plan is never final.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import jax

from movlr_jax.control.planners.base import PlanState
from movlr_jax.control.planners.icem import ICEM, KeptState
from movlr_jax.errors import MovlrError
from movlr_jax.morphologies.posture import PostureSpace


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class CovarianceState(KeptState):
    """covariance: of the noise, float[E, K, d, d] (share of joint range, squared)."""

    covariance: Any = None


@dataclass(frozen=True)
class CMA(ICEM):
    """Noise that follows the directions in which the elites lie."""

    name: str = "cma"
    """The algorithm: mppi, cem, icem, cma or lp-mppi, or one that another package adds; --help beside it lists its settings."""
    knots: int = 1
    """Target postures in a horizon."""
    colour: float = 0.0
    """Exponent of the noise's power spectrum 1/f^colour over the knots of a horizon; 0 is white."""
    keep: int = 0
    """Elites of the plan before that are candidates again."""
    covariance: float = 0.2
    """Rate at which the noise learns the elites' covariance, above 0 and at most 1."""

    def __post_init__(self) -> None:
        """Refuse settings with which no plan can be made."""
        super().__post_init__()
        self._require_above("covariance")
        if self.covariance > 1:
            raise MovlrError(f"planner.covariance is {self.covariance}: give at most 1.")

    def init(self, space: PostureSpace, posture: Any) -> PlanState:
        """See Planner; the first noise is as wide in every direction."""
        plan: Any = super().init(space, posture)
        xp = posture.__array_namespace__()
        isotropic = xp.broadcast_to(xp.eye(space.size, dtype=plan.mean.dtype), (*plan.mean.shape, space.size))
        return CovarianceState(plan.mean, plan.sigma, plan.kept, self.around(space) ** 2 * isotropic, costs=plan.costs)

    def _scaled(self, space: PostureSpace, plan: Any, noise: Any) -> Any:
        xp = noise.__array_namespace__()
        return xp.einsum("ekij,enkj->enki", xp.linalg.cholesky(plan.covariance), noise) * space.range

    def _learnt(self, space: PostureSpace, plan: Any, new: Any, elites: Any, weights: Any, any_sound: Any) -> PlanState:
        """See ElitePlanner.

        The covariance's mean variance is floored at the configured noise, so that the search never goes to sleep; a tenth of it stays
        isotropic, so that no direction is given up.
        """
        xp = elites.__array_namespace__()
        moves = (elites - plan.mean[:, None]) / space.range
        rank_mu = xp.einsum("emki,emkj->ekij", weights * moves, moves)
        learnt = (1 - self.covariance) * plan.covariance + self.covariance * rank_mu
        variance = xp.trace(learnt, axis1=-2, axis2=-1)[..., None, None] / space.size
        learnt = 0.9 * learnt + 0.1 * variance * xp.eye(space.size, dtype=learnt.dtype)
        learnt = learnt * xp.maximum(1.0, self.around(space) ** 2 / variance)
        whole: Any = super()._learnt(space, plan, new, elites, weights, any_sound)
        return replace(whole, covariance=learnt)  # type: ignore[no-any-return]
