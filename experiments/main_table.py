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
import variants

from movlr_jax import atomic
from movlr_jax.evaluation import work_items
from movlr_jax.evaluation.work_items import Row
from movlr_jax.media import bars, tables

REWARDS = ("start", "human", "learned")


def compact(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """Return headings and cells: a line a task and body, a column a reward, each cell the task's own metric."""
    by_place: dict[tuple[str, str], dict[str, Row]] = {}
    for row in rows:
        by_place.setdefault((row.work.task.name, row.work.morphology), {})[row.work.name] = row
    cells = []
    for (task, body), of in by_place.items():
        heading = variants.metric_label(next(iter(of.values())).work.task)
        cells.append([task, body, heading, *(variants.cell(of[reward]) if reward in of else "-" for reward in REWARDS)])
    return ["task", "body", "metric", *REWARDS], cells


def draw(rows: Sequence[Row], path: Path) -> Path:
    """Draw a panel of bars for each metric that tasks are measured by."""
    seeds = max(len(row.episodes) for row in rows)
    note = f"mean and standard deviation over {seeds} seeds" if seeds > 1 else ""
    return bars.grouped(variants.panels(rows, REWARDS), REWARDS, path, title="Start, human-designed and learned rewards", note=note)


def main(argv: Sequence[str] | None = None) -> int:
    asked = bench.parser(__doc__, "main_table").parse_args(argv)
    tasks = bench.tasks(asked)
    named = work_items.combinations(("start", "human"), tasks, asked.morphologies)
    learned = [bench.learned(asked, work.task, work.morphology) for work in named if work.name == "start"]
    rows = bench.measure(asked, [*named, *learned])
    names = [task.name for task in tasks]
    rows.sort(key=lambda row: (names.index(row.work.task.name), row.work.morphology, REWARDS.index(row.work.name)))
    documents = [row.document() for row in rows]
    headings, cells, remarks = tables.evaluation(documents, [task.metric for task in tasks])
    first = compact(rows)
    text = f"# Main table\n\n{tables.markdown(*first)}\n## All metrics\n\n{tables.markdown(headings, cells, remarks)}"
    atomic.write_text(asked.out / "main_table.md", text)
    atomic.write_json(asked.out / "main_table.json", {"rows": documents})
    draw(rows, asked.out / "main_table.png")
    bench.show(asked, first, remarks, "main_table.md", "main_table.json", "main_table.png")
    return 0


if __name__ == "__main__":
    bench.run(main)
