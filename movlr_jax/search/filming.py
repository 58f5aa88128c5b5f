"""Films an executed episode: its distance, and how it ended, written on the clip."""

from __future__ import annotations

from pathlib import Path

from movlr_jax.control.episode import Rollout
from movlr_jax.media import clip
from movlr_jax.morphologies import Morphology
from movlr_jax.rewards.features import feature_layout
from movlr_jax.tasks.trajectory import Trajectory


def film(morphology: Morphology, rollout: Rollout, path: Path, title: str) -> None:
    """Write the clip of one episode.

    Args:
        morphology: the body.
        rollout: the episode.
        path: the mp4 to write; it appears complete or not at all.
        title: a few words on it.

    Raises:
        MovlrError: this machine cannot draw or encode.
    """
    pelvis = Trajectory(rollout.instants, feature_layout(morphology)).position("pelvis")[:, 0]
    events = () if rollout.ended == "time" else ((float(rollout.time[-1]), rollout.ended),)
    overlay = clip.Overlay(title=title, distance=pelvis - pelvis[0], events=events)
    clip.film(morphology.model, rollout.time, rollout.qpos, rollout.act, path, overlay=overlay)
