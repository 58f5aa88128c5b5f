"""Metrics of an executed episode: one flat record, the same in files, JSON output and tables."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from movlr_jax.control.episode import Rollout
from movlr_jax.rewards.layout import GAIT_FIELDS, SIDES, FeatureLayout

FALL_RATIO = 0.6  # a fall is the pelvis below this share of its standing height above ground


def landmark(layout: FeatureLayout, instants: np.ndarray, name: str, quantity: str = "position") -> np.ndarray:
    """Return a landmark's position or velocity in the task's frame: [T, 3] (m or m/s)."""
    return _in_frame(layout, instants, layout.column("sensor", layout.landmarks[name][quantity]), quantity == "position")


def center_of_mass(layout: FeatureLayout, instants: np.ndarray, quantity: str = "position") -> np.ndarray:
    """Return the centre of mass' position or velocity in the task's frame: [T, 3] (m or m/s)."""
    return _in_frame(layout, instants, layout.column("sensor", layout.com[quantity]), quantity == "position")


def _in_frame(layout: FeatureLayout, instants: np.ndarray, column: int, place: bool) -> np.ndarray:
    v = instants[:, column : column + 3].astype(np.float64)
    x0, y0, c, s = instants[:, layout.columns("frame")].astype(np.float64).T
    x, y = (v[:, 0] - x0, v[:, 1] - y0) if place else (v[:, 0], v[:, 1])
    return np.stack([c * x + s * y, c * y - s * x, v[:, 2]], axis=-1)


def height(layout: FeatureLayout, instants: np.ndarray, name: str) -> np.ndarray:
    """Return a landmark's height above the ground under it: [T] (m)."""
    offsets = layout.landmarks[name]
    return instants[:, layout.column("sensor", offsets["position"] + 2)] - instants[:, layout.column("ground", offsets["ground"])]


def axis(layout: FeatureLayout, instants: np.ndarray, name: str, which: int) -> np.ndarray:
    """Return a landmark's forward (0), left (1) or up (2) axis in the task's frame: [T, 3]."""
    start = layout.column("sensor", layout.landmarks[name]["quat"])
    w, x, y, z = instants[:, start : start + 4].astype(np.float64).T
    columns = (
        (1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)),
        (2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)),
        (2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)),
    )
    v = np.stack(columns[which], axis=-1)
    _, _, c, s = instants[:, layout.columns("frame")].astype(np.float64).T
    return np.stack([c * v[:, 0] + s * v[:, 1], c * v[:, 1] - s * v[:, 0], v[:, 2]], axis=-1)


def yaw(layout: FeatureLayout, instants: np.ndarray) -> np.ndarray:
    """Return the pelvis' heading relative to forward, positive to the left: [T] (rad)."""
    forward = axis(layout, instants, "pelvis", 0)
    return np.arctan2(forward[:, 1], forward[:, 0])


def gait(layout: FeatureLayout, instants: np.ndarray, side: str, field: str) -> np.ndarray:
    """Return one field of a foot's gait memory: [T]."""
    return instants[:, layout.column("gait", SIDES.index(side) * len(GAIT_FIELDS) + GAIT_FIELDS.index(field))]


def fallen(layout: FeatureLayout, instant: np.ndarray) -> bool:
    """Say whether the pelvis of one instant [f] is below FALL_RATIO of its standing height."""
    return bool(height(layout, instant[None], "pelvis")[0] < FALL_RATIO * layout.standing["pelvis_height"])


def step_lengths(layout: FeatureLayout, instants: np.ndarray, side: str) -> np.ndarray:
    """Return the lengths of the steps a foot made: [steps] (m)."""
    contact = gait(layout, instants, side, "in_contact") > 0.5
    landed = np.flatnonzero(contact[1:] & ~contact[:-1]) + 1
    return gait(layout, instants, side, "step_length")[landed]


def step_symmetry(layout: FeatureLayout, instants: np.ndarray) -> float | None:
    """Return 1 - |left - right| / (|left| + |right|) of mean step lengths; None before both feet have made two steps."""
    lengths = [step_lengths(layout, instants, side) for side in SIDES]
    if min(len(x) for x in lengths) < 2:
        return None
    left, right = (float(np.mean(x)) for x in lengths)
    return 1.0 - abs(left - right) / max(abs(left) + abs(right), 1e-6)


def measure(layout: FeatureLayout, rollout: Rollout) -> dict[str, Any]:
    """Return the metrics every task has.

    distance_m: displacement of the pelvis along forward. lateral_drift_m: how far the pelvis ends to the side. heading_error_rad: mean
    |heading - goal heading| over the last second. mean_speed_mps: distance over the time lived. effort: mean squared activation.
    """
    instants = rollout.instants
    pelvis = landmark(layout, instants, "pelvis")
    lived = float(rollout.time[-1] + rollout.dt)
    goal_heading = instants[:, layout.column("goal", layout.goal["heading"])]
    error = yaw(layout, instants) - goal_heading
    error = np.abs(np.arctan2(np.sin(error), np.cos(error)))
    last = rollout.time >= rollout.time[-1] - 1.0
    distance = float(pelvis[-1, 0] - pelvis[0, 0])
    fell = rollout.ended == "fell"
    return {
        "seed": rollout.seed,
        "seconds": round(lived, 6),
        "fell": fell,
        "fall_time_s": round(float(rollout.time[-1]), 6) if fell else None,
        "diverged": rollout.ended == "diverged",
        "distance_m": distance,
        "lateral_drift_m": float(abs(pelvis[-1, 1] - pelvis[0, 1])),
        "heading_error_rad": float(error[last].mean()),
        "mean_speed_mps": distance / lived,
        "effort": float(np.square(rollout.act).mean()),
        "step_symmetry": step_symmetry(layout, instants),
        "diverged_candidates": int(rollout.diverged.sum()),
    }


def summarize(episodes: list[dict[str, Any]]) -> dict[str, Any]:
    """Return {"episodes", "mean", "std", "falls"} of metric records; means leave out None and do not average `seed`."""
    names = [n for n in episodes[0] if n != "seed"]
    mean: dict[str, Any] = {}
    std: dict[str, Any] = {}
    for name in names:
        values = [float(e[name]) for e in episodes if e[name] is not None and math.isfinite(float(e[name]))]
        mean[name] = float(np.mean(values)) if values else None
        std[name] = float(np.std(values)) if values else None
    return {"episodes": episodes, "mean": mean, "std": std, "falls": sum(bool(e["fell"]) for e in episodes)}
