"""`movlr ablate REWARD|RUN`: every term of a reward dropped, halved and doubled, and what comes of it; then the terms that can go, gone.

In: a reward by name, as a file, or as a run's folder (its best), and where to try it. Out: a ranking of the terms and a table of what each
change did; in the folder of --out ablation.json, ablation.md, a heat map a factor (ablation_x0.png, ...), pruned.py, and the episodes,
which `movlr eval` with the same --out shares. The same command goes on where it was stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from movlr_jax import atomic
from movlr_jax.cli import console, eval, flags, inherited

if TYPE_CHECKING:
    from movlr_jax.tuning.ablation_study import AblationStudy

_MANY = (("--tasks", "--task"), ("--factors",), *eval.MANY_OF_ALL)


@dataclass(frozen=True, kw_only=True)
class Options(eval.Where):
    """Change every weight of a reward by every factor, measure, rank the terms, and drop those that do little."""

    reward: Annotated[str, tyro.conf.Positional] = "human"
    """The reward: a name of the first task that has it, a file, or a run's folder, which stands for its best and brings the run's task,
    body, injuries, length, goal speed and planner along."""
    tasks: Annotated[tuple[str, ...], tyro.conf.arg(aliases=("--task",))] = ()
    """The tasks to try it on: names from `movlr tasks`, or your own (my_task.py); a run's own, else walk_flat, if left out."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """Seeds, one episode each; one alone tells no difference from luck, and nothing is recommended then."""
    factors: tuple[float, ...] = (0.0, 0.5, 2.0)
    """What each weight is multiplied by in turn; 0 drops the term, which ranking and pruning need."""
    metric: str = ""
    """The metric that ranks and prunes: one of those that `movlr rollout TASK --json` prints; each task's own if left out."""
    tolerance: float = 0.05
    """The share of that metric that a term may bring and still do little, and that the pruned reward may lose."""
    prune: bool = True
    """Drop what can go, and write pruned.py; where the metric is the same whatever is changed, or at its best, nothing is recommended."""
    out: Path = Path("runs/ablate")
    """Folder for the episodes, tables and pictures; what it has already is not run again."""


def main(argv: Sequence[str]) -> int:
    """Run the verb."""
    options, goal = inherited.parse(Options, flags.gather(argv, *_MANY), "ablate", lambda o: (o.reward, o.tasks))
    from movlr_jax.cli import task_names
    from movlr_jax.evaluation import reward_texts, transfer
    from movlr_jax.tuning import ablation_study

    task, body = task_names.home(options.reward)
    tasks = task_names.tasks_of(options.tasks) or [task_names.at_home(task or "walk_flat", options.reward)]
    tasks = eval.announced(tasks, options.goal or goal, ())
    text = reward_texts.find(options.reward, tasks)
    places = transfer.places(tasks, options.morphologies or ((body,) if body and not options.tasks else ()))
    with eval.watched(options.out) as watch:
        result = ablation_study.ablate(
            text,
            places,
            options.settings(),
            options.out,
            watch,
            factors=options.factors,
            metric=options.metric,
            tolerance=options.tolerance,
            prune=options.prune,
        )
    if options.json:
        console.print_json(atomic.read_json(options.out / "ablation.json"))
    else:
        show(result)
    return 0


def show(result: AblationStudy) -> None:
    """Print tables."""
    from movlr_jax.evaluation import study

    ablation = result.ablation
    out = console.stdout(console.WIDE)
    out.print(console.table("", *ablation.table()))
    if ablation.ranking():
        out.print()
        out.print(console.table("What earns its place" if ablation.conclusive else "What was seen", *ablation.ranking_table()))
    out.print()
    files = "ablation.md, ablation.json, ablation_x*.png" + ("" if result.pruned is None or not ablation.conclusive else ", pruned.py")
    lines = [
        *result.lines(),
        *study.rules([task for task, _ in ablation.places]),
        *(f"not measured: {remark}" for remark in ablation.remarks),
    ]
    for line in (*lines, f"saved in {result.folder} ({files})"):
        out.print(line, markup=False, soft_wrap=True)
