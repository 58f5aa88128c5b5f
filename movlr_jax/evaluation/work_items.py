"""Works, which are what an evaluation measures; rows, which are what came of them; and who watches.

In: rewards, tasks, bodies, strengths of injured muscles. Out: every combination of them as a Work, known to be impossible or not; a Row's
document and gates.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from movlr_jax import morphologies
from movlr_jax.errors import MovlrError
from movlr_jax.evaluation import reward_texts
from movlr_jax.evaluation.reward_texts import RewardText
from movlr_jax.rewards.parameters import values_of
from movlr_jax.rewards.program import literal_parameters, literal_weights
from movlr_jax.tasks import Task, metrics
from movlr_jax.tasks.gates import Gates


@dataclass(frozen=True, eq=False)
class Work:
    """One reward on one task and body.

    Attributes:
        reward: the text; None where there is none.
        name: what tables call it.
        task: the task.
        morphology: name of the body, or its YAML file.
        refused: why it cannot be run, where that is known beforehand.
        weights: term -> weight, where that is not the text's own; nothing is compiled for them.
        parameters: parameter -> value, the same.
        strength: fraction of their strength that injured muscles keep where no fraction of their own is given; None: they all have one.
    """

    reward: RewardText | None
    name: str
    task: Task
    morphology: str
    refused: str = ""
    weights: Mapping[str, float] = field(default_factory=dict)
    strength: float | None = None
    parameters: Mapping[str, float] = field(default_factory=dict)

    @property
    def body(self) -> str:
        """What tables call the body."""
        return morphologies.called(self.morphology)

    def at(self) -> str:
        """Return ", strength 0.5", which labels end in; nothing where it has none."""
        return "" if self.strength is None else f", strength {self.strength:g}"

    def shares(self) -> tuple[str, str, str]:
        """Return body, task and goal: works that have these in common may run side by side."""
        return self.morphology, self.task.name, self.task.sentence

    def changed(self) -> dict[str, float]:
        """Return the weights that differ from the text's own, sorted by name: equal changes make equal episodes."""
        if not self.weights or self.reward is None:
            return {}
        own = literal_weights(self.reward.source)
        return {name: float(weight) for name, weight in sorted(self.weights.items()) if own.get(name) != weight}

    def moved(self) -> dict[str, float]:
        """Return the parameters whose values differ from the text's own, sorted by name."""
        if not self.parameters or self.reward is None:
            return {}
        own = values_of(literal_parameters(self.reward.source))
        return {name: float(value) for name, value in sorted(self.parameters.items()) if own.get(name) != value}


@dataclass(frozen=True)
class Row:
    """What came of a work.

    Attributes:
        work: it.
        engine: the engine's name.
        seconds: length asked for (s).
        goal_speed: speed asked for (m/s).
        episodes: metric records, one a seed; empty where it was refused.
        refused: why there are none, else "".
        injury: PATTERN=FRACTION, beside the task's own.
    """

    work: Work
    engine: str
    seconds: float
    goal_speed: float
    episodes: tuple[dict[str, Any], ...] = ()
    refused: str = ""
    injury: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return the row as `movlr rollout --json` gives one, with "seconds", "strength" and "injury" if there is one and, without
        episodes, "refused"."""
        head = {
            "task": self.work.task.name,
            "morphology": self.work.body,
            **({} if self.work.body == self.work.morphology else {"morphology_file": self.work.morphology}),
            "engine": self.engine,
            "reward": self.work.name,
            **self.work.task.document(),
            "goal_speed_mps": self.goal_speed,
            "seconds": self.seconds,
            **({} if self.work.strength is None else {"strength": self.work.strength}),
            **({"injury": list(self.injury)} if self.injury else {}),
        }
        if self.work.reward is not None:
            head |= {"reward_from": self.work.reward.origin, "reward_sha256": self.work.reward.sha256}
        if self.work.weights:
            head |= {"weights": dict(self.work.weights)}
        if self.work.parameters:
            head |= {"parameters": dict(self.work.parameters)}
        if not self.episodes:
            return {**head, "episodes": [], "mean": {}, "std": {}, "falls": 0, "refused": self.refused}
        return {**head, **metrics.summarize([dict(e) for e in self.episodes])}

    @property
    def gates(self) -> Gates:
        """What physics says of its episodes, of which there is one at least."""
        task = dataclasses.replace(self.work.task, goal_speed=self.goal_speed, seconds=self.seconds)
        return task.gates(metrics.summarize([dict(e) for e in self.episodes]))

    def early_ends(self) -> str:
        """Return how many episodes ended before their time, in the task's word: "2 of 5 fell"; nothing where none did."""
        falls = self.document()["falls"]
        return f"{falls} of {len(self.episodes)} {self.work.task.ends_as}" if falls else ""


class Watcher:
    """Is told how an evaluation goes; the methods of this one do nothing."""

    def found(self, there: int, wanted: int) -> None:
        """Say how many of the wanted episodes the store had already."""

    def began(self, work: Work, seeds: Sequence[int], seconds: float) -> None:
        """Episodes begin, side by side."""

    def advanced(self, t: float) -> None:
        """They have reached t (s)."""

    def measured(self, work: Work, record: dict[str, Any]) -> None:
        """One is over and saved."""

    def refused(self, work: Work, reason: str) -> None:
        """A work cannot be run."""

    def waiting(self, count: int) -> None:
        """Only episodes that another process is at are left."""

    def remark(self, sentence: str) -> None:
        """Something went wrong that does not stop the evaluation."""


def combinations(rewards: Sequence[str], tasks: Sequence[Task], bodies: Sequence[str] = ()) -> list[Work]:
    """Return every combination of reward, task and body.

    Args:
        rewards: names of the tasks' rewards, files, runs' folders. A name means each task's own reward of that name.
        tasks: the tasks.
        bodies: names of bodies; empty: those that each task is meant for.

    Raises:
        MovlrError: a word stands for nothing on any task, or a body is unknown.
    """
    morphologies.require_distinct(bodies)
    everywhere = {name: reward_texts.find(name, tasks) for name in dict.fromkeys(rewards)}
    out: list[Work] = []
    for name, text_of_all in everywhere.items():
        named = any(name in task.rewards for task in tasks)
        for task in {task.name: task for task in tasks}.values():
            text = text_of_all if not named else reward_texts.find(name, [task]) if name in task.rewards else None
            why = "" if text else f"The task {task.name} has no reward '{name}': it has {', '.join(task.rewards)}."
            out += [Work(text, name, task, body, why) for body in dict.fromkeys(bodies or bodies_of(task))]
    return out


def at_strengths(works: Sequence[Work], strengths: Sequence[float]) -> list[Work]:
    """Return each work at every strength, and every work as it is where there are no strengths.

    Raises:
        MovlrError: a strength is not within [0, 1], or given twice.
    """
    shown = " ".join(f"{strength:g}" for strength in strengths)
    if not all(0.0 <= strength <= 1.0 for strength in strengths):
        raise MovlrError(f"--strengths are fractions from 0 to 1, not {shown}.")
    if len(set(strengths)) != len(strengths):
        raise MovlrError(f"--strengths has repeats ({shown}): give each strength once.")
    return [dataclasses.replace(work, strength=strength) for work in works for strength in strengths or (None,)]


def bodies_of(task: Task) -> tuple[str, ...]:
    """Return the names of the bodies that a task is evaluated on where none is asked for."""
    return task.morphologies or (morphologies.DEFAULT,)


def clip_name(work: Work, key: str) -> str:
    """Return the file name of a work's clip; the key of its episode keeps two rewards of one name apart."""
    reward = "".join(c if c.isalnum() else "-" for c in Path(work.name).stem)
    return f"{work.task.name}_{Path(work.body).name}_{reward}_{key[:8]}.mp4"


def metric_of(row: Row, name: str) -> list[float]:
    """Return one metric of a row's episodes; those that have none are left out."""
    return [float(e[name]) for e in row.episodes if e.get(name) is not None]


def metric_names(rows: Iterable[Row]) -> list[str]:
    """Return the names of the metrics that any row has."""
    return [n for n in dict.fromkeys(name for row in rows for e in row.episodes for name in e) if n != "seed"]
