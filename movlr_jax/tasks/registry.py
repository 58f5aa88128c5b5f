"""The registry of tasks: by name, by body, and a user's own by its Python file (own.py)."""

from __future__ import annotations

from typing import Any

from movlr_jax import code_names
from movlr_jax.morphologies import Morphology, catalog
from movlr_jax.registry import Registry, rule
from movlr_jax.tasks import own
from movlr_jax.tasks.task import Task

# One file each, called as its task is.
_FILES = (
    *("stand", "walk_flat", "walk_rough", "walk_slope", "walk_stairs", "walk_injured", "turn_left", "ostrich_walk"),
    *("bottle_pour", "cube_rotate", "free", "move"),
)


_is_task = rule("movlr_jax.tasks.Task", lambda thing: isinstance(thing, Task))


def _fault(name: str, thing: Any) -> str:
    return _is_task(name, thing) or " ".join(own.faults(thing))


TASKS: Registry[Task] = Registry(
    "task",
    "movlr_jax.tasks",
    {name: f"movlr_jax.tasks.{name}:TASK" for name in _FILES},
    _fault,
    hint="; your own is named by its Python file (my_task.py)",
)


def of(morphology: str) -> Task:
    """Return the task to try a body with: the first that is meant for it, else walking on flat ground."""
    return next((task for task in TASKS.usable() if morphology in task.morphologies), TASKS["walk_flat"])


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
    return TASKS[name]


def find(word: str) -> Task:
    """Return the task of a name, or the user's own of a Python file or a module, whose code is run for that.

    Only for words that the user gave or allowed; `movlr_jax.runs.permissions.task` sees to that.

    Raises:
        MovlrError: there is none, or its code holds none that can be used.
    """
    return own.load(word, TASKS) if code_names.names_code(word) else get(word)
