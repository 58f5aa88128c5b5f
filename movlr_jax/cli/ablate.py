"""`movlr ablate REWARD|RUN`: every term of a reward dropped, halved and doubled, and what comes of it; then the terms that can go, gone.

In: a reward by name, as a file, or as a run's folder (its best), and where to try it. Out: a ranking of the terms and a table of what each
change did; in the folder of --out ablation.json, ablation.md, a heat map a factor (ablation_x0.png, ...), pruned.py, and the episodes,
which `movlr eval` with the same --out shares. The same command goes on where it was stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from movlr_jax.cli import console, eval, inherited, options

if TYPE_CHECKING:
    from movlr_jax.tuning.ablation import Ablation
    from movlr_jax.tuning.pruning import Pruned

_MANY = (("--tasks", "--task"), ("--factors",), *eval.MANY_OF_ALL)
_MOST_BODIES = 4  # prepared bodies with their engines that are kept between rounds


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
    asked, goal = inherited.parse(Options, options.gather(argv, *_MANY), "ablate", lambda o: (o.reward, o.tasks))
    from movlr_jax.cli import task_names
    from movlr_jax.evaluation import reward_texts, transfer
    from movlr_jax.tuning import ablation, pruning

    task, body = task_names.home(asked.reward)
    tasks = task_names.tasks_of(asked.tasks) or [task_names.at_home(task or "walk_flat", asked.reward)]
    tasks = [eval.with_goal(one, asked.goal or goal, ()) for one in tasks]
    text = reward_texts.find(asked.reward, tasks)
    places = transfer.places(tasks, asked.morphologies or ((body,) if body and not asked.tasks else ()))
    with eval.opened(asked.settings(), asked.out, bodies=min(len(places), _MOST_BODIES)) as evaluation:
        found = ablation.ablate(evaluation, text, places, asked.factors, metric=asked.metric, tolerance=asked.tolerance)
        pruned = pruning.prune(found, evaluation) if asked.prune and 0.0 in found.factors else None
    document = save(asked.out, found, pruned)
    if asked.json:
        console.print_json(document)
    else:
        show(asked.out, found, pruned)
    return 0


def save(folder: Path, found: Ablation, pruned: Pruned | None) -> dict[str, Any]:
    """Write what was found into a folder, and return the document that stands in its ablation.json."""
    from movlr_jax import atomic
    from movlr_jax.media import tables
    from movlr_jax.tuning import pruning

    parts = [f"# What each term of {Path(found.text.name).name} does\n"]
    parts += [f"## Ranking\n\n{tables.markdown(*found.ranking_table())}"] if found.ranking() else []
    if pruned is not None:
        said = dict.fromkeys((*pruning.report(found, pruned), *(pruned.tried if found.conclusive else ())))
        parts.append("## Pruned\n\n" + "".join(f"- {line}\n" for line in said))
        if found.conclusive:
            atomic.write_text(folder / "pruned.py", pruned.text.source)
        else:  # one of an earlier call would seem to be recommended now
            (folder / "pruned.py").unlink(missing_ok=True)
    parts += [f"## The metric that ranks\n\n{tables.markdown(*found.table())}"]
    parts += [f"## All metrics: difference to the unchanged reward (in standard deviations)\n\n{tables.markdown(*found.all_metrics())}"]
    parts.append("".join(f"- {rule}\n" for rule in eval.rules([task for task, _ in found.places])))
    parts += ["".join(f"- not measured: {remark}\n" for remark in found.remarks)] if found.remarks else []
    atomic.write_text(folder / "ablation.md", "\n".join(parts))
    pictures = found.draw(folder)
    document = {**found.document(), "pruned": None if pruned is None else pruned.document(), "pictures": [path.name for path in pictures]}
    return atomic.write_json(folder / "ablation.json", document)


def show(folder: Path, found: Ablation, pruned: Pruned | None) -> None:
    """Print tables."""
    from movlr_jax.tuning import pruning

    out = console.stdout(console.WIDE)
    out.print(console.table("", *found.table()))
    if found.ranking():
        out.print()
        out.print(console.table("What earns its place" if found.conclusive else "What was seen", *found.ranking_table()))
    out.print()
    for line in found.limits() if pruned is None else pruning.report(found, pruned):
        out.print(line, markup=False, soft_wrap=True)
    for rule in eval.rules([task for task, _ in found.places]):
        out.print(rule, markup=False, soft_wrap=True)
    for remark in found.remarks:
        out.print(f"not measured: {remark}", markup=False, soft_wrap=True)
    files = "ablation.md, ablation.json, ablation_x*.png" + ("" if pruned is None or not found.conclusive else ", pruned.py")
    out.print(f"saved in {folder} ({files})", markup=False)
