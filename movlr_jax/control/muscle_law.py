"""Morphology-aware muscle controllers of MPC2: a target posture becomes excitations, at every step, in rollouts and on the executed body.

`paper` and `paper-hoisted` follow the published law (MPC2, arXiv 2505.08238, eqs. 9-11, and the authors' released controller):

    P_i = sum_j |R*_ij| |q*_j - q_j|,  F_i = min(0, kp P_i (l*_i - l_i)),  a*_i = (F_i - b_i) / min(-1 N, g_i),

with l*, R*, gain g and passive force b taken at the target posture. `paper` computes them anew at every step with unplanned joints at
their current values; `paper-hoisted` once per candidate, coupled joints following their polynomials. Both depend on the muscles' maximum
velocity, because what produces activation is mostly the floor of 1 N on |g|: the published kp does not carry over to other muscles.

`fibre-strain` is the law that does: a* = k (l - l*) / L0, proportional to strain in units of the optimal fibre length, one gain per body.

Each law is written once, over the namespace of the arrays it is given (numpy or jax.numpy); `paper` alone needs numpy. A body's motors are
told to go where the target posture has them, whatever the law.
"""

from __future__ import annotations

import abc
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from movlr_jax.control import muscle_curves as curves
from movlr_jax.errors import MovlrError
from movlr_jax.morphologies import Morphology
from movlr_jax.morphologies.muscles import MuscleData
from movlr_jax.physics.simulator import Simulator

LAWS: tuple[str, ...] = ("fibre-strain", "posture-weighted", "paper", "paper-hoisted")
# Where a body has no calibrated gain: the released controller's kp, and what walked on MyoLegs.
DEFAULT_GAINS: dict[str, float] = {"fibre-strain": 10.0, "posture-weighted": 1e4, "paper": 1e4, "paper-hoisted": 1e4}


@dataclass(frozen=True)
class _WithMotors:
    muscles: Any  # the law's own targets
    motors: Any  # [W, k] activations that pull the motors to where the target posture has them


class _Law(abc.ABC):
    """A muscle law: what its muscles do, beside motors that follow the target posture.

    Args:
        morphology: the body.
    """

    every_step = False

    def __init__(self, morphology: Morphology):
        self._m = morphology.muscles
        self._posture = morphology.posture
        self._base = morphology.standing_qpos
        self._motors = morphology.motors

    def targets(self, simulator: Simulator, posture: Any, qpos: Any, peak_force: Any = None) -> Any:
        """Return what is constant while the target postures[W, d] hold; see Controller."""
        full = self._full(posture, qpos)
        length, moment = simulator.target_kinematics(full)
        if not self._motors.count:
            return self._aim(full, length, moment, peak_force)
        m = self._m.count
        return _WithMotors(self._aim(full, length[:, :m], moment[:, :m], peak_force), self._motors.activation(length[:, m:]))

    def excitation(self, targets: Any, qpos: Any, act: Any, length: Any) -> Any:
        """Return excitations[W, nu]; see Controller."""
        if not self._motors.count:
            return self._excite(targets, qpos, act, length)
        m = self._m.count
        xp = act.__array_namespace__()
        return xp.concatenate([self._excite(targets.muscles, qpos, act[:, :m], length[:, :m]), targets.motors], axis=1)

    def _full(self, posture: Any, qpos: Any) -> Any:
        """Return the poses[W, nq] at which the target postures are looked at."""
        return self._posture.complete(posture, self._base)

    @abc.abstractmethod
    def _aim(self, full: Any, length: Any, moment: Any, peak_force: Any) -> Any:
        """Return the law's targets from poses[W, nq], muscle lengths[W, m] and moment arms[W, m, nv] there, and peak forces."""

    @abc.abstractmethod
    def _excite(self, targets: Any, qpos: Any, act: Any, length: Any) -> Any:
        """Return the muscles' excitations[W, m]."""


class FibreStrain(_Law):
    """a* = k (l - l*) / L0, clipped to [0, 1]; excitation by the exact inverse of the activation dynamics.

    Args:
        morphology: the body.
        gain: k, activation per unit of fibre strain.
        dt: step over which the activation is to be reached (s).
    """

    def __init__(self, morphology: Morphology, gain: float, dt: float):
        super().__init__(morphology)
        self._smoothed = bool((self._m.smoothing > 1e-15).any())
        self._scale = gain / self._m.optimal_length
        self._dt = dt

    def _aim(self, full: Any, length: Any, moment: Any, peak_force: Any) -> Any:
        return length * self._scale

    def _excite(self, targets: Any, qpos: Any, act: Any, length: Any) -> Any:
        wanted = length * self._scale
        wanted -= targets
        return curves.excitation_for(_unit(wanted), act, self._dt, self._m, act.__array_namespace__(), self._smoothed)


def _unit(wanted: Any) -> Any:
    """Return activations clipped to [0, 1]; a NumPy array in place, because this stands in the innermost loop."""
    if not isinstance(wanted, np.ndarray):
        return wanted.clip(0.0, 1.0)
    np.minimum(wanted, 1.0, out=wanted)
    return np.maximum(wanted, 0.0, out=wanted)


def _by_joint(moment: Any, dofs: np.ndarray) -> Any:
    """Return moment arms [W, dofs, m] from moments [W, m, nv]; of NumPy contiguous, which makes the product with an error fast."""
    out = moment.transpose(0, 2, 1)[:, dofs]
    return np.ascontiguousarray(out) if isinstance(out, np.ndarray) else out


@dataclass(frozen=True)
class _WeightedTargets:
    posture: np.ndarray  # [W, d] clipped target angles
    length: np.ndarray  # [W, m]
    arms: np.ndarray  # [W, d, m] gain times |moment arm|; joints before muscles makes the product with a posture error fast


class PostureWeighted(_Law):
    """a* = k P (l - l*), clipped to [0, 1]: the published law with what its floor of 1 N amounts to made explicit.

    The excitation is the desired activation itself: the muscle's own dynamics smooths it, which walks as fast and falls less than
    the inverse that reaches it within a step.

    Args:
        morphology: the body.
        gain: k, activation per square metre.
    """

    def __init__(self, morphology: Morphology, gain: float):
        super().__init__(morphology)
        self._gain = gain

    def _aim(self, full: Any, length: Any, moment: Any, peak_force: Any) -> _WeightedTargets:
        arms = self._gain * abs(_by_joint(moment, self._posture.qvel_index))
        return _WeightedTargets(self._posture.read(full), length, arms)

    def _excite(self, targets: Any, qpos: Any, act: Any, length: Any) -> Any:
        error = abs(targets.posture - qpos[:, self._posture.qpos_index])
        wanted = (error[:, None] @ targets.arms)[:, 0]
        wanted *= length - targets.length
        return _unit(wanted)


@dataclass(frozen=True)
class _PaperTargets:
    posture: np.ndarray  # [W, joints] values that P compares with
    length: np.ndarray  # [W, m]
    arms: np.ndarray  # [W, joints, m] |moment arm| of the planned joints
    speed_arms: np.ndarray  # [W, moving, m] moment arms of the joints whose difference makes v*
    moving: np.ndarray  # [W, moving] target values of those joints
    passive: np.ndarray  # [W, m]
    muscles: MuscleData  # peak forces [m], or [W, m] where worlds differ in them


class Paper(_Law):
    """The published law (module docstring). kp in 1/N over metres and radians as published; damping kd = 0.

    Args:
        morphology: the body.
        gain: kp; 1e4 for whole bodies, 1e3 for hands in the released controller.
        dt: the planning step (s), which the released controller also uses on the executed body.
        every_step: True for `paper`, False for `paper-hoisted`.
    """

    def __init__(self, morphology: Morphology, gain: float, dt: float, every_step: bool):
        super().__init__(morphology)
        self.every_step = every_step
        self._gain, self._dt = gain, dt
        self._smoothed = bool((self._m.smoothing > 1e-15).any())
        model = morphology.model
        dof = {int(model.jnt_qposadr[j]): int(model.jnt_dofadr[j]) for j in range(model.njnt)}
        # Muscles span joints, never the root: the joints that can change a length are the planned ones and those coupled to them.
        moving = [*self._posture.qpos_index, *(c[0] for c in self._posture.coupled)]
        self._moving_q = np.array([int(q) for q in moving])
        self._moving_v = np.array([dof[int(q)] for q in moving])
        limited = np.flatnonzero(model.jnt_limited)
        self._clip_q = model.jnt_qposadr[limited]
        self._clip_range = model.jnt_range[limited]

    def _full(self, posture: Any, qpos: Any) -> Any:
        if not self.every_step:
            return super()._full(posture, qpos)
        full = np.array(qpos)
        full[:, self._posture.qpos_index] = posture
        full[:, self._clip_q] = np.clip(full[:, self._clip_q], self._clip_range[:, 0], self._clip_range[:, 1])
        return full

    def _aim(self, full: Any, length: Any, moment: Any, peak_force: Any) -> _PaperTargets:
        muscles = self._m if peak_force is None else replace(self._m, peak_force=peak_force)
        return _PaperTargets(
            posture=full[:, self._posture.qpos_index],
            length=length,
            arms=abs(_by_joint(moment, self._posture.qvel_index)),
            speed_arms=_by_joint(moment, self._moving_v),
            moving=full[:, self._moving_q],
            passive=curves.passive(length, muscles, length.__array_namespace__()),
            muscles=muscles,
        )

    def _excite(self, targets: Any, qpos: Any, act: Any, length: Any) -> Any:
        m, xp = self._m, qpos.__array_namespace__()
        velocity = (((targets.moving - qpos[:, self._moving_q]) / self._dt)[:, None] @ targets.speed_arms)[:, 0]
        gain = xp.minimum(-1.0, curves.gain(targets.length, velocity, targets.muscles, xp))
        error = abs(targets.posture - qpos[:, self._posture.qpos_index])
        proportional = (error[:, None] @ targets.arms)[:, 0]
        force = xp.minimum(0.0, self._gain * proportional * (targets.length - length))
        wanted = xp.clip((force - targets.passive) / gain, 0.0, 1.0)
        return curves.excitation_for(wanted, act, self._dt, m, xp, self._smoothed)


def require_known(law: str) -> None:
    """Refuse a name that stands for no law.

    Raises:
        MovlrError: no such law.
    """
    if law != "auto" and law not in LAWS:
        raise MovlrError(f"There is no muscle law '{law}': use {', '.join(('auto', *LAWS))}.")


def resolve(law: str, morphology: Morphology, gain: float | None = None) -> tuple[str, float]:
    """Return the law's name and gain: "auto" is the law that measured best on this body, with its calibrated gain.

    Raises:
        MovlrError: no such law.
    """
    name = morphology.plan.law if law == "auto" else law
    require_known(name)
    return name, morphology.plan.gains.get(name, DEFAULT_GAINS[name]) if gain is None else gain


def make(law: str, morphology: Morphology, dt: float, gain: float | None = None) -> FibreStrain | PostureWeighted | Paper:
    """Build a muscle controller by name, with the body's calibrated gain unless one is given.

    Raises:
        MovlrError: no such law.
    """
    name, k = resolve(law, morphology, gain)
    if name == "fibre-strain":
        return FibreStrain(morphology, k, dt)
    if name == "posture-weighted":
        return PostureWeighted(morphology, k)
    return Paper(morphology, k, dt, every_step=name == "paper")
