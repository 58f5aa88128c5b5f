"""Cheaper rollouts against exact ones, in the plans of a real walk: the same elites, at which cost, in which share of the time?

An exact planner walks. At every few plans the variants plan too, from the same state, plan and noise, in one process and one thread, in
turning order; times are CPU times and the ratio is the median over plans. Regret: what a variant's elites cost in exact rollouts above the
exact elites, in units of how far these lie above the best (root mean square); `regret_2ms`: the same in rollouts at the executed step.

    python tools/compare_rollouts.py --morphology ms-human-700-locomotion --reward stride --goal-speed 1.0 --seed 1001 --seconds 3
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import kendalltau

from movlr_jax import atomic, morphologies, tasks
from movlr_jax.control.episode import EpisodeRunner
from movlr_jax.control.planners import MPPI
from movlr_jax.evaluation import reward_texts
from movlr_jax.physics import native
from movlr_jax.rewards.features import feature_layout
from movlr_jax.rewards.reward import Reward

RESULTS = Path(__file__).resolve().parents[1] / "benchmarks" / "results" / "rollouts.json"


@dataclass(frozen=True)
class _Unscreened(MPPI):
    """Quick, with every candidate simulated to the end."""

    @property
    def cuts(self) -> tuple[tuple[int, int], ...]:
        return ()


VARIANTS: dict[str, str] = {
    "exact": "as the executed body, at 8 ms",
    "quick": "welded bodies as one, candidates that lag given up: planner.quick",
    "fused": "welded bodies as one",
    "tolerance-1e-6": "the constraint solver at 1e-6 in place of 1e-8",
    "tolerance-1e-4": "at 1e-4",
    "nudged-1e-6": "exact, from a pose with noise of 1e-6 (rad, m)",
    "nudged-1e-4": "exact, from a pose with noise of 1e-4",
    "2ms": "exact, at the step of the executed body",
}


class Variant:
    """A runner that remembers the costs of its last plan, and how long that took."""

    def __init__(self, name: str, body: Any, planner: MPPI):
        kind = _Unscreened if name == "fused" else MPPI
        settings = vars(planner) | {"quick": name in ("quick", "fused")} | ({"plan_dt": 0.002} if name == "2ms" else {})
        self.runner = EpisodeRunner.build(body, kind(**settings), "native", threads=1)
        self._nudge = float(name.partition("-")[2]) if name.startswith("nudged") else 0.0
        if name.startswith("tolerance"):
            model = body.at_timestep(planner.plan_dt)
            model.opt.tolerance = float(name.partition("-")[2])
            self.runner.simulator._rollouts = native._Worlds(model, planner.candidates, 1)
        horizon, self.costs = self.runner.horizon, np.zeros(0)
        after = horizon._after[False]

        def remembered(plan: Any, candidates: Any, reward: Any, diverged: Any, value: Any, given_up: Any) -> Any:
            gone = diverged if given_up is None else diverged | given_up
            self.costs = np.where(gone, np.inf, -np.asarray(reward, float))[0]
            return after(plan, candidates, reward, diverged, value, given_up)

        horizon._after[False] = remembered

    def plan(self, state: Any, *rest: Any) -> tuple[np.ndarray, np.ndarray, float]:
        """Return the elites, all costs, and the CPU time of a plan (s)."""
        if self._nudge:
            state = replace(state, qpos=state.qpos + self._nudge * np.random.default_rng(0).standard_normal(state.qpos.shape))
        began = time.process_time()
        _, report = self.runner.horizon.plan(state, *rest)
        return np.asarray(report.elites)[0], self.costs, time.process_time() - began


def _row(name: str, plans: list[dict[str, tuple[np.ndarray, np.ndarray, float]]]) -> dict[str, Any]:
    same, overlap, regret, fine, order, ratio = [], [], [], [], [], []
    for plan in plans:
        (elites, costs, seconds), (best, exact, whole) = plan[name], plan["exact"]
        same.append(set(elites) == set(best))
        overlap.append(len(set(elites) & set(best)) / len(best))
        regret.append(_regret(exact, elites))
        fine += [_regret(plan["2ms"][1], elites)] if "2ms" in plan else []
        both = np.isfinite(costs) & np.isfinite(exact)
        order.append(kendalltau(costs[both], exact[both])[0])
        ratio.append(seconds / whole)
    quartiles = [round(float(q), 3) for q in np.percentile(ratio, (25, 75))]
    row = {"time_ratio": round(statistics.median(ratio), 3), "time_ratio_quartiles": quartiles, "plans": len(plans)}
    row |= {"same_elites": round(float(np.mean(same)), 3), "shared_elites": round(float(np.mean(overlap)), 3)}
    row |= {"regret": round(float(np.mean(regret)), 4), "kendall": round(float(np.mean(order)), 4)}
    return row | ({"regret_2ms": round(float(np.mean(fine)), 4)} if fine else {})


def _regret(costs: np.ndarray, elites: np.ndarray) -> float:
    best = np.sort(costs)[: len(elites)]
    return float((costs[elites].mean() - best.mean()) / max(np.sqrt(np.square(best - best[0]).mean()), 1e-12))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--morphology", default="myolegs")
    parser.add_argument("--variants", nargs="+", default=["quick", "fused"], choices=list(VARIANTS))
    parser.add_argument("--reward", default="stride")
    parser.add_argument("--goal-speed", type=float, default=0.9)
    parser.add_argument("--seed", type=int, default=1001)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--every", type=int, default=5, help="of how many plans one is compared")
    args = parser.parse_args()
    body, task, planner = morphologies.load(args.morphology), tasks.get("walk_flat"), MPPI(quick=False)
    text = reward_texts.find(args.reward, [task])
    reward = Reward.trusted(args.reward, text.source, feature_layout(body))
    variants = {name: Variant(name, body, planner) for name in dict.fromkeys(["exact", *args.variants])}
    runner = EpisodeRunner.build(body, planner, "native", threads=1)
    plan, plans, made = runner.horizon.plan, [], 0

    def compared(*given: Any) -> Any:
        nonlocal made
        made += 1
        if made % args.every == 0:
            turn = list(variants) if made % (2 * args.every) else list(reversed(variants))
            plans.append({name: variants[name].plan(*given) for name in turn})
        return plan(*given)

    runner.horizon.plan = compared  # type: ignore[method-assign]
    rollout = task.episode(runner, reward, args.seed, seconds=args.seconds, goal_speed=args.goal_speed)
    del plans[0]  # its times hold what was compiled
    key = f"{body.name} {args.reward} ({text.sha256[:6]}) {args.goal_speed:g} m/s, seed {args.seed}"
    rows = {name: _row(name, plans) | {"what": VARIANTS[name]} for name in variants}
    ended = {"seconds": round(len(rollout.time) * rollout.dt, 2), "ended": rollout.ended}
    exact = round(statistics.median(plan["exact"][2] for plan in plans), 3)
    found = {key: {"walk": ended, "exact_plan_cpu_s": exact, "rows": rows}}
    saved = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    atomic.write_json(RESULTS, saved | found)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
