"""A transfer in a folder: rewards found on one task or body, tried without change on others, as a matrix of one metric.

In: reward texts with where they came from, places (task, body), how episodes are run, a folder. Out: the matrix; in the folder
transfer.json, transfer.md, transfer.png and the episodes, which an evaluation into the same folder shares.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from movlr_jax import atomic
from movlr_jax.control.episode_config import EpisodeSettings
from movlr_jax.evaluation import study, transfer, work_items
from movlr_jax.evaluation.reward_texts import RewardText
from movlr_jax.evaluation.transfer import Matrix
from movlr_jax.evaluation.work_items import Watcher
from movlr_jax.media import metrics_table, tables
from movlr_jax.tasks import Task


@dataclass(frozen=True, eq=False)
class TransferStudy:
    """What came of it; printed, it is the matrix.

    Attributes:
        matrix: rewards by places.
        folder: where it stands.
    """

    matrix: Matrix
    folder: Path

    def notes(self) -> list[str]:
        """Return what has to be said beside the matrix, a line each."""
        return [*self.matrix.limits(), *study.rules(list({task.name: task for task, _ in self.matrix.places}.values()))]

    def save(self) -> dict[str, Any]:
        """Write the files, and return the document as it stands in transfer.json."""
        document: dict[str, Any] = atomic.write_json(self.folder / "transfer.json", self.matrix.document())
        remarks = [*self.matrix.remarks(), *self.notes()]
        atomic.write_text(self.folder / "transfer.md", tables.markdown(*self.matrix.table(), remarks))
        self.matrix.draw(self.folder / "transfer.png")
        return document

    def __str__(self) -> str:
        return "\n".join([metrics_table.aligned(*self.matrix.table()), *self.matrix.remarks(), *self.matrix.limits()])


def measure(
    rewards: Sequence[RewardText],
    places: Sequence[tuple[Task, str]],
    settings: EpisodeSettings,
    folder: Path,
    watcher: Watcher | None = None,
    *,
    metric: str = "",
    strengths: Sequence[float] = (),
) -> TransferStudy:
    """Measure every reward at every place, and write the matrix.

    Args:
        rewards: as `transfer.rewards` returns them.
        places: as `transfer.places` returns them.
        settings: how episodes are run.
        folder: for everything.
        watcher: is told how it goes.
        metric: what the matrix shows; the own metric of the first task if "".
        strengths: fractions of their strength that injured muscles keep in turn.

    Raises:
        MovlrError: no episode has the metric, or as `Evaluation.run`.
    """
    works = work_items.at_strengths(transfer.works(rewards, places), strengths)
    with study.opened(settings, folder, watcher) as measuring:
        rows = measuring.run(works)
    result = TransferStudy(Matrix(metric or places[0][0].metric, rewards, places, rows, strengths), folder)
    result.save()
    return result
