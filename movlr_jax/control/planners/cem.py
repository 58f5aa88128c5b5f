"""The cross-entropy method (Rubinstein 1999): all elites weigh the same; mean and spread of the next candidates are theirs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from movlr_jax.control.planners.elites import ElitePlanner


@dataclass(frozen=True)
class CEM(ElitePlanner):
    """Elites that weigh the same, whatever they cost."""

    name: str = "cem"
    """The algorithm: mppi, cem, icem, cma or lp-mppi, or one that another package adds; --help beside it lists its settings."""

    def _weights(self, above: Any) -> Any:
        return above.__array_namespace__().ones_like(above)
