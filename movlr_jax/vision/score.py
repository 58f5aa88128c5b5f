"""How much pictures look like a goal sentence: the reward of VLM-RM (Rocamonde et al., arXiv 2310.12921, section 3).

In: unit vectors of pictures, of goal sentences and of baseline sentences. Out: one number a picture. Plain NumPy, no model.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float64

from movlr_jax.errors import MovlrError


def unit(vectors: Float[np.ndarray, "*batch d"]) -> Float64[np.ndarray, "*batch d"]:
    """Return vectors scaled to length 1.

    Raises:
        MovlrError: a vector has no direction.
    """
    vectors = np.asarray(vectors, np.float64)
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    if not np.all(np.isfinite(length)) or np.any(length == 0.0):
        raise MovlrError("CLIP gave an embedding without a direction: its weights are damaged, give others by --clip.weights.")
    return vectors / length


def goal_baseline(
    pictures: Float[np.ndarray, "picture d"], goals: Float[np.ndarray, "goal d"], baselines: Float[np.ndarray, "baseline d"], alpha: float
) -> Float64[np.ndarray, " picture"]:
    """Return the goal-baseline regularised reward of each picture.

    With g and b the means of the unit embeddings of the goals and of the baselines, each scaled to unit length, and P the projection
    alpha on the line through b and g plus 1 - alpha of the identity: 1 - |P (x - g)|^2 / 2.

    Args:
        pictures: their vectors, of any length.
        goals: of one or more sentences that describe the goal.
        baselines: of sentences that describe the body without the goal; there may be none, then alpha must be 0.
        alpha: 0 is the cosine of picture and goal; 1 sees only the direction from baseline to goal.

    Raises:
        MovlrError: alpha is outside [0, 1], or asks for a baseline that is not there or that equals the goal.
    """
    if not 0.0 <= alpha <= 1.0:
        raise MovlrError(f"The CLIP reward's alpha is {alpha}: give 0 (no baseline) to 1.")
    x, g = unit(pictures), unit(unit(goals).mean(axis=0))
    away = x - g
    if alpha > 0.0:
        if len(baselines) == 0:
            raise MovlrError(f"The CLIP reward's alpha is {alpha} but there is no baseline sentence: give one, or alpha 0.")
        d = g - unit(unit(baselines).mean(axis=0))
        squared = float(d @ d)
        if squared < 1e-12:
            raise MovlrError("The CLIP reward's baseline says the same as its goal: describe the body without the goal.")
        away = alpha * (away @ d)[:, None] * d / squared + (1.0 - alpha) * away
    return 1.0 - 0.5 * np.square(away).sum(axis=-1)


def episode(curve: Float[np.ndarray, " picture"], last: float = 1.0) -> float:
    """Return an episode's score: the mean of its curve over the last share of its pictures (1: all of them).

    Args:
        curve: one reward a picture, in the order of time.
        last: share of the pictures that count; a pose that is only reached at the end is judged by its end.
    """
    count = max(1, round(len(curve) * last))
    return float(np.mean(curve[-count:]))
