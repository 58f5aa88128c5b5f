"""Tasks, one file each, and their registry."""

from __future__ import annotations

from movlr_jax.errors import MovlrError, did_you_mean
from movlr_jax.tasks import (
    bottle_pour,
    cube_rotate,
    free,
    move,
    ostrich_walk,
    stand,
    turn_left,
    walk_flat,
    walk_injured,
    walk_rough,
    walk_slope,
    walk_stairs,
)
from movlr_jax.tasks.task import Task

_ALL = (stand, walk_flat, walk_rough, walk_slope, walk_stairs, walk_injured, turn_left, ostrich_walk, bottle_pour, cube_rotate, free, move)
TASKS: dict[str, Task] = {task.TASK.name: task.TASK for task in _ALL}


def of(morphology: str) -> Task:
    """Return the task to try a body with: the first that is meant for it, else walking on flat ground."""
    return next((task for task in TASKS.values() if morphology in task.morphologies), TASKS["walk_flat"])


def get(name: str) -> Task:
    """Return the task of that name.

    Raises:
        MovlrError: there is none.
    """
    if name not in TASKS:
        raise MovlrError(f"There is no task '{name}': {did_you_mean(name, TASKS)}known are {', '.join(TASKS)}.")
    return TASKS[name]
