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
_FRONT = "from the front"


def film(morphology: Morphology, rollout: Rollout, path: Path, title: str, width: int = clip.ClipView.width) -> None:
    """Write the clip of one episode, for people: one view, whose last frame is held.

    Args:
        morphology: the body.
        rollout: the episode.
        path: the mp4 to write; it appears complete or not at all.
        title: a few words on it.
        width: pixels; the height is three quarters of it.

    Raises:
        MovlrError: this machine cannot draw or encode.
    """
    model, view, overlay = _side(morphology, rollout, width)
    overlay = dataclasses.replace(overlay, title=title)
    clip.film(model, rollout.time, rollout.qpos, rollout.act, path, view=view, overlay=overlay)


def film_for_critics(morphology: Morphology, rollout: Rollout, path: Path, width: int, fps: float, front: bool = True) -> None:
    """Write the clip of one episode as critics are shown it, who must not know which of two motions is the later one: without a title.

    The view from the side, and beside it that from the front, which shows a fall to the side, the width of steps, and legs that cross. A
    hand with an object has its one view. Who looks at `fps` frames a second sees what ended the episode once.

    Args:
        morphology, rollout, path: as `film`.
        width: of the view from the side [pixels]; the view from the front is as wide as both are high, three quarters of it.
        fps: at which rate critics look [1/s].
        front: whether the view from the front stands beside it.

    Raises:
        MovlrError: this machine cannot draw or encode.
    """
    model, view, overlay = _side(morphology, rollout, width)
    view = dataclasses.replace(view, reading_s=max(1.0 / fps - 1.0 / view.fps, 0.0))  # with the frame itself, one look
    beside = None
    if morphology.thing is None and front:
        ahead = dataclasses.replace(view, azimuth=view.azimuth + 90.0, width=view.height)
        beside = ahead, clip.Overlay(title=_FRONT, numbers=False, legend=False, marks=False)
    clip.film(model, rollout.time, rollout.qpos, rollout.act, path, view=view, overlay=overlay, beside=beside)


def _side(morphology: Morphology, rollout: Rollout, width: int) -> tuple[mujoco.MjModel, clip.ClipView, clip.Overlay]:
    """Return the model to draw, the view that every clip of it has, and what is written on it."""
    told = Trajectory(rollout.instants, feature_layout(morphology))
    events = () if rollout.ended == "time" else ((float(rollout.time[-1]), rollout.ended),)
    model, view = morphology.model, clip.ClipView()
    if morphology.thing is None and morphology.fixed:
        change = np.sqrt(np.mean(np.square(told.planned() - told.planned()[:1]), axis=1))
        view = clip.ClipView(centred=True)
        overlay = clip.Overlay(marks=False, gauges=(("joints moved by", "rad", change),), events=events)
    elif morphology.thing is None:
        pelvis = told.position("pelvis")[:, 0]
        overlay = clip.Overlay(distance=pelvis - pelvis[0], events=events)
    else:
        model, view = _with_target(model, told), _HAND
        gauges = ("off by", "m", told.object_position_error()), ("and", "rad", told.object_orientation_error())
        overlay = clip.Overlay(marks=False, gauges=gauges, events=events)
    return model, dataclasses.replace(view, width=width, height=width * 3 // 4), overlay


def _with_target(model: mujoco.MjModel, told: Trajectory) -> mujoco.MjModel:
    """Return a copy of the model whose ghost stands where this episode wants the object."""
    model = copy.copy(model)
    ghost = model.body(TARGET)
    target = told.target()
    ghost.pos[:], ghost.quat[:] = target[:3], target[3:]
    return model
