"""An ablation in a folder: every term of a reward dropped, halved and doubled, what came of it, and the terms that can go, gone.

In: a reward's text, places (task, body), how episodes are run, a folder. Out: the ablation and the pruned reward; in the folder
ablation.json, ablation.md, a heat map a factor (ablation_x0.png, ...), pruned.py, and the episodes, which an evaluation into the same
folder shares. The same call goes on where it was stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from movlr_jax import atomic
from movlr_jax.control.episode_config import EpisodeSettings
from movlr_jax.evaluation import study
from movlr_jax.evaluation.reward_texts import RewardText
from movlr_jax.evaluation.work_items import Watcher
from movlr_jax.media import metrics_table, tables
from movlr_jax.tuning import ablation, pruning
from movlr_jax.tuning.ablation import Ablation, Place
from movlr_jax.tuning.pruning import Pruned

_MOST_BODIES = 4  # prepared bodies with their engines that are kept between rounds


@dataclass(frozen=True, eq=False)
class AblationStudy:
    """What came of it; printed, it is the ranking of the terms.

    Attributes:
        ablation: the differences and the ranking.
        pruned: the reward without what can go; None where that was not asked for.
        folder: where it stands.
    """

    ablation: Ablation
    pruned: Pruned | None
    folder: Path

    def lines(self) -> list[str]:
        """Say what can go, or why nothing is recommended."""
        return self.ablation.limits() if self.pruned is None else pruning.report(self.ablation, self.pruned)

    def save(self) -> dict[str, Any]:
        """Write the files, and return the document as it stands in ablation.json."""
        found, pruned, folder = self.ablation, self.pruned, self.folder
        parts = [f"# What each term of {Path(found.text.name).name} does\n"]
        parts += [f"## Ranking\n\n{tables.markdown(*found.ranking_table())}"] if found.ranking() else []
        if pruned is not None:
            said = dict.fromkeys((*pruning.report(found, pruned), *(pruned.tried if found.conclusive else ())))
            parts.append("## Pruned\n\n" + "".join(f"- {line}\n" for line in said))
            if found.conclusive:
                atomic.write_text(folder / "pruned.py", pruned.text.source)
            else:  # one of an earlier call would seem to be recommended now
                (folder / "pruned.py").unlink(missing_ok=True)
        parts += [f"## The metric that ranks\n\n{tables.markdown(*found.table())}"]
        parts += [f"## All metrics: difference to the unchanged reward (in standard deviations)\n\n{tables.markdown(*found.all_metrics())}"]
        parts.append("".join(f"- {rule}\n" for rule in study.rules([task for task, _ in found.places])))
        parts += ["".join(f"- not measured: {remark}\n" for remark in found.remarks)] if found.remarks else []
        atomic.write_text(folder / "ablation.md", "\n".join(parts))
        pictures = found.draw(folder)
        document = {
            **found.document(),
            "pruned": None if pruned is None else pruned.document(),
            "pictures": [path.name for path in pictures],
        }
        saved: dict[str, Any] = atomic.write_json(folder / "ablation.json", document)
        return saved

    def __str__(self) -> str:
        table = self.ablation.ranking_table() if self.ablation.ranking() else self.ablation.table()
        return "\n".join([metrics_table.aligned(*table), *self.lines()])


def ablate(
    text: RewardText,
    places: Sequence[Place],
    settings: EpisodeSettings,
    folder: Path,
    watcher: Watcher | None = None,
    *,
    factors: Sequence[float] = (0.0, 0.5, 2.0),
    metric: str = "",
    tolerance: float = 0.05,
    prune: bool = True,
) -> AblationStudy:
    """Change every weight of a reward by every factor, measure, rank the terms, and drop those that do little.

    Args:
        text: the reward.
        places: where to try it.
        settings: how episodes are run; one seed tells no difference from luck, and nothing is recommended then.
        folder: for everything.
        watcher: is told how it goes.
        factors: what each weight is multiplied by in turn; 0 drops the term, which ranking and pruning need.
        metric: the metric that ranks and prunes; each task's own if "".
        tolerance: the share of that metric that a term may bring and still do little, and that the pruned reward may lose.
        prune: drop what can go.

    Raises:
        MovlrError: the reward has no weights to change, a factor cannot be, or as `Evaluation.run`.
    """
    with study.opened(settings, folder, watcher, bodies=min(len(places), _MOST_BODIES)) as measuring:
        found = ablation.ablate(measuring, text, places, factors, metric=metric, tolerance=tolerance)
        pruned = pruning.prune(found, measuring) if prune and 0.0 in found.factors else None
    result = AblationStudy(found, pruned, folder)
    result.save()
    return result
