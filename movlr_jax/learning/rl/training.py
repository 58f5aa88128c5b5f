"""A training from its folder to its end: locked, tracked, filmed, and left in a state that it goes on from.

In: a training's folder and what it is about. Out: the folder, filled; whether it came to its end.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from movlr_jax import atomic, typed_yaml
from movlr_jax.control.episode import Rollout
from movlr_jax.errors import MovlrError
from movlr_jax.evaluation import filming
from movlr_jax.learning.rl import training_folder
from movlr_jax.learning.rl.train import TrainingSetup, train
from movlr_jax.media import next_steps
from movlr_jax.runs.run_folder import RunFolder
from movlr_jax.tracking import open_trackers


def run(folder: Path, setup: TrainingSetup, advanced: Callable[[int, dict[str, float]], None], warn: Callable[[str], None]) -> bool:
    """Train in a folder until the configured number of steps.

    Args:
        folder: as `training_folder.create` makes it.
        setup: what the training is about.
        advanced: called after each update with its number and its scalars.
        warn: is told what does not stop it, a sentence at a time.

    Returns:
        False if the user interrupted it, with everything saved.

    Raises:
        MovlrError: another process trains in the folder, or the engine refuses the body.
    """
    config = setup.config
    with RunFolder(folder).locked():
        atomic.sweep(folder)
        if training_folder.found(folder) != config:
            atomic.write_text(folder / "config.yaml", typed_yaml.dump(config))
        trackers = open_trackers(config.tracking, folder, config.project, config.name or folder.resolve().name, warn)
        run_id = training_folder.header_of(folder)["run_id"]
        for tracker in trackers:
            tracker.start(atomic.plain(dataclasses.asdict(config)), run_id)
        try:
            train(setup, folder, trackers, _films(setup, warn), advanced)
        except KeyboardInterrupt:
            warn(f"Interrupted. Go on with: {next_steps.train(folder)}")
            return False
        finally:
            for tracker in trackers:
                tracker.finish()
    return True


def _films(setup: TrainingSetup, warn: Callable[[str], None]) -> Callable[[Rollout, Path], None]:
    """Return what writes clips; a machine that cannot draw is told of once, and trains on."""
    failed = False

    def film(rollout: Rollout, path: Path) -> None:
        nonlocal failed
        if failed:
            return
        try:
            filming.film(setup.morphology, rollout, path, f"{setup.task.name}, policy, reward {setup.reward.name}")
        except MovlrError as error:
            failed = True
            warn(f"No clips: {error}")

    return film
