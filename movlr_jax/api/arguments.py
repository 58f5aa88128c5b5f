"""What the functions of the front door take: names or objects, and keyword settings; each becomes what the packages below take."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

from movlr_jax.control.episode_config import EpisodeSettings
from movlr_jax.control.planners import Planner
from movlr_jax.errors import MovlrError
from movlr_jax.morphologies import Morphology
from movlr_jax.morphologies.scene import injury_words
from movlr_jax.physics.mjx_config import MjxConfig
from movlr_jax.tasks import TASKS, Task, find

Body = Morphology | str | Path | None


class Settings(TypedDict, total=False):
    """How episodes are run; see `EpisodeSettings`."""

    seeds: Sequence[int]
    seconds: float | None
    goal_speed: float | None
    injury: Sequence[str]
    engine: str
    threads: int
    planner: Planner
    mjx: MjxConfig


@dataclass(frozen=True)
class Best:
    """The best iteration of a search.

    Attributes:
        iteration: its number.
        score: its score.
        metrics: its mean metrics over the seeds.
        source: the program's text.
        folder: reward.py, rollout.npz, clip.mp4 and the rest of it.
    """

    iteration: int
    score: float | None
    metrics: Mapping[str, Any]
    source: str
    folder: Path


def task_of(task: Task | str) -> Task:
    """Return a task, which may be given by its name."""
    return task if isinstance(task, Task) else find(task)


def reward_word(reward: Best | str | Path) -> str:
    """Return the word for a reward; the best of a search goes by its folder."""
    return str(reward.folder if isinstance(reward, Best) else reward)


def body_word(body: Body) -> Morphology | str | None:
    """Return a body, or the word for one."""
    return str(body) if isinstance(body, Path) else body


def episode_settings(values: Settings) -> EpisodeSettings:
    """Return keyword settings as a record; lists and ranges are taken for tuples."""
    fields: dict[str, Any] = {name: tuple(v) if isinstance(v, list | range) else v for name, v in values.items()}
    return EpisodeSettings(**fields)


def task_values(task: Task | str) -> dict[str, Any]:
    """Return a task as a run's configuration names it; one that nothing names is registered."""
    if isinstance(task, str):
        return {"task": task}
    if not task.origin and task.name not in TASKS:
        TASKS.register(task.name, task)
        return {"task": task.word}
    own = find(task.word)
    goal = task.sentence if task.spoken else None
    if own.configured(goal, task.seconds, task.goal_speed) != task:
        raise MovlrError(f"There is another task {task.name} already: give yours a name of its own.")
    return {"task": task.word, "goal": goal, "seconds": task.seconds, "goal_speed": task.goal_speed}


def body_values(body: Body) -> dict[str, Any]:
    """Return a body as a run's configuration names it.

    Raises:
        MovlrError: nothing names it.
    """
    if not isinstance(body, Morphology):
        return {} if body is None else {"morphology": str(body)}
    if not body.word:
        raise MovlrError(f"{body.name} was prepared without the catalog: load it by name, or from its file.")
    return {"morphology": body.word, "injury": injury_words(body.scene.injuries)}


@contextlib.contextmanager
def folder_of_call(out: Path | str | None) -> Iterator[Path]:
    """Give a folder: the one that was named, or one that goes with the call."""
    if out is not None:
        yield Path(out)
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)
