"""`movlr gait RUN|ROLLOUT|EVAL`: measures recorded walking as a gait laboratory does, beside people's; nothing is simulated.

In: a run's folder (its best, every seed), a folder of `movlr rollout --out` or one rollout.npz, or the folder of `movlr eval`, which keeps
figures and no motions. Out: a table, or with --json one document {"source", "rows", "remarks"} and nothing else on stdout; with --out
gait.json, and of motions gait.html with its pictures; with --mm-evalkit an archive that mm-evalkit reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from movlr_jax.cli import console, flags


@dataclass(frozen=True, kw_only=True)
class Options:
    """Measure recorded walking as a gait laboratory does, and put it beside what people do at that speed."""

    source: Annotated[Path, tyro.conf.Positional]
    """A run's folder (its best), a folder of saved episodes, a rollout.npz, or an evaluation's folder."""
    task: str | None = None
    """The task of episodes beside which nothing says so."""
    morphology: str | None = None
    """Their body."""
    injury: tuple[str, ...] = ()
    """Muscles that were weakened in saved episodes, PATTERN=FRACTION, beside the task's own."""
    out: Path | None = None
    """Folder for gait.json, the page gait.html and its pictures."""
    mm_evalkit: Path | None = None
    """File (.npz) for the motions as mm-evalkit's gait workflow reads them."""
    json: bool = False
    """Print one JSON document and nothing else on stdout."""


def main(argv: Sequence[str]) -> int:
    """Run the verb."""
    options = flags.parse(Options, flags.gather(argv, ("--injury",)), "gait")
    from movlr_jax.cli import task_names
    from movlr_jax.evaluation import gait_study

    task = options.task and task_names.settled(options.task)
    study = gait_study.study(options.source, task, options.morphology, options.injury)
    saved = []
    if options.out is not None:
        saved.append(study.save(options.out) or options.out / "gait.json")
    if options.mm_evalkit is not None:
        saved.append(study.export(options.mm_evalkit))
    if options.json:
        console.print_json(study.document())
        return 0
    headings, cells = study.table()
    out = console.stdout(console.WIDE)
    out.print(console.table(f"gait of {options.source}", headings, cells))
    for sentence in (*study.remarks(), *(f"saved in {path}" for path in saved)):
        out.print(sentence, markup=False, soft_wrap=True)
    return 0
