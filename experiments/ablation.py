"""Term ablation of the human-designed and of a learned reward: what each term does, and what can go.

    python experiments/ablation.py --small                          # minutes on two cores
    python experiments/ablation.py                                  # full length, five seeds, a search of 15 iterations
    python experiments/ablation.py --rewards human straight learned

Every reward is ablated on the task it is for. Every search and every episode is saved as it comes; the same command goes on where it was
stopped. Writes a folder a reward (ablation.md, ablation.json, ablation_x*.png, pruned.py), and ablations.md and ablations.json over all.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import bench

from movlr_jax import atomic
from movlr_jax.errors import MovlrError
from movlr_jax.evaluation import reward_texts, work_items
from movlr_jax.evaluation.work_items import Work
from movlr_jax.media import tables
from movlr_jax.tasks import Task
from movlr_jax.tuning import ablation, pruning
from movlr_jax.tuning.ablation_study import AblationStudy

HEADINGS = ("reward", "task", "body", "term", "weight", "more falls without it", "lost without it", "effect", "verdict", "pruned")


def rewards(asked: argparse.Namespace, task: Task, body: str) -> list[Work]:
    """Return the rewards asked for on a task and body; one that is not there says why."""
    found = []
    for name in asked.rewards:
        if name == "learned":
            found.append(bench.learned(asked, task, body))
        elif name in task.rewards:
            found.append(Work(reward_texts.find(name, [task]), name, task, body))
        else:
            found.append(Work(None, name, task, body, f"The task has no reward '{name}': it has {', '.join(task.rewards)}."))
    return found


def main(argv: Sequence[str] | None = None) -> int:
    parser = bench.parser(__doc__, "ablation")
    parser.add_argument("--rewards", nargs="+", default=["human", "learned"], metavar="R", help="named rewards of the tasks, and learned")
    parser.add_argument("--factors", nargs="+", type=float, default=list(ablation.FACTORS), help="what weights are multiplied by")
    parser.add_argument("--tolerance", type=float, default=0.05, help="share of the metric that a pruned reward may lose")
    parser.set_defaults(tasks=["walk_flat"])
    asked = parser.parse_args(argv)
    places = [(task, body) for task in bench.tasks(asked) for body in asked.morphologies or work_items.bodies_of(task)[:1]]
    if "learned" in asked.rewards:
        bench.search_all(asked, [bench.Search(task, body) for task, body in places])
    works = [work for task, body in places for work in rewards(asked, task, body)]
    rows: list[list[str]] = []
    documents: list[dict[str, Any]] = []
    remarks: list[str] = []
    with bench.evaluation(asked) as measured:
        for work in works:
            place = (work.task, work.morphology)
            try:
                if work.reward is None:
                    raise MovlrError(work.refused)
                found = ablation.ablate(measured, work.reward, [place], asked.factors, tolerance=asked.tolerance)
            except MovlrError as error:
                remarks.append(f"{work.name}, {work.task.name} on {work.morphology}: {error}")
                continue
            pruned = pruning.prune(found, measured) if 0.0 in found.factors else None
            document = AblationStudy(found, pruned, asked.out / f"{work.task.name}-{work.morphology}-{work.name}").save()
            documents.append({"name": work.name, **document})
            gone = () if pruned is None else pruned.dropped
            head = [work.name, work.task.name, work.morphology]
            rows += [[*head, *line, "goes" if line[0] in gone else ""] for line in found.ranking_table()[1]]
    atomic.write_text(asked.out / "ablations.md", f"# What each term does\n\n{tables.markdown(HEADINGS, rows, remarks)}")
    atomic.write_json(asked.out / "ablations.json", {"ablations": documents, "remarks": remarks})
    bench.show(asked, (HEADINGS, rows), remarks, "ablations.md", "ablations.json", "a folder a reward")
    return 0 if documents else 1


if __name__ == "__main__":
    bench.run(main)
