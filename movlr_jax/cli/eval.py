"""`movlr eval`: every combination of rewards, tasks, bodies, strengths of injured muscles and seeds, measured; nothing is searched for.

In: rewards by name (each task's own), as files, or as runs' folders (their best), and where to try them. Out: a table with a row a
combination; in the folder of --out episodes/ (every episode, as it comes), eval.json, eval.md and, with --clips, a clip a combination.
The same command goes on where it was stopped; started twice at the same time, the two share the work.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from movlr_jax.cli import console, flags
from movlr_jax.control.episode_config import EpisodeSettings

if TYPE_CHECKING:
    from movlr_jax.cli.watch import Watch
    from movlr_jax.tasks import Task

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


def announced(tasks: Sequence[Task], goal: str | None, rewards: Sequence[str]) -> list[Task]:
    """Return tasks with a user's sentence (`study.for_goal`), and say on stderr, before anything is simulated, what of it is measured.

    Raises:
        MovlrError: as `study.for_goal`.
    """
    from movlr_jax.evaluation import study

    made = [study.for_goal(task, goal, rewards) for task in tasks]
    for task, own in zip(made, tasks, strict=True):
        for sentence in task.measures() if task is not own else ():
            console.stderr().print(f"{task.name}: {sentence}", markup=False, soft_wrap=True)
    return made


@contextlib.contextmanager
def watched(folder: Path) -> Iterator[Watch]:
    """Show how an evaluation into a folder goes.

    Raises:
        Stopped: the user interrupted; everything finished is saved.
    """
    from movlr_jax.cli.watch import Watch
    from movlr_jax.evaluation.study import EPISODES

    store = folder / EPISODES
    with Watch(store) as watch:
        try:
            yield watch
        except KeyboardInterrupt:
            raise Stopped(f"Interrupted: {watch.done} of {watch.wanted} episodes are in {store}; the same command goes on.") from None


class Stopped(KeyboardInterrupt):
    """Ctrl-C, with a sentence that says what is saved."""


def main(argv: Sequence[str]) -> int:
    """Run the verb."""
    options = flags.parse(Options, flags.gather(argv, *_MANY), "eval")
    from movlr_jax.cli import task_names
    from movlr_jax.evaluation import study, work_items

    tasks = announced(task_names.tasks_of(options.tasks), options.goal, options.rewards)
    works = work_items.at_strengths(work_items.combinations(options.rewards, tasks, options.morphologies), options.strengths)
    with watched(options.out) as watch:
        result = study.evaluate(works, options.settings(), options.out, watch, clips=options.clips)
    if options.json:
        console.print_json(result.document())
    else:
        headings, cells, remarks = result.table()
        out = console.stdout(console.WIDE)
        out.print(console.table("", headings, cells))
        for line in (*study.rules(tasks), *(f"not measured: {remark}" for remark in remarks), f"saved in {options.out}"):
            out.print(line, markup=False, soft_wrap=True)
    return 0 if any(row.episodes for row in result.rows) else 1
