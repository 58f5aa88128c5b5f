"""Reference cycles that a library leaves behind are freed where they are made, not when Python's collector next comes round.

Handling a symbolic dimension, JAX keeps an exception in a frame of its own (`jax._src.core._canonicalize_dimension`). The exception holds
the frame, and a frame holds all its callers with their variables: whoever had a reward exported lives on, with the worlds of its simulator,
until a collection of the generation that the cycle has grown into.
"""

from __future__ import annotations

import contextlib
import gc
import threading
import time
from collections.abc import Iterator

LONGEST_WAIT = 10.0  # s, for a collection that another thread is in the middle of: of a heap of gigabytes it takes seconds
_lock = threading.Lock()
_blocks = 0  # that threads are in
_enabled_before = True


@contextlib.contextmanager
def freed() -> Iterator[None]:
    """Free, at the end of a block, the cycles that were made in it; they stay in the youngest generation, so that this costs little.

    Python's collector is off until the last of the blocks that run at once has ended: a collection within one would move its objects to an
    older generation.
    """
    global _blocks, _enabled_before
    with _lock:
        if _blocks == 0:
            _enabled_before = gc.isenabled()
            gc.disable()
        _blocks += 1
    try:
        yield
    finally:
        collect_youngest()
        with _lock:
            _blocks -= 1
            if _blocks == 0 and _enabled_before:
                gc.enable()


def collect_youngest() -> bool:
    """Collect the youngest generation; False if other threads kept the collector busy for `LONGEST_WAIT`.

    `gc.collect` does nothing while a collection is under way in another thread, which it is as long as a finalizer there waits without the
    interpreter's lock (a large array or executable being given back).
    """
    until = time.monotonic() + LONGEST_WAIT
    while True:
        before = gc.get_stats()[0]["collections"]
        gc.collect(0)
        if gc.get_stats()[0]["collections"] > before:
            return True
        if time.monotonic() > until:
            return False
        time.sleep(1e-3)
