"""How a reward was refined: the weight of each term over a search's iterations, and when each class of terms came in.

    python experiments/refinement.py --small                       # a short search on every task
    python experiments/refinement.py --runs runs/walk_flat-0       # a run that is there already

Writes refinement.md, refinement.json and a heat map a run. Shares its searches with the other experiments.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bench

from movlr_jax import atomic
from movlr_jax.errors import MovlrError
from movlr_jax.evaluation import work_items
from movlr_jax.media import heatmaps, tables
from movlr_jax.runs.run_folder import RunFolder


def record(folder: RunFolder, picture: Path) -> dict[str, Any]:
    """Draw a run's weights and return what it came to, iteration by iteration."""
    header = atomic.read_json(folder["run.json"])
    rows = [row.to_json() for row in folder.rows()]
    heatmaps.weight_by_iteration(rows, picture, best=folder.best())
    shown = ("iteration", "kept", "score", "edit", "weights", "term_classes")
    return {
        "run": folder.path.name,
        "task": header["task"],
        "morphology": header["morphology"],
        "figure": picture.name,
        "best": folder.best(),
        "first_weight": heatmaps.class_arrival(rows),
        "iterations": [{**{k: row.get(k) for k in shown}, "metrics": row.get("metrics")} for row in rows],
    }


def cells(run: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Return headings and cells: an iteration a line."""
    out = []
    shown = ("seconds", "distance_m")
    for row in run["iterations"]:
        metrics = row["metrics"] or {}
        weights = row["weights"] or {}
        out.append(
            [
                str(row["iteration"]),
                "best" if row["iteration"] == run["best"] else "yes" if row["kept"] else "no",
                tables.number(row["score"], ".2f"),
                *(tables.cell(metrics, name) for name in shown),
                f"{len(weights)} terms, {sum(abs(w) for w in weights.values()):g}",
                str(row["edit"] or ""),
            ]
        )
    return ["iteration", "kept", "score", *map(tables.heading, shown), "weight", "edit"], out


def main(argv: Sequence[str] | None = None) -> int:
    parser = bench.parser(__doc__, "refinement")
    parser.add_argument("--runs", nargs="+", type=Path, default=[], help="runs' folders; without them, a search on each task")
    asked = parser.parse_args(argv)
    folders = [RunFolder.find(path) for path in asked.runs]
    remarks = []
    tasks = () if asked.runs else bench.tasks(asked)
    places = [(task, body) for task in tasks for body in asked.morphologies or work_items.bodies_of(task)[:1]]
    bench.search_all(asked, [bench.Search(*at) for at in places])
    for task, body in places:
        try:
            folders.append(bench.searched(asked, task, body))
        except MovlrError as error:  # a body that is not on this machine does not end the others
            remarks.append(f"{task.name} on {body}: {error}")
    runs = [record(folder, asked.out / f"{folder.path.resolve().name}.png") for folder in folders]
    text = "# Refinement\n" + "".join(f"\n- {remark}\n" for remark in remarks)
    for run in runs:
        arrival = ", ".join(f"{name} at {when}" for name, when in sorted(run["first_weight"].items(), key=lambda item: item[1]))
        title = f"{run['task']} on {run['morphology']}"
        text += f"\n## {title}\n\n![weights]({run['figure']})\n\nFirst weight: {arrival}.\n\n{tables.markdown(*cells(run))}"
    atomic.write_text(asked.out / "refinement.md", text)
    atomic.write_json(asked.out / "refinement.json", {"runs": runs})
    bench.print_text(text)
    print(f"saved in {asked.out} ({', '.join(['refinement.md', 'refinement.json', *(run['figure'] for run in runs)])})")
    return 0 if runs else 1


if __name__ == "__main__":
    bench.run(main)
