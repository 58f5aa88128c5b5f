"""Forecast: what an experiment will execute at most, told before it executes anything.

In: its searches, and how many rewards it measures where. Out: a table a body: searches, episodes, motion (s), and hours of one core, from
what a second of motion took in the episodes of `benchmarks/results`.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import bench
import numpy as np

from movlr_jax.control.planners import Planner
from movlr_jax.errors import MovlrError
from movlr_jax.evaluation.episode_store import EpisodeStore
from movlr_jax.media import tables
from movlr_jax.runs.config import RunConfig
from movlr_jax.tasks import Task

RESULTS = Path(__file__).resolve().parents[1] / "benchmarks" / "results"
_MEASURED = ("walks", "hands")  # folders and files of episodes that say how long each took
_NOT_COUNTED = "proofs of rewards, clips and tables are not in them"


@dataclass
class Line:
    """What is executed on one body."""

    searches: int = 0
    finished: int = 0
    episodes: int = 0
    motion_s: float = 0.0


def most(config: RunConfig, task: Task) -> float:
    """Return how much motion a search executes at most (s): a budget ends it after the iteration that reaches it.

    A race eliminates nobody then, and each decision takes all its further seeds, of which the best's are run once.
    """
    length = config.seconds or task.seconds
    reward = len(config.seeds) * length
    further = 2 * config.race.extra_seeds * length if config.race.on else 0.0
    iteration = config.candidates * max(config.tune.trials, 1) * reward + further
    whole = reward + config.iterations * iteration
    return min(whole, config.max_simulated + iteration) if config.max_simulated else whole


def wall(planner: Planner) -> dict[str, float]:
    """Return body -> how long a second of motion takes on one core (s), the median of what was measured on it.

    Args:
        planner: what is simulated in a plan; it scales what others took. Quick plans are told from quick ones where there are any.
    """
    taken: dict[str, list[tuple[bool, float]]] = defaultdict(list)
    for name in _MEASURED:
        for record in EpisodeStore(RESULTS / name).episodes().values():
            by = record.get("decided_by", {})
            if "wall_s" in record and by.get("engine") == "native":
                plan = by["planner"]
                steps = plan["candidates"] * plan["horizon"] / plan["replan"]
                taken[by["morphology"]].append((plan.get("quick", False), record["wall_s"] / record["seconds"] / steps))
    own = planner.candidates * planner.horizon / planner.replan
    made = {}
    for body, of in taken.items():
        alike = [value for quick, value in of if quick == planner.quick]
        made[body] = own * float(np.median(alike or [value for _, value in of]))
    return made


def show(asked: argparse.Namespace, searches: Sequence[bench.Search], rewards: Sequence[tuple[Task, str, int]]) -> int:
    """Print what an experiment executes at most.

    Args:
        asked: the flags.
        searches: its searches; of those that are there already, what is left.
        rewards: (task, body, how many rewards are measured there on every seed).

    Raises:
        MovlrError: a search can be none.
    """
    lines: dict[str, Line] = defaultdict(Line)
    for search in searches:
        config, line = bench.config(asked, search), lines[search.body]
        line.searches += 1
        done = bench.finished(config)
        line.finished += done
        line.motion_s += 0.0 if done else max(most(config, search.task) - bench.executed(asked, search), 0.0)
    s = bench.size(asked)
    for task, body, count in rewards:
        lines[body].episodes += count * len(s.seeds)
        lines[body].motion_s += count * len(s.seeds) * (s.seconds or task.seconds)
    if not lines:
        raise MovlrError("There is nothing to execute: name a task that there is something to measure on.")
    per_second = wall(s.planner)
    hours = {body: line.motion_s * per_second[body] / 3600.0 for body, line in lines.items() if body in per_second}
    cells = []
    for body, line in lines.items():
        cost = _cost(per_second.get(body), hours.get(body))
        cells.append([body, f"{line.searches} ({line.finished} done)", str(line.episodes), f"{line.motion_s:.0f}", *cost])
    total = [sum(getattr(line, name) for line in lines.values()) for name in ("searches", "episodes", "motion_s")]
    cells.append(["together", str(total[0]), str(total[1]), f"{total[2]:.0f}", "", f"{sum(hours.values()):.1f}"])
    headings = ["body", "searches", "episodes to report", "motion at most [s]", "one core takes for 1 s [s]", "hours of one core at most"]
    remarks = [f"No episode in {RESULTS.name} says how long {body} takes." for body in lines if body not in per_second]
    bench.print_text(tables.markdown(headings, cells, [*remarks, f"Episodes that fall are shorter; of the hours: {_NOT_COUNTED}."]))
    return 0


def _cost(per_second: float | None, hours: float | None) -> tuple[str, str]:
    return ("?", "?") if per_second is None or hours is None else (f"{per_second:.1f}", f"{hours:.1f}")
