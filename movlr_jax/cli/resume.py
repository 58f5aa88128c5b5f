"""`movlr resume DIR`: goes on with a run that was stopped, killed, or that is to have more iterations.

In: the run's folder. Out: the same folder, filled; the closing tables of `movlr run`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from movlr_jax import searches
from movlr_jax.cli import advice, flags
from movlr_jax.cli.run import follow


@dataclass(frozen=True)
class Options:
    """Go on with a run, from the last thing it saved.

    A server or a folder outside the run's own that only its config.yaml names is used after --allow ADDRESS or --allow FOLDER; that is kept
    in your own settings, as is what you gave to movlr run.
    """

    folder: Annotated[Path, tyro.conf.Positional]
    """The run's folder, as `movlr run` printed it."""
    iterations: int | None = None
    """A new last iteration; the run's own if left out."""
    max_minutes: float | None = None
    """A new time budget [min]; the run's own if left out."""
    max_calls: int | None = None
    """A new budget of model calls, those already made included; the run's own if left out."""
    max_cost: float | None = None
    """A new budget of money, what is already spent included [USD]; the run's own if left out."""
    max_simulated: float | None = None
    """A new budget of executed motion, what was already executed included [s]; the run's own if left out."""
    ask: bool | None = None
    """Whether to take a sentence of advice from you after each critique (True, False); the run's own if left out."""


def main(argv: Sequence[str]) -> int:
    """Run the verb."""
    options = flags.parse(Options, argv, "resume")
    if options.ask:
        advice.refuse_unattended()
    return follow(
        lambda view: searches.resume(
            options.folder,
            progress=view,
            iterations=options.iterations,
            max_minutes=options.max_minutes,
            max_calls=options.max_calls,
            max_cost=options.max_cost,
            max_simulated=options.max_simulated,
            ask=options.ask,
            advisor=advice.adviser(view),
        ),
        f"Run folder: {options.folder}",
    )
