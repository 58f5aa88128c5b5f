"""Physics steps per second, plan time and plans per second, against the number of worlds, the horizon and the engine, and beside peers.

Rows are saved as they come (benchmarks/results/benchmark.json), so that a long table can be continued; the first call, which
compiles, is always apart from the median of the later ones.

    python tools/benchmark.py                                   # the table that is missing, for this machine
    python tools/benchmark.py --engines warp --bodies myolegs --worlds 64 512 2048 8192
    python tools/benchmark.py --table
"""

from __future__ import annotations

import argparse
import functools
import itertools
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

import jax
import jax.numpy as jnp
import numpy as np
from mujoco.batch import Batch

from movlr_jax import atomic, morphologies, tasks
from movlr_jax._versions import installed
from movlr_jax.control.episode import EpisodeRunner
from movlr_jax.control.planners import MPPI
from movlr_jax.morphologies import Morphology
from movlr_jax.physics import mjx_model
from movlr_jax.physics.instant import rows
from movlr_jax.physics.mjx import Worlds, compiler_options
from movlr_jax.physics.simulator import State
from movlr_jax.rewards.features import feature_layout
from movlr_jax.rewards.reward import Reward, RewardBatch

RESULTS = Path(__file__).resolve().parents[1] / "benchmarks" / "results" / "benchmark.json"


def versions() -> dict[str, str]:
    """Return the versions that matter to a figure."""
    return {package: installed(package) or "-" for package in ("movlr-jax", "mujoco", "mujoco-mjx", "jax", "warp-lang")}


def machine() -> str:
    """Return what the figures were measured on."""
    device = jax.devices()[0]
    return f"{len(os.sched_getaffinity(0))} cores" if device.platform == "cpu" else f"{jax.device_count()} x {device.device_kind}"


def timed(call: Callable[[], Any], repeats: int) -> tuple[float, float]:
    """Return the seconds of the first call and the median of the later ones."""
    seconds = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        jax.block_until_ready(call())
        seconds.append(time.perf_counter() - start)
    return seconds[0], statistics.median(seconds[1:])


def peak_bytes() -> int | None:
    """Return the most memory that the first device has held."""
    return (jax.devices()[0].memory_stats() or {}).get("peak_bytes_in_use")


def steps(body: Morphology, engine: str, worlds: int, count: int, repeats: int) -> dict[str, Any]:
    """Bare stepping from the standing start under random excitation: Batch, or a plain vmap(scan(step)) of MJX."""
    excitation = 0.3 * np.random.default_rng(0).random((worlds, body.model.nu))
    if engine == "native":
        batch = Batch(body.at_timestep(0.008), worlds, len(os.sched_getaffinity(0)))
        batch.bind("ctrl")[...] = excitation
        views = {name: batch.bind(name) for name in ("qpos", "qvel", "act")}

        def call() -> None:
            views["qpos"][...], views["qvel"][...], views["act"][...] = body.standing_qpos, 0.0, body.standing_act
            for _ in range(count):
                batch.step()
    else:
        prepared = mjx_model.prepare(body, engine, 0.008)
        on = Worlds(prepared.planned, engine, worlds, prepared.sizes)

        def spread(x: np.ndarray) -> jax.Array:
            return jnp.asarray(np.broadcast_to(x, (worlds, *np.shape(x))), jnp.float32)

        still = np.zeros(body.model.nv)
        rest = [spread(body.standing_qpos), spread(still), spread(body.standing_act), jnp.asarray(excitation, jnp.float32)]
        state = State(spread(np.zeros(())), *rest, spread(still), spread(np.zeros(body.model.nu)), spread(np.zeros(1)))

        @jax.jit
        def run(state: State) -> jax.Array:
            return jax.lax.scan(lambda data, _: (on.step(data), None), on.at(state), None, length=count)[0].qpos

        def call() -> jax.Array:
            return run(state)

    first, median = timed(call, repeats)
    return {
        "first_call_s": round(first, 3),
        "call_s": round(median, 4),
        "steps_per_s": round(worlds * count / median),
        "peak_bytes": peak_bytes(),
    }


def plan(body: Morphology, engine: str, candidates: int, horizon: int, episodes: int, fused: bool, repeats: int) -> dict[str, Any]:
    """One whole plan: sampling, the rollouts with the muscle controller inside, the reward apart, the MPPI update.

    With `fused` the reward is traced into the same program, as in samplers such as hydrax; a changed reward then costs a first call.
    """
    config = MPPI(horizon=horizon * 0.008, quick=False).with_candidates(candidates)
    task = tasks.get("bottle_pour" if body.fixed else "walk_flat")
    body = task.load(body.name) if body.fixed else body  # with what the hand holds
    runner = EpisodeRunner.build(body, config, engine, episodes=episodes)
    simulator = runner.simulator
    reward = Reward.trusted("human", task.rewards["human"], feature_layout(body))
    rewards = RewardBatch([reward] * simulator.episodes)
    starts = [task.start(body, seed) for seed in range(simulator.episodes)]
    frames = [task.frame(start, seed=seed) for seed, start in enumerate(starts)]
    state = simulator.reset(np.stack([s.qpos for s in starts]), np.stack([s.act for s in starts]))
    before = config.init(body.posture, body.posture.read(state.qpos))
    noise = config.draw(body.posture, [np.random.default_rng(seed) for seed in range(simulator.episodes)])

    def call() -> Any:
        return runner.horizon.plan(state, before, frames, rewards, noise)[0].mean

    if fused:
        # Not compiled by itself: options of a compilation may stand at the outermost program alone.
        roll = simulator.roll(runner.controller, config.steps).__wrapped__  # type: ignore[attr-defined]
        row = simulator.put(rows(frames))

        def whole(state: State, before: Any, noise: Any) -> Any:
            candidates = config.sample(body.posture, before, body.posture.read(state.qpos), noise)
            instants, diverged, _ = roll(state, candidates, row)
            seen = jnp.concatenate([instants[:, :, 1:], instants[:, :, :-1]], axis=-1)
            terms = reward.traced(seen.reshape(-1, seen.shape[-1])).reshape(*seen.shape[:3], -1)
            costs = jnp.where(diverged, jnp.inf, -(terms.mean(axis=2) @ reward.weights))
            return config.update(body.posture, before, candidates, costs)[0].mean

        program = jax.jit(whole, compiler_options=compiler_options(engine))
        on_device = simulator.put(noise[0])

        def call() -> Any:
            return program(state, before, on_device)

    first, median = timed(call, repeats)
    simulator.check()
    worlds = simulator.episodes * candidates
    return {
        "episodes": simulator.episodes,
        "first_call_s": round(first, 3),
        "plan_s": round(median, 4),
        "plans_per_s": round(simulator.episodes / median, 2),
        "steps_per_s": round(worlds * config.steps / median),
        "bytes_per_world": getattr(simulator, "bytes_per_world", None),
        "peak_bytes": peak_bytes(),
    }


def load() -> dict[str, Any]:
    """Return the saved rows."""
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


def save(key: str, row: dict[str, Any]) -> None:
    """Add a row, with the load of the machine: figures from a shared one are lower bounds."""
    about = {"versions": versions(), "date": time.strftime("%Y-%m-%d"), "load_average": round(os.getloadavg()[0], 1)}
    results = load() | {key: row | about}
    atomic.write_text(RESULTS, json.dumps(results, indent=1, sort_keys=True) + "\n")


def table() -> str:
    """Return the saved rows as a table."""
    lines = ["| machine, body, engine, work | first call [s] | call [s] | steps/s |", "|---|---|---|---|"]
    for key, row in load().items():
        seconds, rate = row.get("call_s", row.get("plan_s", "-")), row.get("steps_per_s", row.get("error", "-"))
        lines.append(f"| {key} | {row.get('first_call_s', '-')} | {seconds} | {rate} |")
    return "\n".join(lines)


def main() -> None:
    """Measure the rows that are missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bodies", nargs="+", default=["myolegs", "ms-human-700-locomotion", "ms-human-700"])
    parser.add_argument("--engines", nargs="+", default=["native", "warp"])
    parser.add_argument("--worlds", nargs="+", type=int, default=[64])
    parser.add_argument("--horizons", nargs="+", type=int, default=[44], help="steps of a plan")
    parser.add_argument("--episodes", nargs="+", type=int, default=[1])
    parser.add_argument("--steps", type=int, default=40, help="steps of bare stepping")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--fused", action="store_true", help="also plans with the reward fused in (MJX engines)")
    parser.add_argument("--again", action="store_true", help="measure rows anew that are there")
    parser.add_argument("--table", action="store_true")
    args = parser.parse_args()
    if args.table:
        print(table())
        return
    for name in args.bodies:
        body = morphologies.load(name)
        for engine in args.engines:
            work: dict[str, Callable[[], dict[str, Any]]] = {}
            for worlds in args.worlds:
                work[f"step {worlds} worlds"] = functools.partial(steps, body, engine, worlds, args.steps, args.repeats)
                for horizon, episodes in itertools.product(args.horizons, args.episodes):
                    for fused in (False, True) if args.fused and engine != "native" else (False,):
                        label = f"plan {worlds} x {horizon}, {episodes} episodes{', reward fused in' if fused else ''}"
                        work[label] = functools.partial(plan, body, engine, worlds, horizon, episodes, fused, args.repeats)
            for label, measure in work.items():
                key = f"{machine()}, {name}, {engine}, {label}"
                known = load().get(key)
                if known and "error" not in known and not args.again:
                    continue
                try:
                    row = measure()
                except Exception as error:  # a size that does not fit must not lose the others
                    row = {"error": f"{type(error).__name__}: {str(error)[:300]}"}
                save(key, row)
                print(key, json.dumps(row), flush=True)
    print(table())


if __name__ == "__main__":
    main()
