"""Tables of metrics as text: which columns there are, how a number is written, rows of an evaluation, Markdown.

In: metrics records (one flat dict per episode) and the documents of an evaluation's rows. Out: headings and cells, for a terminal or
for a Markdown file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from movlr_jax import goals

_UNITS = {"_mps": " [m/s]", "_rad": " [rad]", "_m": " [m]"}


def _named(metric: str) -> str:
    """Return a heading for a metric of a goal: its name, and its unit if it has one."""
    ending = next((e for e in _UNITS if metric.endswith(e)), "")
    return metric.removeprefix("goal_").removesuffix(ending).replace("_", " ") + _UNITS.get(ending, "")


# name -> (heading, format): what a metrics table shows of the shared records, in order. A task's own columns follow.
METRIC_COLUMNS: dict[str, tuple[str, str]] = {
    "seconds": ("lasted [s]", ".2f"),
    "fall_time_s": ("fell at [s]", ".2f"),
    "drop_time_s": ("dropped at [s]", ".2f"),
    goals.REACHED: ("reached", ".2f"),
    goals.HELD: ("held", ".2f"),
    **{t.metric: (_named(t.metric), ".2f") for t in goals.TARGETS},
    **{metric: (_named(metric), ".2f") for metric in (goals.MOVING, goals.SINKING, goals.FEET)},
    "distance_m": ("distance [m]", ".2f"),
    "lateral_drift_m": ("drift [m]", ".2f"),
    "heading_error_rad": ("heading [rad]", ".2f"),
    "mean_speed_mps": ("speed [m/s]", ".2f"),
    "effort": ("effort", ".3f"),
    "step_symmetry": ("symmetry", ".2f"),
    "position_error_m": ("position error [m]", ".3f"),
    "final_position_error_m": ("final position error [m]", ".3f"),
    "orientation_error_rad": ("orientation error [rad]", ".2f"),
    "final_orientation_error_rad": ("final orientation error [rad]", ".2f"),
}


UNMEASURED = "unmeasured"
# What tables of a goal show: how far it was reached, and its own quantities; and of what is held also how it was.
GOAL = (goals.REACHED, goals.HELD, *(target.metric for target in goals.TARGETS))
GOAL_DETAILS = (*GOAL, goals.MOVING, goals.SINKING, goals.FEET)


def heading(metric: str) -> str:
    """Return what a column of a metric is called."""
    return METRIC_COLUMNS.get(metric, (metric, ""))[0]


def spec(metric: str) -> str:
    """Return how a metric is written."""
    return METRIC_COLUMNS.get(metric, ("", ".3g"))[1]


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


def spread(mean: Any, std: Any, spec: str, episodes: int) -> str:
    """Format a mean with its standard deviation, where there are several episodes."""
    if mean is None:
        return "-"
    return number(mean, spec) + (f" ± {number(std, spec)}" if episodes > 1 else "")


def measured(document: Mapping[str, Any], metric: str) -> str:
    """Write one metric of a row's document (`movlr eval --json`): its mean, and its standard deviation where there are several episodes."""
    if (said := cell(document["mean"], metric)) == UNMEASURED:
        return said
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
    shown = [k for k in METRIC_COLUMNS if k not in ("fall_time_s", "drop_time_s", "mean_speed_mps")]  # in the others already
    shown += [k for k in dict.fromkeys(more) if k not in METRIC_COLUMNS]
    shown = [k for k in shown if any(row["mean"].get(k) is not None or cell(row["mean"], k) == UNMEASURED for row in rows)]
    strengths = any("strength" in row for row in rows)
    headings = [
        "task",
        "body",
        "reward",
        *(["strength"] if strengths else []),
        "goal [m/s]",
        "falls",
        *(METRIC_COLUMNS.get(k, (k, ""))[0] for k in shown),
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
