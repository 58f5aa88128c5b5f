"""How much episodes look like their goal: pictures of them are drawn without writing or muscles, and CLIP scores them.

In: a body, episodes. Out: CLIP's curve of each.
"""

from __future__ import annotations

import numpy as np

from movlr_jax.control.episode import Rollout
from movlr_jax.media import clip
from movlr_jax.morphologies import Morphology
from movlr_jax.vision.clip_reward import ClipReward

# CLIP was trained on photographs: no red tendons, no captions.
_VIEW = clip.ClipView(width=336, height=336, tendons=False, samples=4)
_OVERLAY = clip.Overlay(numbers=False, legend=False, marks=False)


def curve(eye: ClipReward, morphology: Morphology, rollout: Rollout) -> np.ndarray:
    """Return CLIP's reward of evenly spaced pictures of one episode, float64[n].

    Raises:
        MovlrError: this machine cannot draw.
    """
    count = max(2, round(float(rollout.time[-1] - rollout.time[0]) * eye.config.fps) + 1)
    drawn = clip.stills(morphology.model, rollout.time, rollout.qpos, rollout.act, count, view=_VIEW, overlay=_OVERLAY)
    return eye.curve(drawn)
