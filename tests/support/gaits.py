"""Saved motion of a made-up walk like people's, as `movlr rollout --out` and a run leave it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from movlr_jax import atomic
from movlr_jax.control.episode import Rollout
from movlr_jax.rewards.layout import FeatureLayout
from support.striding import people, striding
from support.synthetic import episode


def walked(layout: FeatureLayout, seed: int = 1) -> Rollout:
    """Return an episode of the walk whose states are those of its instants."""
    made = episode(striding(layout, people(layout)), len(layout.muscles))
    states = {name: made.instants[:, layout.columns(name)].astype(float) for name in ("qpos", "qvel", "act")}
    return dataclasses.replace(made, seed=seed, **states)


def saved(folder: Path, layout: FeatureLayout, seeds: tuple[int, ...] = (1, 2)) -> Path:
    """Save episodes as `movlr rollout --out` does, and return the folder."""
    for i, seed in enumerate(seeds):
        walked(layout, seed).save(folder / ("rollout.npz" if i == 0 else f"rollout_{seed}.npz"))
    atomic.write_json(folder / "metrics.json", {"task": "walk_flat", "morphology": "myolegs"})
    return folder
