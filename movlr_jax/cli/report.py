"""`movlr report RUN`: draws a run's heat maps and its report.html again, finished or not.

In: a run's folder; nothing in it is run. Out: heatmaps/*.png, report.html; on stdout what the model calls cost, where there were any,
and the report's path.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from movlr_jax.cli import console, options
from movlr_jax.errors import MovlrError

if TYPE_CHECKING:
    from movlr_jax.llm.ledger import Spending


@dataclass(frozen=True)
class Options:
    """Draw a run's heat maps and its report.html again."""

    folder: Annotated[Path, tyro.conf.Positional]
    """The run's folder."""


def main(argv: Sequence[str]) -> int:
    """Run the verb."""
    asked = options.parse(Options, argv, "report")
    from movlr_jax.llm import ledger
    from movlr_jax.media import heatmaps, report
    from movlr_jax.rewards.features import feature_layout
    from movlr_jax.runs import permissions
    from movlr_jax.runs.config import RunConfig
    from movlr_jax.runs.run_folder import RunFolder

    folder = RunFolder.find(asked.folder)
    config = RunConfig.load(folder["config.yaml"])
    try:
        task = permissions.task(config.task, folder["config.yaml"])
        layout = feature_layout(task.load(config.morphology))
        muscles, groups = layout.muscles, layout.muscle_groups
    except MovlrError as error:
        # A run of a body that this machine lacks can still be read; its muscles then have numbers for names.
        console.stderr().print(f"The muscles have numbers for names. {error}", markup=False, soft_wrap=True)
        muscles, groups = None, None
    heatmaps.draw_all(folder.path, muscles=muscles, groups=groups)
    sums = ledger.Ledger(folder[ledger.FOLDER]).by_purpose()
    if sums:
        console.stdout().print(calls_table(sums))
        console.say()
    console.say(report.write_report(folder.path))
    return 0


def calls_table(sums: Mapping[str, Spending]) -> console.FittedTable:
    """Build the table of a run's model calls, one row a purpose."""
    return console.table(
        "",
        ("calls for", "made", "reused", "tokens in", "tokens out", "USD", "time [s]"),
        [
            (
                purpose,
                spent.calls,
                spent.reused,
                spent.tokens_in,
                spent.tokens_out,
                f"{spent.usd:.4f}" + (f" and {spent.unpriced} of unknown price" if spent.unpriced else ""),
                f"{spent.seconds:.1f}",
            )
            for purpose, spent in sums.items()
        ],
    )
