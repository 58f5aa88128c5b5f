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
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mujoco
import numpy as np

from movlr_jax import atomic, morphologies
from movlr_jax._versions import installed
from movlr_jax.control import laws
from movlr_jax.control.episode import EpisodeRunner, Rollout
from movlr_jax.control.episode_config import EpisodeSettings
from movlr_jax.control.planners import PLANNERS, Planner
from movlr_jax.errors import MovlrError, require
from movlr_jax.evaluation import filming, reward_texts
from movlr_jax.evaluation.episode_store import EpisodeStore, key_of
from movlr_jax.evaluation.reward_texts import RewardText, Unfit
from movlr_jax.facts import Facts
from movlr_jax.morphologies import Morphology, Strength
from movlr_jax.morphologies.scene import at_strength
from movlr_jax.physics import engines
from movlr_jax.rewards.program import literal_weights
from movlr_jax.rewards.reward import Reward
from movlr_jax.tasks import TASKS, Task, metrics
from movlr_jax.tasks.falls import LOWERED
from movlr_jax.tasks.gates import Gates

_POLL_S = 0.5  # between looks at episodes that another process is at

# A number measured on an episode beside its task's metrics.
Measure = Callable[[Task, Morphology, Rollout], float]
# What a critic is told of an episode.
Describe = Callable[[Task, Morphology, Rollout], Facts]


@dataclass(frozen=True, eq=False)
class Work:
    """One reward on one task and body.

    Attributes:
        reward: the text; None where there is none.
        name: what tables call it.
        task: the task.
        morphology: name of the body, or its YAML file.
        refused: why it cannot be run, where that is known beforehand.
        weights: term -> weight, where that is not the text's own; nothing is compiled for them.
        strength: fraction of their strength that injured muscles keep where no fraction of their own is given; None: they all have one.
    """

    reward: RewardText | None
    name: str
    task: Task
    morphology: str
    refused: str = ""
    weights: Mapping[str, float] = field(default_factory=dict)
    strength: float | None = None

    @property
    def body(self) -> str:
        """What tables call the body."""
        return morphologies.called(self.morphology)

    def at(self) -> str:
        """Return ", strength 0.5", which labels end in; nothing where it has none."""
        return "" if self.strength is None else f", strength {self.strength:g}"

    def shares(self) -> tuple[str, str, str]:
        """Return body, task and goal: works that have these in common may run side by side."""
        return self.morphology, self.task.name, self.task.sentence

    def changed(self) -> dict[str, float]:
        """Return the weights that differ from the text's own, sorted by name: equal changes make equal episodes."""
        if not self.weights or self.reward is None:
            return {}
        own = literal_weights(self.reward.source)
        return {name: float(weight) for name, weight in sorted(self.weights.items()) if own.get(name) != weight}


@dataclass(frozen=True)
class Row:
    """What came of a work.

    Attributes:
        work: it.
        engine: the engine's name.
        seconds: length asked for (s).
        goal_speed: speed asked for (m/s).
        episodes: metric records, one a seed; empty where it was refused.
        refused: why there are none, else "".
        injury: PATTERN=FRACTION, beside the task's own.
    """

    work: Work
    engine: str
    seconds: float
    goal_speed: float
    episodes: tuple[dict[str, Any], ...] = ()
    refused: str = ""
    injury: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return the row as `movlr rollout --json` gives one, with "seconds", "strength" and "injury" if there is one and, without
        episodes, "refused"."""
        head = {
            "task": self.work.task.name,
            "morphology": self.work.body,
            **({} if self.work.body == self.work.morphology else {"morphology_file": self.work.morphology}),
            "engine": self.engine,
            "reward": self.work.name,
            **self.work.task.document(),
            "goal_speed_mps": self.goal_speed,
            "seconds": self.seconds,
            **({} if self.work.strength is None else {"strength": self.work.strength}),
            **({"injury": list(self.injury)} if self.injury else {}),
        }
        if self.work.reward is not None:
            head |= {"reward_from": self.work.reward.origin, "reward_sha256": self.work.reward.sha256}
        if self.work.weights:
            head |= {"weights": dict(self.work.weights)}
        if not self.episodes:
            return {**head, "episodes": [], "mean": {}, "std": {}, "falls": 0, "refused": self.refused}
        return {**head, **metrics.summarize([dict(e) for e in self.episodes])}

    @property
    def gates(self) -> Gates:
        """What physics says of its episodes, of which there is one at least."""
        task = dataclasses.replace(self.work.task, goal_speed=self.goal_speed, seconds=self.seconds)
        return task.gates(metrics.summarize([dict(e) for e in self.episodes])["mean"])

    def early_ends(self) -> str:
        """Return how many episodes ended before their time, in the task's word: "2 of 5 fell"; nothing where none did."""
        falls = self.document()["falls"]
        return f"{falls} of {len(self.episodes)} {self.work.task.ends_as}" if falls else ""


class Watcher:
    """Is told how an evaluation goes; the methods of this one do nothing."""

    def found(self, there: int, wanted: int) -> None:
        """Say how many of the wanted episodes the store had already."""

    def began(self, work: Work, seeds: Sequence[int], seconds: float) -> None:
        """Episodes begin, side by side."""

    def advanced(self, t: float) -> None:
        """They have reached t (s)."""

    def measured(self, work: Work, record: dict[str, Any]) -> None:
        """One is over and saved."""

    def refused(self, work: Work, reason: str) -> None:
        """A work cannot be run."""

    def waiting(self, count: int) -> None:
        """Only episodes that another process is at are left."""

    def remark(self, sentence: str) -> None:
        """Something went wrong that does not stop the evaluation."""


def works(asked: Sequence[str], tasks: Sequence[Task], bodies: Sequence[str] = ()) -> list[Work]:
    """Return every combination of reward, task and body.

    Args:
        asked: names of the tasks' rewards, files, runs' folders. A name means each task's own reward of that name.
        tasks: the tasks.
        bodies: names of bodies; empty: those that each task is meant for.

    Raises:
        MovlrError: a word stands for nothing on any task, or a body is unknown.
    """
    morphologies.require_distinct(bodies)
    everywhere = {name: reward_texts.find(name, tasks) for name in dict.fromkeys(asked)}
    out: list[Work] = []
    for name, found in everywhere.items():
        named = any(name in task.rewards for task in tasks)
        for task in {task.name: task for task in tasks}.values():
            text = found if not named else reward_texts.find(name, [task]) if name in task.rewards else None
            why = "" if text else f"The task {task.name} has no reward '{name}': it has {', '.join(task.rewards)}."
            out += [Work(text, name, task, body, why) for body in dict.fromkeys(bodies or bodies_of(task))]
    return out


def at_strengths(asked: Sequence[Work], strengths: Sequence[float]) -> list[Work]:
    """Return each work at every strength, and every work as it is where there are no strengths.

    Raises:
        MovlrError: a strength is not within [0, 1], or given twice.
    """
    shown = " ".join(f"{strength:g}" for strength in strengths)
    if not all(0.0 <= strength <= 1.0 for strength in strengths):
        raise MovlrError(f"--strengths are fractions from 0 to 1, not {shown}.")
    if len(set(strengths)) != len(strengths):
        raise MovlrError(f"--strengths has repeats ({shown}): give each strength once.")
    return [dataclasses.replace(work, strength=strength) for work in asked for strength in strengths or (None,)]


def bodies_of(task: Task) -> tuple[str, ...]:
    """Return the names of the bodies that a task is evaluated on where none is asked for."""
    return task.morphologies or (morphologies.DEFAULT,)


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
    asked: Sequence[Work], settings: EpisodeSettings, store: EpisodeStore, *, clips: Path | None = None, watcher: Watcher | None = None
) -> list[Row]:
    """Measure works.

    Args:
        asked: the works.
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
    return Evaluation(settings, store, clips, watcher).run(asked)


def clip_name(work: Work, key: str) -> str:
    """Return the file name of a work's clip; the key of its episode keeps two rewards of one name apart."""
    reward = "".join(c if c.isalnum() else "-" for c in Path(work.name).stem)
    return f"{work.task.name}_{Path(work.body).name}_{reward}_{key[:8]}.mp4"


@dataclass(eq=False)
class _Bench:
    """A body with its engine, and the rewards compiled for it."""

    body: Morphology
    runner: EpisodeRunner
    episodes: int
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

    def run(self, asked: Sequence[Work], seeds: Sequence[int] | None = None) -> list[Row]:
        """Measure works; see `evaluate`.

        Args:
            asked: the works.
            seeds: seeds other than the settings'.
        """
        if not asked:
            raise MovlrError("There is nothing to measure: give at least one reward and one task (--rewards human --tasks walk_flat).")
        seeds = tuple(self.settings.seeds if seeds is None else seeds)
        refused: dict[Work, str] = {}
        places: dict[Work, _Place] = {}
        keys: dict[tuple[Work, int], str] = {}
        for work in asked:
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
        return [self._row(work, [keys[work, seed] for seed in seeds if work not in refused], there, refused) for work in asked]

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
        measured = Facts.read({**record, "metrics": row.document()["mean"], "episodes": row.episodes})
        return measured, clip if clip is not None and clip.exists() else None

    def _injury(self, work: Work) -> tuple[str, ...]:
        """Return PATTERN=FRACTION beside those of the work's task.

        Raises:
            MovlrError: it has a strength, but no muscles that keep it.
        """
        own, asked = work.task.scene.injuries, self.settings.injury
        if work.strength is None:
            return asked
        if not own and all("=" in text for text in asked):
            raise MovlrError(
                f"The task {work.task.name} injures no muscles that --strengths could change: name some without a fraction, for example "
                "--injury 'soleus_*' --strengths 0 0.5 1."
            )
        return at_strength(own, asked, work.strength)

    def _place(self, task: Task, morphology: str, injury: tuple[str, ...]) -> _Place:
        planner, task = self.settings.planner, self._configured(task)
        body = _load(task, morphology, injury)
        law, gain = laws.resolve(planner.law, body, planner.gain)
        settled = dataclasses.replace(planner, law=law, gain=gain, noise=planner.around(body.posture))
        return _Place(task, morphology, injury, _model_sha256(body), body.strength, settled)

    def _configured(self, task: Task) -> Task:
        return task.configured(seconds=self.settings.seconds, goal_speed=self.settings.goal_speed)

    def _decided_by(self, place: _Place, work: Work, seed: int) -> dict[str, Any]:
        """Return all that decides an episode and its record; weights, goal and fall rule only where they are not the text's and the
        task's own, so that the episodes of named tasks stay known by the keys that they have."""
        assert work.reward is not None
        changed = work.changed()
        planner = place.planner
        names = ((TASKS, place.task.name), (engines.ENGINES, self.engine), (PLANNERS, planner.name), (laws.LAWS, planner.law))
        added = {f"{registry.kind} {name}": registry.package(name) for registry, name in names if registry.package(name)}
        packages = ("movlr-jax", "mujoco", "jax", "numpy", *(("warp-lang",) if self.engine == "warp" else ()))
        return {
            "task": place.task.name,
            **({"task_sha256": place.task.code_sha256} if place.task.code_sha256 else {}),
            "morphology": place.morphology,
            "model_sha256": place.model_sha256,
            "reward_sha256": work.reward.sha256,
            **({"weights": changed} if changed else {}),
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
        bench = self._bench(place.load(), len(todo))
        runner = bench.runner
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
        """Return the compiled reward; tasks on one body share it, where a proof holds for their speed, and all weights do."""
        text = work.reward
        assert text is not None
        key = (text.source, None if text.ours else (place.task.goal_speed, place.task.lies))
        if key not in bench.compiled:
            bench.compiled[key] = reward_texts.compiled(text, bench.body, place.task.goal_speed, lying=place.task.lies)
        reward, changed = bench.compiled[key], work.changed()
        return reward.with_weights(changed) if changed else reward

    def _bench(self, body: Morphology, episodes: int) -> _Bench:
        """Return a body with its engine; an engine that runs episodes side by side is built anew for more than it was made for."""
        bench = self._benches.get(body)
        if bench is None or (bench.episodes < episodes and self.engine != "native"):
            while len(self._benches) >= self.bodies and body not in self._benches:
                self._benches.popitem(last=False)
            s = self.settings
            runner = EpisodeRunner.build(body, s.planner, self.engine, threads=s.threads, episodes=episodes, mjx=s.mjx)
            bench = self._benches[body] = _Bench(body, runner, episodes, {} if bench is None else bench.compiled)
        self._benches.move_to_end(body)
        return bench

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
            filming.film(body, rollout, path, f"{work.task.name}, {work.name}{work.at()}")
        except MovlrError as error:
            self.watcher.remark(f"No clips: {error}")
            self.clips = None  # the numbers are wanted all the same

    def _row(self, work: Work, keys: Sequence[str], there: dict[str, dict[str, Any]], refused: dict[Work, str]) -> Row:
        task, injury = self._configured(work.task), self._injury(work)
        if work in refused:
            return Row(work, self.engine, task.seconds, task.goal_speed, refused=refused[work], injury=injury)
        shown = tuple({k: v for k, v in there[key].items() if k not in ("wall_s", "reward", "decided_by")} for key in keys)
        return Row(work, self.engine, task.seconds, task.goal_speed, shown, injury=injury)


def metric_of(row: Row, name: str) -> list[float]:
    """Return one metric of a row's episodes; those that have none are left out."""
    return [float(e[name]) for e in row.episodes if e.get(name) is not None]


def metric_names(rows: Iterable[Row]) -> list[str]:
    """Return the names of the metrics that any row has."""
    return [n for n in dict.fromkeys(name for row in rows for e in row.episodes for name in e) if n != "seed"]


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
