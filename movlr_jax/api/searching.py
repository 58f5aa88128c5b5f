"""Searches for rewards, trainings of policies and sweeps over both: `movlr run`, `resume`, `train` and `sweep` as functions."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from movlr_jax import atomic
from movlr_jax.api.arguments import Best, Body, body_values, task_values
from movlr_jax.media import metrics_table
from movlr_jax.runs.config import RunConfig, free_folder
from movlr_jax.runs.iteration_record import IterationRecord
from movlr_jax.runs.run_folder import RunFolder
from movlr_jax.searches import resume as resume_run
from movlr_jax.searches import run as start_run
from movlr_jax.searches.events import Event, Progress
from movlr_jax.searches.loop import RunResult
from movlr_jax.sweeps import backends, definition, drive
from movlr_jax.sweeps.drive import Outcome
from movlr_jax.tasks import Task

OnEvent = Callable[[Event], Any]


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
    config = RunConfig(**{**task_values(task), **body_values(body), **values, "out": None if out is None else Path(out)})
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


def _shown(on_event: OnEvent | None) -> Progress:
    def show(event: Event) -> None:
        if on_event is not None:
            on_event(event)

    return show


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

    config = TrainConfig(**{**task_values(task), **body_values(body), **values, "out": None if out is None else Path(out)})
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
    plan = definition.read(Path(file))
    if out is not None:
        plan = dataclasses.replace(plan, out=Path(out))
    return drive.run(plan, backends.executor(plan, workers), tell or (lambda sentence: None), environment=drive.allowed(plan))
