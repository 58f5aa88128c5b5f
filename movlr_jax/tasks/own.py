"""A user's own task: a `Task` in a Python file, or in a module that is installed.

Flows in: `my_task.py`, `my_task.py:NAME` or `package.module:NAME`. Flows out: the Task, with the hash of its code, or one sentence with
file and line. Looking a task up runs its file, so whoever calls this has made sure that the user named it (`movlr_jax.runs.permissions`).
"""

from __future__ import annotations

import copy
import hashlib
import importlib
import importlib.util
import math
import os
import re
import sys
import traceback
import types
from collections.abc import Collection
from pathlib import Path
from typing import Any

from movlr_jax import atomic, code_names
from movlr_jax.errors import MovlrError, did_you_mean
from movlr_jax.morphologies import Scene, custom
from movlr_jax.tasks.falls import FallRule
from movlr_jax.tasks.task import Task

PREFERRED = "TASK"  # what a task is looked for under where no name is given
MOST = 1 << 20  # bytes of a task's file
_PLAIN = re.compile(r"[a-z0-9][a-z0-9_.-]*")

# (place, hash of the code) -> module: a file is run once in a process, and again where it has changed.
_modules: dict[tuple[str, str], types.ModuleType] = {}


def load(word: str, taken: Collection[str] = ()) -> Task:
    """Return the task that a word names, and run its file for that.

    Args:
        word: a Python file or a module's task.
        taken: names that its task may not have.

    Raises:
        MovlrError: the file is gone, fails, or holds no task, or one that cannot be; the sentence names the file and, where there is one,
            the line.
    """
    place, name = code_names.split(word)
    module, code = _of_file(place) if isinstance(place, Path) else _of_module(place)
    task = _named(module, name, place) if name else _only(module, place)
    if sentences := [*faults(task), *_taken(task, taken)]:
        raise MovlrError(f"{place}: {' '.join(sentences)}")
    own_task = copy.copy(task)
    if isinstance(place, Path):  # a body of one's own stands beside the task that it is for
        beside = tuple(str((place.parent / m).resolve()) if custom.names_file(m) else m for m in task.morphologies)
        object.__setattr__(own_task, "morphologies", beside)
    object.__setattr__(own_task, "origin", code_names.settled(word))
    object.__setattr__(own_task, "code_sha256", hashlib.sha256(code).hexdigest())
    return own_task


# --- the code


def _of_file(path: Path) -> tuple[types.ModuleType, bytes]:
    """Return a file's module and its bytes."""
    try:
        code = atomic.read_bytes(path, MOST, follow=True)
    except OSError as error:
        raise MovlrError(
            f"The task's file {path} cannot be read ({error.strerror or error}): put it back there, or name another task."
        ) from None
    key = str(path), hashlib.sha256(code).hexdigest()
    if key in _modules:
        return _modules[key], code
    module = types.ModuleType(f"movlr_own_task_{key[1][:12]}")
    module.__file__ = str(path)
    try:
        program = compile(code, str(path), "exec", dont_inherit=True)
    except SyntaxError as error:
        raise MovlrError(f"{path}, line {error.lineno or 1}: {error.msg}.") from None
    except ValueError as error:  # a NUL
        raise MovlrError(f"{path} is no Python ({error}): give a text file.") from None
    sys.modules[module.__name__] = module  # dataclasses look their module up
    try:
        exec(program, module.__dict__)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit too
        del sys.modules[module.__name__]
        raise MovlrError(_sentence(error, path)) from None
    _modules[key] = module
    return module, code


def _of_module(name: str) -> tuple[types.ModuleType, bytes]:
    """Return an installed module and the bytes of its file."""
    try:
        module = importlib.import_module(name)
    except KeyboardInterrupt:
        raise
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            raise MovlrError(f"There is no module {name}: install its package, or give the task's file (my_task.py).") from None
        raise MovlrError(_sentence(error, _file_of(name))) from None
    except SyntaxError as error:
        raise MovlrError(f"{error.filename or name}, line {error.lineno or 1}: {error.msg}.") from None
    except BaseException as error:
        raise MovlrError(_sentence(error, _file_of(name))) from None
    file = Path(getattr(module, "__file__", None) or "")
    return module, atomic.read_bytes(file, MOST, follow=True) if file.suffix == ".py" else name.encode()


def _file_of(module: str) -> Path:
    """Return the file of a module that cannot be imported, as far as it can be found."""
    try:
        spec = importlib.util.find_spec(module)
    except Exception:  # it imports the package above, whose code may raise anything; this only says where the fault is
        spec = None
    return Path(spec.origin) if spec is not None and spec.origin else Path(module)


def _sentence(error: BaseException, path: Path) -> str:
    """Return one sentence for what a task's code raised: the last line of its own, and where else the fault is."""
    frames = traceback.extract_tb(error.__traceback__)
    line = next((frame.lineno for frame in reversed(frames) if os.path.realpath(frame.filename) == str(path)), None)
    where = f"{path}, line {line}" if line else str(path)
    message = " ".join(str(error).split())[:300].rstrip(".")
    kind = type(error).__name__
    if isinstance(error, MovlrError):
        return f"{where}: {error}"
    if isinstance(error, SystemExit):
        return f"{where}: The file ends the process (SystemExit): leave that out, a task's file is only to define it."
    if isinstance(error, ModuleNotFoundError):
        return f"{where}: {message}: a task's file finds what is installed; install it, or put what is needed into the file."
    return f"{where}: {kind}: {message}." if message else f"{where}: {kind}."


def fault(error: BaseException) -> str:
    """Return a sentence for an error that came out of a user's own task while it was used; "" where none did."""
    files = {os.path.realpath(module.__file__): module.__file__ for module in _modules.values() if module.__file__}
    passed = (os.path.realpath(frame.filename) for frame in reversed(traceback.extract_tb(error.__traceback__)))
    file = next((files[name] for name in passed if name in files), None)
    return _sentence(error, Path(file)) if file else ""


# --- the task in it


def _named(module: types.ModuleType, name: str, place: Path | str) -> Task:
    if name not in vars(module):
        have = list(_tasks(module))
        hint = did_you_mean(name, have) or (f"it has {', '.join(have)}." if have else "it has no task at all.")
        raise MovlrError(f"{place} has no '{name}': {hint.strip()}")
    task = vars(module)[name]
    if not isinstance(task, Task):
        raise MovlrError(f"{place}: {name} is {_article(task)}, not a Task: give {name} = Task(...) (from movlr_jax.tasks import Task).")
    return task


def _only(module: types.ModuleType, place: Path | str) -> Task:
    if PREFERRED in vars(module):
        return _named(module, PREFERRED, place)
    defined = _tasks(module)
    if not defined:
        raise MovlrError(f"{place} holds no task: give it a line {PREFERRED} = Task(...) (from movlr_jax.tasks import Task).")
    if len({id(task) for task in defined.values()}) > 1:
        raise MovlrError(f"{place} holds several tasks: name one of them ({', '.join(f'{place}:{name}' for name in defined)}).")
    return next(iter(defined.values()))


def _tasks(module: types.ModuleType) -> dict[str, Task]:
    """Return the tasks that a module defines, by name: those of this package that it imports are not its own."""
    from movlr_jax import tasks

    known = {id(task) for task in tasks.TASKS.usable()}
    return {name: value for name, value in vars(module).items() if isinstance(value, Task) and id(value) not in known}


def _article(value: Any) -> str:
    kind = type(value).__name__
    return f"a{'n' if kind[:1].lower() in 'aeiou' else ''} {kind}"


def _taken(task: Task, taken: Collection[str]) -> list[str]:
    return [f"The task is named {task.name}, as one of the package is: give it another name."] if task.name in taken else []


def faults(task: Task) -> list[str]:
    """Return every value of a task that none can have, a sentence each: a dataclass takes anything."""
    name, rewards = task.name, task.rewards
    texts = isinstance(rewards, dict) and all(isinstance(k, str) and isinstance(v, str) for k, v in rewards.items())
    rules = [
        (
            isinstance(name, str) and _PLAIN.fullmatch(name) is not None,
            f"name is {name!r}: give a short name of small letters, figures, dashes.",
        ),
        (isinstance(task.sentence, str) and bool(task.sentence.strip()), f"sentence is {task.sentence!r}: give the goal in words."),
        (_finite(task.seconds) and task.seconds > 0, f"seconds is {task.seconds!r}: give a length above 0 (s)."),
        (_finite(task.goal_speed) and task.goal_speed >= 0, f"goal_speed is {task.goal_speed!r}: give 0 or more (m/s)."),
        (_finite(task.heading), f"heading is {task.heading!r}: give an angle (rad)."),
        (texts, "rewards is no dict of names and program texts: give {'start': '''WEIGHTS = ...'''}."),
        (not texts or "start" in rewards, "rewards has no 'start': give the reward that a search begins with."),
        (isinstance(task.scene, Scene), f"scene is {_article(task.scene)}: give a Scene (from movlr_jax.morphologies import Scene)."),
        (
            isinstance(task.morphologies, tuple) and all(isinstance(m, str) for m in task.morphologies),
            f"morphologies is {task.morphologies!r}: give a tuple of bodies' names, ('myolegs',).",
        ),
        (isinstance(task.fall, FallRule), f"fall is {_article(task.fall)}: give a FallRule (from movlr_jax.tasks.falls), or leave it out."),
        (isinstance(task.notes, dict), f"notes is {_article(task.notes)}: give a dict of what the rewards are, or leave it out."),
    ]
    return [sentence for kept, sentence in rules if not kept]


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
