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

from movlr_jax.cli import console, flags

if TYPE_CHECKING:
    from movlr_jax.llm.ledger import Spending


@dataclass(frozen=True)
class Options:
    """Draw a run's heat maps and its report.html again."""

    folder: Annotated[Path, tyro.conf.Positional]
    """The run's folder."""


def main(argv: Sequence[str]) -> int:
    """Run the verb."""
    folder = flags.parse(Options, argv, "report").folder
    from movlr_jax.llm import ledger
    from movlr_jax.runs.run_folder import RunFolder
    from movlr_jax.searches.reporting import report

    page = report(folder, lambda sentence: console.stderr().print(sentence, markup=False, soft_wrap=True))
    sums = ledger.Ledger(RunFolder(folder)[ledger.FOLDER]).by_purpose()
    if sums:
        console.stdout().print(calls_table(sums))
        console.say()
    console.say(page)
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
