"""`movlr eval`: every combination of rewards, tasks, bodies, strengths of injured muscles and seeds, measured; nothing is searched for.

In: rewards by name (each task's own), as files, or as runs' folders (their best), and where to try them. Out: a table with a row a
combination; in the folder of --out episodes/ (every episode, as it comes), eval.json, eval.md and, with --clips, a clip a combination.
The same command goes on where it was stopped; started twice at the same time, the two share the work.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from movlr_jax.cli import console, options
from movlr_jax.control.episode_config import EpisodeSettings
from movlr_jax.errors import MovlrError

if TYPE_CHECKING:
    from movlr_jax.evaluation.evaluation import Describe, Evaluation, Measure, Row, Work
    from movlr_jax.tasks import Task

EPISODES, CLIPS = "episodes", "clips"
# Flags that take any number of values; each may be given more than once, and by either name.
MANY_OF_ALL = (("--morphologies", "--morphology"), ("--seeds",), ("--injury",))
_MANY = (("--rewards", "--reward"), ("--tasks", "--task"), ("--strengths",), *MANY_OF_ALL)


@dataclass(frozen=True, kw_only=True)
class Where(EpisodeSettings):
    """The flags that every evaluation has."""

    morphologies: Annotated[tuple[str, ...], tyro.conf.arg(aliases=("--morphology",))] = ()
    """The bodies, names from `movlr morphologies`; those that each task is meant for if left out."""
    goal: str | None = None
    """The goal as a sentence of your own, by whose words the episodes are measured and called falls; the task's, or that of the run whose
    folder is the reward, if left out."""
    json: bool = False
    """Print one JSON document and nothing else on stdout."""


@dataclass(frozen=True, kw_only=True)
class Options(Where):
    """Measure rewards on tasks and bodies, every combination, and print a table; nothing is searched for."""

    rewards: Annotated[tuple[str, ...], tyro.conf.arg(aliases=("--reward",))] = ("human",)
    """Rewards: a name (each task's own of that name), a file, or a run's folder, which stands for its best."""
    tasks: Annotated[tuple[str, ...], tyro.conf.arg(aliases=("--task",))] = ("walk_flat",)
    """The tasks: names from `movlr tasks`, or your own (my_task.py)."""
    strengths: tuple[float, ...] = ()
    """Fractions of their strength that the muscles of --injury without a fraction keep in turn, or without such muscles the task's own
    injured ones: --injury 'soleus_*' --strengths 0 0.5 1. Each gives a row; engines that batch plan them side by side."""
    clips: bool = False
    """Film the first seed of each combination."""
    out: Path = Path("runs/eval")
    """Folder for the episodes and the table; what it has already is not run again."""


def measure(works: Sequence[Work], settings: EpisodeSettings, folder: Path, *, clips: bool = False) -> list[Row]:
    """Measure works into a folder's episodes/, and show how it goes.

    Args:
        works: what to measure.
        settings: how.
        folder: where episodes/ stands, and clips/.
        clips: film the first seed of each.

    Raises:
        MovlrError: as `evaluation.evaluate`.
        Stopped: the user interrupted; everything finished is saved.
    """
    with opened(settings, folder, clips=clips) as evaluation:
        return evaluation.run(works)


@contextlib.contextmanager
def opened(
    settings: EpisodeSettings,
    folder: Path,
    *,
    clips: bool = False,
    measures: Mapping[str, Measure] | None = None,
    facts: tuple[Path, Describe] | None = None,
    bodies: int = 1,
) -> Iterator[Evaluation]:
    """Give an evaluation into a folder's episodes/, which shows how it goes.

    Args:
        settings: how episodes are run.
        folder: where episodes/ stands, and clips/.
        clips: film the first seed of each work.
        measures, facts, bodies: as `Evaluation`.

    Raises:
        MovlrError: the folder cannot be written, or the engine is unknown.
        Stopped: the user interrupted; everything finished is saved.
    """
    from movlr_jax.cli.watch import Watch
    from movlr_jax.evaluation.episode_store import EpisodeStore
    from movlr_jax.evaluation.evaluation import Evaluation

    with EpisodeStore(folder / EPISODES) as store, Watch(store.folder) as watch:
        try:
            yield Evaluation(settings, store, folder / CLIPS if clips else None, watch, measures=measures, facts=facts, bodies=bodies)
        except KeyboardInterrupt:
            raise Stopped(
                f"Interrupted: {watch.done} of {watch.wanted} episodes are in {store.folder}; the same command goes on."
            ) from None


def with_goal(task: Task, goal: str | None, rewards: Sequence[str]) -> Task:
    """Return a task with a user's sentence, and say on stderr, before anything is simulated, what of it is measured.

    Args:
        task: it.
        goal: the sentence; None: that of the runs among the rewards that were found on this task, else the task's own.
        rewards: words for rewards.

    Raises:
        MovlrError: the runs were found for different sentences.
    """
    from movlr_jax.evaluation import reward_texts

    found = sorted({reward_texts.goal_of(word, task.name) for word in rewards} - {""})
    if not goal and len(found) > 1:
        said = ", ".join(f"'{sentence}'" for sentence in found)
        raise MovlrError(f"The runs were found for different goals ({said}): give the one to measure by with --goal.")
    made = task.asked(goal or "".join(found[:1]))
    for sentence in made.measures() if made is not task else ():
        console.stderr().print(f"{task.name}: {sentence}", markup=False, soft_wrap=True)
    return made


def rules(tasks: Sequence[Task]) -> list[str]:
    """Say of each task when an episode ends early and what of its sentence is measured, a line each."""
    return [f"{task.name}: {sentence}" for task in tasks for sentence in (task.ends_when(), *task.measures())]


class Stopped(KeyboardInterrupt):
    """Ctrl-C, with a sentence that says what is saved."""


def main(argv: Sequence[str]) -> int:
    """Run the verb."""
    asked = options.parse(Options, options.gather(argv, *_MANY), "eval")
    from movlr_jax import atomic
    from movlr_jax.cli import task_names
    from movlr_jax.evaluation import evaluation
    from movlr_jax.media import tables

    settings = asked.settings()
    tasks = [with_goal(task, asked.goal, asked.rewards) for task in task_names.tasks_of(asked.tasks)]
    works = evaluation.at_strengths(evaluation.works(asked.rewards, tasks, asked.morphologies), asked.strengths)
    rows = measure(works, settings, asked.out, clips=asked.clips)
    documents = [row.document() for row in rows]
    document = atomic.write_json(asked.out / "eval.json", {"rows": documents})
    headings, cells, remarks = tables.evaluation(documents, [task.metric for task in tasks])
    atomic.write_text(asked.out / "eval.md", tables.markdown(headings, cells, [*remarks, *rules(tasks)]))
    if asked.json:
        console.print_json(document)
    else:
        out = console.stdout(console.WIDE)
        out.print(console.table("", headings, cells))
        for rule in rules(tasks):
            out.print(rule, markup=False, soft_wrap=True)
        for remark in remarks:
            out.print(f"not measured: {remark}", markup=False, soft_wrap=True)
        out.print(f"saved in {asked.out}", markup=False)
    return 0 if any(row.episodes for row in rows) else 1
