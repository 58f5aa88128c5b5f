"""A sweep's results: a row a trial, read from the runs' folders; as Parquet for programs and as Markdown for people.

Flows in: the plan and the folders of its runs. Flows out: `OUT/results.parquet` and `OUT/table.md`. A row is made anew from its run each
time, so that no trial can stand in the table twice.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from movlr_jax import atomic, code_names
from movlr_jax.errors import MovlrError
from movlr_jax.media import tables
from movlr_jax.morphologies import called
from movlr_jax.sweeps.plan import Plan, Trial, summary
from movlr_jax.tasks import metric_registry

PARQUET, TABLE = "results.parquet", "table.md"
# Values that repeat a trial under other random numbers: the table has their mean and spread.
_REPEATS = ("seed", "seeds")


def row(plan: Plan, trial: Trial, sentence: str = "") -> dict[str, Any]:
    """Return the row of a trial as its run's folder has it.

    Args:
        plan: the plan.
        trial: the trial.
        sentence: why it is not done, if that is known.
    """
    folder = plan.folder(trial)
    run = summary(folder)
    iterations = run.get("iterations") or []
    best = run.get("best")
    kept = next((r for r in iterations if r["iteration"] == best), None)
    done = plan.ended(trial)
    return {
        "trial": trial.number,
        "name": trial.name,
        "state": "done" if done else "failed" if sentence else "begun" if (folder / "run.json").exists() else "planned",
        "sentence": "" if done else sentence,
        "stopped": run.get("stopped"),
        "values": dict(trial.values),
        "iterations": max(0, len(iterations) - 1),  # those asked for; the start reward's is before them, and counts as 0
        "best": best,
        "score": kept["score"] if kept else None,
        **{f"metrics.{name}": value for name, value in (kept["metrics"] if kept else {}).items()},
        "scores": [r["score"] for r in iterations],
        "kept": [bool(r["kept"]) for r in iterations],
        "usd": sum(call.get("usd", 0.0) for call in run.get("calls", {}).values()),
        "wall_seconds": round(sum(sum(r["seconds"].values()) for r in iterations), 3),
        "folder": f"trials/{trial.name}",
    }


def score(row: Mapping[str, Any]) -> str:
    """Return a row's score as people read it."""
    return tables.number(row["score"], ".2f")


def write_tables(plan: Plan, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write results.parquet and table.md.

    Raises:
        MovlrError: they cannot be written, or pyarrow is not installed.
    """
    try:
        _write_parquet(plan, rows)
        atomic.write_text(plan.out / TABLE, markdown(plan, rows))
    except OSError as error:
        sentence = f"Cannot write the results in {plan.out} ({error.strerror or error})"
        raise MovlrError(f"{sentence}: make room; no trial is lost, and the same command goes on.") from None


def _write_parquet(plan: Plan, rows: Sequence[Mapping[str, Any]]) -> None:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MovlrError("pyarrow is not installed, which writes the results: pip install 'movlr-jax[sweep]'.") from None
    names = list(dict.fromkeys(name for row in rows for name in row if name != "values"))
    columns = {name: [row.get(name) for row in rows] for name in names}
    columns |= {path: _column([row["values"].get(path) for row in rows]) for path in plan.paths}
    types = {"scores": pyarrow.list_(pyarrow.float64()), "kept": pyarrow.list_(pyarrow.bool_()), "best": pyarrow.int64()}
    types |= {"score": pyarrow.float64(), "stopped": pyarrow.string()}
    table = pyarrow.table({name: pyarrow.array(column, types.get(name)) for name, column in columns.items()})
    with atomic.replacing(plan.out / PARQUET) as partial:
        pyarrow.parquet.write_table(table, partial)


def _column(values: Sequence[Any]) -> list[Any]:
    """Return values as one column holds them: numbers and words as they are, all else, and mixtures, as JSON."""
    kinds = {type(value) for value in values}
    if kinds <= {int, float}:
        return [float(value) for value in values] if float in kinds else list(values)
    return list(values) if kinds in ({str}, {bool}) else [json.dumps(value) for value in values]


def markdown(plan: Plan, rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the results as Markdown: where seeds vary a table of means over them, then every trial."""
    shown = [m for m in metric_registry.shown() if any(tables.cell(tables.metrics_of(row), m) != "-" for row in rows)]
    grouped = [path for path in plan.paths if path not in _REPEATS]
    text = f"# {plan.name}\n\n"
    if len(grouped) < len(plan.paths):
        text += _grouped(rows, grouped, shown) + "\n"
    headings = ["trial", *plan.paths, "state", "iterations", "best", "score", "fell", *map(tables.heading, shown)]
    cells = [
        [
            row["trial"],
            *(_word(row["values"].get(path)) for path in plan.paths),
            row["state"],
            row["iterations"],
            "-" if row["best"] is None else row["best"],
            score(row),
            tables.number(row.get("metrics.fell"), ""),
            *(tables.cell(tables.metrics_of(row), m) for m in shown),
        ]
        for row in rows
    ]
    return text + tables.markdown(headings, cells, [f"trial {row['trial']}: {row['sentence']}" for row in rows if row["sentence"]])


def _grouped(rows: Sequence[Mapping[str, Any]], grouped: Sequence[str], shown: Sequence[str]) -> str:
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault(json.dumps([row["values"].get(path) for path in grouped]), []).append(row)
    cells = []
    for members in groups.values():
        done = [row for row in members if row["state"] == "done"]
        falls = sum(bool(row.get("metrics.fell")) for row in done)
        cells.append(
            [
                *(_word(members[0]["values"].get(path)) for path in grouped),
                f"{len(done)} of {len(members)}",
                _spread([row["score"] for row in done], ".2f"),
                f"{falls} of {len(done)}" if done else "-",
                *(_metric(done, m) for m in shown),
            ]
        )
    return tables.markdown([*grouped, "trials", "score", "falls", *map(tables.heading, shown)], cells)


def _metric(done: Sequence[Mapping[str, Any]], metric: str) -> str:
    """Return a metric's mean and spread over trials; "unmeasured" where that is what all of them say."""
    cells = {tables.cell(tables.metrics_of(row), metric) for row in done}
    return cells.pop() if cells == {tables.UNMEASURED} else _spread([row.get(f"metrics.{metric}") for row in done], tables.spec(metric))


def _spread(values: Sequence[Any], spec: str) -> str:
    numbers = [float(value) for value in values if value is not None]
    if not numbers:
        return "-"
    return tables.spread(statistics.fmean(numbers), statistics.stdev(numbers) if len(numbers) > 1 else 0.0, spec, len(numbers))


def _word(value: Any) -> str:
    """Return a value that varies as tables show it: a body or a task of one's own by its name, not by its path."""
    if not isinstance(value, str):
        return json.dumps(value)
    return Path(value).name if code_names.names_code(value) else called(value)
