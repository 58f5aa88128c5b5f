"""Metrics of an executed episode: one flat record, the same in files, JSON output and tables."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from movlr_jax.control.episode import Rollout
from movlr_jax.gait.analysis import analyse
from movlr_jax.gait.trajectory import Trajectory
from movlr_jax.morphologies import Morphology
from movlr_jax.rewards.features import feature_layout
from movlr_jax.rewards.layout import FeatureLayout
from movlr_jax.tasks.gates import fell


def lived(layout: FeatureLayout, rollout: Rollout) -> dict[str, Any]:
    """Return the metrics that every task has: seed, seconds (the time lived), fell, diverged, effort (mean squared activation of the
    muscles; None without), diverged_candidates (a count over all plans), and of a planned episode candidate_steps (what planning it cost:
    steps of all candidates of all plans)."""
    muscles = rollout.act[:, : len(layout.muscles)]
    return {
        "seed": rollout.seed,
        "seconds": round(float(rollout.time[-1] + rollout.dt), 6),
        "fell": rollout.ended == "fell",
        "diverged": rollout.ended == "diverged",
        "effort": float(np.square(muscles).mean()) if muscles.size else None,
        "diverged_candidates": int(rollout.diverged.sum()),
        **({} if rollout.simulated is None else {"candidate_steps": int(rollout.simulated.sum())}),
    }


def measure(morphology: Morphology, rollout: Rollout) -> dict[str, Any]:
    """Return the metrics of a task of the whole body: those of `lived`, and how it moved.

    fall_time_s: None where it did not fall. distance_m: displacement of the pelvis along forward. lateral_drift_m: how far it ends to the
    side of where it first faced forward. heading_error_rad: mean |heading - goal heading| over the last second. mean_speed_mps: distance
    over the time lived. step_symmetry: 1 - |left - right| / (|left| + |right|) of the mean lengths of steps in steady strides; None where
    either foot has none. Of an episode with steady strides also what the gait laboratory measures (`gait_metrics`).
    """
    layout = feature_layout(morphology)
    trajectory = Trajectory(rollout.instants, layout)
    pelvis = trajectory.position("pelvis")
    record = lived(layout, rollout)
    error = trajectory.heading() - trajectory.block("goal")[:, layout.goal["heading"]]
    error = np.abs(np.arctan2(np.sin(error), np.cos(error)))
    last = rollout.time >= rollout.time[-1] - 1.0
    distance = float(pelvis[-1, 0] - pelvis[0, 0])
    return record | {
        "fall_time_s": round(float(rollout.time[-1]), 6) if record["fell"] else None,
        "distance_m": distance,
        "lateral_drift_m": float(abs(pelvis[-1, 1] - pelvis[trajectory.first_facing(), 1])),
        "heading_error_rad": float(error[last].mean()),
        "mean_speed_mps": distance / record["seconds"],
        "step_symmetry": None,
        **analyse(morphology, rollout).figures(),
    }


def summarize(episodes: list[dict[str, Any]]) -> dict[str, Any]:
    """Return {"episodes", "mean", "std", "falls"} of metric records; means leave out None and what a record lacks (an earlier version did
    not measure it, or a fall came before it could be), and do not average `seed`; a drop is a fall."""
    names = [name for name in dict.fromkeys(name for episode in episodes for name in episode) if name != "seed"]
    mean: dict[str, Any] = {}
    std: dict[str, Any] = {}
    for name in names:
        values = [float(e[name]) for e in episodes if e.get(name) is not None and math.isfinite(float(e[name]))]
        mean[name] = float(np.mean(values)) if values else None
        std[name] = float(np.std(values)) if values else None
    return {"episodes": episodes, "mean": mean, "std": std, "falls": sum(map(fell, episodes))}
