"""What is measured on an episode beside its task's metrics: the facts that critics read, the documented score, and CLIP's.

In: a name. Out: a function of task, body and episode that an evaluation stores with the episode.
"""

from __future__ import annotations

from movlr_jax.control.episode import Rollout
from movlr_jax.critics import offline
from movlr_jax.errors import MovlrError
from movlr_jax.evaluation import clip_curve
from movlr_jax.evaluation.evaluation import Measure
from movlr_jax.facts import Facts
from movlr_jax.morphologies import Morphology
from movlr_jax.rewards.features import feature_layout
from movlr_jax.rewards.library import LIBRARY
from movlr_jax.tasks import Task, facts
from movlr_jax.vision.clip_reward import ClipReward
from movlr_jax.vision.config import ClipConfig
from movlr_jax.vision.encoder import TransformersEncoder

SCORE, CLIP_SCORE = "score", "clip_score"


def named(name: str, sentence: str, config: ClipConfig) -> dict[str, Measure]:
    """Return what has to be measured for a metric to be known; nothing for a metric that every episode has.

    Args:
        name: the metric.
        sentence: the goal, for CLIP.
        config: CLIP.

    Raises:
        MovlrError: CLIP is asked for without weights, or cannot be loaded.
    """
    if name == SCORE:
        return {SCORE: score}
    if name != CLIP_SCORE:
        return {}
    if not config.weights:
        raise MovlrError("The metric clip_score needs CLIP: add --clip.weights openai/clip-vit-base-patch32, or a folder.")
    eye = ClipReward(TransformersEncoder(config.weights), config, sentence)
    return {CLIP_SCORE: lambda task, morphology, rollout: eye.score(clip_curve.curve(eye, morphology, rollout))}


def score(task: Task, morphology: Morphology, rollout: Rollout) -> float:
    """Return the score of one episode, 0 to 100, as `critics.offline.score` documents it."""
    return offline.score(described(task, morphology, rollout))


def described(task: Task, morphology: Morphology, rollout: Rollout) -> Facts:
    """Return the facts of one episode, as critics read them."""
    record = task.measure(morphology, rollout)
    return facts.describe(
        rollout.instants,
        feature_layout(morphology),
        task=task.name,
        goal=task.sentence,
        goal_speed_mps=rollout.goal_speed if task.walks else None,
        metrics=record,
        episodes=[record],
        terms=rollout.terms,
        term_names=rollout.term_names,
        weights=[float(w) for w in rollout.weights],
        term_classes={t: LIBRARY[t].term_class if t in LIBRARY else "custom" for t in rollout.term_names},
        seconds=rollout.seconds,
        spread=rollout.spread,
        **task.goal_facts(morphology),
    )
