"""The table of standing, walking and holding in the README: rows of an evaluation, each episode saved as it comes.

    python tools/evaluate_walks.py                                # all rows: about six hours of one core
    python tools/evaluate_walks.py --only "myolegs walk_flat"     # some of them
    python tools/evaluate_walks.py --table                        # print what has been measured

The same command twice at the same time, each with --threads 1, shares the work. walks.json, beside the folder of episodes, holds those that
older versions measured under plain names; they are shown, and never taken for new ones.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from movlr_jax import tasks
from movlr_jax.control.episode_config import EpisodeSettings
from movlr_jax.evaluation.episode_store import EpisodeStore
from movlr_jax.evaluation.evaluation import evaluate
from movlr_jax.evaluation.work_items import Watcher, Work, combinations
from movlr_jax.media import tables
from movlr_jax.tasks.gates import fell

RESULTS = Path(__file__).resolve().parents[1] / "benchmarks" / "results" / "walks"
FOUR, FIVE, TEN, TWENTY = (tuple(range(1, n + 1)) for n in (4, 5, 10, 20))
STANDING = ("myolegs", "ms-human-700-locomotion", "ms-human-700", "myofullbody", "ostrich")
# body, task, reward, goal speed (m/s; None: the task's), seconds, seeds
ROWS: list[tuple[str, str, str, float | None, float, tuple[int, ...]]] = [
    ("ms-human-700-locomotion", "walk_flat", "natural", 1.0, 10.0, TWENTY),
    ("myolegs", "walk_flat", "stride", 0.9, 10.0, TWENTY),
    ("ms-human-700", "walk_flat", "natural", 1.0, 10.0, FOUR),
    ("ms-human-700-locomotion", "walk_rough", "natural", 0.8, 10.0, TEN),
    ("ms-human-700-locomotion", "walk_slope", "natural", 0.8, 10.0, TEN),
    ("ms-human-700-locomotion", "walk_injured", "natural", 0.8, 10.0, TEN),
    ("ms-human-700-locomotion", "walk_stairs", "climb", 0.6, 10.0, TEN),
    ("ostrich", "ostrich_walk", "stride", 1.0, 10.0, TEN),
    ("ms-human-700-locomotion", "turn_left", "human", 0.5, 10.0, TEN),
    ("ms-human-700-manipulation", "cube_rotate", "human", None, 5.0, FIVE),
    *((body, "stand", "human", None, 5.0, (1, 2, 3)) for body in STANDING),
]
# Beside falls and distance: what a row shows, where any of its episodes has it.
FIGURES = (
    "lateral_drift_m",
    "heading_error_rad",
    "effort",
    "step_symmetry",
    "stance_share",
    "touchdowns_per_stride",
    "peak_load_bw",
    "hip_correlation",
    "knee_correlation",
    "ankle_correlation",
    "knee_swing_flexion_deg",
    "cost_of_transport_j_kg_m",
    "final_position_error_m",
    "final_orientation_error_rad",
)


def label(key: str, record: dict[str, Any]) -> str:
    """Return the name of the row that an episode belongs to."""
    if "decided_by" not in record:  # an older version's, whose key is its name
        return key.rsplit(" seed ", 1)[0]
    by = record["decided_by"]
    speed = f" {by['goal_speed_mps']:g} m/s" if by["goal_speed_mps"] else ""
    planner = f"horizon {by['planner']['horizon']:g} s replan {by['planner']['replan']:g} s"
    planner += "" if by["planner"].get("relative") else " absolute lambda"
    # Records of before there were terminal values and quick rollouts name neither.
    planner += f" value {by['planner']['value']}" if by["planner"].get("value") else ""
    planner += " quick" if by["planner"].get("quick") else ""
    # A reward of one name has had several texts.
    reward = f"{record['reward']} ({by['reward_sha256'][:6]})"
    return f"{by['morphology']} {by['task']} {reward}{speed} {by['seconds']:g} s {planner}, version {by['versions']['movlr-jax']}"


def table(episodes: dict[str, dict[str, Any]]) -> str:
    """Return the episodes as a table, one line a row."""
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for key, record in episodes.items():
        groups[label(key, record)].append(record)
    shown = [name for name in FIGURES if any(r.get(name) is not None for records in groups.values() for r in records)]
    cells = []
    for name, records in groups.items():
        d = [r["distance_m"] for r in records if r.get("distance_m") is not None]
        values = {name: [r[name] for r in records if r.get(name) is not None] for name in shown}
        wall = np.median([r["wall_s"] / r["seconds"] for r in records])
        cells.append(
            [
                name,
                f"{sum(map(fell, records))} of {len(records)}",
                f"{np.mean(d):.2f} ({min(d):.2f} to {max(d):.2f})" if d else "",
                *(tables.number(float(np.mean(v)) if v else None, tables.spec(name)) for name, v in values.items()),
                f"{wall:.1f}",
            ]
        )
    what = [
        "body, task, reward, goal, length",
        "falls",
        f"{tables.heading('distance_m')} mean (min to max)",
        *map(tables.heading, shown),
    ]
    return tables.markdown([*what, "s of wall per s"], cells)


class Lines(Watcher):
    """Says what was measured, a line an episode."""

    def measured(self, work: Work, record: dict[str, Any]) -> None:
        """Say it."""
        print(f"{work.task.name}, {work.body}, {work.name}, seed {record['seed']}: {record['seconds']:.2f} s", file=sys.stderr, flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="part of 'BODY TASK REWARD' of the rows to run")
    parser.add_argument("--threads", type=int, default=0, help="threads of one simulation; two processes of one thread use two cores best")
    parser.add_argument("--results", type=Path, default=RESULTS, help="the folder of episodes")
    parser.add_argument("--table", action="store_true", help="only print what has been measured")
    args = parser.parse_args(argv)
    with EpisodeStore(args.results) as store:
        for body, task, reward, speed, seconds, seeds in ROWS:
            if args.table or args.only not in f"{body} {task} {reward}":
                continue
            settings = EpisodeSettings(seeds=seeds, seconds=seconds, goal_speed=speed, engine="native", threads=args.threads)
            evaluate(combinations([reward], [tasks.get(task)], [body]), settings, store, watcher=Lines())
        print(table(store.episodes()), end="")
    return 0


if __name__ == "__main__":
    main()
