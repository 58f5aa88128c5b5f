"""The front door: what a researcher calls from Python; every verb of `movlr` is a function here.

In: names or objects (a task, a body, a reward, a planner) and keyword settings, which have the names and defaults of the command line. Out:
results that print as tables, give their arrays and DataFrames, and film what happened. `import movlr_jax as movlr` names all of it, and
loads each thing when it is first used.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict, Unpack

from movlr_jax import atomic
from movlr_jax.control.episode_config import EpisodeSettings
from movlr_jax.control.planners import Planner
from movlr_jax.errors import MovlrError
from movlr_jax.evaluation import planning, reward_texts, study, transfer_study, work_items
from movlr_jax.evaluation import transfer as transfers
from movlr_jax.evaluation.planning import Runs
from movlr_jax.evaluation.reward_texts import RewardText
from movlr_jax.evaluation.study import EvaluationStudy
from movlr_jax.evaluation.transfer_study import TransferStudy
from movlr_jax.media import metrics_table
from movlr_jax.morphologies import FLAT, Morphology, catalog
from movlr_jax.morphologies.scene import injury_words, parse_injuries
from movlr_jax.physics.mjx_config import MjxConfig
from movlr_jax.rewards import reward as rewards
from movlr_jax.runs.config import RunConfig, free_folder
from movlr_jax.runs.iteration_record import IterationRecord
from movlr_jax.runs.run_folder import RunFolder
from movlr_jax.runs.tune_config import TuneConfig
from movlr_jax.sandbox.proof import Proof
from movlr_jax.searches import resume as resume_run
from movlr_jax.searches import run as start_run
from movlr_jax.searches.events import Event, Progress
from movlr_jax.searches.loop import RunResult
from movlr_jax.sweeps import definition, drive
from movlr_jax.sweeps.drive import Outcome
from movlr_jax.tasks import TASKS, Task
from movlr_jax.tuning import ablation_study, tune_study
from movlr_jax.tuning.ablation_study import AblationStudy
from movlr_jax.tuning.tune_study import Judges, TuneStudy

Body = Morphology | str | Path | None
OnEvent = Callable[[Event], Any]


class Settings(TypedDict, total=False):
    """How episodes are run; see `EpisodeSettings`."""

    seeds: Sequence[int]
    seconds: float | None
    goal_speed: float | None
    injury: Sequence[str]
    engine: str
    threads: int
    planner: Planner
    mjx: MjxConfig


class Reward(rewards.Reward):
    """A compiled reward with its weights outside; see `movlr_jax.rewards.reward.Reward` for what it can do."""

    @staticmethod
    def from_source(source: str, body: Morphology, *, task: Task | None = None, name: str = "reward") -> Reward:
        """Prove a program's text in the sandbox for one body, and return it compiled: texts of models and of others come in here.

        Args:
            source: WEIGHTS and terms(m).
            body: the body.
            task: whose goal its behaviour is checked under; walking on flat ground if left out.
            name: for people.

        Raises:
            MovlrError: the sandbox refuses it; the sentence says why, and on which line.
        """
        task = task or TASKS["walk_flat"]
        return _own(reward_texts.compiled(RewardText(name, source, "a text"), body, task.goal_speed, lying=task.lies))

    @staticmethod
    def from_function(
        terms: Callable[[Any], Mapping[str, Any]], weights: Mapping[str, float], body: Morphology, *, name: str = ""
    ) -> Reward:
        """Compile a Python function of your own: it runs in this process, with all its rights.

        Args:
            terms: Motion -> term name -> scalar; jax.numpy and Motion's vocabulary.
            weights: term name -> weight.
            body: the body.
            name: for people; the function's own if left out.

        Raises:
            MovlrError: the function breaks the contract, or asks for what the body lacks.
        """
        return _own(rewards.Reward.from_function(terms, weights, body, name=name))


def _own(reward: rewards.Reward) -> Reward:
    return Reward(**{field.name: getattr(reward, field.name) for field in dataclasses.fields(reward)})


def load_body(name: str | Path = catalog.DEFAULT, *, injury: Sequence[str] = ()) -> Morphology:
    """Return a body on flat ground; a task prepares it anew for its own.

    Args:
        name: a name of `movlr morphologies`, or the YAML file of your own.
        injury: injured muscles, PATTERN=FRACTION of their strength: ["soleus_*=0.3"].

    Raises:
        MovlrError: there is no such body, its model is not on this machine, or an injury does not suit it.
    """
    return catalog.load(str(name), dataclasses.replace(FLAT, injuries=parse_injuries(injury)))


def load_task(name: str, *, goal: str | None = None, seconds: float | None = None, goal_speed: float | None = None) -> Task:
    """Return a task.

    Args:
        name: a name of `movlr tasks`, or your own: a Python file (my_task.py) or package.module:NAME, whose code is run.
        goal: a sentence of your own, by which episodes are measured.
        seconds: length of its episodes (s).
        goal_speed: speed to aim for (m/s).

    Raises:
        MovlrError: there is no such task.
    """
    from movlr_jax.tasks import find

    return find(name).configured(goal, seconds, goal_speed)


def plan(
    body: Body,
    task: Task | str,
    reward: rewards.Reward | Best | str | Path,
    *,
    goal: str | None = None,
    progress: planning.Progress | None = None,
    **settings: Unpack[Settings],
) -> Runs:
    """Move a body with one reward, an episode a seed; `movlr rollout`.

    Args:
        body: the body, loaded or by name; the task's own if None.
        task: the task, or its name.
        reward: a compiled reward, the best of a search, a name of the task's rewards, a file, or a run's folder.
        goal: a sentence of your own, by which episodes are measured.
        progress: called after each plan with the seeds under way, the time they have reached and their length (s).
        settings: how episodes are run (`Settings`).

    Raises:
        MovlrError: a name stands for nothing, a setting cannot be, or the reward does not suit the body.
    """
    made = reward if isinstance(reward, rewards.Reward) else str(reward.folder if isinstance(reward, Best) else reward)
    return planning.set_up(_task(task), _body(body), made, _settings(settings), goal).run(progress)


def evaluate(
    rewards: Sequence[str | Path | Best],
    tasks: Sequence[Task | str] = ("walk_flat",),
    bodies: Sequence[str | Path] = (),
    *,
    strengths: Sequence[float] = (),
    goal: str | None = None,
    clips: bool = False,
    out: Path | str | None = None,
    watcher: work_items.Watcher | None = None,
    **settings: Unpack[Settings],
) -> EvaluationStudy:
    """Measure rewards on tasks and bodies, every combination, over seeds; `movlr eval`.

    Args:
        rewards: names of the tasks' rewards, files, runs' folders, or the best of searches.
        tasks: the tasks, or their names.
        bodies: names of bodies, or YAML files; those that each task is meant for if empty.
        strengths: fractions of their strength that injured muscles keep in turn.
        goal: a sentence of your own, by which episodes are measured.
        clips: film the first seed of each combination.
        out: a folder, in which the same call goes on where it was stopped; None keeps nothing on the disk.
        watcher: is told how it goes.
        settings: how episodes are run (`Settings`).

    Raises:
        MovlrError: a name stands for nothing, or a setting cannot be.
    """
    words = [str(r.folder if isinstance(r, Best) else r) for r in rewards]
    made = [study.for_goal(_task(task), goal, words) for task in tasks]
    works = work_items.at_strengths(work_items.combinations(words, made, [str(body) for body in bodies]), strengths)
    with _folder(out) as folder:
        return study.evaluate(works, _settings(settings), folder, watcher, clips=clips)


def ablate(
    reward: str | Path | Best,
    tasks: Sequence[Task | str] = ("walk_flat",),
    bodies: Sequence[str | Path] = (),
    *,
    factors: Sequence[float] = (0.0, 0.5, 2.0),
    metric: str = "",
    tolerance: float = 0.05,
    prune: bool = True,
    out: Path | str | None = None,
    watcher: work_items.Watcher | None = None,
    **settings: Unpack[Settings],
) -> AblationStudy:
    """Change every weight of a reward by every factor, rank the terms, and drop those that do little; `movlr ablate`.

    Args:
        reward: a name of the first task that has it, a file, a run's folder, or the best of a search.
        tasks, bodies: where to try it.
        factors, metric, tolerance, prune: as `movlr_jax.tuning.ablation_study.ablate`.
        out: a folder, in which the same call goes on where it was stopped; None keeps nothing on the disk.
        watcher: is told how it goes.
        settings: how episodes are run (`Settings`); three seeds if left out.

    Raises:
        MovlrError: a name stands for nothing, or a setting cannot be.
    """
    word = str(reward.folder if isinstance(reward, Best) else reward)
    made = [study.for_goal(_task(task), None, [word]) for task in tasks]
    places = transfers.places(made, [str(body) for body in bodies])
    text, how = reward_texts.find(word, made), _settings({"seeds": (0, 1, 2), **settings})
    with _folder(out) as folder:
        return ablation_study.ablate(text, places, how, folder, watcher, factors=factors, metric=metric, tolerance=tolerance, prune=prune)


def tune(
    reward: str | Path | Best,
    task: Task | str = "walk_flat",
    body: str | Path | None = None,
    *,
    config: TuneConfig | None = None,
    judges: Judges | None = None,
    out: Path | str | None = None,
    watcher: work_items.Watcher | None = None,
    tell: tune_study.Tell | None = None,
    **settings: Unpack[Settings],
) -> TuneStudy:
    """Find better weights for a reward's terms, checked on seeds that no trial saw; `movlr tune`.

    Args:
        reward: a name of the task's, a file, a run's folder, or the best of a search.
        task, body: where; the task's own body if left out.
        config: how weights are tuned: `movlr.TuneConfig(trials=40, objective="distance_m")`.
        judges: who judges beside the task's metrics.
        out: a folder, in which the same call goes on where it was stopped; None keeps nothing on the disk.
        watcher: is told how episodes go.
        tell: is told each finished trial and the best so far.
        settings: how episodes are run (`Settings`).

    Raises:
        MovlrError: a name stands for nothing, or a setting cannot be.
    """
    word = str(reward.folder if isinstance(reward, Best) else reward)
    made = study.for_goal(_task(task), None, [word])
    (place, *_) = transfers.places([made], [] if body is None else [str(body)])
    text = reward_texts.find(word, [made])
    with _folder(out) as folder:
        return tune_study.tune(config or TuneConfig(), text, place, _settings(settings), folder, watcher, judges=judges, tell=tell)


@dataclass(frozen=True)
class Best:
    """The best iteration of a search.

    Attributes:
        iteration: its number.
        score: its score.
        metrics: its mean metrics over the seeds.
        source: the program's text.
        folder: reward.py, rollout.npz, clip.mp4 and the rest of it.
    """

    iteration: int
    score: float | None
    metrics: Mapping[str, Any]
    source: str
    folder: Path


@dataclass(frozen=True, eq=False)
class SearchResult:
    """What a search came to; printed, it is a table of the iterations.

    Attributes:
        result: how it ended: rows, named failures, a sentence.
    """

    result: RunResult

    @property
    def folder(self) -> Path:
        """The run's folder: `movlr report`, `movlr resume` and `movlr replay` take it."""
        return self.result.folder

    @property
    def rows(self) -> list[IterationRecord]:
        """The record of each iteration."""
        return self.result.rows

    @functools.cached_property
    def best(self) -> Best | None:
        """The iteration kept as best; `plan`, `evaluate`, `ablate` and `tune` take it."""
        if self.result.best is None:
            return None
        folder = RunFolder(self.folder).iteration(self.result.best).path
        return Best(self.result.best, self.result.score, self.result.metrics, atomic.read_text(folder / "reward.py"), folder)

    def __str__(self) -> str:
        best = self.result.best
        cells = [[str(r.iteration), "" if r.score is None else f"{r.score:.1f}", "best" if r.iteration == best else ""] for r in self.rows]
        return "\n".join([metrics_table.aligned(["iteration", "score", ""], cells), self.result.message])

    def to_pandas(self) -> Any:
        """Return a DataFrame with a row an iteration.

        Raises:
            MovlrError: pandas is not installed.
        """
        return metrics_table.frame(
            [{**{k: v for k, v in row.summary().items() if k != "metrics"}, **row.metrics.root} for row in self.rows]
        )


def search(
    task: Task | str = "walk_flat",
    body: Body = None,
    *,
    on_event: OnEvent | None = None,
    out: Path | str | None = None,
    **values: Any,
) -> SearchResult:
    """Search for a reward: write, prove, move, judge, keep the best; `movlr run`.

    Args:
        task: the task, or its name. One made in this process is known by its name until the process ends.
        body: the body, loaded or by name; the task's own if None.
        on_event: called with each `Event`; `print` shows them.
        out: the run's folder; runs/NAME, or the next that is free, if left out.
        values: the fields of `RunConfig`: iterations, seeds, critic, writer, planner, ...

    Raises:
        MovlrError: a value cannot be, or a stage cannot go on.
        TypeError: a value has another name than any field of RunConfig.
    """
    config = RunConfig(**{**_words(task), **_body_words(body), **values, "out": None if out is None else Path(out)})
    return SearchResult(start_run(free_folder(config), progress=_shown(on_event)))


def resume(folder: Path | str, *, on_event: OnEvent | None = None, **values: Any) -> SearchResult:
    """Go on with a search from the last product that it saved; `movlr resume`.

    Args:
        folder: the run's folder.
        on_event: called with each `Event`.
        values: a new last iteration or budget, as `movlr_jax.searches.resume`.

    Raises:
        MovlrError: there is no run, another process works on it, or a stage cannot go on.
    """
    return SearchResult(resume_run(Path(folder), progress=_shown(on_event), **values))


def transfer(
    rewards: Sequence[str | Path | Best],
    sources: Sequence[Task | str],
    tasks: Sequence[Task | str],
    bodies: Sequence[str | Path] = (),
    *,
    metric: str = "",
    strengths: Sequence[float] = (),
    goal: str | None = None,
    out: Path | str | None = None,
    watcher: work_items.Watcher | None = None,
    **settings: Unpack[Settings],
) -> TransferStudy:
    """Try rewards without change on other tasks and bodies than those they come from; `movlr transfer`.

    Args:
        rewards: names of the sources' rewards, files, runs' folders, or the best of searches.
        sources: the tasks whose named rewards are meant.
        tasks, bodies: where to try them.
        metric: what the matrix shows; the own metric of the first task if "".
        strengths: fractions of their strength that injured muscles keep in turn.
        goal: a sentence of your own, by which episodes are measured.
        out: a folder, in which the same call goes on where it was stopped; None keeps nothing on the disk.
        watcher: is told how it goes.
        settings: how episodes are run (`Settings`).

    Raises:
        MovlrError: a name stands for nothing, or a setting cannot be.
    """
    words = [str(r.folder if isinstance(r, Best) else r) for r in rewards]
    texts = transfers.rewards([_task(task) for task in sources], words)
    places = transfers.places([study.for_goal(_task(task), goal, words) for task in tasks], [str(body) for body in bodies])
    with _folder(out) as folder:
        return transfer_study.measure(texts, places, _settings(settings), folder, watcher, metric=metric, strengths=strengths)


def check(source: str | Path, body: Body = None, task: Task | str = "walk_flat", *, goal: str | None = None) -> Proof:
    """Put a reward through the sandbox and return its proof: `.trusted`, `.verdict`, `.reward`; `movlr check`.

    Args:
        source: the program's text, or its file.
        body: the body it is for; the task's own if None.
        task: whose goal its behaviour is checked under.
        goal: a sentence of your own, where it is not the task's.

    Raises:
        MovlrError: there is no such file, task or body.
    """
    made = _task(task).configured(goal)
    text = reward_texts.read(source) if isinstance(source, Path) else source
    name = str(source) if isinstance(source, Path) else "a text"
    return reward_texts.prove(text, name, made.prepared(_body(body)), made.goal_speed, lying=made.lies)


def train(
    task: Task | str = "walk_flat",
    body: Body = None,
    *,
    on_update: Callable[[int, dict[str, float]], Any] | None = None,
    warn: Callable[[str], Any] | None = None,
    out: Path | str | None = None,
    **values: Any,
) -> Path:
    """Train a policy by PPO with the same reward that is planned with, and return the training's folder; `movlr train`.

    Args:
        task: the task, or its name.
        body: the body, loaded or by name; the task's own if None.
        on_update: called after each update with its number and its scalars.
        warn: is told what does not stop it, a sentence at a time.
        out: the training's folder; runs/train-NAME, or the next that is free, if left out.
        values: the fields of `movlr_jax.learning.rl.config.TrainConfig`.

    Raises:
        MovlrError: a value cannot be, this machine lacks something, or the folder is taken.
    """
    from movlr_jax.learning.rl import training, training_folder
    from movlr_jax.learning.rl.config import TrainConfig

    config = TrainConfig(**{**_words(task), **_body_words(body), **values, "out": None if out is None else Path(out)})
    folder, about = training_folder.create(config)
    training.run(folder, about, on_update or (lambda update, scalars: None), warn or (lambda sentence: None))
    return folder


def sweep(
    file: Path | str, *, out: Path | str | None = None, workers: int | None = None, tell: Callable[[str], Any] | None = None
) -> Outcome:
    """Run many configurations, each a run in a folder of its own; `movlr sweep`.

    Args:
        file: the sweep's file.
        out: the sweep's folder; the file's if left out.
        workers: trials side by side, on a Ray of this machine; None runs one after the other without Ray.
        tell: is told how it goes.

    Raises:
        MovlrError: the file can be no sweep's, or an address in it is not known.
    """
    found = definition.read(Path(file))
    if out is not None:
        found = dataclasses.replace(found, out=Path(out))
    return drive.run(found, drive.executor(found, workers), tell or (lambda sentence: None), environment=drive.allowed(found))


def _shown(on_event: OnEvent | None) -> Progress | None:
    def show(event: Event) -> None:
        if on_event is not None:
            on_event(event)

    return show


def _task(task: Task | str) -> Task:
    return task if isinstance(task, Task) else load_task(task)


def _body(body: Body) -> Morphology | str | None:
    return str(body) if isinstance(body, Path) else body


def _settings(values: Settings) -> EpisodeSettings:
    given: dict[str, Any] = {name: tuple(v) if isinstance(v, list | range) else v for name, v in values.items()}
    return EpisodeSettings(**given)


def _words(task: Task | str) -> dict[str, Any]:
    """Return a task as a run's configuration names it; one that nothing names is registered."""
    if isinstance(task, str):
        return {"task": task}
    if not task.origin and task.name not in TASKS:
        TASKS.register(task.name, task)
        return {"task": task.word}
    own = load_task(task.word)
    goal = task.sentence if task.spoken else None
    if own.configured(goal, task.seconds, task.goal_speed) != task:
        raise MovlrError(f"There is another task {task.name} already: give yours a name of its own.")
    return {"task": task.word, "goal": goal, "seconds": task.seconds, "goal_speed": task.goal_speed}


def _body_words(body: Body) -> dict[str, Any]:
    if not isinstance(body, Morphology):
        return {} if body is None else {"morphology": str(body)}
    if not body.word:
        raise MovlrError(f"{body.name} was prepared without the catalog: load it by name, or from its file.")
    return {"morphology": body.word, "injury": injury_words(body.scene.injuries)}


@contextlib.contextmanager
def _folder(out: Path | str | None) -> Iterator[Path]:
    """Give a folder: the one that was named, or one that goes with the call."""
    if out is not None:
        yield Path(out)
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)
