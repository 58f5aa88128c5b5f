"""Tasks, one file each, and their registry."""

from __future__ import annotations

import difflib

from movlr_jax.errors import MovlrError
from movlr_jax.tasks import free, stand, walk_flat
from movlr_jax.tasks.task import Task

TASKS: dict[str, Task] = {task.name: task for task in (stand.TASK, walk_flat.TASK, free.TASK)}


def get(name: str) -> Task:
    """Return the task of that name.

    Raises:
        MovlrError: there is none.
    """
    if name not in TASKS:
        close = difflib.get_close_matches(name, TASKS, n=1)
        hint = f"did you mean {close[0]}? " if close else ""
        raise MovlrError(f"There is no task '{name}': {hint}known are {', '.join(TASKS)}.")
    return TASKS[name]
