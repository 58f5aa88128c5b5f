"""One executed episode: plan, execute 20 ms, plan again, until the time is up or the body has fallen.

Synchronous: a fixed number of simulation steps per plan, all noise from the seed, so one seed gives one sequence of bits (native).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from movlr_jax.control import muscle_law
from movlr_jax.control import planner as planning
from movlr_jax.control.planner import Planner, PlannerConfig
from movlr_jax.morphologies import Morphology
from movlr_jax.physics import engines
from movlr_jax.physics.instant import Frame
from movlr_jax.physics.simulator import Controller, Simulator, State
from movlr_jax.rewards.reward import Reward


@dataclass(frozen=True)
class Start:
    """Where an episode starts: qpos[nq] and act[na], at rest."""

    qpos: np.ndarray
    act: np.ndarray


@dataclass(frozen=True)
class Rollout:
    """An executed episode, one row every `dt` seconds.

    Attributes:
        seed: the seed.
        seconds: length asked for (s).
        dt: time between rows (s).
        ended: "time", "fell" or "diverged".
        time: float64[T] (s).
        qpos: float64[T, nq]; qvel: float64[T, nv]; act: float64[T, na].
        instants: float32[T, f], what rewards and critics read.
        terms: float32[T, n], the reward's terms; term_names, weights: theirs.
        targets: float64[T, d], the posture executed from each row on (rad).
        costs: float64[T], cost of each plan's best candidate.
        diverged: int[T], candidate worlds that diverged in each plan.
        goal_speed: m/s.
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

    def save(self, path: Path) -> None:
        """Write an .npz whose bytes depend on the contents alone."""
        with path.open("wb") as file:
            np.savez_compressed(file, **self.arrays())

    def arrays(self) -> dict[str, Any]:
        """Return every field as an array, by name."""
        return {name: np.asarray(value) for name, value in vars(self).items()}

    @staticmethod
    def load(path: Path) -> Rollout:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as file:
            return Rollout.from_arrays({name: file[name] for name in file.files})

    @staticmethod
    def from_arrays(arrays: Mapping[str, Any]) -> Rollout:
        """Return the rollout that `arrays` was made of."""
        scalars = {name: np.asarray(arrays[name]).item() for name in ("seed", "seconds", "dt", "ended", "goal_speed")}
        return Rollout(**{**arrays, **scalars, "term_names": tuple(map(str, arrays["term_names"]))})


class EpisodeRunner:
    """Runs episodes of one body under changing rewards; the simulator and its threads are shared.

    Args:
        simulator: the engine.
        controller: the muscle controller.
        config: planner settings; simulator.plan_dt must be config.plan_dt.
    """

    def __init__(self, simulator: Simulator, controller: Controller, config: PlannerConfig):
        self.simulator, self.controller, self.config = simulator, controller, config

    @staticmethod
    def build(morphology: Morphology, config: PlannerConfig, engine: str = "auto", threads: int = 0) -> EpisodeRunner:
        """Return a runner with the simulator and the muscle law that the settings name.

        Raises:
            MovlrError: no such engine or law.
        """
        simulator = engines.make(engine, morphology, candidates=config.candidates, plan_dt=config.plan_dt, threads=threads)
        return EpisodeRunner(simulator, muscle_law.make(config.law, morphology, config.plan_dt, config.gain), config)

    def run(
        self,
        reward: Reward,
        start: Start,
        frame: Frame,
        *,
        seconds: float,
        seed: int,
        fallen: Callable[[np.ndarray], bool],
        progress: Callable[[float], None] | None = None,
    ) -> Rollout:
        """Run one episode.

        Args:
            reward: the compiled reward.
            start: where the body starts.
            frame: the task's frame and goal.
            seconds: length (s).
            seed: seed of the planner's noise.
            fallen: says of an instant float32[f] whether the episode is over.
            progress: called with the simulated time after each plan (s).
        """
        simulator, config = self.simulator, self.config
        planner = Planner(simulator, self.controller, reward, config)
        space = simulator.morphology.posture
        rng = np.random.default_rng(np.random.SeedSequence([seed, 0x9E37]))
        state = simulator.reset(start.qpos, start.act)
        plan = planning.initial(space, config, space.read(start.qpos))
        execute = max(1, round(config.replan / simulator.sim_dt))
        dt = execute * simulator.sim_dt
        rows: dict[str, list[Any]] = {n: [] for n in ("state", "instant", "target", "cost", "diverged")}
        ended = "time"
        for _ in range(max(1, round(seconds / dt))):
            plan, report = planner.plan(state, plan, frame, rng)
            before = state
            state, instant, broken = simulator.advance(state, self.controller, plan.mean[None], execute, frame)
            for name, value in zip(rows, (before, instant[0], plan.mean, report.best_cost, report.diverged), strict=True):
                rows[name].append(value)
            if progress is not None:
                progress(float(state.time[0]))
            if broken[0]:
                ended = "diverged"
                break
            if fallen(instant[0]):
                ended = "fell"
                break
        instants = np.stack(rows["instant"])
        padded = np.concatenate([instants[:1], instants])[None]
        states: list[State] = rows["state"]
        return Rollout(
            seed=seed,
            seconds=seconds,
            dt=dt,
            ended=ended,
            time=np.array([s.time[0] for s in states]),
            qpos=np.stack([s.qpos[0] for s in states]),
            qvel=np.stack([s.qvel[0] for s in states]),
            act=np.stack([s.act[0] for s in states]),
            instants=instants,
            terms=reward.terms_over_time(padded)[0],
            term_names=reward.term_names,
            weights=reward.weights,
            targets=np.stack(rows["target"]),
            costs=np.array(rows["cost"]),
            diverged=np.array(rows["diverged"]),
            goal_speed=float(frame.goal[0]),
        )
