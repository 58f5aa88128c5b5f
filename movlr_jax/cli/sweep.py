"""`movlr sweep FILE`: runs many configurations, on this machine, on a Ray cluster, by Slurm, or by W&B's agents.

In: a sweep's file. Out: a folder with a run a trial, results.parquet, table.md and compare.html; the table on stdout. The same command
goes on after any end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from movlr_jax.cli import console, flags
from movlr_jax.cli.main import INTERRUPTED
from movlr_jax.errors import MovlrError
from movlr_jax.processes import terminable

if TYPE_CHECKING:
    from movlr_jax.sweeps.definition import SweepFile
    from movlr_jax.sweeps.drive import Outcome
    from movlr_jax.sweeps.plan import Plan


@dataclass(frozen=True)
class Options:
    """Run many configurations, each a run in a folder of its own; the same command goes on where it was stopped.

    An address that only the file names is sent no key without --allow ADDRESS.
    """

    file: Annotated[Path, tyro.conf.Positional]
    """The sweep's file."""
    out: Path | None = None
    """The sweep's folder; the file's if left out."""
    dry_run: bool = False
    """Print the trials, and run nothing."""
    on: Literal["ray", "here", "slurm", "wandb"] = "ray"
    """Who runs the trials: ray (this machine, or the cluster of --address), here (one after the other, without Ray), slurm (an array of
    jobs), or wandb (writes a W&B sweep for its agents)."""
    address: str = ""
    """HOST:PORT of a Ray cluster's head, or auto on one of its machines; this machine alone if left out."""
    workers: int = 0
    """Trials side by side on this machine; 0: as many as it has cores for."""


def main(argv: Sequence[str]) -> int:
    """Run the verb."""
    options = flags.parse(Options, argv, "sweep")
    from dataclasses import replace

    from movlr_jax.sweeps import definition, plan

    sweep = definition.read(options.file)
    if options.out is not None:
        sweep = replace(sweep, out=options.out)
    if options.address and options.on != "ray":
        raise MovlrError(f"--address is of a Ray cluster, and --on {options.on} uses none: leave one of them out.")
    if options.dry_run:
        return _show(sweep, plan.make(sweep))
    return _drive(sweep, options)


def _show(sweep: SweepFile, made: Plan) -> int:
    """Print the trials that there would be."""
    out = console.stdout(console.WIDE)
    if sweep.optuna is not None:
        proposed = sweep.optuna
        wanted = f"to {proposed.direction} {proposed.objective}"
        out.print(f"{proposed.trials} trials, {proposed.parallel} at a time, proposed by {proposed.sampler} {wanted}:")
        told = [(path, str(raw)) for path, raw in proposed.space.items()]
        out.print(console.table("", ("value", "from"), told))
    else:
        rows = [(t.number, *(t.values[path] for path in made.paths), made.folder(t)) for t in made.trials]
        out.print(console.table("", ("trial", *made.paths, "folder"), rows))
    r = sweep.resources
    out.print(f"each with {r.cpus:g} cores and {r.gpus:g} GPUs; nothing was run", markup=False)
    return 0


def _drive(sweep: SweepFile, options: Options) -> int:
    from movlr_jax.sweeps import drive
    from movlr_jax.sweeps.backends import slurm, wandb

    err = console.stderr()

    def report(sentence: str) -> None:
        err.print(sentence, markup=False, soft_wrap=True)

    environment = drive.allowed(sweep)
    if options.on == "wandb":
        path, agents = wandb.write(sweep)
        report(agents or f"WANDB_API_KEY is not set: nothing was registered. Later: wandb sweep {path}")
        console.say(path)
        return 0
    if options.on == "slurm":
        return close(slurm.run(sweep, report, environment=environment))
    with terminable():
        outcome = drive.run(sweep, _executor(sweep, options), report, environment=environment)
    return close(outcome)


def _executor(sweep: SweepFile, options: Options) -> Any:
    from movlr_jax.sweeps import backends
    from movlr_jax.sweeps.backends import ray

    if options.address:
        return lambda: ray.cluster(options.address, sweep.resources)
    return backends.executor(sweep, None if options.on == "here" else options.workers)


def close(outcome: Outcome) -> int:
    """Print what a sweep came to; return the exit code."""
    out = console.stdout(console.WIDE)
    out.print((outcome.plan.out / "table.md").read_text(encoding="utf-8"), markup=False, soft_wrap=True)
    out.print(f"{outcome.plan.out}: results.parquet, table.md, compare.html", markup=False, soft_wrap=True)
    err = console.stderr()
    if outcome.interrupted:
        done = sum(row["state"] == "done" for row in outcome.rows)
        err.print(f"Interrupted: {done} trials are done; the same command goes on.", markup=False, soft_wrap=True)
        return INTERRUPTED
    if outcome.failed:
        err.print(f"{len(outcome.failed)} trials are not done; the same command goes on with them.", markup=False, soft_wrap=True)
        return 1
    return 0
