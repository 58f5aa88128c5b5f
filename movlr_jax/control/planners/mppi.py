"""MPPI over the elites, the planner of MPC2 (arXiv 2505.08238, Algorithm 1): w_n = exp(-(C_n - C_min) / lambda) of the m best candidates.

Two things differ from the paper unless `MPPI.published` is asked for. lambda is in units of how far the elites lie above the best: the
published 0.1 is that of one reward's scale, and of most it leaves the best candidate alone, with all its noise. And one candidate is
instant; the released controller simulates ten that are the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from movlr_jax.control.planners.elites import ElitePlanner

# Settings of other planners under which episodes were known when one configuration held every algorithm.
_ELSEWHERE = {"covariance": 0.0, "colour": 0.0, "keep": 0}


@dataclass(frozen=True)
class MPPI(ElitePlanner):
    """Elites weighed by their costs, as in MPC2; where nothing else is said, the defaults are the published ones."""

    name: str = "mppi"
    """The algorithm: mppi, cem, icem, cma or lp-mppi, or one that another package adds; --help beside it lists its settings."""
    temperature: float = 0.5
    """lambda of the elites' weights; published is 0.1, in units of cost."""
    relative: bool = True
    """Whether the temperature is a share of how far the elites' costs lie above the best (root mean square), so that the scale of a reward
    does not matter."""

    def __post_init__(self) -> None:
        """Refuse settings with which no plan can be made."""
        super().__post_init__()
        self._require_above("temperature")

    @staticmethod
    def published() -> MPPI:
        """Return the settings of the released controller, with its copies for instant rollouts and its published law."""
        return MPPI(temperature=0.1, relative=False, instant=10, instant_noise=False, noise=0.05, law="paper", value=None, quick=False)

    def identity(self) -> dict[str, Any]:
        """See Planner; episodes keep the keys that they had before planners had names."""
        values = super().identity()
        del values["name"]
        return _ELSEWHERE | values

    def _weights(self, above: Any) -> Any:
        xp = above.__array_namespace__()
        temperature: Any = self.temperature
        if self.relative:
            temperature = xp.maximum(temperature * xp.sqrt(xp.square(above).mean(axis=1, keepdims=True)), 1e-30)
        return xp.exp(-above / temperature)
