"""What a run came to: summary.json, and the result that its caller gets.

In: the run's folder, why it ended. Out: both, from the records of its iterations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from movlr_jax import atomic
from movlr_jax.llm import ledger
from movlr_jax.media import next_steps
from movlr_jax.runs.config import RunConfig
from movlr_jax.runs.iteration_record import Failure, IterationRecord
from movlr_jax.runs.run_folder import RunFolder


@dataclass(frozen=True)
class RunResult:
    """What a run came to.

    Attributes:
        folder: the run's folder.
        best: the iteration kept as best, or None.
        score: its score.
        metrics: its mean metrics.
        rows: the record of each iteration.
        named_failures: what went wrong with the search.
        stopped: "iterations", "patience", "exhausted", "budget", "interrupted" or, in summary.json alone, "fault".
        message: one sentence for people: how it ended and how to go on.
    """

    folder: Path
    best: int | None
    score: float | None
    metrics: dict[str, Any]
    rows: list[IterationRecord]
    named_failures: list[Failure]
    stopped: str
    message: str


def summarize(folder: RunFolder, config: RunConfig, header: Mapping[str, Any], stopped: str, spent: str = "") -> RunResult:
    """Write summary.json from the rows, and return the result it stands for.

    Args:
        folder: the run's folder.
        config: its configuration.
        header: what summary.json says of the run as a whole.
        stopped: why the run ended, or "running".
        spent: which budget ended it, in words.
    """
    rows, best = folder.rows(), folder.best()
    named = [failure for row in rows for failure in row.failures]
    if stopped in ("interrupted", "budget"):
        why = spent or "Interrupted"
        raised = " and a larger one" if spent else ""
        message = f"{why}; everything is saved: go on with `{next_steps.resume(folder.path)}`{raised}."
    elif stopped == "patience":
        message = f"Stopped after {config.patience} iterations without a new best."
    elif stopped == "exhausted":
        message = f"Stopped: {rows[-1].refusals[-1]}"
    else:
        message = f"All {config.iterations} iterations are done."
    atomic.write_json(
        folder["summary.json"],
        {
            **header,
            "seed": config.seed,
            "best": best,
            "stopped": stopped,
            "spent": spent,
            "named_failures": [failure.to_json() for failure in named],
            "calls": {purpose: vars(sums) for purpose, sums in ledger.Ledger(folder[ledger.FOLDER]).by_purpose().items()},
            "iterations": [row.summary() for row in rows],
        },
    )
    score, metrics = (None, {}) if best is None else (rows[best].score, rows[best].metrics.root)
    return RunResult(folder.path, best, score, dict(metrics), rows, named, stopped, message)
