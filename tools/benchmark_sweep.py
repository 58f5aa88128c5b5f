"""Throughput of a sweep: two workers, each pinned to one core, against one such worker, on the same short trials.

    python tools/benchmark_sweep.py                        # 8 trials of 1 s of walking; the machine should do nothing else
    python tools/benchmark_sweep.py --trials 4 --seconds 0.5

Prints JSON: wall time from the first trial handed out to the last one ended [s] (Ray's own start is given apart), and their ratio.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from movlr_jax.errors import MovlrError
from movlr_jax.sweeps.backends import ray
from movlr_jax.sweeps.definition import SweepFile
from movlr_jax.sweeps.drive import run


def measured(folder: Path, workers: int, trials: int, seconds: float) -> dict[str, Any]:
    """Run the trials and return what it took."""
    planner = {"candidates": 16, "elites": 3, "instant": 4, "horizon": 0.2, "replan": 0.02}
    base = {"task": "walk_flat", "morphology": "myolegs", "method": "human", "seconds": seconds, "planner": planner, "engine": "native"}
    sweep = SweepFile(name=f"workers-{workers}", out=folder / f"workers-{workers}", base=base, grid={"seed": list(range(trials))})
    took = {"workers": workers}

    @contextlib.contextmanager
    def hands() -> Iterator[ray.RayExecutor]:
        began = time.monotonic()
        with ray.embedded(sweep.folder, sweep.resources, workers) as working:
            ready = time.monotonic()
            took["ray_start_s"] = round(ready - began, 2)
            yield working
            took["trials_s"] = round(time.monotonic() - ready, 2)

    outcome = run(sweep, hands, lambda sentence: print(sentence, file=sys.stderr))
    if outcome.failed or outcome.interrupted:
        raise MovlrError(f"{len(outcome.failed)} trials failed: {next(iter(outcome.failed.values()), 'interrupted')}")
    return took


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=1.0, help="length of an episode [s]")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        one, two = (measured(Path(place), workers, asked.trials, asked.seconds) for workers in (1, 2))
    ratio = round(one["trials_s"] / two["trials_s"], 3)
    cores = len(os.sched_getaffinity(0))
    print(json.dumps({"trials": asked.trials, "seconds": asked.seconds, "cores": cores, "runs": [one, two], "ratio": ratio}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
