"""All that must be seen on a GPU, in one call of under 8 minutes: parity with native, throughput, plan time, memory, a run, rendering.

Writes JSON (benchmarks/results/gpu_check_DEVICE.json) after each part, with the device's name, versions and date; a part that fails is
recorded and does not lose the others. Without a GPU the same parts run tiny on the CPU, so that the script is known to work.

    python tools/gpu_check.py                       # bodies that are found, largest last
    python tools/gpu_check.py --parts parity plan --bodies myolegs
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import benchmark  # sets XLA's allocator before JAX starts
import jax
import numpy as np

from movlr_jax import atomic, morphologies, tasks
from movlr_jax.control.episode import EpisodeRunner
from movlr_jax.control.planners import MPPI
from movlr_jax.evaluation import engine_audit
from movlr_jax.morphologies import inventory
from movlr_jax.rewards.features import feature_layout
from movlr_jax.rewards.reward import Reward

FOLDER = Path(__file__).resolve().parents[1] / "benchmarks" / "results"
PARTS = ("parity", "throughput", "plan", "episodes", "run", "rendering")


class Check:
    """The parts, and the file that they fill."""

    def __init__(self, bodies: list[str], budget: float):
        self.gpu = jax.default_backend() == "gpu"
        self.bodies, self.budget, self.began = bodies, budget, time.perf_counter()
        device = jax.devices()[0].device_kind if self.gpu else "cpu"
        self.path = FOLDER / f"gpu_check_{device.lower().replace(' ', '_')}.json"
        self.out: dict[str, Any] = {
            "device": benchmark.machine(),
            "date": time.strftime("%Y-%m-%d"),
            "versions": benchmark.versions(),
            "tiny": not self.gpu,
        }

    def left(self) -> float:
        """Return the seconds of the budget that are left."""
        return self.budget - (time.perf_counter() - self.began)

    def part(self, name: str, key: str, measure: Callable[[], Any]) -> None:
        """Measure one row, unless the time is up, and save."""
        began = time.perf_counter()
        if self.left() < 0:
            row: Any = {"skipped": "the time was up"}
        else:
            try:
                row = measure()
            except Exception as error:
                row = {"error": f"{type(error).__name__}: {str(error)[:500]}"}
        seconds = round(time.perf_counter() - began, 1)
        self.out.setdefault(name, {})[key] = row
        self.out["seconds"] = round(time.perf_counter() - self.began, 1)
        print(f"{name} {key} ({seconds} s): {json.dumps(row)[:400]}", flush=True)
        atomic.write_json(self.path, self.out)

    def parity(self) -> None:
        """Audit warp against native C."""
        for body in self.bodies:
            self.part("parity", body, lambda b=body: engine_audit.audit(b, "warp"))  # type: ignore[misc]

    def throughput(self) -> None:
        """Step bare worlds."""
        for name in self.bodies:
            body = morphologies.load(name)
            for worlds in (64, 512, 2048, 8192) if self.gpu else (4,):
                steps = 40 if self.gpu else 5
                self.part("throughput", f"{name} {worlds}", lambda b=body, w=worlds, s=steps: benchmark.steps(b, "warp", w, s, 2))  # type: ignore[misc]

    def plan(self) -> None:
        """Time whole plans."""
        for name in self.bodies:
            body = morphologies.load(name)
            for candidates in (64, 2048) if self.gpu else (8,):
                horizon = 44 if self.gpu else 4
                for fused in (False, True) if candidates == 64 and self.gpu else (False,):
                    key = f"{name} {candidates} x {horizon}{' fused' if fused else ''}"
                    self.part("plan", key, lambda b=body, c=candidates, h=horizon, f=fused: benchmark.plan(b, "warp", c, h, 1, f, 3))  # type: ignore[misc]

    def episodes(self) -> None:
        """Walk many seeds side by side: simulated seconds per second of wall clock."""
        task = tasks.get("walk_flat")
        for name in self.bodies:
            body = morphologies.load(name)
            reward = Reward.trusted("straight", task.rewards["straight"], feature_layout(body))
            for count in (16, 64) if self.gpu else (2,):
                seconds = 2.0 if self.gpu else 0.04
                self.part("episodes", f"{name} {count}", lambda b=body, r=reward, n=count, s=seconds: self._walk(b, r, n, s))  # type: ignore[misc]

    def _walk(self, body: Any, reward: Reward, count: int, seconds: float) -> dict[str, Any]:
        config = MPPI() if self.gpu else MPPI(horizon=0.04).with_candidates(8)
        runner = EpisodeRunner.build(body, config, "warp", episodes=count)
        task = tasks.get("walk_flat")
        task.episodes(runner, [(reward, 0)], seconds=config.replan)  # compiles
        began = time.perf_counter()
        rollouts = task.episodes(runner, [(reward, seed) for seed in range(count)], seconds=seconds, goal_speed=0.95)
        wall = time.perf_counter() - began
        records = [task.measure(body, rollout) for rollout in rollouts]
        simulated = sum(record["seconds"] for record in records)
        return {
            "side_by_side": runner.simulator.episodes,
            "wall_s": round(wall, 2),
            "simulated_s": round(simulated, 2),
            "simulated_s_per_wall_s": round(simulated / wall, 3),
            "falls": sum(record["fell"] for record in records),
            "distance_m": round(float(np.mean([record["distance_m"] for record in records])), 3),
            "peak_bytes": benchmark.peak_bytes(),
        }

    def run(self) -> None:
        """Run a whole search on the engine, as a user does."""
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "movlr_jax", "run", "walk_flat", "--engine", "warp", "--out", f"{folder}/run"]
            command += ["--iterations", "2", "--seconds", "2" if self.gpu else "0.2", "--candidates", "2" if self.gpu else "1"]
            if not self.gpu:
                command += ["--planner.candidates", "8", "--planner.horizon", "0.04"]

            def call() -> dict[str, Any]:
                ran = subprocess.run(command, capture_output=True, text=True, timeout=max(60.0, self.left()))
                if ran.returncode:
                    raise RuntimeError((ran.stderr or ran.stdout)[-400:])
                rows = json.loads(Path(folder, "run", "summary.json").read_text())["iterations"]
                return {"iterations": [{"score": r["score"], "kept": r["kept"], "seconds": r["seconds"], "edit": r["edit"]} for r in rows]}

            self.part("run", "walk_flat", call)

    def rendering(self) -> None:
        """Draw frames through EGL."""
        from movlr_jax.media import clip

        def draw() -> dict[str, Any]:
            body = morphologies.load("myolegs")
            pose = np.repeat(body.standing_qpos[None], 30, axis=0)
            act = np.repeat(body.standing_act[None], 30, axis=0)
            began = time.perf_counter()
            with tempfile.TemporaryDirectory() as folder:
                clip.film(body.model, np.arange(30) / 30.0, pose, act, Path(folder) / "clip.mp4", overlay=clip.Overlay(title="check"))
                size = (Path(folder) / "clip.mp4").stat().st_size
            clip.close_studios()
            return {"clip_s": round(time.perf_counter() - began, 2), "bytes": size}

        self.part("rendering", "clip of 1 s", draw)


def main() -> None:
    """Run the parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", default=list(PARTS), choices=PARTS)
    parser.add_argument("--bodies", nargs="+", help="default: those that are found; on the CPU the embedded one")
    parser.add_argument("--budget", type=float, default=450.0, help="seconds; a part that has not begun by then is skipped")
    args = parser.parse_args()
    found = [name for name in morphologies.CATALOG if inventory.describe(name)["found"]]
    check = Check(args.bodies or (found if jax.default_backend() == "gpu" else [morphologies.DEFAULT]), args.budget)
    for part in args.parts:
        getattr(check, part)()
    print(f"saved in {check.path}")


if __name__ == "__main__":
    main()
