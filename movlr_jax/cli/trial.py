"""`movlr trial OUT NUMBER`: runs one trial of a sweep here, or goes on with it; what the workers of `movlr sweep` start.

In: a sweep's folder and a trial's number. Out: the trial's run folder; on stdout one line of JSON that says how it ended.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import tyro

from movlr_jax.cli import console, flags
from movlr_jax.cli.progress import View


@dataclass(frozen=True)
class Options:
    """Run one trial of a sweep here, or go on with it.

    What the sweep's folder alone names outside is used after --allow ADDRESS or --allow FOLDER.
    """

    out: Annotated[Path, tyro.conf.Positional]
    """The sweep's folder."""
    number: Annotated[int, tyro.conf.Positional]
    """The trial's number, from 0."""
    tied_to: int | None = None
    """End as soon as the process of this number, which must be the one that starts this, has ended."""


def main(argv: Sequence[str]) -> int:
    """Run the verb."""
    options = flags.parse(Options, argv, "trial")
    from movlr_jax.sweeps import trial

    if options.tied_to is not None:
        trial.tie_to(options.tied_to)
    with View(console.stderr(), f"Trial {options.number} of {options.out}") as view:
        ended = trial.run(options.out, options.number, progress=view)
    print(json.dumps(asdict(ended)))
    return 0 if ended.done else 1
