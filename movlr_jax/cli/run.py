"""`movlr run [TASK]`: searches for a reward, shows the run while it goes, and prints what came of it.

In: RunConfig, from code defaults < the YAML file of --config < flags. Out: a run's folder, and closing tables on stdout.
Ctrl-C stops between two saved products; the folder is then what `movlr resume` goes on with.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from movlr_jax import atomic, code_names, searches
from movlr_jax.cli import advice, console, flags, task_names
from movlr_jax.cli.main import INTERRUPTED
from movlr_jax.cli.progress import View
from movlr_jax.cli.report import calls_table
from movlr_jax.llm import addresses, ledger
from movlr_jax.media import next_steps, tables
from movlr_jax.morphologies import custom
from movlr_jax.physics import hosts
from movlr_jax.runs import permissions
from movlr_jax.runs.config import RunConfig
from movlr_jax.runs.iteration_record import IterationRecord

if TYPE_CHECKING:
    from movlr_jax.searches.result import RunResult

ABOUT = """Search for a reward that makes a body do a task: plan its motion, film and criticise it,
rewrite the reward, prove the new one safe, keep the best.

TASK may be given as the first word. --config FILE reads values from YAML (see configs/);
flags override them. An address that only FILE names is sent no key without --allow
ADDRESS. Ctrl-C stops cleanly; movlr resume goes on."""
# What the tables of a run show, as far as its task measures it: of every iteration, and of start against best.
_MOVED = ("distance_m", "final_position_error_m", "final_orientation_error_rad", "fall_time_s", "drop_time_s")
_OF_ITERATIONS = (*tables.GOAL, *_MOVED)
_COMPARED = ("seconds", *tables.GOAL_DETAILS, *_MOVED, "mean_speed_mps", "lateral_drift_m", "effort")


def configure(argv: Sequence[str]) -> RunConfig:
    """Read the configuration of a run from the words after `movlr run`.

    Raises:
        MovlrError: the file or a flag cannot be understood, or a value is one that no run can have.
    """
    file, words = flags.take_config(argv)
    default = RunConfig.load(file) if file else RunConfig()
    if words and not words[0].startswith("-"):
        words = ["--task", *words]
    config = flags.parse(RunConfig, words, "run [TASK] [--config FILE]", default, ABOUT)
    for role, service, url in permissions.servers(config):
        if flags.names(words, f"models.{role}-url"):
            addresses.give(service, url)
    settled = task_names.settled if flags.names(words, "task") else code_names.settled
    return dataclasses.replace(config, task=settled(config.task), morphology=config.morphology and custom.settled(config.morphology))


def follow(work: Callable[[View], RunResult], heading: str) -> int:
    """Run a search under the live view, then print its closing tables; `movlr resume` does the same.

    Args:
        work: does the search and tells the view its events.
        heading: a line for above the view.

    Returns:
        The exit code.
    """
    with View(console.stderr(), heading) as view:
        result = work(view)
    if result.rows:
        close(result)
    if result.stopped == "interrupted":
        err = console.stderr()
        err.print(f"Interrupted. Go on with: {next_steps.resume(result.folder)}", markup=False, soft_wrap=True)
        return INTERRUPTED
    return 0


def main(argv: Sequence[str]) -> int:
    """Run the verb."""
    from movlr_jax.runs import methods

    config = searches.free_folder(configure(argv))
    if config.ask:
        advice.refuse_unattended()
        if not methods.written_by_model(config):
            remark = f"The {config.writer} writer reads no sentences: your advice is kept with the critiques, and changes nothing."
            console.stderr().print(remark, markup=False, soft_wrap=True)
    if config.mjx.hosts and hosts.join():
        return _beside(config)
    heading = "\n".join([f"Run folder: {config.out}", *_goal(config)])
    return follow(lambda view: searches.run(config, progress=view, advisor=advice.adviser(view)), heading)


def _goal(config: RunConfig) -> list[str]:
    """Return what of a user's sentence is measured, to be said before anything is simulated."""
    return permissions.task(config.task).with_sentence(config.goal).measures() if config.goal else []


def _beside(config: RunConfig) -> int:
    """Do the same search as the first host, for the sake of its plans; what is written is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        searches.run(dataclasses.replace(config, out=Path(folder) / "run", tracking="off"))
    return 0


def close(result: RunResult) -> None:
    """Print what a run came to: its iterations, start against best, its files, and where to go on."""
    out = console.stdout()
    out.print()
    out.print(iterations_table(result.rows))
    if result.best is not None:
        out.print()
        best = next(row for row in result.rows if row.iteration == result.best)
        out.print(start_and_best(result.rows[0], best))
    sums = ledger.Ledger(result.folder / ledger.FOLDER).by_purpose()
    if sums:
        out.print()
        out.print(calls_table(sums))
    told = atomic.read_json(result.folder / "summary.json")
    for sentence in filter(None, (told.get("ends_when"), *told.get("goal_measures", ()))):
        out.print(sentence, markup=False, soft_wrap=True)
    for failure in result.named_failures:
        out.print(f"\n{failure.sentence}", markup=False, soft_wrap=True)
    folder = result.folder
    files = [("report", "report.html"), ("best reward", "best/reward.py"), ("best clip", "best/clip.mp4")]
    out.print()
    console.listed(out, "files", [(name, folder / file) for name, file in files if (folder / file).exists()])
    out.print()
    console.listed(out, "how to go on", [(what, command) for command, what in how_to_go_on(result)])


def iterations_table(rows: Sequence[IterationRecord]) -> console.FittedTable:
    """Build the table of a run's iterations."""
    shown, stated = _measured(rows, _OF_ITERATIONS), any(row.confidence is not None for row in rows)
    return console.table(
        "",
        ("iteration", "score", *map(tables.heading, shown), "kept", *(["confidence"] if stated else []), "edit"),
        [
            (
                row.iteration,
                tables.number(row.score, ".3f"),
                *(tables.cell(row.metrics.root, name) for name in shown),
                ("best" if row.kept else "eliminated" if row.candidate is None and row.eliminated else ""),
                *([tables.number(row.confidence, ".2f")] if stated else []),
                row.edit or row.reward,
            )
            for row in rows
        ],
    )


def start_and_best(start: IterationRecord, best: IterationRecord) -> console.FittedTable:
    """Build the table that sets the start reward's motion against the best's."""
    shown = _measured([start, best], _COMPARED)
    rows = [
        (name, row.iteration, *(tables.cell(row.metrics.root, key) for key in shown)) for name, row in (("start", start), ("best", best))
    ]
    return console.table("", ("reward", "iteration", *map(tables.heading, shown)), rows)


def _measured(rows: Sequence[IterationRecord], names: Sequence[str]) -> list[str]:
    """Return those of the names that any row has."""
    return [name for name in names if any(name in row.metrics.root for row in rows)]


def how_to_go_on(result: RunResult) -> list[tuple[str, str]]:
    """Return commands that a user may want next, each with what it does."""
    folder = result.folder
    config = RunConfig.load(Path(folder) / "config.yaml")
    steps = [(next_steps.resume(folder, f" --iterations {config.iterations * 2}"), "more iterations")]
    return steps + (next_steps.with_best(folder, config.task, config.morphology) if result.best is not None else [])
