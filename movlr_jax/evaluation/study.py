"""An evaluation in a folder: rewards measured on tasks and bodies, with the tables and documents that come of it.

In: works, how episodes are run, a folder. Out: rows; in the folder episodes/ (every episode, as it comes), eval.json, eval.md and clips/.
The same call goes on where it was stopped; made twice at the same time, the two share the work.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from movlr_jax import atomic
from movlr_jax.control.episode_config import EpisodeSettings
from movlr_jax.errors import MovlrError
from movlr_jax.evaluation import reward_texts
from movlr_jax.evaluation.episode_store import EpisodeStore
from movlr_jax.evaluation.evaluation import Describe, Evaluation, Measure
from movlr_jax.evaluation.work_items import Row, Watcher, Work
from movlr_jax.media import metrics_table, tables
from movlr_jax.tasks import Task

EPISODES, CLIPS = "episodes", "clips"


@contextlib.contextmanager
def opened(
    settings: EpisodeSettings,
    folder: Path,
    watcher: Watcher | None = None,
    *,
    clips: bool = False,
    measures: Mapping[str, Measure] | None = None,
    facts: tuple[Path, Describe] | None = None,
    bodies: int = 1,
) -> Iterator[Evaluation]:
    """Give an evaluation into a folder's episodes/.

    Args:
        settings: how episodes are run.
        folder: where episodes/ stands, and clips/.
        watcher: is told how it goes.
        clips: film the first seed of each work.
        measures, facts, bodies: as `Evaluation`.

    Raises:
        MovlrError: the folder cannot be written, or the engine is unknown.
    """
    with EpisodeStore(folder / EPISODES) as store:
        yield Evaluation(settings, store, folder / CLIPS if clips else None, watcher, measures=measures, facts=facts, bodies=bodies)


def for_goal(task: Task, goal: str | None, rewards: Sequence[str]) -> Task:
    """Return a task with a user's sentence.

    Args:
        task: it.
        goal: the sentence; None: that of the runs among the rewards that were found on this task, else the task's own.
        rewards: words for rewards.

    Raises:
        MovlrError: the runs were found for different sentences.
    """
    sentences = sorted({reward_texts.goal_of(word, task.name) for word in rewards} - {""})
    if not goal and len(sentences) > 1:
        quoted = ", ".join(f"'{sentence}'" for sentence in sentences)
        raise MovlrError(f"The runs were found for different goals ({quoted}): give the one to measure by with --goal.")
    return task.with_sentence(goal or "".join(sentences[:1]))


def rules(tasks: Sequence[Task]) -> list[str]:
    """Say of each task when an episode ends early and what of its sentence is measured, a line each."""
    return [f"{task.name}: {sentence}" for task in tasks for sentence in (task.ends_when(), *task.measures())]


@dataclass(frozen=True, eq=False)
class EvaluationStudy:
    """What came of an evaluation; printed, it is a table.

    Attributes:
        rows: one a combination of reward, task, body and strength.
        tasks: the tasks.
        folder: where it stands.
    """

    rows: tuple[Row, ...]
    tasks: tuple[Task, ...]
    folder: Path

    def document(self) -> dict[str, Any]:
        """Return it for JSON: {"rows": [a document as `movlr rollout --json` prints, a row]}."""
        return {"rows": [row.document() for row in self.rows]}

    def table(self) -> tuple[list[str], list[list[str]], list[str]]:
        """Return headings, cells, and remarks on what was not measured."""
        return tables.evaluation([row.document() for row in self.rows], [task.metric for task in self.tasks])

    def save(self) -> dict[str, Any]:
        """Write eval.json and eval.md, and return the document as it stands there."""
        headings, cells, remarks = self.table()
        document: dict[str, Any] = atomic.write_json(self.folder / "eval.json", self.document())
        atomic.write_text(self.folder / "eval.md", tables.markdown(headings, cells, [*remarks, *rules(self.tasks)]))
        return document

    def __str__(self) -> str:
        headings, cells, remarks = self.table()
        return "\n".join([metrics_table.aligned(headings, cells), *remarks])

    def to_pandas(self) -> Any:
        """Return a DataFrame with a row an episode: reward, task, morphology, strength and the episode's metrics.

        Raises:
            MovlrError: pandas is not installed.
        """
        records = []
        for row in self.rows:
            place = {"reward": row.work.name, "task": row.work.task.name, "morphology": row.work.body, "strength": row.work.strength}
            records += [place | episode for episode in row.episodes]
        return metrics_table.frame(records)


def evaluate(
    works: Sequence[Work],
    settings: EpisodeSettings,
    folder: Path,
    watcher: Watcher | None = None,
    *,
    clips: bool = False,
) -> EvaluationStudy:
    """Measure works into a folder, and write its tables.

    Args:
        works: as `work_items.combinations` and `work_items.at_strengths` make them.
        settings: how episodes are run.
        folder: for episodes, tables and clips.
        watcher: is told how it goes.
        clips: film the first seed of each.

    Raises:
        MovlrError: as `Evaluation.run`.
    """
    with opened(settings, folder, watcher, clips=clips) as measuring:
        rows = measuring.run(works)
    tasks = tuple({work.task.name: work.task for work in works}.values())
    study = EvaluationStudy(tuple(rows), tasks, folder)
    study.save()
    return study
