"""Tasks, one file each, and their registry."""

from __future__ import annotations

from movlr_jax.errors import MovlrError, did_you_mean
from movlr_jax.tasks import free, stand, walk_flat
from movlr_jax.tasks.task import Task

TASKS: dict[str, Task] = {task.name: task for task in (stand.TASK, walk_flat.TASK, free.TASK)}


def get(name: str) -> Task:
    """Return the task of that name.

    Raises:
        MovlrError: there is none.
    """
    if name not in TASKS:
        raise MovlrError(f"There is no task '{name}': {did_you_mean(name, TASKS)}known are {', '.join(TASKS)}.")
    return TASKS[name]
