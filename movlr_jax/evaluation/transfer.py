"""Transfer: rewards found on one task or body, measured without change on others, as a matrix of one metric.

In: reward texts with where they came from, and places (task, body). Out: works for an evaluation, and from its rows the matrix: rewards by
places, with a table, a document and a heat map.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from movlr_jax import morphologies
from movlr_jax.errors import MovlrError, did_you_mean
from movlr_jax.evaluation import reward_texts, study_limits
from movlr_jax.evaluation.reward_texts import RewardText
from movlr_jax.evaluation.work_items import Row, Work, bodies_of, metric_names
from movlr_jax.media import tables
from movlr_jax.media.metric_matrix import metric_matrix
from movlr_jax.tasks import Task


def rewards(sources: Sequence[Task], names: Sequence[str]) -> list[RewardText]:
    """Return the rewards that names stand for: a name gives one of each source task that has it, a file or a run's folder gives itself.

    A text that several tasks have under a name is one reward, from all of them.

    Raises:
        MovlrError: a name stands for nothing.
    """
    out: list[RewardText] = []
    for name in dict.fromkeys(names):
        having = [task for task in sources if name in task.rewards]
        texts: dict[str, RewardText] = {}
        for text in [reward_texts.find(name, [task]) for task in having] or [reward_texts.find(name, sources)]:
            same = texts.get(text.source)
            texts[text.source] = text if same is None else replace(same, origin=f"{same.origin}, {text.origin}")
        out += texts.values()
    return out


def places(tasks: Sequence[Task], bodies: Sequence[str] = ()) -> list[tuple[Task, str]]:
    """Return every pair of a task and a body; without bodies, those that each task is meant for.

    Raises:
        MovlrError: a body is unknown.
    """
    morphologies.require_distinct(bodies)
    unique = {task.name: task for task in tasks}.values()
    return [(task, body) for task in unique for body in dict.fromkeys(bodies or bodies_of(task))]


def works(texts: Sequence[RewardText], where: Sequence[tuple[Task, str]]) -> list[Work]:
    """Return every reward at every place, one reward after the other."""
    return [Work(text, text.name, task, body) for text in texts for task, body in where]


@dataclass(frozen=True)
class Matrix:
    """One metric of rewards at places.

    Attributes:
        metric: its name.
        rewards: r texts.
        places: pairs of task and body.
        rows: r x c rows of the evaluation, one reward after the other; c counts every place at every strength.
        strengths: of the muscles that are injured (see Work); empty where they do not vary.
    """

    metric: str
    rewards: Sequence[RewardText]
    places: Sequence[tuple[Task, str]]
    rows: Sequence[Row]
    strengths: Sequence[float] = ()

    def __post_init__(self) -> None:
        """Refuse a metric that no episode has."""
        names = metric_names(self.rows)
        if names and self.metric not in names:
            hint = did_you_mean(self.metric, names)
            raise MovlrError(f"No episode has the metric '{self.metric}': {hint}they have {', '.join(names)} (what was measured is saved).")

    def columns(self) -> list[dict[str, Any]]:
        """Return the c columns: task and body, and the strength where it varies."""
        at: list[dict[str, Any]] = [{"strength": strength} for strength in self.strengths] or [{}]
        return [{"task": task.name, "morphology": morphologies.called(body), **more} for task, body in self.places for more in at]

    def labels(self) -> list[str]:
        """Return the columns' names, a line for each of their values."""
        return ["\n".join(f"strength {v:g}" if k == "strength" else v for k, v in column.items()) for column in self.columns()]

    def values(self) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and standard deviation over seeds, float[r, c]; NaN where there is none."""
        shape = (len(self.rewards), len(self.columns()))
        documents = [row.document() for row in self.rows]
        mean, std = (np.array([d[of].get(self.metric) for d in documents], float).reshape(shape) for of in ("mean", "std"))
        return mean, std

    def names(self) -> tuple[list[str], list[str]]:
        """Return the rewards' names, each with where it came from, and the columns'."""
        return [f"{_short(text.name)}\nfrom {text.origin}" for text in self.rewards], self.labels()

    def cells(self) -> list[list[str]]:
        """Return what stands in each cell: mean, standard deviation and falls; a dash where the body cannot take the reward."""
        out: list[list[str]] = []
        width = len(self.columns())
        for r in range(len(self.rewards)):
            out.append([])
            for row in self.rows[r * width : (r + 1) * width]:
                ends = row.early_ends()
                out[-1].append(tables.measured(row.document(), self.metric) + (f"\n{ends}" if ends else ""))
        return out

    def remarks(self) -> list[str]:
        """Return why cells are empty."""
        empty = (row for row in self.rows if not row.episodes)
        return [f"{row.work.name} on {row.work.task.name}, {row.work.body}{row.work.at()}: {row.refused}" for row in empty]

    def limits(self) -> list[str]:
        """Say which columns tell no reward from another, a sentence each."""
        width, sentences = len(self.columns()), []
        if any(len(row.episodes) == 1 for row in self.rows):
            sentences.append(study_limits.ONE_SEED)
        for c, label in enumerate(self.labels()):
            cells = [row.episodes for row in self.rows[c::width] if row.episodes]
            how = ""
            if len(cells) > 1 and study_limits.unmoved(cells, self.metric):
                how = "the same"
            elif len(cells) > 1 and all(study_limits.saturated(cell, self.metric) for cell in cells):
                how = "at its best"
            if how:
                where, name = ", ".join(label.split("\n")), tables.heading(self.metric)
                sentences.append(f"{where}: the metric '{name}' is {how} for every reward, and tells none from another.")
        return sentences

    def document(self) -> dict[str, Any]:
        """Return the matrix for JSON; "cells" holds the rows of the evaluation, one reward after the other."""
        mean, std = self.values()
        return {
            "metric": self.metric,
            "rows": [{"reward": t.name, "from": t.origin, "sha256": t.sha256} for t in self.rewards],
            "columns": self.columns(),
            "mean": mean,
            "std": std,
            "cells": [row.document() for row in self.rows],
            "limits": self.limits(),
        }

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Return headings and cells of the table."""
        headings = ["reward", "from", *self.labels()]
        cells = [[cell.replace("\n", ", ") for cell in line] for line in self.cells()]
        return headings, [[text.name, text.origin, *line] for text, line in zip(self.rewards, cells, strict=True)]

    def draw(self, path: Path) -> Path:
        """Draw the heat map."""
        rows, columns = self.names()
        label = tables.heading(self.metric)
        return metric_matrix(
            self.values()[0],
            rows,
            columns,
            path,
            cells=self.cells(),
            label=label,
            title=f"Rewards elsewhere, unchanged: {label}",
            row_label="reward",
            column_label="task, body and strength" if self.strengths else "task and body",
        )


def _short(name: str) -> str:
    """Return a reward's name as a label takes it: of a path, its end."""
    return name if len(name) <= 28 else "…" + name[-27:]
