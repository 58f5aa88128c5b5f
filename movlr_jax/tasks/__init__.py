"""Tasks, one file each, and their registry. A user's own stands in a Python file (own.py)."""

from __future__ import annotations

from movlr_jax import code_names
from movlr_jax.errors import MovlrError, did_you_mean
from movlr_jax.tasks import (
    bottle_pour,
    cube_rotate,
    free,
    ostrich_walk,
    own,
    stand,
    turn_left,
    walk_flat,
    walk_injured,
    walk_rough,
    walk_slope,
    walk_stairs,
)
from movlr_jax.tasks.task import Task

_ALL = (stand, walk_flat, walk_rough, walk_slope, walk_stairs, walk_injured, turn_left, ostrich_walk, bottle_pour, cube_rotate, free)
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
        known = f"known are {', '.join(TASKS)}; your own is named by its Python file (my_task.py)"
        raise MovlrError(f"There is no task '{name}': {did_you_mean(name, TASKS)}{known}.")
    return TASKS[name]


def find(word: str) -> Task:
    """Return the task of a name, or the user's own of a Python file or a module, whose code is run for that.

    Only for words that the user gave or allowed; `movlr_jax.search.outside.task` sees to that.

    Raises:
        MovlrError: there is none, or its code holds none that can be used.
    """
    return own.load(word, TASKS) if code_names.names_code(word) else get(word)
