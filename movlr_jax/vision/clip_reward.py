"""The eye: CLIP's reward along one motion. Sentences are embedded once, pictures as they come."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float, Float64, UInt8

from movlr_jax.vision import score
from movlr_jax.vision.config import ClipConfig
from movlr_jax.vision.encoder import Encoder


class ClipReward:
    """Looks at pictures of motions.

    Args:
        encoder: CLIP.
        config: what to compare with.
        goal: the goal sentence, where the configuration has none of its own.

    Raises:
        MovlrError: the sentences say the same.
    """

    def __init__(self, encoder: Encoder, config: ClipConfig, goal: str):
        self.encoder, self.config = encoder, config
        self.goal = config.goal.strip() or goal
        sentences = [self.goal, config.baseline] if config.alpha else [self.goal]
        vectors = encoder.sentences(sentences)
        self._goals, self._baselines = vectors[:1], vectors[1:]
        score.goal_baseline(vectors[:1], self._goals, self._baselines, config.alpha)  # refuses sentences that cannot be told apart

    def curve(self, frames: UInt8[np.ndarray, "picture height width 3"]) -> Float64[np.ndarray, " picture"]:
        """Return the reward of each picture."""
        return score.goal_baseline(self.encoder.pictures(frames), self._goals, self._baselines, self.config.alpha)

    def score(self, curve: Float[np.ndarray, " picture"]) -> float:
        """Return the score of one episode from its curve."""
        return round(score.episode(curve, self.config.last), 6)

    def facts(self, curves: list[Float[np.ndarray, " _"]]) -> dict[str, Any]:
        """Return what is recorded of the episodes of one reward: the score, each episode's, and the first one's curve."""
        scores = [self.score(curve) for curve in curves]
        return {
            "score": round(float(np.mean(scores)), 6),
            "scores": scores,
            "curve": [round(float(value), 6) for value in curves[0]],
            "fps": self.config.fps,
            "goal": self.goal,
            "baseline": self.config.baseline if self.config.alpha else "",
            "alpha": self.config.alpha,
            "weights": self.encoder.name,
        }
