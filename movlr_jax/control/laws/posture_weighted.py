"""Posture-weighted: the published law (module `paper`) with what its floor of 1 N amounts to made explicit, a* = k P (l - l*)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from movlr_jax.control.laws.base import Law, by_joint, unit


@dataclass(frozen=True)
class _Targets:
    posture: Any  # [W, d] clipped target angles
    length: Any  # [W, m]
    arms: Any  # [W, d, m] gain times |moment arm|; joints before muscles makes the product with a posture error fast


class PostureWeighted(Law):
    """a* = k P (l - l*), clipped to [0, 1]; the gain k is activation per square metre.

    The excitation is the desired activation itself: the muscle's own dynamics smooths it, which walks as fast and falls less than
    the inverse that reaches it within a step.
    """

    name = "posture-weighted"
    default_gain = 1e4
    grid = (1e3, 3e3, 1e4, 3e4, 1e5)

    def aim(self, full: Any, length: Any, moment: Any, peak_force: Any) -> _Targets:
        """See Law."""
        arms = self.gain * abs(by_joint(moment, self.posture.qvel_index))
        return _Targets(self.posture.read(full), length, arms)

    def excite(self, targets: Any, qpos: Any, act: Any, length: Any) -> Any:
        """See Law."""
        error = abs(targets.posture - qpos[:, self.posture.qpos_index])
        activation = (error[:, None] @ targets.arms)[:, 0]
        activation *= length - targets.length
        return unit(activation)
