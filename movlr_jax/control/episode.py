"""One executed episode: plan, execute 20 ms, plan again, until the time is up or the body has fallen.

Synchronous: a fixed number of simulation steps per plan, all noise from the seed, so one seed gives one sequence of bits (native).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import jax
import numpy as np

from movlr_jax import atomic
from movlr_jax.control import laws, snapshot
from movlr_jax.control.planners.base import Planner
from movlr_jax.control.planners.receding_horizon import RecedingHorizon
from movlr_jax.control.snapshot import Snapshot
from movlr_jax.errors import BadFile
from movlr_jax.morphologies import Morphology
from movlr_jax.physics import engines
from movlr_jax.physics.instant import Frame
from movlr_jax.physics.mjx_config import MjxConfig
from movlr_jax.physics.push import Push, Pusher
from movlr_jax.physics.simulator import Controller, Simulator, State
from movlr_jax.rewards.features import feature_layout
from movlr_jax.rewards.reward import Reward, RewardBatch


@dataclass(frozen=True)
class Start:
    """Where an episode starts: qpos[nq] and act[na], at rest, and the place on the ground below it (x, y; m)."""

    qpos: np.ndarray
    act: np.ndarray
    origin: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Rollout:
    """An executed episode, one row every `dt` seconds.

    Attributes:
        seed: the seed.
        seconds: length asked for (s).
        dt: time between rows (s).
        ended: "time", "diverged", or what the task calls an early end ("fell", "dropped").
        time: float64[T] (s).
        qpos: float64[T, nq]; qvel: float64[T, nv]; act: float64[T, na].
        instants: float32[T, f], what rewards and critics read.
        terms: float32[T, n], the reward's terms; term_names, weights: theirs.
        targets: float64[T, d], the posture executed from each row on (rad).
        costs: float64[T], cost of each plan's best candidate.
        diverged: int[T], candidate worlds that diverged in each plan.
        simulated: int[T], steps of all candidates in each plan; None where there were no plans, or an earlier version did not say.
        goal_speed: m/s.
        parameter_names, parameters: the reward's declared constants and their values, float32[p]; None where it declares none.
        spread: float32[T, n], how far each weighted term set the candidates of each plan apart (`control.planners.spread`); None where
            there were no plans, or an earlier version did not say.
    """

    seed: int
    seconds: float
    dt: float
    ended: str
    time: np.ndarray
    qpos: np.ndarray
    qvel: np.ndarray
    act: np.ndarray
    instants: np.ndarray
    terms: np.ndarray
    term_names: tuple[str, ...]
    weights: np.ndarray
    targets: np.ndarray
    costs: np.ndarray
    diverged: np.ndarray
    goal_speed: float
    simulated: np.ndarray | None = None
    parameter_names: tuple[str, ...] | None = None
    parameters: np.ndarray | None = None
    spread: np.ndarray | None = None

    def save(self, path: Path) -> None:
        """Write an .npz whose bytes depend on the contents alone."""
        with atomic.replacing(path) as partial, partial.open("wb") as file:
            np.savez_compressed(file, **self.arrays())

    def arrays(self) -> dict[str, Any]:
        """Return every field as an array, by name."""
        return {name: np.asarray(value) for name, value in vars(self).items() if value is not None}

    @staticmethod
    def load(path: Path) -> Rollout:
        """Read what `save` wrote.

        Raises:
            BadFile: it is no episode.
            OSError: it cannot be opened.
        """
        try:
            return Rollout.from_arrays(atomic.read_npz(path))
        except BadFile as error:
            raise BadFile(f"{path} is no episode: {error}") from None

    @staticmethod
    def from_arrays(arrays: Mapping[str, Any]) -> Rollout:
        """Return the rollout that `arrays` was made of.

        Raises:
            BadFile: an array is missing, or has not the shape that the others give it.
        """
        fault = _fault(arrays)
        if fault:
            raise BadFile(f"These arrays are no episode ({fault}).")
        scalars = {name: np.asarray(arrays[name]).item() for name in ("seed", "seconds", "dt", "ended", "goal_speed")}
        names = {key: tuple(map(str, arrays[key])) for key in ("term_names", "parameter_names") if key in arrays}
        return Rollout(**{**arrays, **scalars, **names})


# Name -> how many axes after time, and which kinds of numbers (NumPy's letters); scalars have no time.
_ARRAYS = {
    **dict.fromkeys(("time", "costs"), (0, "f")),
    **dict.fromkeys(("qpos", "qvel", "act", "instants", "terms", "targets", "spread"), (1, "f")),
    **dict.fromkeys(("diverged", "simulated"), (0, "iu")),
}
_OPTIONAL = frozenset({"simulated", "parameter_names", "parameters", "spread"})
_SCALARS = {"seed": "iu", "seconds": "fiu", "dt": "fiu", "ended": "U", "goal_speed": "fiu"}


def _fault(arrays: Mapping[str, Any]) -> str:
    """Say what keeps arrays from being an episode; "" where nothing does."""
    names = {field.name for field in fields(Rollout)}
    if odd := (names ^ set(arrays)) - (_OPTIONAL - set(arrays)):
        return f"{', '.join(sorted(odd))} is missing or too many"
    values = {name: np.asarray(value) for name, value in arrays.items()}
    for name, kinds in _SCALARS.items():
        if values[name].ndim or values[name].dtype.kind not in kinds:
            return f"{name} is no single value of its kind"
    rows = len(values["time"]) if values["time"].ndim else 0
    for name, (axes, kinds) in ((name, rule) for name, rule in _ARRAYS.items() if name in values):
        if values[name].ndim != 1 + axes or len(values[name]) != rows or values[name].dtype.kind not in kinds:
            return f"{name} has the shape {values[name].shape} and the kind {values[name].dtype}"
    if len({"parameter_names", "parameters"} & set(values)) == 1:
        return "it has parameters without names, or names without parameters"
    if "parameters" in values:
        declared, numbers = values["parameter_names"], values["parameters"]
        if declared.ndim != 1 or declared.shape != numbers.shape or declared.dtype.kind != "U" or numbers.dtype.kind != "f":
            return "its parameters and their names do not agree"
    terms = values["terms"].shape[1]
    if "spread" in values and values["spread"].shape[1] != terms:
        return "its terms and their spread do not agree"
    if not rows or values["term_names"].shape != (terms,) or values["term_names"].dtype.kind != "U" or values["weights"].shape != (terms,):
        return "its terms, names and weights do not agree"
    return "" if values["weights"].dtype.kind == "f" else "weights are no numbers"


@dataclass(frozen=True)
class Job:
    """One episode to run.

    Attributes:
        reward: its reward.
        start: where it starts, or the snapshot that it goes on from, its clock included; the first of its terms then has itself for the
            instant before.
        frame: its frame and goal.
        seed: of the planner's noise.
        peak_force: float[m], peak active forces of its muscles (N); None: the body's own, or the snapshot's.
        noise: state of NumPy's bit generator, for noise that goes on; None: from the seed.
        pushes: forces on the executed body, which the planner does not foresee.
    """

    reward: Reward
    start: Start | Snapshot
    frame: Frame
    seed: int
    peak_force: np.ndarray | None = None
    noise: Mapping[str, Any] | None = None
    pushes: tuple[Push, ...] = ()

    @staticmethod
    def of(before: Snapshot, reward: Reward, seed: int | None = None) -> Job:
        """Return the job that goes on from a snapshot.

        Args:
            before: the snapshot.
            reward: the reward.
            seed: of the noise from there on; None: the episode's own noise goes on.
        """
        if seed is None:
            return Job(reward, before, before.frame, before.seed, noise=before.noise)
        return Job(reward, before, before.frame, seed)

    def rng(self) -> np.random.Generator:
        """Return the source of its noise."""
        rng = np.random.default_rng(np.random.SeedSequence([self.seed, 0x9E37]))
        if self.noise is not None:
            rng.bit_generator.state = dict(self.noise)
        return rng


@dataclass(frozen=True)
class Watch:
    """Who is given snapshots of episodes while they run.

    Attributes:
        see: called with the episode's place among the jobs and its snapshot.
        every: plans from one snapshot of an episode to the next.
    """

    see: Callable[[int, Snapshot], None]
    every: int = 1

    def beside(self, first: int) -> Watch:
        """Return the watch over jobs that stand after `first` others."""
        return Watch(lambda e, taken: self.see(first + e, taken), self.every)


class EpisodeRunner:
    """Runs episodes of one body under changing rewards; the simulator and its threads are shared.

    Args:
        simulator: the engine.
        controller: the muscle controller.
        planner: the planner with its settings; simulator.plan_dt must be planner.plan_dt.
    """

    def __init__(self, simulator: Simulator, controller: Controller, planner: Planner):
        self.simulator, self.controller, self.planner = simulator, controller, planner
        self.horizon = RecedingHorizon(simulator, controller, planner)
        self._width = feature_layout(simulator.morphology).size
        self._pusher = Pusher(simulator.morphology)

    @staticmethod
    def build(
        morphology: Morphology,
        planner: Planner,
        engine: str = "auto",
        *,
        threads: int = 0,
        episodes: int = 1,
        mjx: MjxConfig | None = None,
    ) -> EpisodeRunner:
        """Return a runner with the simulator and the muscle law that the settings name.

        Args:
            morphology: the body.
            planner: the planner with its settings.
            engine: "auto" or a name.
            threads: threads of the native engine; 0: one a core.
            episodes: episodes that will be wanted at the same time; the engine runs as many side by side as pays and fits.
            mjx: settings of the engines warp and jax.

        Raises:
            MovlrError: no such engine or law, or the engine refuses the body.
        """
        simulator = engines.make(
            engine,
            morphology,
            candidates=planner.candidates,
            episodes=episodes,
            plan_dt=planner.plan_dt,
            steps=planner.steps,
            threads=threads,
            mjx=mjx,
        )
        return EpisodeRunner(simulator, laws.make(planner.law, morphology, planner.plan_dt, planner.gain), planner)

    def run_many(
        self,
        jobs: Sequence[Job],
        *,
        seconds: float,
        fallen: Callable[[np.ndarray], bool],
        ends_as: str = "fell",
        progress: Callable[[float], None] | None = None,
        watch: Watch | None = None,
    ) -> list[Rollout]:
        """Run episodes, as many side by side as the simulator has executed worlds.

        An episode's result does not depend on its neighbours.

        Args:
            jobs: the episodes.
            seconds: length (s).
            fallen: says of an instant float32[f] whether its episode is over.
            ends_as: what such an end is called.
            progress: called after each plan with the simulated time of all episodes so far divided by their number (s).
            watch: is given snapshots on the way.
        """
        out: list[Rollout] = []
        width = self.simulator.episodes
        for first in range(0, len(jobs), width):
            batch = list(jobs[first : first + width])

            def advanced(t: float, done: int = first, size: int = len(batch)) -> None:
                if progress is not None:
                    progress((done * seconds + size * t) / len(jobs))

            # The compiled plan has one width: a last batch that is short of episodes repeats its first.
            padded = batch + [batch[0]] * (width - len(batch))
            beside = None if watch is None else watch.beside(first)
            out += self._side_by_side(padded, len(batch), seconds, fallen, ends_as, advanced, beside)
        return out

    def _side_by_side(
        self,
        jobs: list[Job],
        count: int,
        seconds: float,
        fallen: Callable[[np.ndarray], bool],
        ends_as: str,
        progress: Callable[[float], None],
        watch: Watch | None,
    ) -> list[Rollout]:
        """Run as many episodes as the simulator has worlds; return the first `count`."""
        simulator, horizon = self.simulator, self.horizon
        rewards, frames = RewardBatch([job.reward for job in jobs]), [job.frame for job in jobs]
        rngs = [job.rng() for job in jobs]
        state, plan = self._begin(jobs)
        execute = max(1, round(self.planner.replan / simulator.sim_dt))
        dt = execute * simulator.sim_dt
        rows: list[dict[str, np.ndarray]] = []
        ended, length = ["time"] * count, [0] * count
        steps = max(1, round(seconds / dt))
        # Compiled before the first plan, for the whole length: neither an episode's end nor an early one compiles anything.
        blank, unlike = np.zeros((1, steps + 1, self._width), np.float32), list(dict.fromkeys(job.reward for job in jobs))
        with ThreadPoolExecutor(len(unlike)) as pool:  # XLA compiles without Python's lock
            list(pool.map(lambda reward: reward.terms_over_time(blank), unlike))
        for k in range(steps):
            if watch is not None and k % watch.every == 0:
                for e in (e for e in range(count) if ended[e] == "time"):
                    watch.see(e, snapshot.taken(state, plan, e, frames[e], jobs[e].seed, rngs[e]))
            plan, report = horizon.plan(state, plan, frames, rewards, horizon.draw(rngs))
            before, target = self._pushed(state, jobs, dt), report.target
            state, instant, broken = simulator.advance(before, self.controller, target, execute, frames)
            row = {"time": before.time, "qpos": before.qpos, "qvel": before.qvel, "act": before.act, "instants": instant}
            row |= {"targets": target[:, 0], "costs": report.best_cost, "diverged": report.diverged}
            row |= {"simulated": report.simulated, "spread": report.spread}
            simulator.check()
            rows.append({name: np.asarray(value) for name, value in row.items()})
            for e in range(count):
                if ended[e] == "time":
                    length[e] = k + 1
                    ended[e] = "diverged" if bool(broken[e]) else ends_as if fallen(rows[-1]["instants"][e]) else "time"
            progress((k + 1) * dt)
            if all(end != "time" for end in ended):
                break
        whole = {name: np.stack([row[name] for row in rows], axis=1) for name in rows[0]}
        return [
            self._rollout(job, {name: value[e, : length[e]] for name, value in whole.items()}, seconds, dt, ended[e], steps)
            for e, job in enumerate(jobs[:count])
        ]

    def _begin(self, jobs: list[Job]) -> tuple[State, Any]:
        """Return the worlds and the plans that episodes start with."""
        simulator, space = self.simulator, self.simulator.morphology.posture
        snapshots = {e: job.start for e, job in enumerate(jobs) if isinstance(job.start, Snapshot)}
        rests = [Start(job.start.state.qpos[0], job.start.state.act[0]) if isinstance(job.start, Snapshot) else job.start for job in jobs]
        peaks = _peak_forces(snapshot.peak_forces([job.peak_force for job in jobs], snapshots), simulator.morphology)
        state = simulator.reset(np.stack([rest.qpos for rest in rests]), np.stack([rest.act for rest in rests]), peaks)
        if not snapshots:
            return state, self.horizon.first(state)
        state = jax.tree.map(simulator.put, snapshot.with_states(state, snapshots))
        plan = snapshot.with_plans(self.planner, space, self.horizon.first(state), snapshots)
        return state, jax.tree.map(simulator.put, plan)

    def _pushed(self, state: State, jobs: Sequence[Job], dt: float) -> State:
        """Return the state with the velocities that pushes give it over the next interval of dt (s)."""
        times = np.asarray(state.time)
        shares = [(e, push, push.share(float(times[e]), dt)) for e, job in enumerate(jobs) for push in job.pushes]
        for e, push, share in shares:
            if share > 0:
                qvel = np.array(state.qvel)
                qvel[e] = self._pusher.after(state, e, push.force, push.landmark, share * dt)
                state = replace(state, qvel=self.simulator.put(qvel))
        return state

    def _rollout(self, job: Job, arrays: dict[str, np.ndarray], seconds: float, dt: float, ended: str, steps: int) -> Rollout:
        instants = arrays["instants"]
        # The predecessor of the first instant is itself; an episode that ended early stands still for the rest.
        padded = np.concatenate([instants[:1], instants, np.repeat(instants[-1:], steps - len(instants), axis=0)])
        # Of rewards that are planned side by side, one may have fewer terms than another.
        arrays["spread"] = arrays["spread"][:, : len(job.reward.term_names)].astype(np.float32)
        return Rollout(
            seed=job.seed,
            seconds=seconds,
            dt=dt,
            ended=ended,
            terms=job.reward.terms_over_time(padded[None])[0, : len(instants)],
            term_names=job.reward.term_names,
            weights=job.reward.weights,
            goal_speed=float(job.frame.goal[0]),
            parameter_names=tuple(job.reward.parameters) or None,
            parameters=job.reward.parameter_values if job.reward.parameters else None,
            **arrays,
        )


def _peak_forces(own: Sequence[np.ndarray | None], body: Morphology) -> np.ndarray | None:
    """Return the peak forces of each episode's muscles [E, m] (N); None where all have the body's own."""
    if all(forces is None for forces in own):
        return None
    return np.stack([body.muscles.peak_force if forces is None else forces for forces in own])
