"""The main table: what a search finds, beside what people designed, what chance finds and the whole library, each by the task's own metric.

    python experiments/main_table.py --small                 # minutes on two cores
    python experiments/main_table.py --plan                  # what the whole would execute: days of a core
    python experiments/main_table.py --threads 1             # full length, five seeds no search saw; started twice, the two share the work
    python experiments/main_table.py --tasks walk_flat       # one task

Columns: the start reward; what a search finds from it (learned); the published human-designed reward (human); the best of the package's own
rewards (`climb`, `natural`, `stride`; where a task has none of them, human) on the very seeds that are reported; what edits drawn at random
from the same library find, with as much motion (random); and all terms of the library at once. Every search executes `--max-simulated`
seconds of motion, or as much more as completes its last iteration. Verdicts compare the learned reward with the human-designed one: first
the share of episodes that fell, then the metric.

Every search and every episode is saved as it comes; the same command goes on where it was stopped. Writes main_table.md, main_table.json
and main_table.png.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import all_terms
import bench
import forecast
import variants

from movlr_jax import atomic
from movlr_jax.evaluation import study_limits, work_items
from movlr_jax.evaluation.work_items import Row, Work
from movlr_jax.media import bars, tables
from movlr_jax.tasks import Task, gates
from movlr_jax.tasks.metric_registry import metric

LEARNED, HUMAN, OWN, RANDOM = "learned", "human", "own best", "random"
COLUMNS = ("start", LEARNED, HUMAN, OWN, RANDOM, all_terms.NAME)
PACKAGE = ("climb", "natural", "stride")  # the package's own rewards, of which the best of a task stands in the table
MAX_SIMULATED = 60.0  # s of motion that a search executes
_WRITERS = {LEARNED: "offline", RANDOM: "random"}


def searches(task: Task, body: str) -> list[bench.Search]:
    """Return the searches on a task and body."""
    return [bench.Search(task, body, _changes(name)) for name in _WRITERS]


def _changes(name: str) -> dict[str, Any]:
    """Return what a search's configuration has of its own; of the one that is learned from, nothing, so that other experiments share it."""
    return {} if name == LEARNED else {"writer": _WRITERS[name]}


def works(asked: argparse.Namespace, task: Task, body: str, taken: dict[str, dict[str, Any]]) -> list[Work]:
    """Return what is measured on a task and body.

    Args:
        asked: the flags.
        task, body: which.
        taken: column -> what its searches took, which is added to.
    """
    named = [name for name in ("start", HUMAN, *PACKAGE) if name in task.rewards]
    made = [*work_items.combinations(named, [task], [body]), all_terms.work(task, body)]
    for name in _WRITERS:
        work = bench.learned(asked, task, body, name, **_changes(name))
        if work.reward is not None:
            variants.add(taken[name], bench.searched(asked, task, body, **_changes(name)))
        made.append(work)
    return made


def place(row: Row) -> tuple[float, float]:
    """Return how good a row is: the share of its episodes that lasted, then the task's own metric; the larger is the better."""
    of = metric(row.work.task.metric)
    ended = sum(map(gates.ended_early, row.episodes)) / max(len(row.episodes), 1)
    value = row.document()["mean"].get(of.name)
    return -ended, -float("inf") if value is None else of.sign * value


def better(a: Row, b: Row) -> int:
    """Return 1 where a row is better than another, 0 where they are the same but for rounding, -1 where it is worse."""
    for mine, its in zip(place(a), place(b), strict=True):
        if mine != its and not (math.isfinite(mine + its) and study_limits.equal(mine, its)):
            return 1 if mine > its else -1
    return 0


def columns(rows: Sequence[Row]) -> dict[str, Row]:
    """Return the table's columns of one task and body: of the package's own rewards the best, and where there is none, human."""
    by_name = {row.work.name: row for row in rows}
    own = [by_name[name] for name in PACKAGE if name in by_name and by_name[name].episodes]
    best = next((row for row in own if all(better(row, other) >= 0 for other in own)), by_name.get(HUMAN))
    of = {name: by_name[name] for name in COLUMNS if name in by_name}
    return of if best is None else {name: of[name] if name != OWN else best for name in COLUMNS if name in of or name == OWN}


def verdict(of: dict[str, Row]) -> dict[str, Any]:
    """Return whether what was learned is at least as good as what was designed, overall and seed by seed."""
    learned, human = of.get(LEARNED), of.get(HUMAN)
    if learned is None or human is None or not (learned.episodes and human.episodes):
        return {"at_least_as_good": None, "better": None}
    order = better(learned, human)
    mine, its = ({e["seed"]: replace(row, episodes=(e,)) for e in row.episodes} for row in (learned, human))
    seeds = [seed for seed in mine if seed in its]
    by = next((name for name, a, b in zip(("falls", "metric"), place(learned), place(human), strict=True) if a != b), "")
    return {
        "at_least_as_good": order >= 0,
        "better": order > 0,
        "decided_by": by if order else "",
        "seeds": len(seeds),
        "seeds_at_least_as_good": sum(better(mine[seed], its[seed]) >= 0 for seed in seeds),
    }


def _words(found: dict[str, Any]) -> str:
    if found["better"] is None:
        return "-"
    word = "better" if found["better"] else "as good" if found["at_least_as_good"] else "worse"
    by = f", by {found['decided_by']}" if found["decided_by"] else ""
    return f"{word}{by} ({found['seeds_at_least_as_good']} of {found['seeds']} seeds at least as good)"


def compact(tables_of: dict[tuple[str, str], dict[str, Row]]) -> tuple[list[str], list[list[str]]]:
    """Return headings and cells: a line a task and body, a column a reward, each cell the task's own metric, and the verdict."""
    cells = []
    for (task, body), of in tables_of.items():
        heading = variants.metric_label(bench.get(task))
        shown = [_cell(name, of[name]) if name in of else "-" for name in COLUMNS]
        cells.append([task, body, heading, *shown, _words(verdict(of))])
    return ["task", "body", "metric", *COLUMNS, "learned against human"], cells


def _cell(column: str, row: Row) -> str:
    return variants.cell(row) + (f", {row.work.name}" if column == OWN else "")


def draw(tables_of: dict[tuple[str, str], dict[str, Row]], path: Path) -> Path:
    """Draw a panel of bars for each metric that tasks are measured by."""
    rows = [replace(row, work=replace(row.work, name=name)) for of in tables_of.values() for name, row in of.items()]
    seeds = max(len(row.episodes) for row in rows)
    note = f"mean and standard deviation over {seeds} seeds" if seeds > 1 else ""
    return bars.grouped(variants.panels(rows, COLUMNS), COLUMNS, path, title="Learned and designed rewards", note=note)


def main(argv: Sequence[str] | None = None) -> int:
    parser = bench.parser(__doc__, "main_table", plan=True)
    parser.set_defaults(max_simulated=MAX_SIMULATED)
    asked = parser.parse_args(argv)
    places = [(task, body) for task in bench.tasks(asked) for body in asked.morphologies or work_items.bodies_of(task)]
    wanted = [search for at in places for search in searches(*at)]
    if asked.plan:
        measured = [(task, body, len({"start", HUMAN, *PACKAGE} & task.rewards.keys()) + 1 + len(_WRITERS)) for task, body in places]
        return forecast.show(asked, wanted, measured)
    bench.search_all(asked, wanted)
    taken: dict[str, dict[str, Any]] = {name: {} for name in _WRITERS}
    rows = bench.measure(asked, [work for at in places for work in works(asked, *at, taken)])
    by_place = {
        (task.name, body): columns([row for row in rows if (row.work.task.name, row.work.morphology) == (task.name, body)])
        for task, body in places
    }
    documents = [row.document() for row in rows]
    verdicts = [{"task": task, "morphology": body, "own_best": _own(of), **verdict(of)} for (task, body), of in by_place.items()]
    headings, cells, remarks = tables.evaluation(documents, [row.work.task.metric for row in rows])
    first, costs = compact(by_place), variants.costs(taken)
    text = f"# Main table\n\n{tables.markdown(*first)}\n## What the searches took\n\n{tables.markdown(*costs)}\n"
    atomic.write_text(asked.out / "main_table.md", f"{text}## All metrics\n\n{tables.markdown(headings, cells, remarks)}")
    document = {"rows": documents, "verdicts": verdicts, "searches": taken, "max_simulated_s": asked.max_simulated}
    atomic.write_json(asked.out / "main_table.json", document)
    draw(by_place, asked.out / "main_table.png")
    bench.show(asked, first, remarks, "main_table.md", "main_table.json", "main_table.png")
    return 0


def _own(of: dict[str, Row]) -> str | None:
    return of[OWN].work.name if OWN in of else None


if __name__ == "__main__":
    bench.run(main)
