"""The Simulator interface: many worlds of one morphology, stepped with a muscle controller in the loop.

An engine (native; later the MJX ones) is one subclass. The whole state always travels together: time, qpos, qvel, act, ctrl, warm start,
plus the muscle lengths of the last step and the gait memory. Worlds lead every array.
"""

from __future__ import annotations

import abc
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from movlr_jax.morphologies import Morphology
from movlr_jax.physics.instant import Frame


@dataclass(frozen=True)
class State:
    """State of W worlds.

    Attributes:
        time: float[W] (s).
        qpos: float[W, nq].
        qvel: float[W, nv].
        act: float[W, na].
        ctrl: float[W, nu].
        warmstart: float[W, nv], accelerations the constraint solver starts from.
        length: float[W, nu], muscle lengths at the last computed instant (m).
        gait: float[W, 2, 8], gait memory.
    """

    time: np.ndarray
    qpos: np.ndarray
    qvel: np.ndarray
    act: np.ndarray
    ctrl: np.ndarray
    warmstart: np.ndarray
    length: np.ndarray
    gait: np.ndarray

    def world(self, index: int) -> State:
        """Return the state of one world, with a world axis of 1."""
        return replace(self, **{name: value[index : index + 1] for name, value in vars(self).items()})


class Controller(Protocol):
    """A muscle controller: postures become excitations, inside every step."""

    def targets(self, simulator: Simulator, posture: np.ndarray, qpos: np.ndarray) -> Any:
        """Return what can be known once per candidate from target postures[W, d] and the state's qpos[W, nq]."""
        ...

    def excitation(self, targets: Any, qpos: np.ndarray, act: np.ndarray, length: np.ndarray) -> np.ndarray:
        """Return excitations[W, nu] from qpos[W, nq], act[W, na] and muscle lengths[W, nu]."""
        ...

    @property
    def every_step(self) -> bool:
        """Whether targets must be computed anew at every step, as the published controller does."""
        ...


@dataclass(frozen=True)
class Rolled:
    """What rollouts return.

    Attributes:
        instants: float32[N, H + 1, f]; row 0 is the predecessor of the first instant (its copy).
        diverged: bool[N].
    """

    instants: np.ndarray
    diverged: np.ndarray


class Simulator(abc.ABC):
    """Many worlds of one morphology."""

    name: str
    morphology: Morphology
    plan_dt: float
    sim_dt: float

    @abc.abstractmethod
    def reset(self, qpos: np.ndarray, act: np.ndarray) -> State:
        """Return W worlds at rest at qpos[W, nq] with activations act[W, na], muscle lengths and gait memory computed."""

    @abc.abstractmethod
    def target_kinematics(self, qpos: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return muscle lengths[N, nu] (m) and moment arms d length / d q [N, nu, nv] (m or m/rad) at qpos[N, nq]."""

    @abc.abstractmethod
    def rollout(self, state: State, controller: Controller, postures: np.ndarray, steps: int, frame: Frame) -> Rolled:
        """Simulate N target postures from one world for `steps` planning steps.

        Args:
            state: one world (W = 1).
            controller: the muscle controller in the loop.
            postures: float[N, d].
            steps: H, steps of plan_dt.
            frame: the task's frame and goal.
        """

    @abc.abstractmethod
    def advance(
        self, state: State, controller: Controller, postures: np.ndarray, steps: int, frame: Frame
    ) -> tuple[State, np.ndarray, np.ndarray]:
        """Advance W executed worlds by `steps` steps of sim_dt towards postures[W, d].

        Returns:
            the new state; float32[W, f], the instant of the first of these steps; bool[W], which worlds diverged.
        """

    @abc.abstractmethod
    def close(self) -> None:
        """Release threads and memory."""
