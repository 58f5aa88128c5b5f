"""Offline critic and writer against random library edits, at equal iterations: does it pay to look at the motion?

Every run starts from the reward that asks for forward speed alone. Runs are ordinary run folders, so a broken-off
comparison is continued where it was; the table is written after every run.

    python tools/compare_writers.py                      # 3 seeds, 6 iterations each: about 40 minutes on 2 cores
    python tools/compare_writers.py --seeds 0 --iterations 2
    python tools/compare_writers.py --table              # print what has been measured
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from movlr_jax import atomic
from movlr_jax.media import tables
from movlr_jax.runs.config import RunConfig
from movlr_jax.searches import assembly

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "compare_writers.json"
WRITERS = ("offline", "random")


def load(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text()) if path.exists() else {"versions": {}, "runs": {}}


def measure(writer: str, seed: int, iterations: int, seconds: float, folder: Path) -> dict[str, Any]:
    """Run (or go on with) one search and return its row."""
    began = time.perf_counter()
    if (folder / "config.yaml").exists():
        assembly.resume(folder, iterations=iterations)
    else:
        assembly.run(
            RunConfig(
                task="walk_flat",
                morphology="myolegs",
                seconds=seconds,
                iterations=iterations,
                seed=seed,
                seeds=(seed,),
                writer=writer,
                out=folder,
                threads=1,
            )
        )
    summary = json.loads((folder / "summary.json").read_text())
    rows = summary["iterations"][: iterations + 1]
    scored = [r for r in rows if r.get("metrics")]
    best = next(r for r in scored if r["iteration"] == summary["best"])
    metrics = best["metrics"]
    scores = [float(r["score"]) for r in scored]
    return {
        "writer": writer,
        "seed": seed,
        "iterations": iterations,
        "seconds": seconds,
        "best_iteration": summary["best"],
        "score": float(best["score"]),
        "upright_s": float(metrics["fall_time_s"] if metrics["fell"] and metrics["fall_time_s"] is not None else seconds),
        "distance_m": float(metrics["distance_m"]),
        "lateral_drift_m": float(metrics["lateral_drift_m"]),
        "score_by_iteration": scores,
        "kept": [bool(r["kept"]) for r in rows],
        "edits": [str(r.get("edit", "")) for r in rows],
        "wall_s": round(time.perf_counter() - began, 1),
    }


def table(results: dict[str, Any]) -> str:
    """Return the rows and the means as text."""
    distance, drift = map(tables.heading, ("distance_m", "lateral_drift_m"))
    lines = [f"writer    seed  iterations  best at  score  upright [s]  {distance}  {drift}"]
    groups: dict[tuple[str, int, float], list[dict[str, Any]]] = defaultdict(list)
    for row in results["runs"].values():
        groups[row["writer"], row["iterations"], row["seconds"]].append(row)
        lines.append(
            f"{row['writer']:<9} {row['seed']:>4}  {row['iterations']:>10}  {row['best_iteration']:>7}  {row['score']:>5.1f}"
            f"  {row['upright_s']:>11.2f}  {row['distance_m']:>12.2f}  {row['lateral_drift_m']:>9.2f}"
        )
    for (writer, iterations, _), rows in groups.items():
        mean = {k: statistics.mean(r[k] for r in rows) for k in ("score", "upright_s", "distance_m", "lateral_drift_m")}
        lines.append(
            f"{writer:<9} mean  {iterations:>10}  {'':>7}  {mean['score']:>5.1f}"
            f"  {mean['upright_s']:>11.2f}  {mean['distance_m']:>12.2f}  {mean['lateral_drift_m']:>9.2f}"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--iterations", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--runs", type=Path, default=ROOT / "runs" / "compare_writers", help="where the run folders go")
    parser.add_argument("--results", type=Path, default=RESULTS, help="the JSON file of the table")
    parser.add_argument("--table", action="store_true", help="only print what has been measured")
    asked = parser.parse_args()
    results = load(asked.results)
    if not asked.table:
        results["versions"] = {p: importlib.metadata.version(p) for p in ("mujoco", "jax", "numpy")}
        results["machine"] = {"cores": os.cpu_count(), "system": platform.system()}
        for seed in asked.seeds:
            for writer in WRITERS:
                name = f"{writer} seed {seed} {asked.iterations} iterations {asked.seconds:g} s"
                if name in results["runs"]:
                    continue
                folder = asked.runs / f"{writer}-{seed}-{asked.seconds:g}s"
                print(f"{name} ...", flush=True)
                results["runs"][name] = measure(writer, seed, asked.iterations, asked.seconds, folder)
                atomic.write_json(asked.results, results)
                print(table(results), flush=True)
    print(table(results))


if __name__ == "__main__":
    main()
