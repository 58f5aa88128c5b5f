"""What iCEM (Pinneri et al., CoRL 2020, arXiv 2008.06389) adds: noise correlated over the horizon, and elites that are simulated again.

Elites are weighed as MPPI weighs them; a high temperature weighs them the same, as the paper does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from movlr_jax.control.planners.base import PlanState
from movlr_jax.control.planners.mppi import MPPI
from movlr_jax.errors import MovlrError
from movlr_jax.morphologies.posture import PostureSpace


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class KeptState(PlanState):
    """kept: elites float[E, keep, K, d] (rad) of the plan before; None where none are kept."""

    kept: Any = None


@dataclass(frozen=True)
class ICEM(MPPI):
    """Coloured noise over the knots, and elites that are candidates again."""

    name: str = "icem"
    """The algorithm: mppi, cem, icem, cma or lp-mppi, or one that another package adds; --help beside it lists its settings."""
    knots: int = 4
    """Target postures in a horizon."""
    colour: float = 2.0
    """Exponent of the noise's power spectrum 1/f^colour over the knots of a horizon; 0 is white."""
    keep: int = 3
    """Elites of the plan before that are candidates again."""

    def __post_init__(self) -> None:
        """Refuse settings with which no plan can be made."""
        super().__post_init__()
        self._require_above("colour", "keep", least=0)
        room = self.candidates - min(self.candidates, self.instant + self.mean_candidate)
        if self.keep > min(self.elites, room):
            raise MovlrError(
                f"planner.keep is {self.keep}: there are {self.elites} elites, and room for {room} candidates beside the mean and the "
                f"instant ones; give at most the lesser number."
            )

    def _own(self) -> int:
        """See Planner."""
        return super()._own() - self.keep

    def init(self, space: PostureSpace, posture: Any) -> PlanState:
        """See Planner; the first plan itself stands for the elites before it."""
        plan = super().init(space, posture)
        kept = posture.__array_namespace__().repeat(plan.mean[:, None], self.keep, axis=1) if self.keep else None
        return KeptState(plan.mean, plan.sigma, kept, costs=plan.costs)

    def draw(self, space: PostureSpace, rngs: Sequence[np.random.Generator]) -> np.ndarray:
        """See Planner."""
        return coloured(super().draw(space, rngs), self.colour)

    def moved(self, space: PostureSpace, plan: Any, by: Any) -> Any:
        """See Planner; elites that are kept move, too."""
        plan = super().moved(space, plan, by)
        return plan if plan.kept is None else replace(plan, kept=space.moved(plan.kept, by[:, None]))

    def _in_proportion(self, candidates: int) -> dict[str, Any]:
        settings = super()._in_proportion(candidates)
        return {**settings, "keep": min(self.keep, settings["elites"])}

    def _again(self, plan: Any) -> list[Any]:
        return [] if plan.kept is None else [plan.kept]

    def _learnt(self, space: PostureSpace, plan: Any, new: Any, elites: Any, weights: Any, any_sound: Any) -> PlanState:
        if plan.kept is None:
            return new  # type: ignore[no-any-return]
        kept = elites.__array_namespace__().where(any_sound[..., None], elites[:, : self.keep], plan.kept)
        return replace(new, kept=kept)


def coloured(noise: Float[np.ndarray, "*batch knot d"], exponent: float) -> Float[np.ndarray, "*batch knot d"]:
    """Return normals whose power falls as 1/f^exponent over the knots, each still of unit variance.

    The lowest frequency is kept at the power of the first harmonic, as in Timmer and Koenig (Astron. Astrophys. 300, 1995).
    """
    knots = noise.shape[-2]
    if not exponent or knots == 1:
        return noise
    frequency = np.maximum(np.arange(knots // 2 + 1), 1.0)
    gain = frequency ** (-exponent / 2)
    # By Parseval, white noise keeps its variance through gains of unit mean square over the two-sided spectrum.
    sides = np.full(len(gain), 2.0)
    sides[0] = 1.0
    if knots % 2 == 0:
        sides[-1] = 1.0
    gain /= np.sqrt((sides * gain**2).sum() / knots)
    return np.fft.irfft(np.fft.rfft(noise, axis=-2) * gain[:, None], n=knots, axis=-2)
