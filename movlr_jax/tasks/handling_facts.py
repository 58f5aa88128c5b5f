"""What a hand did with an object, in numbers that a critic reads: the part of `facts` that takes the place of posture, gait and falls.

In: the trajectory of one episode. Out: one JSON-able dict.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from movlr_jax.tasks.trajectory import Trajectory, number

FINGERS: tuple[str, ...] = ("thumb", "index", "middle", "ring", "little")


def _course(values: np.ndarray) -> dict[str, float]:
    """Return how an error went: start, mean, smallest and final."""
    said = {"start": values[0], "mean": values.mean(), "min": values.min(), "final": values[-1]}
    return {name: number(value) for name, value in said.items()}


def describe(trajectory: Trajectory, dropped: bool) -> dict[str, Any]:
    """Describe what became of the object.

    Args:
        trajectory: the episode.
        dropped: whether it ended because the object was dropped.

    Returns:
        "object": position_error_m and orientation_error_rad (start, mean, min, final), lifted_m (highest above its start), speed_mps
        (mean), palm_distance_m and finger_distance_m (palm and each fingertip to the object's middle; mean), dropped (None, or {"time_s",
        "below_start_m", "from_palm_m"}). "phases": thirds of the time with the mean errors.
    """
    t = trajectory
    position, turn = t.object_position_error(), t.object_orientation_error()
    place = t.position("object")

    def distance(landmark: str) -> np.ndarray:
        return np.linalg.norm(t.position(landmark) - place, axis=1)

    palm = distance("right.hand")
    drop = {"time_s": t.time[-1], "below_start_m": place[0, 2] - place[-1, 2], "from_palm_m": palm[-1]}
    thirds = zip(("start", "middle", "end"), np.array_split(np.arange(len(t.time)), 3), strict=True)
    return {
        "object": {
            "position_error_m": _course(position),
            "orientation_error_rad": _course(turn),
            "lifted_m": number((place[:, 2] - place[0, 2]).max()),
            "speed_mps": number(np.linalg.norm(t.velocity("object"), axis=1).mean()),
            "palm_distance_m": number(palm.mean()),
            "finger_distance_m": {f: number(distance(f"right.{f}").mean()) for f in FINGERS if t.has(f"right.{f}")},
            "dropped": {name: number(value) for name, value in drop.items()} if dropped else None,
        },
        "phases": [
            {
                "name": name,
                "from_s": number(t.time[part[0]]),
                "to_s": number(t.time[part[-1]]),
                "position_error_m": number(position[part].mean()),
                "orientation_error_rad": number(turn[part].mean()),
            }
            for name, part in thirds
            if part.size
        ],
    }
