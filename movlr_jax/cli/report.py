"""`movlr report RUN`: draws a run's heat maps and its report.html again, finished or not.

In: a run's folder; nothing in it is run. Out: heatmaps/*.png, report.html, and its path on stdout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from movlr_jax.cli import options
from movlr_jax.errors import MovlrError


@dataclass(frozen=True)
class Options:
    """Draw a run's heat maps and its report.html again."""

    folder: Annotated[Path, tyro.conf.Positional]
    """The run's folder."""


def main(argv: Sequence[str]) -> int:
    """Run the verb."""
    asked = options.parse(Options, argv, "report")
    from movlr_jax import tasks
    from movlr_jax.media import heatmaps, report
    from movlr_jax.rewards.features import feature_layout
    from movlr_jax.search.config import RunConfig
    from movlr_jax.search.run_folder import RunFolder

    folder = RunFolder.find(asked.folder)
    config = RunConfig.load(folder["config.yaml"])
    try:
        layout = feature_layout(tasks.get(config.task).load(config.morphology))
        muscles, groups = layout.muscles, layout.muscle_groups
    except MovlrError:
        # A run of a body that this machine lacks can still be read; its muscles then have numbers for names.
        muscles, groups = None, None
    heatmaps.draw_all(folder.path, muscles=muscles, groups=groups)
    print(report.write_report(folder.path))
    return 0
