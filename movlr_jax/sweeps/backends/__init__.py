"""What distributes the trials of a sweep: Ray, Slurm, W&B agents."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from movlr_jax.sweeps.definition import SweepFile
from movlr_jax.sweeps.drive import LocalExecutor


def executor(sweep: SweepFile, workers: int | None) -> Callable[[], Any]:
    """Return who runs a sweep's trials on this machine.

    Args:
        sweep: it.
        workers: trials side by side, on a Ray of its own (0: as many as there are cores for); None: one after the other, without Ray.
    """
    if workers is None:
        return lambda: contextlib.nullcontext(LocalExecutor(sweep.resources.retries))
    from movlr_jax.sweeps.backends import ray

    return lambda: ray.embedded(sweep.folder.absolute(), sweep.resources, workers)
