"""A run's heat maps, the gait of its best and its report, drawn again from its folder.

In: a run's folder, of this version or an earlier one. Out: heatmaps/ and report.html in it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from movlr_jax.errors import MovlrError
from movlr_jax.evaluation import gait_study
from movlr_jax.media import heatmaps
from movlr_jax.media import report as page
from movlr_jax.rewards.features import feature_layout
from movlr_jax.runs import permissions
from movlr_jax.runs.config import RunConfig
from movlr_jax.runs.run_folder import RunFolder


def report(folder: Path | str, tell: Callable[[str], object] | None = None) -> Path:
    """Draw a run's heat maps and its report.html again, and return the path of the page.

    Args:
        folder: the run's folder.
        tell: is told in a sentence where the body is not on this machine, and its muscles have numbers for names.

    Raises:
        MovlrError: there is no run, or it is damaged.
    """
    run = RunFolder.find(Path(folder))
    config = RunConfig.load(run["config.yaml"])
    try:
        task = permissions.task(config.task, run["config.yaml"])
        body = task.load(config.morphology)
        muscles, groups = feature_layout(body).muscles, feature_layout(body).muscle_groups
        gait_study.illustrate(run.path, body)
    except MovlrError as error:
        if tell is not None:
            tell(f"The muscles have numbers for names. {error}")
        muscles, groups = None, None
    heatmaps.draw_all(run.path, muscles=muscles, groups=groups)
    return page.write_report(run.path)
