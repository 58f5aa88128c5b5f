"""Tables of metrics as text: which columns there are, how a number is written, rows of an evaluation, Markdown.

In: metrics records (one flat dict per episode), the documents of an evaluation's rows, and the registry of metrics. Out: headings and
cells, for a terminal or for a Markdown file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from movlr_jax import goals
from movlr_jax.tasks import metric_registry

UNMEASURED = "unmeasured"
# What tables of a goal show: how far it was reached, and its own quantities; and of what is held also how it was.
GOAL = (goals.REACHED, goals.HELD, *(target.metric for target in goals.TARGETS))
GOAL_DETAILS = (*GOAL, goals.MOVING, goals.SINKING, goals.FEET)


def heading(metric: str) -> str:
    """Return what a column of a metric is called, with its unit."""
    return metric_registry.metric(metric).label


def spec(metric: str) -> str:
    """Return how a metric is written."""
    return metric_registry.metric(metric).format


def number(value: Any, spec: str) -> str:
    """Format one metric; a dash where there is none."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and spec:
        sign, rest = ("+", spec[1:]) if spec.startswith("+") else ("", spec)
        return format(value, f"{sign}z{rest}")  # z: no minus before a zero
    return format(value, spec) if isinstance(value, (int, float)) else str(value)


def cell(record: Mapping[str, Any], metric: str) -> str:
    """Write one metric of a record; a goal that nothing measures is told from one that the record knows nothing of."""
    value = record.get(metric)
    return UNMEASURED if metric == goals.REACHED and metric in record and value is None else number(value, spec(metric))


def metrics_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metrics of a sweep's row by their own names."""
    return {name.removeprefix("metrics."): value for name, value in row.items() if name.startswith("metrics.")}


def spread(mean: Any, std: Any, spec: str, episodes: int) -> str:
    """Format a mean with its standard deviation, where there are several episodes."""
    if mean is None:
        return "-"
    return number(mean, spec) + (f" ± {number(std, spec)}" if episodes > 1 else "")


def measured(document: Mapping[str, Any], metric: str) -> str:
    """Write one metric of a row's document (`movlr eval --json`): its mean, and its standard deviation where there are several episodes."""
    if cell(document["mean"], metric) == UNMEASURED:
        return UNMEASURED
    return spread(document["mean"].get(metric), document["std"].get(metric), spec(metric), len(document["episodes"]))


def ends(metrics: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return what an early end and a good one are called, and the metric that has the time of the first."""
    return ("dropped it", "held it", "drop_time_s") if "dropped" in metrics else ("fell", "stayed up", "fall_time_s")


def evaluation(rows: Sequence[Mapping[str, Any]], more: Sequence[str] = ()) -> tuple[list[str], list[list[str]], list[str]]:
    """Return headings, cells and remarks of an evaluation, one row a combination: mean and standard deviation over its seeds, and falls.

    Args:
        rows: documents of rows (`movlr eval --json`); one with "refused" has dashes, and a remark that says why.
        more: metrics to show beside the shared ones.
    """
    implied = ("fall_time_s", "drop_time_s", "mean_speed_mps")  # by the other columns
    names = dict.fromkeys([*(k for k in metric_registry.shown() if k not in implied), *more])
    shown = [k for k in names if any(row["mean"].get(k) is not None or cell(row["mean"], k) == UNMEASURED for row in rows)]
    strengths = any("strength" in row for row in rows)
    headings = [
        "task",
        "body",
        "reward",
        *(["strength"] if strengths else []),
        "goal [m/s]",
        "falls",
        *map(heading, shown),
    ]
    cells, remarks = [], []
    for row in rows:
        count = len(row["episodes"])
        cells.append(
            [
                row["task"],
                row["morphology"],
                row["reward"],
                *([number(row.get("strength"), "g")] if strengths else []),
                f"{row['goal_speed_mps']:g}",
                f"{row['falls']} of {count}" if count else "-",
                *(measured(row, k) for k in shown),
            ]
        )
        if not count:
            at = f", strength {row['strength']:g}" if "strength" in row else ""
            remarks.append(f"{row['task']}, {row['morphology']}, {row['reward']}{at}: {row['refused']}")
    return headings, cells, remarks


def markdown(headings: Sequence[str], cells: Sequence[Sequence[Any]], remarks: Sequence[str] = ()) -> str:
    """Return a Markdown table, with remarks as a list below it."""
    lines = [headings, ["---"] * len(headings), *cells]
    text = "\n".join("| " + " | ".join(str(c).replace("|", "\\|").replace("\n", " ") for c in line) + " |" for line in lines) + "\n"
    return text + ("\n" + "".join(f"- {remark}\n" for remark in remarks) if remarks else "")
