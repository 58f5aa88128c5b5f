"""Keeps MuJoCo's C warnings out of stderr and out of a MUJOCO_LOG.TXT in the working folder.

Diverged candidates are ordinary in sampling MPC; they are counted through warning counters instead. MuJoCo calls `mju_user_warning` from
its own threads, where a Python function would have to wait for the interpreter's lock, so the C library's `strlen` is installed: same
signature, no effect.
"""

from __future__ import annotations

import ctypes
import functools
from pathlib import Path

import mujoco


@functools.cache
def silence_mujoco() -> bool:
    """Silence MuJoCo's warnings in this process; return whether it was possible."""
    try:
        library = next(Path(mujoco.__file__).parent.glob("libmujoco.*"))
        handler = ctypes.c_void_p.in_dll(ctypes.CDLL(str(library)), "mju_user_warning")
        handler.value = ctypes.cast(ctypes.CDLL(None).strlen, ctypes.c_void_p).value
    except (StopIteration, OSError, ValueError, AttributeError):
        return False
    return True
