"""Tasks, one file each, their registry, and what is measured of them: metrics, gates, goals, facts.

What is named here is loaded when it is first used: tables and reports read the metrics and the gates, and need no simulator for it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from movlr_jax.tasks.registry import TASKS, find, get, loaded, of, suiting
    from movlr_jax.tasks.task import Task

__all__ = ["TASKS", "Task", "find", "get", "loaded", "of", "suiting"]


def __getattr__(name: str) -> Any:
    """Load what is named in `__all__`."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module("movlr_jax.tasks.registry"), name)
    globals()[name] = value
    return value
