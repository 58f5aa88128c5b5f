"""Evaluation: any number of rewards on any number of tasks and bodies, over seeds, without a search.

In: works, each one reward on one task and body, under its own weights or others, with muscles at their own strength or another. Out: a row
a work, with the metrics of its seeds or why there are none. Every episode goes into a store as soon as it is over (module episode_store),
under a key of all that decides it; what the store has already is not run again. Episodes of one task on one body run side by side where the
engine does that, whatever their rewards, seeds and strengths.
"""

from __future__ import annotations

import dataclasses
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mujoco
import numpy as np

from movlr_jax import atomic
from movlr_jax._versions import installed
from movlr_jax.control import laws
from movlr_jax.control.episode import EpisodeRunner, Rollout
from movlr_jax.control.episode_config import EpisodeSettings
from movlr_jax.control.planners import PLANNERS, Planner
from movlr_jax.control.proposals import PROPOSALS
from movlr_jax.control.values import VALUES
from movlr_jax.critics.attachments import Show
from movlr_jax.errors import MovlrError, require
from movlr_jax.evaluation import filming, reward_texts
from movlr_jax.evaluation.episode_store import EpisodeStore, key_of
from movlr_jax.evaluation.reward_texts import Unfit
from movlr_jax.evaluation.work_items import Row, Watcher, Work, clip_name
from movlr_jax.facts import Facts
from movlr_jax.morphologies import Morphology, Strength
from movlr_jax.morphologies.scene import at_strength
from movlr_jax.physics import engines
from movlr_jax.registry import Registry
from movlr_jax.rewards.reward import Reward
from movlr_jax.tasks import TASKS, Task
from movlr_jax.tasks.falls import LOWERED

_POLL_S = 0.5  # between looks at episodes that another process is at

# A number measured on an episode beside its task's metrics.
Measure = Callable[[Task, Morphology, Rollout], float]
_SHOW = Show()  # how critics look at clips, where no configuration says
# What a critic is told of an episode.
Describe = Callable[[Task, Morphology, Rollout], Facts]


@dataclass(frozen=True, eq=False)
class _Place:
    """What episodes of one task on one body share: its injuries, length and speed, and what of the body decides them.

    Those of places that differ in injuries alone may run side by side. The body itself is loaded when its turn comes: tens of prepared
    models are more than a memory holds.
    """

    task: Task
    morphology: str
    injury: tuple[str, ...]
    model_sha256: str
    strength: Strength
    planner: Planner

    def load(self) -> Morphology:
        return _load(self.task, self.morphology, self.injury)


def evaluate(
    works: Sequence[Work], settings: EpisodeSettings, store: EpisodeStore, *, clips: Path | None = None, watcher: Watcher | None = None
) -> list[Row]:
    """Measure works.

    Args:
        works: what to measure.
        settings: how episodes are run.
        store: where episodes are looked up and saved.
        clips: folder for a clip of each work's first seed, by `clip_name`; None films nothing.
        watcher: is told how it goes.

    Returns:
        A row for each work, in the order asked for.

    Raises:
        MovlrError: there are no works, or the planner or the engine refuses a setting. A reward that a body cannot take, or a body that
            is not on this machine, becomes a row that says so.
    """
    return Evaluation(settings, store, clips, watcher).run(works)


@dataclass(eq=False)
class _Bench:
    """A body, its engine for each planner (tasks settle those) with the episodes that it was built for, and the rewards compiled for it."""

    body: Morphology
    runners: dict[Planner, tuple[EpisodeRunner, int]] = field(default_factory=dict)
    compiled: dict[tuple[str, tuple[float, bool] | None], Reward] = field(default_factory=dict)


class Evaluation:
    """Measures works, once or again and again: the engines and rewards of the last bodies are kept between calls.

    Args:
        settings: how episodes are run.
        store: where episodes are looked up and saved.
        clips: as `evaluate`.
        watcher: is told how it goes.
        measures: what else is measured on each episode, by name; a stored episode that lacks one is run again.
        facts: a folder for what critics are told of each episode, and who says it; likewise.
        bodies: how many bodies are kept.
    """

    def __init__(
        self,
        settings: EpisodeSettings,
        store: EpisodeStore,
        clips: Path | None = None,
        watcher: Watcher | None = None,
        *,
        measures: Mapping[str, Measure] | None = None,
        facts: tuple[Path, Describe] | None = None,
        bodies: int = 1,
    ):
        self.settings, self.store, self.clips, self.watcher = settings, store, clips, Watcher() if watcher is None else watcher
        self.measures, self.facts, self.bodies = dict(measures or {}), facts, bodies
        require(
            (
                not settings.mjx.hosts,
                "--mjx.hosts is for one search over several hosts: to share an evaluation, start the same command on each with one --out.",
            )
        )
        self.engine, _ = engines.choose(settings.engine)
        self._places: dict[tuple[str, str, str, tuple[str, ...]], _Place] = {}
        self._benches: OrderedDict[Morphology, _Bench] = OrderedDict()

    def run(self, works: Sequence[Work], seeds: Sequence[int] | None = None) -> list[Row]:
        """Measure works; see `evaluate`.

        Args:
            works: what to measure.
            seeds: seeds other than the settings'.
        """
        if not works:
            raise MovlrError("There is nothing to measure: give at least one reward and one task (--rewards human --tasks walk_flat).")
        seeds = tuple(self.settings.seeds if seeds is None else seeds)
        refused: dict[Work, str] = {}
        places: dict[Work, _Place] = {}
        keys: dict[tuple[Work, int], str] = {}
        for work in works:
            if work.refused or work.reward is None:
                refused[work] = work.refused
                continue
            injury = self._injury(work)
            at = (work.task.name, work.task.sentence, work.morphology, injury)
            try:
                places[work] = self._places[at] = self._places.get(at) or self._place(work.task, work.morphology, injury)
            except _Missing as error:
                refused[work] = str(error)
                continue
            for seed in seeds:
                keys[work, seed] = key_of(self._decided_by(places[work], work, seed))
        there = self.store.episodes()
        todo = {job: key for job, key in keys.items() if not self._done(*job, key, there)}
        self.watcher.found(len(keys) - len(todo), len(keys))
        # One body after the other, and side by side what shares a task: the order of the rows is another matter.
        for which in sorted({work.shares() for work, _ in todo}):
            group = {job: key for job, key in todo.items() if job[0].shares() == which}
            self._run_group(group, places, refused)
        for work, reason in refused.items():
            self.watcher.refused(work, reason)
        there = self.store.episodes()
        return [self._row(work, [keys[work, seed] for seed in seeds if work not in refused], there, refused) for work in works]

    def evidence(self, work: Work) -> tuple[Facts, Path | None]:
        """Return what a critic is told of a work that was measured, and its clip: the first seed's motion, the metrics of all.

        Args:
            work: it; this evaluation has `facts`.
        """
        assert self.facts is not None
        place = self._places[work.task.name, work.task.sentence, work.morphology, self._injury(work)]
        keys = [key_of(self._decided_by(place, work, seed)) for seed in self.settings.seeds]
        row = self._row(work, keys, self.store.episodes(), {})
        clip = None if self.clips is None else self._clip(work, keys[0])
        record = atomic.read_json(self.facts[0] / f"{keys[0]}.json")
        several = {"seed": self.settings.seeds[0]} if len(keys) > 1 else {}
        measured = Facts.read({**record, **several, "metrics": row.document()["mean"], "episodes": row.episodes})
        return measured, clip if clip is not None and clip.exists() else None

    def _injury(self, work: Work) -> tuple[str, ...]:
        """Return PATTERN=FRACTION beside those of the work's task.

        Raises:
            MovlrError: it has a strength, but no muscles that keep it.
        """
        own, injury = work.task.scene.injuries, self.settings.injury
        if work.strength is None:
            return injury
        if not own and all("=" in text for text in injury):
            raise MovlrError(
                f"The task {work.task.name} injures no muscles that --strengths could change: name some without a fraction, for example "
                "--injury 'soleus_*' --strengths 0 0.5 1."
            )
        return at_strength(own, injury, work.strength)

    def _place(self, task: Task, morphology: str, injury: tuple[str, ...]) -> _Place:
        task, body = self._configured(task), _load(task, morphology, injury)
        planner = task.settled(self.settings.planner, body)
        law, gain = laws.resolve(planner.law, body, planner.gain)
        settled = dataclasses.replace(planner, law=law, gain=gain, noise=planner.around(body.posture))
        return _Place(task, morphology, injury, _model_sha256(body), body.strength, settled)

    def _configured(self, task: Task) -> Task:
        return task.configured(seconds=self.settings.seconds, goal_speed=self.settings.goal_speed)

    def _decided_by(self, place: _Place, work: Work, seed: int) -> dict[str, Any]:
        """Return all that decides an episode and its record; weights, parameters, goal and fall rule only where they are not the text's
        and the task's own, so that the episodes of named tasks stay known by the keys that they have."""
        assert work.reward is not None
        changed, moved = work.changed(), work.moved()
        planner = place.planner
        named: list[tuple[Registry[Any], str]] = [(TASKS, place.task.name), (engines.ENGINES, self.engine), (PLANNERS, planner.name)]
        named += [(laws.LAWS, planner.law), *([(VALUES, planner.value)] if planner.value and planner.value in VALUES else [])]
        named += [(PROPOSALS, planner.proposals)] if planner.proposals else []
        added = {f"{registry.kind} {name}": registry.package(name) for registry, name in named if registry.package(name)}
        packages = ("movlr-jax", "mujoco", "jax", "numpy", *(("warp-lang",) if self.engine == "warp" else ()))
        return {
            "task": place.task.name,
            **({"task_sha256": place.task.code_sha256} if place.task.code_sha256 else {}),
            "morphology": place.morphology,
            "model_sha256": place.model_sha256,
            "reward_sha256": work.reward.sha256,
            **({"weights": changed} if changed else {}),
            **({"parameters": moved} if moved else {}),
            **({"goal": place.task.sentence} if place.task.by_sentence else {}),
            **({} if place.task.fall == LOWERED else {"fall": dataclasses.asdict(place.task.fall)}),
            "seed": seed,
            "seconds": place.task.seconds,
            "goal_speed_mps": place.task.goal_speed,
            "engine": self.engine,
            "planner": planner.identity(),
            "versions": {p: installed(p) for p in packages},
            **({"packages": added} if added else {}),
        }

    def _done(self, work: Work, seed: int, key: str, there: dict[str, Any]) -> bool:
        if key not in there or not self.measures.keys() <= there[key].keys():
            return False
        if self.facts is not None and not (self.facts[0] / f"{key}.json").exists():
            return False
        return not (self._films(seed) and not self._clip(work, key).exists())

    def _films(self, seed: int) -> bool:
        return self.clips is not None and seed == self.settings.seeds[0]

    def _clip(self, work: Work, key: str) -> Path:
        assert self.clips is not None
        return self.clips / clip_name(work, key)

    def _run_group(self, todo: dict[tuple[Work, int], str], places: dict[Work, _Place], refused: dict[Work, str]) -> None:
        """Run the episodes of one task on one body, injured in one way or several; those that another process is at are waited for, and
        run if it dies."""
        together = list(dict.fromkeys(places[work] for work, _ in todo))
        # One body stands for them all, in the engine and where rewards are proved: injuries change neither its shapes nor its poses.
        place, differ = together[0], len(together) > 1
        bench = self._bench(place.load())
        runner = self._runner(bench, place.planner, len(todo))
        rewards: dict[Work, Reward] = {}
        for work in dict.fromkeys(work for work, _ in todo):
            try:
                rewards[work] = self._reward(work, bench, place)
            except Unfit as error:
                refused[work] = str(error)
        left = {job: key for job, key in todo.items() if job[0] not in refused}
        width = runner.simulator.episodes
        waited = False
        while left:
            mine: list[tuple[Work, int]] = []
            for job, key in left.items():
                if len(mine) < width and left[job] not in (left[j] for j in mine) and self.store.claim(key):
                    mine.append(job)
            there = self.store.episodes()  # read after the claim: another process may have finished one in between
            fresh = [job for job in mine if not self._done(*job, left[job], there)]
            try:
                if fresh:
                    strengths = [places[work].strength for work, _ in fresh] if differ else None
                    self._run_batch(runner, places, [(job, left[job], rewards[job[0]]) for job in fresh], strengths)
            finally:
                for job in mine:
                    self.store.release(left[job])
            there = self.store.episodes()
            left = {job: key for job, key in left.items() if not self._done(*job, key, there)}
            if left and not mine:
                if not waited:
                    self.watcher.waiting(len(left))
                waited = True
                time.sleep(_POLL_S)

    def _reward(self, work: Work, bench: _Bench, place: _Place) -> Reward:
        """Return the compiled reward; tasks on one body share it where a proof holds for their speed, all weights and parameters do."""
        text = work.reward
        assert text is not None
        key = (text.source, None if text.ours else (place.task.goal_speed, place.task.lies))
        if key not in bench.compiled:
            bench.compiled[key] = reward_texts.compiled(text, bench.body, place.task.goal_speed, lying=place.task.lies)
        reward, changed, moved = bench.compiled[key], work.changed(), work.moved()
        reward = reward.with_weights(changed) if changed else reward
        return reward.with_parameters(moved) if moved else reward

    def _bench(self, body: Morphology) -> _Bench:
        """Return what is kept of a body; the bodies that were wanted longest ago give way to it."""
        if body not in self._benches:
            while len(self._benches) >= self.bodies:
                self._benches.popitem(last=False)
            self._benches[body] = _Bench(body)
        self._benches.move_to_end(body)
        return self._benches[body]

    def _runner(self, bench: _Bench, planner: Planner, episodes: int) -> EpisodeRunner:
        """Return a body's engine; one that runs episodes side by side is built anew for more than it was made for."""
        runner, width = bench.runners.get(planner, (None, 0))
        if runner is None or (width < episodes and self.engine != "native"):
            s = self.settings
            runner = EpisodeRunner.build(bench.body, planner, self.engine, threads=s.threads, episodes=episodes, mjx=s.mjx)
            bench.runners[planner] = runner, episodes
        return runner

    def _run_batch(
        self,
        runner: EpisodeRunner,
        places: Mapping[Work, _Place],
        jobs: Sequence[tuple[tuple[Work, int], str, Reward]],
        strengths: list[Strength] | None,
    ) -> None:
        """Run episodes side by side and save them; the clip comes first, so that a saved episode has its clip."""
        place = places[jobs[0][0][0]]
        self.watcher.began(jobs[0][0][0], [seed for (_, seed), _, _ in jobs], place.task.seconds)
        start = time.perf_counter()
        rollouts = place.task.episodes(
            runner,
            [(reward, seed) for (_, seed), _, reward in jobs],
            progress=self.watcher.advanced,
            strengths=strengths,
        )
        wall = (time.perf_counter() - start) / len(jobs)
        records: dict[str, dict[str, Any]] = {}
        for ((work, seed), key, _), rollout in zip(jobs, rollouts, strict=True):
            if self._films(seed):
                self._film(runner.simulator.morphology, work, key, rollout)
            if self.facts is not None:
                folder, describe = self.facts
                atomic.write_json(folder / f"{key}.json", describe(work.task, runner.simulator.morphology, rollout).to_json())
            measured = place.task.measure(runner.simulator.morphology, rollout)
            records[key] = {
                **measured,
                **{name: of(place.task, runner.simulator.morphology, rollout) for name, of in self.measures.items()},
                "wall_s": round(wall, 2),
                "reward": work.name,
                "decided_by": self._decided_by(places[work], work, seed),
            }
        self.store.add(records)
        for (work, _), key, _ in jobs:
            self.watcher.measured(work, records[key])

    def _film(self, body: Morphology, work: Work, key: str, rollout: Rollout) -> None:
        path = self._clip(work, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            if self.facts is None:
                filming.film(body, rollout, path, f"{work.task.name}, {work.name}{work.at()}")
            else:
                filming.film_for_critics(body, rollout, path, _SHOW.width, _SHOW.fps)
        except MovlrError as error:
            self.watcher.remark(f"No clips: {error}")
            self.clips = None  # the numbers are wanted all the same

    def _row(self, work: Work, keys: Sequence[str], there: dict[str, dict[str, Any]], refused: dict[Work, str]) -> Row:
        task, injury = self._configured(work.task), self._injury(work)
        if work in refused:
            return Row(work, self.engine, task.seconds, task.goal_speed, refused=refused[work], injury=injury)
        shown = tuple({k: v for k, v in there[key].items() if k not in ("wall_s", "reward", "decided_by")} for key in keys)
        return Row(work, self.engine, task.seconds, task.goal_speed, shown, injury=injury)


class _Missing(MovlrError):
    """A body that is not on this machine, or does not suit a task."""


def _load(task: Task, morphology: str, injury: Sequence[str]) -> Morphology:
    try:
        return task.load(morphology, injury)
    except MovlrError as error:
        raise _Missing(str(error)) from None


def _model_sha256(body: Morphology) -> str:
    """Return the hash of the prepared model: terrain, objects, injuries and the model file's version are in it."""
    data = np.empty(mujoco.mj_sizeModel(body.model), np.uint8)
    mujoco.mj_saveModel(body.model, None, data)
    return hashlib.sha256(data.tobytes()).hexdigest()
