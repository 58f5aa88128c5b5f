"""The standing and walking table: every row an episode, saved as it comes, so that a broken-off table is continued.

python tools/evaluate_walks.py                      # all rows, 10 s each: about an hour on 2 cores
python tools/evaluate_walks.py --only myolegs       # rows of one body
python tools/evaluate_walks.py --table              # print the table of what has been measured
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

from movlr_jax import morphologies, tasks
from movlr_jax.control import muscle_law
from movlr_jax.control.episode import EpisodeRunner
from movlr_jax.control.planner import PlannerConfig
from movlr_jax.rewards.features import feature_layout
from movlr_jax.rewards.reward import Reward
from movlr_jax.search import atomic

RESULTS = Path(__file__).resolve().parents[1] / "benchmarks" / "results" / "walks.json"
# body, task, reward, goal speed (None: the task's), seconds, seeds
ROWS = [
    ("ms-human-700-locomotion", "walk_flat", "human", 0.8, 10.0, (1, 2, 3, 4, 5)),
    ("myolegs", "walk_flat", "human", 0.8, 10.0, (1, 2, 3, 4, 5)),
    ("ms-human-700", "stand", "human", None, 5.0, (1,)),
    ("ms-human-700", "walk_flat", "human", 0.8, 3.0, (1,)),
    ("ms-human-700-locomotion", "stand", "human", None, 10.0, (1, 2, 3, 4, 5)),
    ("myolegs", "stand", "human", None, 10.0, (1, 2, 3, 4, 5)),
    ("myolegs", "walk_flat", "straight", 0.9, 10.0, (1, 2, 3, 4, 5)),
    ("ms-human-700-locomotion", "walk_flat", "straight", 0.95, 10.0, (1, 2, 3, 4, 5)),
]


def load() -> dict:
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {"versions": {}, "episodes": {}}


def key(body: str, task: str, reward: str, speed: float | None, seconds: float, seed: int) -> str:
    asked = "" if speed is None else f" {speed} m/s"
    config = PlannerConfig()
    return f"{body} {task} {reward}{asked} {seconds:g} s horizon {config.horizon:g} s replan {config.replan:g} s seed {seed}"


def table(results: dict) -> str:
    groups = defaultdict(list)
    for name, record in results["episodes"].items():
        groups[name.rsplit(" seed ", 1)[0]].append(record)
    lines = [
        "| body, task, reward, goal, length | falls | distance [m] mean (min to max) | drift [m] | effort | symmetry | s of wall per s |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, records in groups.items():
        d = [r["distance_m"] for r in records]
        symmetry = [r["step_symmetry"] for r in records if r["step_symmetry"] is not None]
        wall = np.median([r["wall_s"] / r["seconds"] for r in records])
        lines.append(
            f"| {name} | {sum(r['fell'] for r in records)} of {len(records)} | {np.mean(d):.2f} ({min(d):.2f} to {max(d):.2f}) | "
            f"{np.mean([r['lateral_drift_m'] for r in records]):.2f} | {np.mean([r['effort'] for r in records]):.3f} | "
            f"{np.mean(symmetry) if symmetry else float('nan'):.2f} | {wall:.1f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="part of the key of the rows to run")
    parser.add_argument("--threads", type=int, default=0, help="threads of one simulation; two processes of one thread use two cores best")
    parser.add_argument("--table", action="store_true")
    args = parser.parse_args()
    results = load()
    if args.table:
        print(table(results))
        return
    names = ("movlr-jax", "mujoco", "jax", "numpy")
    results["versions"] = {n: importlib.metadata.version(n) for n in names}
    for body_name, task_name, reward_name, speed, seconds, seeds in ROWS:
        todo = [s for s in seeds if key(body_name, task_name, reward_name, speed, seconds, s) not in results["episodes"]]
        label = key(body_name, task_name, reward_name, speed, seconds, 0)
        if not todo or args.only not in label:
            continue
        body, task, config = morphologies.load(body_name), tasks.get(task_name), PlannerConfig()
        law, gain = muscle_law.resolve(config.law, body)
        runner = EpisodeRunner.build(body, config, "native", threads=args.threads)
        reward = Reward.trusted(reward_name, task.rewards[reward_name], feature_layout(body))
        for seed in todo:
            start = time.perf_counter()
            rollout = task.episode(runner, reward, seed, seconds=seconds, goal_speed=speed)
            record = task.measure(body, rollout)
            record |= {"wall_s": round(time.perf_counter() - start, 1), "law": law, "gain": gain}
            record |= {"horizon_s": config.horizon, "replan_s": config.replan}
            results = load() | {"versions": results["versions"]}
            results["episodes"][key(body_name, task_name, reward_name, speed, seconds, seed)] = record
            atomic.write_json(RESULTS, results)
            print(key(body_name, task_name, reward_name, speed, seconds, seed), json.dumps(record), flush=True)
    print(table(results))


if __name__ == "__main__":
    main()
