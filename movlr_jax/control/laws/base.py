"""A muscle law: a target posture becomes excitations, at every step, in rollouts and on the executed body; one file a law.

A law is written once, over the namespace of the arrays it is given (numpy or jax.numpy). A body's motors are told to go where the target
posture has them, whatever the law.
"""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float, Int

from movlr_jax.morphologies import Morphology
from movlr_jax.physics.simulator import Simulator


@dataclass(frozen=True)
class _WithMotors:
    muscles: Any  # the law's own targets
    motors: Any  # [W, k] activations that pull the motors to where the target posture has them


class Law(abc.ABC):
    """What the muscles do; a Controller (`movlr_jax.physics.simulator`).

    Attributes:
        name: registry name.
        default_gain: the gain where a body has no calibrated one.
        grid: gains that a calibration tries.
        every_step: whether targets are computed anew at every step, which only the native engine does.
        muscles: what a muscle is (`movlr_jax.morphologies.muscles.MuscleData`); posture: the space of planned postures; gain, dt: as given.

    Args:
        morphology: the body.
        gain: the law's gain.
        dt: step over which an activation is to be reached (s).
    """

    name: ClassVar[str]
    default_gain: ClassVar[float]
    grid: ClassVar[tuple[float, ...]]
    every_step = False

    def __init__(self, morphology: Morphology, gain: float, dt: float):
        self.muscles = morphology.muscles
        self.posture = morphology.posture
        self._base = morphology.standing_qpos
        self._motors = morphology.motors
        self.gain, self.dt = gain, dt
        self._smoothed = bool((self.muscles.smoothing > 1e-15).any())

    def targets(
        self,
        simulator: Simulator,
        posture: Float[Any, "world d"],
        qpos: Float[Any, "world nq"],
        peak_force: Float[Any, "world m"] | None = None,
    ) -> Any:
        """Return what is constant while the target postures hold; see Controller."""
        full = self._full(posture, qpos)
        length, moment = simulator.target_kinematics(full)
        if not self._motors.count:
            return self.aim(full, length, moment, peak_force)
        m = self.muscles.count
        return _WithMotors(self.aim(full, length[:, :m], moment[:, :m], peak_force), self._motors.activation(length[:, m:]))

    def excitation(
        self, targets: Any, qpos: Float[Any, "world nq"], act: Float[Any, "world na"], length: Float[Any, "world nu"]
    ) -> Float[Any, "world nu"]:
        """Return excitations; see Controller."""
        if not self._motors.count:
            return self.excite(targets, qpos, act, length)
        m = self.muscles.count
        xp = act.__array_namespace__()
        return xp.concatenate([self.excite(targets.muscles, qpos, act[:, :m], length[:, :m]), targets.motors], axis=1)

    def _full(self, posture: Any, qpos: Any) -> Any:
        """Return the poses[W, nq] at which the target postures are looked at."""
        return self.posture.complete(posture, self._base)

    @abc.abstractmethod
    def aim(
        self,
        full: Float[Any, "world nq"],
        length: Float[Any, "world m"],
        moment: Float[Any, "world m nv"],
        peak_force: Float[Any, "world m"] | None,
    ) -> Any:
        """Return the law's targets from poses, muscle lengths (m) and moment arms (m, m/rad) there, and peak forces (N)."""

    @abc.abstractmethod
    def excite(
        self, targets: Any, qpos: Float[Any, "world nq"], act: Float[Any, "world m"], length: Float[Any, "world m"]
    ) -> Float[Any, "world m"]:
        """Return the muscles' excitations."""


def unit(activation: Any) -> Any:
    """Return activations clipped to [0, 1]; a NumPy array in place, because this stands in the innermost loop."""
    if not isinstance(activation, np.ndarray):
        return activation.clip(0.0, 1.0)
    np.minimum(activation, 1.0, out=activation)
    return np.maximum(activation, 0.0, out=activation)


def by_joint(moment: Float[Any, "world m nv"], dofs: Int[np.ndarray, " dof"]) -> Float[Any, "world dof m"]:
    """Return moment arms by degree of freedom; of NumPy contiguous, which makes the product with an error fast."""
    out = moment.transpose(0, 2, 1)[:, dofs]
    return np.ascontiguousarray(out) if isinstance(out, np.ndarray) else out
