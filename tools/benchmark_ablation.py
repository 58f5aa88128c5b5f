"""How long an ablation takes beside the bare sum of its rollouts.

    python tools/benchmark_ablation.py --small        # short episodes, few candidates: does it work?
    python tools/benchmark_ablation.py                # 8 terms x 3 factors x 3 seeds, 2 s each, myolegs, native

The ablation is measured whole, from loading the body to its last picture, in a new folder. "rollouts_s" is what its episodes took inside
it, each timed around the planner and the engine alone, so that other work on the machine slows both alike; "again_s" is what they take when
a sample of them (--again: every so many) is run once more with nothing else. Prints one JSON document.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax.monitoring

from movlr_jax import library_noise, tasks
from movlr_jax.control.episode import EpisodeRunner
from movlr_jax.control.episode_config import EpisodeSettings
from movlr_jax.control.planners import MPPI
from movlr_jax.evaluation import reward_texts
from movlr_jax.evaluation.episode_store import EpisodeStore
from movlr_jax.evaluation.evaluation import Evaluation
from movlr_jax.evaluation.work_items import Watcher
from movlr_jax.rewards.program import literal_weights
from movlr_jax.tuning import ablation
from movlr_jax.tuning.ablation_study import AblationStudy


class Counter(Watcher):
    """Counts what JAX compiles after the first plan."""

    compiled = 0
    planned = False

    def heard(self, event: str, seconds: float, **more: Any) -> None:
        """Count tracing, lowering and compiling."""
        self.compiled += "/compile/" in event

    def advanced(self, t: float) -> None:
        """Begin to count at the end of the first plan."""
        if not self.planned:
            self.planned, self.compiled = True, 0


def again(text: reward_texts.RewardText, settings: EpisodeSettings, records: Sequence[dict[str, Any]]) -> tuple[float, float]:
    """Run episodes with nothing else; return what they take now and what they took in the ablation (s)."""
    task = tasks.get("walk_flat")
    body = task.load("myolegs")
    runner = EpisodeRunner.build(body, settings.planner, settings.engine, threads=settings.threads)
    reward = reward_texts.compiled(text, body, task.goal_speed)
    task.episodes(runner, [(reward, 0)], seconds=0.02)  # compiles
    now = 0.0
    for record in records:
        changed = reward.with_weights(record["decided_by"].get("weights", {}))
        began = time.perf_counter()
        task.episodes(runner, [(changed, int(record["seed"]))], seconds=settings.seconds)
        now += time.perf_counter() - began
    return now, sum(float(record["wall_s"]) for record in records)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="a tenth of a second, few candidates, two seeds")
    parser.add_argument("--reward", default="human", help="a reward of walk_flat, or a file")
    parser.add_argument("--threads", type=int, default=0, help="threads of the native engine; 0: one a core")
    parser.add_argument("--replan", type=float, default=MPPI.replan, help="time executed between plans (s)")
    parser.add_argument("--again", type=int, default=5, help="of how many episodes one is run again; 0: none")
    asked = parser.parse_args(argv)
    library_noise.silence()
    planner = dataclasses.replace(MPPI().with_candidates(8), horizon=0.08) if asked.small else MPPI()
    planner = dataclasses.replace(planner, replan=asked.replan)
    seeds, seconds = ((0, 1), 0.1) if asked.small else ((0, 1, 2), 2.0)
    settings = EpisodeSettings(seeds=seeds, seconds=seconds, engine="native", planner=planner, threads=asked.threads)
    task = tasks.get("walk_flat")
    text, counter = reward_texts.find(asked.reward, [task]), Counter()
    jax.monitoring.register_event_duration_secs_listener(counter.heard)
    with tempfile.TemporaryDirectory() as folder, EpisodeStore(Path(folder) / "episodes") as store:
        began = time.perf_counter()
        found = ablation.ablate(Evaluation(settings, store, watcher=counter), text, [(task, "myolegs")])
        compiled = counter.compiled
        AblationStudy(found, None, Path(folder)).save()
        wall = time.perf_counter() - began
        records = list(store.episodes().values())
    rollouts = sum(float(record["wall_s"]) for record in records)
    document: dict[str, Any] = {
        "terms": len(literal_weights(text.source)),
        "factors": found.factors,
        "seeds": seeds,
        "seconds": seconds,
        "replan_s": asked.replan,
        "episodes": len(records),
        "compilations_after_first_plan": compiled,
        "wall_s": round(wall, 2),
        "rollouts_s": round(rollouts, 2),
        "ratio": round(wall / rollouts, 3),
    }
    if asked.again:
        now, then = again(text, settings, records[:: asked.again])
        document |= {"again_s": round(rollouts * now / then, 2), "ratio_to_again": round(wall * then / (rollouts * now), 3)}
    print(json.dumps(document, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
