"""Episode settings: what is asked of episodes wherever they are asked for, on a command line, in a file or from Python.

In: values; None stands for the task's own. Out: frozen records, which runs, trainings, evaluations and verbs extend by what is theirs: so a
setting has one name, one default and one rule, and stands flat in files and among flags. `Task.configured` and `Task.load` resolve them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from movlr_jax import episode_rules
from movlr_jax.control.planners import MPPI, Planner
from movlr_jax.errors import require
from movlr_jax.physics.mjx_config import MjxConfig

# What earlier versions wrote into files for "the task's own".
_ONCE_UNSET = {"seconds": lambda v: v == 0, "goal_speed": lambda v: v < 0, "goal": lambda v: v == "", "morphology": lambda v: v == ""}
_KINDS = {"seconds": (int, float), "goal_speed": (int, float), "goal": (str,), "morphology": (str,)}


class Migrated:
    """Records whose files were once written otherwise."""

    @staticmethod
    def migrated(values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the plain values of a file with None where an earlier version wrote 0, a negative number or "" for the task's own."""
        unset = {name for name, value in values.items() if type(value) in _KINDS.get(name, ()) and _ONCE_UNSET[name](value)}
        return {name: None if name in unset else value for name, value in values.items()}


@dataclass(frozen=True, kw_only=True)
class TaskName:
    """Which task."""

    task: str = "walk_flat"
    """What the body should do: a name from `movlr tasks`, or your own (my_task.py, my_task.py:NAME, package.module:NAME)."""


@dataclass(frozen=True, kw_only=True)
class Subject(Migrated):
    """Which body, and a goal in words."""

    goal: str | None = None
    """The goal as a sentence of your own, by whose words episodes are measured and called falls; the task's if left out. The task `free`
    needs one."""
    morphology: str | None = None
    """The body: a name from `movlr morphologies`, or the YAML file of your own; the task's own if left out."""


@dataclass(frozen=True, kw_only=True)
class Conditions(Migrated):
    """Under what conditions a body moves."""

    injury: tuple[str, ...] = ()
    """Injured muscles beside those of the task, PATTERN=FRACTION of their strength: --injury 'semi*_r=0.5' 'gas*_r=0'."""
    engine: str = "auto"
    """The physics engine: auto, native, warp (CUDA; CPU for tests) or jax (TPU)."""
    seconds: float | None = None
    """Length of an episode [s]; the task's own if left out."""
    goal_speed: float | None = None
    """Speed to aim for [m/s]; the task's own if left out."""
    mjx: MjxConfig = field(default_factory=MjxConfig)
    """The engines warp and jax."""

    def __post_init__(self) -> None:
        """Refuse values that no episode can have."""
        require(episode_rules.seconds(self.seconds), episode_rules.goal_speed(self.goal_speed))


@dataclass(frozen=True, kw_only=True)
class EpisodeSettings(Conditions):
    """How planned episodes are run, apart from what is asked of whom."""

    seeds: tuple[int, ...] = (0,)
    """Seeds, one episode each: --seeds 1 2 3. The first is filmed."""
    threads: int = 0
    """Threads that step the native engine; 0: one a core. The result does not depend on it."""
    planner: Planner = field(default_factory=MPPI)
    """The planner."""

    def __post_init__(self) -> None:
        """Refuse values that no episode can have."""
        super().__post_init__()
        require(*episode_rules.seeds(self.seeds), episode_rules.threads(self.threads))

    def settings(self) -> EpisodeSettings:
        """Return these settings alone, without what a record that extends them adds."""
        return EpisodeSettings(**{f.name: getattr(self, f.name) for f in dataclasses.fields(EpisodeSettings)})


@dataclass(frozen=True, kw_only=True)
class EpisodeConfig(EpisodeSettings, Subject, TaskName):
    """A task on a body, and how its episodes are planned and run."""
