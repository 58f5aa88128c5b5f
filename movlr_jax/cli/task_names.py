"""Tasks as the command line names them: of the registry, or a user's own Python, which whoever types it allows by that.

In: words after a verb, or a run's folder. Out: tasks. A task that only a run's folder or a file names goes through
`movlr_jax.runs.permissions`, which asks for --allow before any of its code is run.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from movlr_jax import code_names
from movlr_jax.errors import MovlrError
from movlr_jax.llm import addresses
from movlr_jax.tasks import Task


def settled(word: str) -> str:
    """Return a word that the user typed as a run keeps it, and note that the user named its code."""
    if code_names.names_code(word):
        addresses.give("code", word)
    return code_names.settled(word)


def task(word: str) -> Task:
    """Return the task of a word that the user typed.

    Raises:
        MovlrError: there is none, or its code is at fault.
    """
    from movlr_jax.runs import permissions

    return permissions.task(settled(word))


def tasks_of(words: Sequence[str]) -> list[Task]:
    """Return the tasks of words that the user typed.

    Raises:
        MovlrError: as `task`; or two different ones have one name, under which episodes and tables would mix them.
    """
    found = [task(word) for word in words]
    first: dict[str, Task] = {}
    for one in found:
        other = first.setdefault(one.name, one)
        if other.word != one.word:
            raise MovlrError(f"{other.word} and {one.word} are both named {one.name}: give one of them another name.")
    return found


def home(reward: str) -> tuple[str, str]:
    """Return the words for the task and the body that a run's reward was found on; "" and "" where it names no run that says so.

    A user's own task or body goes by the run's configuration, which keeps its file; others by what the run says of itself.
    """
    from movlr_jax import typed_yaml
    from movlr_jax.evaluation import reward_texts
    from movlr_jax.morphologies import custom

    name, body = reward_texts.home(reward)
    if not name:
        return "", ""
    file = Path(reward) / "config.yaml"
    kept = typed_yaml.values(typed_yaml.read(file, "configuration"), str(file)) if file.is_file() else {}
    own_task, own_body = (str(kept.get(key) or "") if isinstance(kept, dict) else "" for key in ("task", "morphology"))
    return own_task if code_names.names_code(own_task) else name, own_body if custom.names_file(own_body) else body


def at_home(word: str, reward: str) -> Task:
    """Return the task of `home`: what only the run's folder names runs no code unless the user has allowed it.

    Raises:
        MovlrError: as `movlr_jax.runs.permissions.task`.
    """
    from movlr_jax.runs import permissions

    return permissions.task(word, Path(reward) / "config.yaml")
