"""The Simulator interface: many worlds of one morphology, stepped with a muscle controller in the loop.

An engine (native, or MJX as warp and jax) is one subclass. E episodes are executed side by side, and each is planned for with N
candidates, so that a rollout steps E x N worlds. The whole state always travels together: time, qpos, qvel, act, ctrl, warm start,
plus the muscle lengths of the last step and the gait memory. Worlds lead every array. Worlds may differ in the strength of their muscles.
"""

from __future__ import annotations

import abc
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import jax
import mujoco
import numpy as np
from jaxtyping import Bool, Float, Float32, Int

from movlr_jax.morphologies import Morphology
from movlr_jax.physics.feet import Feet
from movlr_jax.physics.held import Held
from movlr_jax.physics.instant import Frame


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class State:
    """State of W worlds; arrays of the engine's namespace (numpy or jax.numpy).

    Attributes:
        time: (s).
        qpos, qvel, act, ctrl: MuJoCo's.
        warmstart: accelerations the constraint solver starts from.
        length: lengths of muscles, then of motors, at the last computed instant (m, or rad of a motor at a hinge).
        gait: gait memory.
        peak_force: peak active forces of each world's muscles (N); None: all have the body's own.
    """

    time: Float[np.ndarray, " world"]
    qpos: Float[np.ndarray, "world nq"]
    qvel: Float[np.ndarray, "world nv"]
    act: Float[np.ndarray, "world na"]
    ctrl: Float[np.ndarray, "world nu"]
    warmstart: Float[np.ndarray, "world nv"]
    length: Float[np.ndarray, "world nu"]
    gait: Float[np.ndarray, "world 2 8"]
    peak_force: Float[np.ndarray, "world m"] | None = None


class Controller(Hashable, Protocol):
    """A controller: postures become excitations, inside every step."""

    def targets(
        self,
        simulator: Simulator,
        posture: Float[Any, "world d"],
        qpos: Float[Any, "world nq"],
        peak_force: Float[Any, "world m"] | None = None,
    ) -> Any:
        """Return what can be known once per candidate from target postures, the state's qpos and its peak_force."""
        ...

    def excitation(
        self, targets: Any, qpos: Float[Any, "world nq"], act: Float[Any, "world na"], length: Float[Any, "world nu"]
    ) -> Float[Any, "world nu"]:
        """Return excitations from the state and the lengths of muscles and motors."""
        ...

    @property
    def every_step(self) -> bool:
        """Whether targets must be computed anew at every step, as the published controller does."""
        ...


@dataclass(frozen=True)
class Rolled:
    """What rollouts return.

    Attributes:
        instants: row 0 is the predecessor of the first instant (its copy).
        diverged: which worlds did.
        kept: the candidates, in their order, that instants are of; None: all.
    """

    instants: Float32[Any, "episode n time f"]
    diverged: Bool[Any, "episode candidate"]
    kept: Int[Any, "episode n"] | None = None


class Screen(Protocol):
    """What says, on the way, which candidates are simulated to the end."""

    @property
    def cuts(self) -> tuple[tuple[int, int], ...]:
        """When how many candidates go on, as (step, candidates), the former rising and the latter falling."""
        ...

    def __call__(
        self,
        going: Int[np.ndarray, "episode n"],
        instants: Float32[np.ndarray, "episode n time f"],
        diverged: Bool[np.ndarray, "episode n"],
        kept: int,
    ) -> Int[np.ndarray, "episode kept"]:
        """Return which go on, as rising rows of `going`, from the instants so far (as of `Rolled`) of the candidates that do yet."""
        ...


class Simulator(abc.ABC):
    """Many worlds of one morphology.

    Attributes:
        name: the engine.
        xp: namespace of its arrays, numpy or jax.numpy.
        morphology: the body.
        episodes: E, executed worlds.
        candidates: N, candidate worlds of each.
        plan_dt: step of rollouts (s).
        sim_dt: step of executed worlds (s).
        columns: block name -> (start, stop) of an instant's columns.
        any_candidates: whether rollouts may have another number of candidates than N.
    """

    any_candidates = False
    name: str
    xp: Any
    morphology: Morphology
    episodes: int
    candidates: int
    plan_dt: float
    sim_dt: float
    columns: dict[str, tuple[int, int]]

    def reset(
        self,
        qpos: Float[np.ndarray, "*world nq"],
        act: Float[np.ndarray, "*world na"],
        peak_force: Float[np.ndarray, "world m"] | None = None,
    ) -> State:
        """Return worlds at rest at qpos with activations act, muscle lengths and gait memory computed.

        In C on every engine: a start needs no compiled program. Neither lengths nor gait memory depend on the muscles' strength.

        Args:
            qpos, act: of each world, or of the one.
            peak_force: see State (N).
        """
        qpos, act = np.atleast_2d(qpos), np.atleast_2d(act)
        model, count = self.morphology.model, len(qpos)
        length, sensors = np.zeros((count, model.nu)), np.zeros((count, model.nsensordata))
        data = mujoco.MjData(model)
        for w in range(count):
            mujoco.mj_resetData(model, data)
            data.qpos[:], data.act[:], data.ctrl[:] = qpos[w], act[w], act[w]
            mujoco.mj_forward(model, data)
            length[w], sensors[w] = data.actuator_length, data.sensordata
        still = np.zeros((count, model.nv))
        state = State(np.zeros(count), qpos, still, act, act, still, length, Feet(self.morphology).initial(sensors), peak_force)
        return jax.tree.map(lambda array: self.put(np.array(array)), state)

    @abc.abstractmethod
    def target_kinematics(self, qpos: Float[Any, "world nq"]) -> tuple[Float[Any, "world nu"], Float[Any, "world nu nv"]]:
        """Return lengths (see State) and moment arms d length / d q (m or m/rad; of motors gears) at poses."""

    @abc.abstractmethod
    def rollout(
        self,
        state: State,
        controller: Controller,
        postures: Float[Any, "episode candidate knot d"],
        steps: int,
        frames: Sequence[Frame],
    ) -> Rolled:
        """Simulate N target postures, or as many as there are with `any_candidates`, from each of E worlds for `steps` planning steps.

        Args:
            state: E worlds.
            controller: the muscle controller in the loop.
            postures: (rad); each knot is held for its share of the steps.
            steps: H, steps of plan_dt.
            frames: frame and goal of each episode.
        """

    def screened_rollout(
        self,
        state: State,
        controller: Controller,
        postures: Float[Any, "episode candidate knot d"],
        steps: int,
        frames: Sequence[Frame],
        screen: Screen,
    ) -> Rolled:
        """Simulate as `rollout` does but for rounding, and only those candidates to the end that a screen keeps.

        Here all of them: what worlds are given up saves only an engine that steps each by itself.
        """
        return self.rollout(state, controller, postures, steps, frames)

    @abc.abstractmethod
    def advance(
        self,
        state: State,
        controller: Controller,
        postures: Float[Any, "episode 1 d"],
        steps: int,
        frames: Sequence[Frame],
    ) -> tuple[State, Float32[Any, "episode f"], Bool[Any, " episode"]]:
        """Advance E executed worlds by `steps` steps of sim_dt towards postures (rad).

        Returns:
            the new state, the instant of the first of these steps, and which worlds diverged.
        """

    def instant(self, state: State, frames: Sequence[Frame]) -> Float32[Any, "episode f"]:
        """Return the instant that E executed worlds are at, as `advance` would, under the excitations that they have."""
        _, instant, _ = self.advance(state, Held(), state.ctrl[:, None], 1, frames)
        return instant

    @abc.abstractmethod
    def put(self, array: np.ndarray) -> Any:
        """Return an array as one of this engine's, where all its devices see it."""

    def gathered(self, array: Any) -> Any:
        """Return an array that devices share out as one that each has whole; engines of one device return it as it is."""
        return array

    def check(self) -> None:  # noqa: B027
        """Raise if a buffer of fixed size overflowed since the last check; engines without such buffers never do.

        Raises:
            MovlrError: what was too small, in how many worlds, and the number to set.
        """

    @abc.abstractmethod
    def close(self) -> None:
        """Release threads and memory."""
