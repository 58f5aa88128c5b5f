"""The published law (MPC2, arXiv 2505.08238, eqs. 9-11, and the authors' released controller):

    P_i = sum_j |R*_ij| |q*_j - q_j|,  F_i = min(0, kp P_i (l*_i - l_i)),  a*_i = (F_i - b_i) / min(-1 N, g_i),

with l*, R*, gain g and passive force b taken at the target posture. `paper` computes them anew at every step with unplanned joints at
their current values; `paper-hoisted` once per candidate, coupled joints following their polynomials. Both depend on the muscles' maximum
velocity, because what produces activation is mostly the floor of 1 N on |g|: the published kp does not carry over to other muscles.
kp in 1/N over metres and radians as published; damping kd = 0. dt is the planning step, which the released controller also uses on the
executed body. `paper` alone needs NumPy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from movlr_jax.control import muscle_curves as curves
from movlr_jax.control.laws.base import Law, by_joint
from movlr_jax.morphologies import Morphology
from movlr_jax.morphologies.muscles import MuscleData


@dataclass(frozen=True)
class _Targets:
    posture: Any  # [W, joints] values that P compares with
    length: Any  # [W, m]
    arms: Any  # [W, joints, m] |moment arm| of the planned joints
    speed_arms: Any  # [W, moving, m] moment arms of the joints whose difference makes v*
    moving: Any  # [W, moving] target values of those joints
    passive: Any  # [W, m]
    muscles: MuscleData  # peak forces [m], or [W, m] where worlds differ in them


class PaperHoisted(Law):
    """The published law with its targets computed once per candidate."""

    name = "paper-hoisted"
    default_gain = 1e4  # the released controller's kp of whole bodies; 1e3 of hands
    grid = (3e3, 1e4, 3e4, 1e5, 1e6, 1e7)

    def __init__(self, morphology: Morphology, gain: float, dt: float):
        super().__init__(morphology, gain, dt)
        model = morphology.model
        dof = {int(model.jnt_qposadr[j]): int(model.jnt_dofadr[j]) for j in range(model.njnt)}
        # Muscles span joints, never the root: the joints that can change a length are the planned ones and those coupled to them.
        moving = [*self.posture.qpos_index, *(c[0] for c in self.posture.coupled)]
        self._moving_q = np.array([int(q) for q in moving])
        self._moving_v = np.array([dof[int(q)] for q in moving])
        limited = np.flatnonzero(model.jnt_limited)
        self._clip_q = model.jnt_qposadr[limited]
        self._clip_range = model.jnt_range[limited]

    def aim(self, full: Any, length: Any, moment: Any, peak_force: Any) -> _Targets:
        """See Law."""
        muscles = self.muscles if peak_force is None else replace(self.muscles, peak_force=peak_force)
        return _Targets(
            posture=full[:, self.posture.qpos_index],
            length=length,
            arms=abs(by_joint(moment, self.posture.qvel_index)),
            speed_arms=by_joint(moment, self._moving_v),
            moving=full[:, self._moving_q],
            passive=curves.passive(length, muscles, length.__array_namespace__()),
            muscles=muscles,
        )

    def excite(self, targets: Any, qpos: Any, act: Any, length: Any) -> Any:
        """See Law."""
        xp = qpos.__array_namespace__()
        velocity = (((targets.moving - qpos[:, self._moving_q]) / self.dt)[:, None] @ targets.speed_arms)[:, 0]
        gain = xp.minimum(-1.0, curves.gain(targets.length, velocity, targets.muscles, xp))
        error = abs(targets.posture - qpos[:, self.posture.qpos_index])
        proportional = (error[:, None] @ targets.arms)[:, 0]
        force = xp.minimum(0.0, self.gain * proportional * (targets.length - length))
        activation = xp.clip((force - targets.passive) / gain, 0.0, 1.0)
        return curves.excitation_for(activation, act, self.dt, self.muscles, xp, self._smoothed)


class Paper(PaperHoisted):
    """The published law as it is, with its targets computed at every step; native engine only, the reference in tests."""

    name = "paper"
    every_step = True

    def _full(self, posture: Any, qpos: Any) -> Any:
        full = np.array(qpos)
        full[:, self.posture.qpos_index] = posture
        full[:, self._clip_q] = np.clip(full[:, self._clip_q], self._clip_range[:, 0], self._clip_range[:, 1])
        return full
