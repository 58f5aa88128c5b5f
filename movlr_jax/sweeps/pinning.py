"""Cores of its own for each trial: which ones, and what tells the libraries in it to use no more.

Flows in: how many cores a trial may use. Flows out: core numbers, held until the process that took them ends, and environment variables.
Threads follow the affinity of a process on Linux, whatever library starts them; the variables keep pools from being made larger than that.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

_POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "NPROC", "LP_NUM_THREADS")
# Of a shared GPU, what XLA may take of a trial's share; Warp and the display need the rest.
_OF_SHARE = 0.8


def environment(threads: int, gpus: float, variables: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a trial.

    Args:
        threads: threads it may use.
        gpus: GPUs it may use; of one that is shared, it takes memory as it needs it, up to its share.
        variables: the environment around it.
    """
    flags = [variables.get("XLA_FLAGS", ""), f"--xla_cpu_multi_thread_eigen={str(threads > 1).lower()}"]
    out = {**variables, **{name: str(threads) for name in _POOLS}, "XLA_FLAGS": " ".join(filter(None, flags))}
    if 0 < gpus < 1:
        out |= {"XLA_PYTHON_CLIENT_PREALLOCATE": "false", "XLA_PYTHON_CLIENT_MEM_FRACTION": f"{_OF_SHARE * gpus:.3f}"}
    return out


@contextlib.contextmanager
def cores(count: float, folder: Path | None = None) -> Iterator[tuple[int, ...]]:
    """Hold cores that no other trial on this machine holds; () where fewer are free, or the trial shares one.

    Args:
        count: how many.
        folder: where the locks stand; in the machine's folder for temporary files by default.
    """
    place = folder or Path(tempfile.gettempdir()) / f"movlr-cores-{os.getuid()}"
    cores: dict[int, int] = {}
    try:
        if count >= 1:
            with contextlib.suppress(OSError):  # pinning is a nicety: a machine that cannot keep the locks runs unpinned
                place.mkdir(mode=0o700, exist_ok=True)
                for core in sorted(os.sched_getaffinity(0)):
                    if len(cores) == int(count):
                        break
                    descriptor = os.open(place / str(core), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                    try:
                        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    except OSError:
                        os.close(descriptor)
                    else:
                        cores[core] = descriptor
        yield tuple(cores) if len(cores) == int(count) else ()
    finally:
        for descriptor in cores.values():
            os.close(descriptor)
