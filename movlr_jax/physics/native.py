"""The native engine: C MuJoCo on a thread pool (mujoco.batch.Batch), for machines without an accelerator.

Bit-identical at any thread count. Diverged worlds: MuJoCo resets a world with NaN, Inf or huge values to its default pose by itself, after
which it seems to stand; so the warning counters are compared before and after, and a world whose counters rose is reported as diverged.
"""

from __future__ import annotations

import copy
import functools
import os
from collections.abc import Sequence
from dataclasses import dataclass

import jax
import mujoco
import numpy as np
from jaxtyping import Bool, Float, Float32, Int
from mujoco.batch import Batch

from movlr_jax._quiet import silence_mujoco
from movlr_jax.morphologies import Morphology
from movlr_jax.morphologies.muscles import PEAK_FORCE
from movlr_jax.physics.instant import Frame, Instants, blocks, rows
from movlr_jax.physics.mjx_config import MjxConfig
from movlr_jax.physics.simulator import Controller, Rolled, Screen, Simulator, State

_BAD = [
    int(mujoco.mjtWarning.mjWARN_BADQPOS),
    int(mujoco.mjtWarning.mjWARN_BADQVEL),
    int(mujoco.mjtWarning.mjWARN_BADQACC),
]
_STATE_FIELDS = {
    "time": "time",
    "qpos": "qpos",
    "qvel": "qvel",
    "act": "act",
    "ctrl": "ctrl",
    "warmstart": "qacc_warmstart",
}


def _aligned(shape: tuple[int, ...]) -> np.ndarray:
    """Return zeros, float32, at an address that JAX takes over without a copy."""
    size = int(np.prod(shape))
    raw = np.zeros(size + 16, np.float32)
    skip = (-raw.ctypes.data // 4) % 16
    return raw[skip : skip + size].reshape(shape)


class _Worlds:
    """A Batch with the views that stepping and recording need."""

    def __init__(self, model: mujoco.MjModel, count: int, threads: int):
        self.batch = Batch(model, count, threads)
        bind = self.batch.bind
        self.state = {name: bind(field) for name, field in _STATE_FIELDS.items()}
        self.qpos, self.qvel, self.act, self.ctrl = (self.state[n] for n in ("qpos", "qvel", "act", "ctrl"))
        self.time = self.state["time"]
        self.length, self.actuator_force, self.sensordata = (bind(n) for n in ("actuator_length", "actuator_force", "sensordata"))
        self._strengths_differ = False

    def load(self, state: State) -> None:
        """Write a state."""
        for name, view in self.state.items():
            view[...] = getattr(state, name)
        if state.peak_force is not None or self._strengths_differ:  # until then all worlds share the model's own parameters
            peaks = self.batch.expand("actuator_gainprm")[..., PEAK_FORCE]
            peaks[...] = self.batch.model.actuator_gainprm[:, PEAK_FORCE]
            if state.peak_force is not None:
                peaks[:, : state.peak_force.shape[1]] = state.peak_force  # muscles come before motors
            self._strengths_differ = state.peak_force is not None

    def warnings(self) -> Int[np.ndarray, " world"]:
        """Return how often each world was found bad."""
        return self.batch.warning[:, _BAD, 1].sum(axis=1)


@dataclass
class _Part:
    """A part of a rollout: the step that it begins with, the steps of the whole, and the poses for which targets were last computed."""

    first: int
    steps: int
    seen: Float[np.ndarray, "world nq"] | None = None


class NativeSimulator(Simulator):
    """C MuJoCo, all worlds stepped by threads.

    Args:
        morphology: the body.
        candidates: N, candidate worlds of each episode; rollouts of other numbers get worlds of their own when they first come.
        episodes: E, executed worlds.
        plan_dt: step of rollouts (s).
        threads: threads, 0 for one a core.
    """

    any_candidates = True

    def __init__(self, morphology: Morphology, *, candidates: int, episodes: int = 1, plan_dt: float = 0.008, threads: int = 0):
        silence_mujoco()
        self.name = "native"
        self.xp = np
        self.morphology = morphology
        self.plan_dt = plan_dt
        self.sim_dt = float(morphology.model.opt.timestep)
        self.threads = threads or len(os.sched_getaffinity(0))
        self.columns = blocks(morphology)
        self.candidates, self.episodes = candidates, episodes
        self._others: dict[int, _Worlds] = {}
        self._fused: dict[int, _Worlds] = {}
        self._executed = _Worlds(morphology.lean, episodes, min(episodes, self.threads))
        self._kinematics: dict[int, tuple[Batch, tuple[np.ndarray, ...]]] = {}
        self._instants = Instants(morphology)
        self._buffer: np.ndarray | None = None

    @functools.cached_property
    def _rollouts(self) -> _Worlds:
        """The worlds of exact rollouts."""
        return _Worlds(self.morphology.at_timestep(self.plan_dt), self.episodes * self.candidates, self.threads)

    def _fused_worlds(self, count: int) -> _Worlds:
        """Return worlds of screened rollouts, whose welded bodies are one."""
        if count not in self._fused:
            model = copy.copy(self.morphology.fused)
            model.opt.timestep = self.plan_dt
            # A body is one island, or two with what it holds; to find that out costs more than it saves, and changes no bit.
            model.opt.disableflags |= int(mujoco.mjtDisableBit.mjDSBL_ISLAND)
            self._fused[count] = _Worlds(model, count, min(self.threads, count))
        return self._fused[count]

    # --- kinematics of target postures ---

    def _kinematic_batch(self, count: int) -> tuple[Batch, tuple[np.ndarray, ...]]:
        if count not in self._kinematics:
            model = self.morphology.at_timestep(self.sim_dt)
            # Only tendon routing is wanted: no collision detection, no constraint rows.
            model.opt.disableflags |= int(mujoco.mjtDisableBit.mjDSBL_CONTACT) | int(mujoco.mjtDisableBit.mjDSBL_CONSTRAINT)
            model.opt.disableflags |= int(mujoco.mjtDisableBit.mjDSBL_SENSOR)
            batch = Batch(model, count, min(self.threads, count))
            names = ("qpos", "actuator_length", "actuator_moment", "moment_rownnz", "moment_colind")
            self._kinematics[count] = (batch, tuple(batch.bind(n) for n in names))
        return self._kinematics[count]

    def target_kinematics(
        self, qpos: Float[np.ndarray, "world nq"]
    ) -> tuple[Float[np.ndarray, "world nu"], Float[np.ndarray, "world nu nv"]]:
        """See Simulator."""
        model = self.morphology.model
        count = len(qpos)
        batch, (view, length, moment, rownnz, colind) = self._kinematic_batch(count)
        view[...] = qpos
        batch.forward(stage=int(mujoco.mjtStage.mjSTAGE_POS))
        muscle = np.repeat(np.arange(model.nu), rownnz[0])  # the sparsity pattern is the model's, not the pose's
        dense = np.zeros((count, model.nu, model.nv))
        dense[:, muscle, colind[0, : len(muscle)]] = moment[:, : len(muscle)]
        return length.copy(), dense

    # --- state ---

    def put(self, array: np.ndarray) -> np.ndarray:
        """See Simulator."""
        return np.asarray(array)

    # --- stepping ---

    def _steps(
        self,
        worlds: _Worlds,
        state: State,
        controller: Controller,
        postures: Float[np.ndarray, "world knot d"],
        instants: Float32[np.ndarray, "world time f"],
        part: _Part | None = None,
    ) -> Bool[np.ndarray, " world"]:
        """Step the worlds from the state towards postures, once for each row of instants; return which diverged.

        With a part, the rows are those of a part of a rollout, which this continues.
        """
        worlds.load(state)
        bad = worlds.warnings().copy()
        length = state.length
        part = part or _Part(0, instants.shape[1])
        steps, knots = part.steps, postures.shape[1]
        for k in range(instants.shape[1]):
            step = part.first + k
            new = step == 0 or step * knots // steps != (step - 1) * knots // steps
            if controller.every_step or k == 0 or new:
                if new or part.seen is None:
                    part.seen = worlds.qpos.copy()
                seen = worlds.qpos if controller.every_step else part.seen
                targets = controller.targets(self, postures[:, step * knots // steps], seen, state.peak_force)
            worlds.ctrl[...] = controller.excitation(targets, worlds.qpos, worlds.act, length)
            self._instants.pack(self._instants.before(worlds), instants[:, k])
            worlds.batch.step()
            self._instants.pack(self._instants.after(worlds), instants[:, k])
            length = worlds.length
        return (worlds.warnings() > bad) | ~np.isfinite(worlds.qpos).all(axis=1) | ~np.isfinite(worlds.qvel).all(axis=1)

    def _candidate_worlds(self, candidates: int) -> _Worlds:
        """Return the worlds of rollouts of as many candidates."""
        if candidates == self.candidates:
            return self._rollouts
        if candidates not in self._others:
            self._others[candidates] = _Worlds(self.morphology.at_timestep(self.plan_dt), self.episodes * candidates, self.threads)
        return self._others[candidates]

    def rollout(
        self,
        state: State,
        controller: Controller,
        postures: Float[np.ndarray, "episode candidate knot d"],
        steps: int,
        frames: Sequence[Frame],
    ) -> Rolled:
        """See Simulator.

        Raises:
            ValueError: postures are not of all executed worlds.
        """
        shape = postures.shape[:2]
        if shape[0] != self.episodes:
            raise ValueError(f"Postures for {shape[0]} episodes, built for {self.episodes}.")
        worlds = self._candidate_worlds(shape[1])
        spread, fixed, instants = self._spread(state, shape[1], steps, frames)
        bad = self._steps(worlds, spread, controller, postures.reshape(len(instants), *postures.shape[2:]), instants[:, 1:])
        self._remember(instants[:, 1:], spread.gait, fixed, self.plan_dt)
        instants[:, 0] = instants[:, 1]
        return Rolled(instants.reshape(*shape, *instants.shape[1:]), bad.reshape(shape))

    def screened_rollout(
        self,
        state: State,
        controller: Controller,
        postures: Float[np.ndarray, "episode candidate knot d"],
        steps: int,
        frames: Sequence[Frame],
        screen: Screen,
    ) -> Rolled:
        """See Simulator; those that go on do so to the bits that they would have had if all did."""
        episodes, count = postures.shape[:2]
        going = np.tile(np.arange(count), (episodes, 1))
        diverged = np.zeros((episodes, count), bool)
        now, fixed, instants = self._spread(state, count, steps, frames)
        aims, part = postures.reshape(-1, *postures.shape[2:]), _Part(0, steps)
        for last, kept in (*screen.cuts, (steps, 0)):
            worlds = self._fused_worlds(len(aims))
            rest = instants[:, part.first + 1 : last + 1]
            bad = self._steps(worlds, now, controller, aims, rest, part)
            memory = self._remember(rest, now.gait, fixed, self.plan_dt)
            instants[:, 0] = instants[:, 1]
            np.put_along_axis(diverged, going, np.take_along_axis(diverged, going, axis=1) | bad.reshape(going.shape), axis=1)
            if kept:
                seen = instants[:, : last + 1].reshape(*going.shape, last + 1, -1)
                chosen = screen(going, seen, np.take_along_axis(diverged, going, axis=1), kept)
                on = (chosen + going.shape[1] * np.arange(episodes)[:, None]).ravel()
                after = {name: view[on] for name, view in worlds.state.items()}
                peaks = None if now.peak_force is None else now.peak_force[on]
                now = State(**after, length=worlds.length[on], gait=memory[on], peak_force=peaks)
                part = _Part(last, steps, None if part.seen is None else part.seen[on])
                going, fixed, aims, instants = np.take_along_axis(going, chosen, axis=1), fixed[on], aims[on], instants[on]
        return Rolled(instants.reshape(*going.shape, *instants.shape[1:]), diverged, going)

    def _spread(
        self, state: State, candidates: int, steps: int, frames: Sequence[Frame]
    ) -> tuple[State, Float[np.ndarray, "world columns"], Float32[np.ndarray, "world time f"]]:
        """Return a state and frames, once for each candidate, and instants with what does not change over a rollout."""
        count = self.episodes * candidates
        if self._buffer is None or self._buffer.shape[0] < count or self._buffer.shape[1] != steps + 1:
            self._buffer = _aligned((count, steps + 1, self._instants.size))
        spread = jax.tree.map(lambda array: np.repeat(array, candidates, axis=0), state)
        fixed = np.repeat(rows(frames), candidates, axis=0)
        self._instants.pack(self._instants.fixed(self.plan_dt, fixed[:, None]), self._buffer[:count])
        return spread, fixed, self._buffer[:count]

    def _remember(
        self, instants: Float32[np.ndarray, "world time f"], memory: Float[np.ndarray, "world 2 8"], frames: np.ndarray, dt: float
    ) -> Float[np.ndarray, "world 2 8"]:
        """Fill the ground, ahead and gait blocks of instants; return the memory after the last."""
        sensors = instants[..., self._instants.columns["sensor"]]
        feet, after = self._instants.feet(sensors, memory, frames, dt)
        self._instants.pack(self._instants.ground(sensors) | feet, instants)
        return np.asarray(after)

    def advance(
        self,
        state: State,
        controller: Controller,
        postures: Float[np.ndarray, "episode 1 d"],
        steps: int,
        frames: Sequence[Frame],
    ) -> tuple[State, Float32[np.ndarray, "episode f"], Bool[np.ndarray, " episode"]]:
        """See Simulator."""
        worlds = self._executed
        instants = np.zeros((len(state.time), steps, self._instants.size), np.float32)
        fixed = rows(frames)
        self._instants.pack(self._instants.fixed(steps * self.sim_dt, fixed[:, None]), instants)
        diverged = self._steps(worlds, state, controller, postures, instants)
        memory = self._remember(instants, state.gait, fixed, self.sim_dt)
        after = {name: view.copy() for name, view in worlds.state.items()}
        return State(**after, length=worlds.length.copy(), gait=memory, peak_force=state.peak_force), instants[:, 0], diverged

    def close(self) -> None:
        """See Simulator."""
        self._kinematics.clear()
        self._others.clear()


def make(
    morphology: Morphology, *, candidates: int, episodes: int, plan_dt: float, steps: int, threads: int, mjx: MjxConfig
) -> NativeSimulator:
    """Build the engine, as the registry has it: one episode at a time, whose candidates fill all threads."""
    return NativeSimulator(morphology, candidates=candidates, plan_dt=plan_dt, threads=threads)
