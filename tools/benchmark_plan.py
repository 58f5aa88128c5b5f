"""Where a plan's time goes: one MPC2 plan against the bare Batch.step of the same number of steps of the same prepared model.

Both are measured in turn in one process, from the same states of a walk in progress, so that a noisy machine disturbs both alike.

    python tools/benchmark_plan.py --morphology ms-human-700-locomotion --plans 30
"""

from __future__ import annotations

import argparse
import json
import statistics
import time

import jax
import numpy as np

from movlr_jax import morphologies, tasks
from movlr_jax.control import laws
from movlr_jax.control.episode import EpisodeRunner
from movlr_jax.control.planners import MPPI
from movlr_jax.physics.simulator import Simulator, State
from movlr_jax.rewards.features import feature_layout
from movlr_jax.rewards.reward import Reward, RewardBatch


class _Timed:
    """A Batch whose steps are timed."""

    def __init__(self, batch):
        self._batch = batch
        self.seconds = 0.0
        self.controls: list[np.ndarray] = []
        self.starts: dict[str, np.ndarray] = {}

    def __getattr__(self, name):
        return getattr(self._batch, name)

    def step(self):
        self.controls.append(self._batch.bind("ctrl").copy())
        start = time.perf_counter()
        self._batch.step()
        self.seconds += time.perf_counter() - start


def bare(simulator: Simulator, timed: _Timed, state: State, controls: list[np.ndarray]) -> float:
    """Replay the same controls from the same state with nothing else around: the seconds of the steps alone."""
    worlds = simulator._rollouts
    worlds.load(jax.tree.map(lambda array: np.repeat(array, worlds.batch.nsim, axis=0), state))
    ctrl = timed._batch.bind("ctrl")
    start = time.perf_counter()
    for control in controls:
        ctrl[...] = control
        timed._batch.step()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--morphology", default="myolegs")
    parser.add_argument("--plans", type=int, default=30)
    parser.add_argument("--law", default="auto")
    parser.add_argument("--horizon", type=float, default=0.35, help="0.35 s is 44 steps")
    parser.add_argument("--candidates", type=int, default=64)
    args = parser.parse_args()
    body = morphologies.load(args.morphology)
    task = tasks.get("walk_flat")
    config = MPPI(law=args.law, candidates=args.candidates, horizon=args.horizon, quick=False)
    runner = EpisodeRunner.build(body, config, "native")
    simulator, controller = runner.simulator, runner.controller
    reward = Reward.trusted("human", task.rewards["human"], feature_layout(body))
    rewards = RewardBatch([reward])
    start = task.start(body, 0)
    state = simulator.reset(start.qpos, start.act)
    plan = config.init(body.posture, body.posture.read(state.qpos))
    rng = np.random.default_rng(0)
    frames = [task.frame(start)]
    timed = _Timed(simulator._rollouts.batch)
    simulator._rollouts.batch = timed
    rows = []
    for i in range(args.plans + 5):
        timed.seconds, timed.controls = 0.0, []
        t0 = time.perf_counter()
        new, _ = runner.horizon.plan(state, plan, frames, rewards, config.draw(body.posture, [rng]))
        whole = time.perf_counter() - t0
        alone = bare(simulator, timed, state, timed.controls)
        if i >= 5:  # the first plans compile the reward
            rows.append((whole, timed.seconds, alone))
        plan = new
        state, _, _ = simulator.advance(state, controller, plan.mean[:, :1], 10, frames)
    whole, alone = (statistics.median(r[i] for r in rows) for i in (0, 2))
    print(
        json.dumps(
            {
                "morphology": args.morphology,
                "law": laws.resolve(args.law, body)[0],
                "candidates": config.candidates,
                "steps": config.steps,
                "threads": simulator.threads,
                "plan_s": round(whole, 4),
                "stepping_share_of_plan": round(statistics.median(r[1] / r[0] for r in rows), 4),
                "bare_step_s": round(alone, 4),
                "plan_over_bare": round(statistics.median(r[0] / r[2] for r in rows), 4),
                "plan_over_its_own_steps": round(statistics.median(r[0] / r[1] for r in rows), 4),
            }
        )
    )


if __name__ == "__main__":
    main()
