"""Films an executed episode: what its task measures, and how it ended, written on the clip."""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path

import mujoco
import numpy as np

from movlr_jax.control.episode import Rollout
from movlr_jax.gait.trajectory import Trajectory
from movlr_jax.media import clip
from movlr_jax.morphologies import Morphology
from movlr_jax.morphologies.objects import BODY, TARGET
from movlr_jax.rewards.features import feature_layout

# A hand is seen from before its body and a little above: thumb, fingers and object, none behind another.
_HAND = clip.ClipView(azimuth=150.0, elevation=-22.0, follow=BODY, span=0.55)


def film(morphology: Morphology, rollout: Rollout, path: Path, title: str, width: int = clip.ClipView.width) -> None:
    """Write the clip of one episode.

    Args:
        morphology: the body.
        rollout: the episode.
        path: the mp4 to write; it appears complete or not at all.
        title: a few words on it.
        width: pixels; the height is three quarters of it.

    Raises:
        MovlrError: this machine cannot draw or encode.
    """
    told = Trajectory(rollout.instants, feature_layout(morphology))
    events = () if rollout.ended == "time" else ((float(rollout.time[-1]), rollout.ended),)
    model, view = morphology.model, clip.ClipView()
    if morphology.thing is None and morphology.fixed:
        change = np.sqrt(np.mean(np.square(told.planned() - told.planned()[:1]), axis=1))
        view = clip.ClipView(centred=True)
        overlay = clip.Overlay(title=title, marks=False, gauges=(("joints moved by", "rad", change),), events=events)
    elif morphology.thing is None:
        pelvis = told.position("pelvis")[:, 0]
        overlay = clip.Overlay(title=title, distance=pelvis - pelvis[0], events=events)
    else:
        model, view = _with_target(model, told), _HAND
        gauges = ("off by", "m", told.object_position_error()), ("and", "rad", told.object_orientation_error())
        overlay = clip.Overlay(title=title, marks=False, gauges=gauges, events=events)
    view = dataclasses.replace(view, width=width, height=width * 3 // 4)
    clip.film(model, rollout.time, rollout.qpos, rollout.act, path, view=view, overlay=overlay)


def _with_target(model: mujoco.MjModel, told: Trajectory) -> mujoco.MjModel:
    """Return a copy of the model whose ghost stands where this episode wants the object."""
    model = copy.copy(model)
    ghost = model.body(TARGET)
    target = told.target()
    ghost.pos[:], ghost.quat[:] = target[:3], target[3:]
    return model
