"""Facts of made-up motions: a sound walk, and what is changed in it."""

from __future__ import annotations

import copy
from typing import Any

from movlr_jax.critics import offline
from movlr_jax.critics.base import Evidence
from movlr_jax.facts import Facts

WALK: dict[str, Any] = {
    "goal": "Walk forward in a straight line with an upright posture.",
    "task": "walk_flat",
    "goal_speed_mps": 0.8,
    "seconds": 4.0,
    "metrics": {
        "seconds": 4.0,
        "fell": False,
        "fall_time_s": None,
        "diverged": False,
        "distance_m": 3.2,
        "lateral_drift_m": 0.05,
        "heading_error_rad": 0.05,
        "mean_speed_mps": 0.8,
        "effort": 0.06,
        "step_symmetry": 0.9,
    },
    "episodes": [],
    "posture": {
        "trunk_pitch_rad": {"mean": 0.03, "max": 0.1, "at_s": 2.0},
        "trunk_roll_rad": {"mean": 0.01, "max": 0.08, "at_s": 2.0},
        "pelvis_height_ratio": {"mean": 0.99, "min": 0.96, "at_s": 2.0},
        "head_height_ratio": {"mean": 0.99, "min": 0.97, "at_s": 2.0},
        "heading_rad": {"mean": 0.02, "max": 0.1, "at_s": 1.0},
        "com_ahead_of_feet_m": {"mean": 0.03, "max": 0.1, "at_s": 1.0},
        "com_left_of_feet_m": {"mean": 0.0, "max": 0.05, "at_s": 1.0},
        "left_knee_height_ratio": {"mean": 0.53, "max": 0.56, "at_s": 1.0},
        "right_knee_height_ratio": {"mean": 0.53, "max": 0.56, "at_s": 1.0},
        "left_foot_lift_m": {"mean": 0.01, "max": 0.06, "at_s": 1.0},
        "right_foot_lift_m": {"mean": 0.01, "max": 0.06, "at_s": 1.0},
    },
    "gait": {
        "steps": 8,
        "left_steps": 4,
        "right_steps": 4,
        "mean_step_length_m": 0.4,
        "step_length_asymmetry": 0.05,
        "mean_swing_clearance_m": 0.05,
        "stance_width_m": {"mean": 0.18, "min": 0.12},
        "crossed_feet_fraction": 0.0,
        "double_support_fraction": 0.3,
        "flight_fraction": 0.0,
        "max_knee_flexion_rad": {"left": 0.9, "right": 0.9},
        "knee_asymmetry": 0.02,
        "foot_slip_mps": 0.1,
    },
    "smoothness": {"joint_velocity_rms_rads": 1.0, "jerk": 60.0, "com_acceleration_rms": 2.0},
    "effort": {"mean_squared_activation": 0.06, "peak_muscles": ["soleus_l"], "saturated_fraction": 0.0},
    "fall": None,
    "phases": [
        {"name": n, "from_s": a, "to_s": b, "speed_mps": 0.8, "lateral_m": 0.02, "trunk_pitch_rad": 0.03}
        for n, a, b in (("start", 0.0, 1.3), ("middle", 1.3, 2.6), ("end", 2.6, 4.0))
    ],
    "terms": {"forward_speed": {"weight": 10.0, "class": "progress", "mean": -0.1, "std": 0.1, "min": -0.5, "max": 0.0}},
}


def walk(**changes: Any) -> dict[str, Any]:
    """Return the sound walk with changes: "posture.trunk_pitch_rad.mean" is written posture__trunk_pitch_rad__mean."""
    facts = copy.deepcopy(WALK)
    for path, value in changes.items():
        *parents, last = path.split("__")
        node = facts
        for key in parents:
            node = node[key]
        node[last] = value
    return facts


def fall(direction: str = "forward", time_s: float = 1.5, sign: str = "trunk_pitch_rad", **changes: Any) -> dict[str, Any]:
    """Return a walk that ends in a fall."""
    told = {"time_s": time_s, "direction": direction, "first_sign": sign, "first_sign_s": time_s - 0.4, "lean_m": 0.4}
    return walk(
        fall=told,
        metrics__fell=True,
        metrics__fall_time_s=time_s,
        metrics__distance_m=0.6,
        metrics__seconds=time_s,
        **changes,
    )


def evidence(record: dict[str, Any]) -> Evidence:
    """Return a motion as critics are shown it."""
    return Evidence(Facts.read(record))


def score(record: dict[str, Any]) -> float:
    """Return a motion's score."""
    return offline.score(Facts.read(record))
