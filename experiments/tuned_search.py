"""Tuning inside the search, measured at equal simulation: structure from the writer and weights from an optimiser, or the writer alone.

    python experiments/tuned_search.py --small                                  # minutes on two cores
    python experiments/tuned_search.py                                          # walk_flat, three searches a way, 15 iterations
    python experiments/tuned_search.py --trials 4 --sampler tpe --tasks stand walk_flat

The search that tunes runs first, and what it executed, all trials and seeds together, is the budget of the two that do not: one spends it
on more iterations, the other on as many candidates an iteration as the first has trials. Each of these ends with the iteration that
reaches the budget, so that they execute as much motion or a little more. The best reward of each is measured on seeds that no search saw.
Every search and every episode is saved as it comes; the same command goes on where it was stopped. Writes tuned_search.md,
tuned_search.json, tuned_search.png, and for each task and body the best score against the motion executed, curve_TASK_BODY.png.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bench
import variants
from variants import Variant

from movlr_jax.errors import MovlrError
from movlr_jax.evaluation import reward_texts, work_items
from movlr_jax.evaluation.work_items import Work
from movlr_jax.llm.base import ModelFault
from movlr_jax.media import history
from movlr_jax.runs.iteration_record import IterationRecord
from movlr_jax.runs.run_folder import RunFolder
from movlr_jax.runs.tune_config import SAMPLERS, InnerTune
from movlr_jax.searches import state
from movlr_jax.tasks import Task

TUNED, ITERATIONS, CANDIDATES = "tuned", "more iterations", "more candidates"
_ENOUGH = 10  # times the trials: the budget ends these searches, or the writer does
Rows = list[IterationRecord]


def budgeted(asked: argparse.Namespace, task: Task, body: str, seed: int) -> dict[str, tuple[RunFolder, Rows]]:
    """Return the folder and the iterations of the search that tunes, and of those that execute as much motion without it.

    Raises:
        MovlrError: a search cannot be run.
        Stopped: the user interrupted; the search is saved.
    """
    count = bench.size(asked).iterations
    more = {"seed": seed, "critic": asked.critic, "writer": asked.writer, "models": variants.models(asked)}
    tuned = bench.searched(asked, task, body, tune=InnerTune(asked.trials, asked.sampler, asked.span), **more)
    rows = tuned.rows()[: count + 1]
    rivals = {ITERATIONS: {}, CANDIDATES: {"candidates": asked.trials}}
    found = {TUNED: (tuned, rows)}
    most = _ENOUGH * asked.trials * count
    for name, changes in rivals.items():
        folder = bench.searched(asked, task, body, iterations=most, max_simulated=state.simulated(rows), **changes, **more)
        found[name] = (folder, folder.rows())
    return found


def works(asked: argparse.Namespace, task: Task, body: str, seed: int, found: dict[str, tuple[RunFolder, Rows]]) -> list[tuple[str, Work]]:
    """Return what is measured of each search: its best reward."""
    made = []
    for name, (folder, rows) in found.items():
        best = max(row.iteration for row in rows if row.kept)
        text = reward_texts.find(str(folder.iteration(best).path), [task])
        called = name if asked.searches_each == 1 else f"{name}, search {seed}"
        made.append((name, Work(reward_texts.RewardText(called, text.source, text.origin), called, task, body)))
    return made


def curve(rows: Rows) -> list[tuple[float, float]]:
    """Return the points (motion executed (s), score of the best so far) of a search."""
    points: list[tuple[float, float]] = []
    for n, row in enumerate(rows, 1):
        best = row.score if row.kept else points[-1][1] if points else None
        if best is not None:
            points.append((state.simulated(rows[:n]), float(best)))
    return points


def main(argv: Sequence[str] | None = None) -> int:
    made = variants.parser(__doc__, "tuned_search")
    made.set_defaults(tasks=["walk_flat"])
    made.add_argument("--trials", type=int, help="trials of weights for each text; 8, or 3 where small")
    made.add_argument("--sampler", default="cmaes", help=f"who draws the weights: {', '.join(SAMPLERS)}")
    made.add_argument("--span", type=float, default=3.0, help="how far a weight may go from what was written")
    asked = made.parse_args(argv)
    asked.trials = asked.trials or (3 if asked.small else 8)
    asked.searches_each = asked.searches_each or (1 if asked.small else 3)
    InnerTune(asked.trials, asked.sampler, asked.span)
    compared = [Variant(TUNED), Variant(ITERATIONS), Variant(CANDIDATES)]
    taken: dict[str, dict[str, Any]] = {variant.name: {} for variant in compared}
    measured: list[tuple[str, Work]] = []
    for task in bench.tasks(asked):
        for body in asked.morphologies or work_items.bodies_of(task):
            curves: dict[str, list[list[tuple[float, float]]]] = {variant.name: [] for variant in compared}
            for seed in range(asked.searches_each):
                try:
                    found = budgeted(asked, task, body, seed)
                except ModelFault:
                    raise
                except MovlrError as error:  # a body that is not on this machine does not end the others
                    measured += [(v.name, Work(None, v.name, task, body, f"The search cannot be run: {error}")) for v in compared]
                    continue
                measured += works(asked, task, body, seed, found)
                for name, (folder, rows) in found.items():
                    variants.add(taken[name], folder, rows)
                    curves[name].append(curve(rows))
            if any(curves.values()):
                path = asked.out / f"curve_{task.name}_{Path(body).stem}.png"
                history.searches(curves, path, label="score of the best so far", title=f"{task.name} on {Path(body).stem}")
    rows = bench.measure(asked, [work for _, work in measured])
    together = variants.together([(name, next(row for row in rows if row.work is work)) for name, work in measured])
    names = [variant.name for variant in compared]
    panels = variants.panels(together, names)
    title = f"Weights tuned inside the search ({asked.trials} trials a text) or not, at equal simulation"
    variants.save(asked, "tuned_search", title, together, compared, taken, panels, names)
    return 0


if __name__ == "__main__":
    bench.run(main)
