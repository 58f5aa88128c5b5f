"""Several hosts as one: every process runs the same program, and jax.distributed joins their devices into one list.

The candidates of every plan are then shared among all of them (module mjx). Everything else is done by each process alike, from the same
seeds; the first process's files are the run, the others keep theirs in a folder that is thrown away.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator

from movlr_jax.errors import MovlrError


@contextlib.contextmanager
def _stdout_kept() -> Iterator[None]:
    """Send to stderr what libraries in C write to stdout, which belongs to tables and JSON."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        ctypes.CDLL(None).fflush(None)  # or what C still holds back comes out afterwards
        os.dup2(kept, 1)
        os.close(kept)


def join() -> int:
    """Join the other hosts and return this process's number; call it before anything else uses JAX.

    Clusters that JAX knows (Slurm, TPU pods, Open MPI) need nothing more; elsewhere the environment names the coordinator:
    JAX_COORDINATOR_ADDRESS, JAX_NUM_PROCESSES and JAX_PROCESS_ID.

    Raises:
        MovlrError: the hosts did not find each other.
    """
    import jax
    from jax.experimental import multihost_utils

    if jax.distributed.is_initialized():
        return jax.process_index()
    named = {"coordinator_address": "JAX_COORDINATOR_ADDRESS", "num_processes": "JAX_NUM_PROCESSES", "process_id": "JAX_PROCESS_ID"}
    settings = {key: os.environ[variable] for key, variable in named.items() if os.environ.get(variable)}
    try:
        with _stdout_kept():
            jax.distributed.initialize(
                settings.get("coordinator_address"),
                int(settings["num_processes"]) if "num_processes" in settings else None,
                int(settings["process_id"]) if "process_id" in settings else None,
            )
            multihost_utils.sync_global_devices("movlr_jax")  # connects the hosts
    except (ValueError, RuntimeError) as error:
        raise MovlrError(
            f"The hosts did not find each other ({' '.join(str(error).split())[:200]}): start one process a host on a cluster that JAX "
            f"knows, or set {', '.join(named.values())} in each."
        ) from None
    return jax.process_index()
