"""Tracking: local files always; Weights & Biases offline, online or off. `open_trackers` gives a run its trackers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from movlr_jax.tracking.base import Tracker
from movlr_jax.tracking.local import LocalTracker
from movlr_jax.tracking.wandb_tracker import WandbTracker

__all__ = ["LocalTracker", "Tracker", "WandbTracker", "open_trackers"]


def open_trackers(
    mode: Literal["off", "offline", "online"], folder: Path, project: str, run_name: str, warn: Callable[[str], None], group: str = ""
) -> tuple[Tracker, ...]:
    """Return a run's trackers, not yet started.

    Args:
        mode: Weights & Biases beside the local files: off, offline or online.
        folder: the run's folder.
        project: the W&B project.
        run_name: the run's display name.
        warn: told in one sentence if W&B fails.
        group: the W&B group of runs that belong together; "": none.
    """
    local = LocalTracker(folder)
    return (local,) if mode == "off" else (local, WandbTracker(folder, mode, project, run_name, warn, group=group))
