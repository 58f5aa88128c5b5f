"""`movlr transfer`: rewards found on one task or body, tried without change on others, as a matrix of one metric.

In: rewards (named ones of the tasks they are from, files, runs' folders) and the tasks and bodies to try them on. The text stays as it is;
it is proved again for each body. Out: a table and a heat map (rows: reward and where it came from; columns: task and body, at each strength
of injured muscles if several are asked for); in the folder of --out transfer.json, transfer.md, transfer.png and the episodes, which
`movlr eval` with the same --out shares.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from movlr_jax.cli import console, eval, flags

_MANY = (("--rewards", "--reward"), ("--from",), ("--to", "--tasks", "--task"), ("--strengths",), *eval.MANY_OF_ALL)


@dataclass(frozen=True, kw_only=True)
class Options(eval.Where):
    """Measure rewards, unchanged, on other tasks and bodies than those they come from, as a matrix of one metric."""

    rewards: Annotated[tuple[str, ...], tyro.conf.arg(aliases=("--reward",))] = ("human",)
    """Rewards: a name of the tasks of --from, a file, or a run's folder, which stands for its best."""
    source: Annotated[tuple[str, ...], tyro.conf.arg(name="from")] = ("walk_flat",)
    """The tasks whose named rewards are meant; of several, each that has the name gives a row."""
    tasks: Annotated[tuple[str, ...], tyro.conf.arg(name="to", aliases=("--tasks", "--task"))] = ("walk_flat", "stand")
    """The tasks to try them on, your own by file (my_task.py); name the first one too for comparison."""
    strengths: tuple[float, ...] = ()
    """Fractions of their strength that the muscles of --injury without a fraction keep in turn, or without such muscles the task's own
    injured ones: --injury 'soleus_*' --strengths 0 0.5 1. Each gives a column; engines that batch plan them side by side."""
    metric: str = ""
    """The metric that the matrix shows: one of those that `movlr rollout TASK --json` prints; the own metric of the first task of --to if
    left out."""
    out: Path = Path("runs/transfer")
    """Folder for the episodes, the table and the heat map; what it has already is not run again."""


def main(argv: Sequence[str]) -> int:
    """Run the verb."""
    options = flags.parse(Options, flags.gather(argv, *_MANY), "transfer")
    from movlr_jax.cli import task_names
    from movlr_jax.evaluation import transfer, transfer_study

    rewards = transfer.rewards(task_names.tasks_of(options.source), options.rewards)
    places = transfer.places(eval.announced(task_names.tasks_of(options.tasks), options.goal, options.rewards), options.morphologies)
    with eval.watched(options.out) as watch:
        result = transfer_study.measure(
            rewards, places, options.settings(), options.out, watch, metric=options.metric, strengths=options.strengths
        )
    matrix = result.matrix
    if options.json:
        console.print_json(matrix.document())
    else:
        out = console.stdout(console.WIDE)
        out.print(console.table(f"{matrix.metric}, mean ± standard deviation over {len(options.seeds)} seeds", *matrix.table()))
        files = f"saved in {options.out} (transfer.png, transfer.md, transfer.json)"
        for line in (*(f"not measured: {remark}" for remark in matrix.remarks()), *result.notes(), files):
            out.print(line, markup=False, soft_wrap=True)
    return 0 if any(row.episodes for row in matrix.rows) else 1
