"""The main table: human-designed, start and learned rewards on every task, each measured by the task's own metric.

    python experiments/main_table.py --small                 # minutes on two cores
    python experiments/main_table.py                         # full length, five seeds, 15 iterations a search: days on a CPU
    python experiments/main_table.py --tasks walk_flat       # one task

Every search and every episode is saved as it comes; the same command goes on where it was stopped. Writes main_table.md, main_table.json
and main_table.png.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import bench
import numpy as np

from movlr_jax import atomic
from movlr_jax.cli import console
from movlr_jax.cli.eval import measure
from movlr_jax.media import bars, tables
from movlr_jax.search import evaluation
from movlr_jax.search.evaluation import Row

REWARDS = ("start", "human", "learned")


def compact(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """Return headings and cells: a line a task and body, a column a reward, each cell the task's own metric."""
    by_place: dict[tuple[str, str], dict[str, Row]] = {}
    for row in rows:
        by_place.setdefault((row.work.task.name, row.work.morphology), {})[row.work.name] = row
    cells = []
    for (task, body), of in by_place.items():
        metric = next(iter(of.values())).work.task.metric
        heading, spec = tables.METRIC_COLUMNS.get(metric, (metric, ".3g"))
        cells.append([task, body, heading, *(_cell(of[reward], metric, spec) if reward in of else "-" for reward in REWARDS)])
    return ["task", "body", "metric", *REWARDS], cells


def _cell(row: Row, metric: str, spec: str) -> str:
    document, ends = row.document(), row.early_ends()
    text = tables.spread(document["mean"].get(metric), document["std"].get(metric), spec, len(row.episodes))
    return text + (f" ({ends})" if ends else "")


def draw(rows: Sequence[Row], path: Path) -> Path:
    """Draw a panel of bars for each metric that tasks are measured by."""
    by_metric: dict[str, list[Row]] = {}
    for row in rows:
        by_metric.setdefault(row.work.task.metric, []).append(row)
    panels = []
    for metric, of in by_metric.items():
        groups = list(dict.fromkeys((row.work.task.name, row.work.morphology) for row in of))
        mean = np.full((len(REWARDS), len(groups)), np.nan)
        std = np.full_like(mean, np.nan)
        notes = [[""] * len(groups) for _ in REWARDS]
        for row in of:
            s, g = REWARDS.index(row.work.name), groups.index((row.work.task.name, row.work.morphology))
            values = evaluation.metric_of(row, metric)
            mean[s, g] = np.mean(values) if values else np.nan
            std[s, g] = np.std(values) if len(values) > 1 else np.nan
            notes[s][g] = "\n".join(row.early_ends().rsplit(" ", 1))
        label = tables.METRIC_COLUMNS.get(metric, (metric, ""))[0]
        panels.append(bars.Panel(label, [f"{task}\n{body}" for task, body in groups], mean, std, notes))
    seeds = max(len(row.episodes) for row in rows)
    note = f"mean and standard deviation over {seeds} seeds" if seeds > 1 else ""
    return bars.grouped(panels, REWARDS, path, title="Start, human-designed and learned rewards", note=note)


def main(argv: Sequence[str] | None = None) -> int:
    asked = bench.parser(__doc__, "main_table").parse_args(argv)
    tasks = bench.tasks(asked)
    named = evaluation.works(("start", "human"), tasks, asked.morphologies)
    learned = [bench.learned(asked, work.task, work.morphology) for work in named if work.name == "start"]
    rows = measure([*named, *learned], bench.settings(asked), asked.out)
    names = [task.name for task in tasks]
    rows.sort(key=lambda row: (names.index(row.work.task.name), row.work.morphology, REWARDS.index(row.work.name)))
    documents = [row.document() for row in rows]
    headings, cells, remarks = tables.evaluation(documents, [task.metric for task in tasks])
    first = compact(rows)
    text = f"# Main table\n\n{tables.markdown(*first)}\n## All metrics\n\n{tables.markdown(headings, cells, remarks)}"
    atomic.write_text(asked.out / "main_table.md", text)
    atomic.write_json(asked.out / "main_table.json", {"rows": documents})
    draw(rows, asked.out / "main_table.png")
    out = console.stdout(console.WIDE)
    out.print(console.table("", *first))
    for remark in remarks:
        out.print(f"not measured: {remark}", markup=False, soft_wrap=True)
    out.print(f"saved in {asked.out} (main_table.md, main_table.json, main_table.png)", markup=False)
    return 0


if __name__ == "__main__":
    bench.run(main)
