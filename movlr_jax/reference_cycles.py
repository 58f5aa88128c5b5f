"""Reference cycles that a library leaves behind are freed where they are made, not when Python's collector next comes round.

Handling a symbolic dimension, JAX keeps an exception in a frame of its own (`jax._src.core._canonicalize_dimension`). The exception holds
the frame, and a frame holds all its callers with their variables: whoever had a reward exported lives on, with the worlds of its simulator,
until a collection of the generation that the cycle has grown into.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def freed() -> Iterator[None]:
    """Free, at the end of a block, the cycles that were made in it; they stay in the youngest generation, so that this costs little."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.collect(0)
        if enabled:
            gc.enable()
