"""`movlr replay RUN`: repeats a run from the records of its model calls, with no network, and says whether it came to the same rewards.

In: a run's folder. Out: another folder, filled; on stdout the iterations, and one line that says whether all is the same, bit for bit. The
exit code is 1 where something differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from movlr_jax.cli import console, flags
from movlr_jax.cli.main import INTERRUPTED
from movlr_jax.cli.progress import View
from movlr_jax.cli.run import iterations_table


@dataclass(frozen=True)
class Options:
    """Repeat a run from its records, without a model: its episodes are run anew, its critics and writers answer as they did."""

    folder: Annotated[Path, tyro.conf.Positional]
    """The run's folder."""
    out: Path | None = None
    """Where the repetition is kept; RUN-replay if left out."""


def main(argv: Sequence[str]) -> int:
    """Run the verb."""
    options = flags.parse(Options, argv, "replay")
    from movlr_jax.searches.replay import free_folder, replay

    out = options.out or free_folder(options.folder)
    with View(console.stderr(), f"Run folder: {out}") as view:
        replayed = replay(options.folder, out, progress=view)
    if replayed.result.stopped == "interrupted":
        console.stderr().print("Interrupted. A replay starts anew: run the same command again.", markup=False, soft_wrap=True)
        return INTERRUPTED
    console.say()
    console.stdout().print(iterations_table(replayed.result.rows))
    console.say()
    if replayed.redrawn:
        console.say(f"{replayed.redrawn} answers were given to requests whose words agree; this machine draws their clips in other pixels.")
    if replayed.differences:
        console.say(f"{out} is not as {options.folder} was:\n" + "\n".join(replayed.differences))
        return 1
    console.say(f"{out} is as {options.folder} was, bit for bit: the same rewards, episodes and scores.")
    return 0
