"""Fibre strain: a* = k (l - l*) / L0, proportional to strain in units of the optimal fibre length, one gain per body.

The published law's gain does not carry over to other muscles (module `paper`); this one's does.
"""

from __future__ import annotations

from typing import Any

from movlr_jax.control import muscle_curves as curves
from movlr_jax.control.laws.base import Law, unit
from movlr_jax.morphologies import Morphology


class FibreStrain(Law):
    """a* = k (l - l*) / L0, clipped to [0, 1]; excitation by the exact inverse of the activation dynamics.

    The gain k is activation per unit of fibre strain.
    """

    name = "fibre-strain"
    default_gain = 10.0  # what walked on MyoLegs
    grid = (3.0, 5.0, 10.0, 20.0, 40.0, 80.0)

    def __init__(self, morphology: Morphology, gain: float, dt: float):
        super().__init__(morphology, gain, dt)
        self._scale = gain / self.muscles.optimal_length

    def aim(self, full: Any, length: Any, moment: Any, peak_force: Any) -> Any:
        """See Law."""
        return length * self._scale

    def excite(self, targets: Any, qpos: Any, act: Any, length: Any) -> Any:
        """See Law."""
        activation = length * self._scale
        activation -= targets
        return curves.excitation_for(unit(activation), act, self.dt, self.muscles, act.__array_namespace__(), self._smoothed)
