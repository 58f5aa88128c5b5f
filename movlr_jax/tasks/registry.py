"""The registry of tasks: by name, by body, and a user's own by its Python file (own.py)."""

from __future__ import annotations

from movlr_jax import code_names
from movlr_jax.errors import MovlrError, did_you_mean
from movlr_jax.morphologies import Morphology, catalog
from movlr_jax.tasks import (
    bottle_pour,
    cube_rotate,
    free,
    move,
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

_ALL = (stand, walk_flat, walk_rough, walk_slope, walk_stairs, walk_injured, turn_left, ostrich_walk, bottle_pour, cube_rotate, free, move)
TASKS: dict[str, Task] = {task.TASK.name: task.TASK for task in _ALL}


def of(morphology: str) -> Task:
    """Return the task to try a body with: the first that is meant for it, else walking on flat ground."""
    return next((task for task in TASKS.values() if morphology in task.morphologies), TASKS["walk_flat"])


def loaded(morphology: str) -> Morphology:
    """Return a body prepared for the task to try it with.

    Raises:
        MovlrError: as `Task.load`.
    """
    task = of(morphology)
    return task.load(morphology) if morphology in task.morphologies else catalog.load(morphology)


def suiting(body: Morphology) -> Task:
    """Return the task to try a prepared body with: as `of`, and for a body that is fixed to the world and holds nothing `move`."""
    return TASKS["move"] if body.fixed and body.thing is None else of(body.name)


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

    Only for words that the user gave or allowed; `movlr_jax.runs.permissions.task` sees to that.

    Raises:
        MovlrError: there is none, or its code holds none that can be used.
    """
    return own.load(word, TASKS) if code_names.names_code(word) else get(word)
