"""Planners at an equal budget of simulated steps: which walks farther and falls less?

Every variant simulates as many steps a second of executed motion as 64 candidates over 44 steps in each replanning interval.
Episodes are saved as they come, so that a long table can be continued.

    python tools/compare_planners.py --bodies myolegs              # screen: 3 seeds x 4 s
    python tools/compare_planners.py --variants mean fast --seeds 1 2 3 4 5 6 7 8 9 10 --seconds 10
    python tools/compare_planners.py --table
"""

from __future__ import annotations

import argparse
import fcntl
import importlib.metadata
import json
import statistics
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

from movlr_jax import atomic, morphologies, tasks
from movlr_jax.control.episode import EpisodeRunner
from movlr_jax.control.planners import CEM, CMA, ICEM, LPMPPI, MPPI, Planner
from movlr_jax.evaluation import reward_texts
from movlr_jax.media import tables
from movlr_jax.rewards.features import feature_layout
from movlr_jax.rewards.reward import Reward

RESULTS = Path(__file__).resolve().parents[1] / "benchmarks" / "results" / "planners.json"
_EVERY = 0.01  # s between plans of 64 candidates, which --replan scales
# At equal steps of exact rollouts, and by the reward alone.
_PLAIN: dict[str, Any] = {"quick": False, "value": None, "replan": _EVERY}
_TEXT: dict[str, Any] = {**_PLAIN, "instant": 10, "mean_candidate": True}  # the paper's text, and the mean
_FIRST = MPPI(**_TEXT, temperature=0.1, relative=False)
_HALF = _FIRST.with_candidates(32)
_ONCE = replace(_FIRST, instant=1, mean_candidate=False)
VARIANTS: dict[str, tuple[Planner, str]] = {
    "published": (replace(MPPI.published(), law="auto", replan=_EVERY), "copies as instant candidates, the mean not a candidate"),
    "mean": (_FIRST, "the mean is a candidate, instant candidates are spread"),
    "rare": (replace(_FIRST.with_candidates(128), replan=2 * _EVERY), "mean, with 128 candidates every 20 ms"),
    "fast": (replace(_HALF, replan=_EVERY / 2), "mean, with 32 candidates every 5 ms"),
    "rounds": (replace(_HALF, iterations=2), "mean, with two rounds of 32"),
    "anneal": (replace(_HALF, iterations=2, anneal=0.5), "mean, with two rounds of 32, the second at half the noise"),
    "knots2": (replace(_FIRST, knots=2), "mean, with two knots over the horizon"),
    "knots4": (replace(_FIRST, knots=4), "mean, with four knots over the horizon"),
    "colour": (ICEM(**_TEXT, temperature=0.1, relative=False, keep=0), "mean, with four knots, noise of power 1/f^2 over them"),
    "covariance": (CMA(**_TEXT, temperature=0.1, relative=False), "mean, and the noise learns the elites' covariance (CMA-style)"),
    "keep": (
        ICEM(**_TEXT, temperature=0.1, relative=False, knots=1, colour=0.0),
        "mean, and half of the elites are candidates of the next plan",
    ),
    "soft": (replace(_FIRST, temperature=1e3), "mean, and elites weigh almost the same"),
    "cem": (CEM(**_TEXT), "mean, and elites weigh the same (cross-entropy method)"),
    "once": (_ONCE, "published, with one instant candidate in place of ten copies"),
    "wide": (replace(_ONCE, noise=0.08), "once, with noise of 8 % of the joints' ranges in place of 5 %"),
    "narrow": (replace(_ONCE, noise=0.035), "once, with noise of 3.5 %"),
    "long": (
        replace(_ONCE.with_candidates(48), horizon=0.464),
        "once, with 48 candidates over 58 steps in place of 64 over 44",
    ),
    "relative": (MPPI(**_PLAIN), "once, with lambda half of the elites' spread in place of 0.1: as by default"),
    "spline": (LPMPPI(**_PLAIN), "relative, with four knots on a spline and noise low-passed at 3 Hz"),
    "capture-step": (MPPI(**_PLAIN, proposals="capture-step"), "relative, eight of whose candidates are capture steps"),
}


def load() -> dict[str, Any]:
    """Return the saved episodes."""
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


def table() -> str:
    """Return the saved episodes as a table, best distance first within a body, reward and length."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in load().values():
        groups[row["work"], row["variant"]].append(row)
    lasted, distance, drift = map(tables.heading, ("seconds", "distance_m", "lateral_drift_m"))
    lines = [
        f"| work | planner | what | falls | {lasted} | {distance} mean (min to max) | {drift} |",
        "|---|---|---|---|---|---|---|",
    ]
    for (work, variant), rows in sorted(groups.items(), key=lambda g: (g[0][0], -statistics.mean(r["distance_m"] for r in g[1]))):
        d = [r["distance_m"] for r in rows]
        mean = {k: statistics.mean(r[k] for r in rows) for k in ("seconds", "lateral_drift_m")}
        lines.append(
            f"| {work} | {variant} | {VARIANTS[variant][1]} | {sum(r['fell'] for r in rows)} of {len(rows)} | {mean['seconds']:.2f} | "
            f"{statistics.mean(d):.2f} ({min(d):.2f} to {max(d):.2f}) | {mean['lateral_drift_m']:.2f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure the episodes that are missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bodies", nargs="+", default=["myolegs", "ms-human-700-locomotion"])
    parser.add_argument("--variants", nargs="+", default=list(VARIANTS), choices=list(VARIANTS))
    parser.add_argument("--reward", default="straight")
    parser.add_argument("--goal-speed", type=float, default=0.9)
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--replan", type=float, default=MPPI.replan, help="time executed between plans of 64 candidates (s)")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--table", action="store_true")
    args = parser.parse_args()
    if args.table:
        print(table())
        return
    task = tasks.get("walk_flat")
    text = reward_texts.find(args.reward, [task])
    for name in args.bodies:
        body = morphologies.load(name)
        reward = Reward.trusted(args.reward, text.source, feature_layout(body))
        # A reward of one name has had several texts.
        work = f"{name} {args.reward} ({text.sha256[:6]}) {args.goal_speed:g} m/s {args.seconds:g} s, a plan every {1e3 * args.replan:g} ms"
        for variant in args.variants:
            runner = None
            for seed in args.seeds:
                key = f"{work} {variant} seed {seed}"
                if key in load():
                    continue
                config = VARIANTS[variant][0]
                config = replace(config, replan=config.replan * args.replan / _EVERY)
                runner = runner or EpisodeRunner.build(body, config, "native", threads=args.threads)
                began = time.perf_counter()
                record = task.measure(body, task.episode(runner, reward, seed, seconds=args.seconds, goal_speed=args.goal_speed))
                record |= {"work": work, "variant": variant, "wall_s": round(time.perf_counter() - began, 1)}
                record["versions"] = {p: importlib.metadata.version(p) for p in ("movlr-jax", "mujoco", "jax")}
                with (RESULTS.parent / ".lock").open("w") as lock:  # two of these may run side by side, one on each core
                    fcntl.flock(lock, fcntl.LOCK_EX)
                    atomic.write_json(RESULTS, load() | {key: record})
                print(key, json.dumps(record), flush=True)
    print(table())


if __name__ == "__main__":
    main()
