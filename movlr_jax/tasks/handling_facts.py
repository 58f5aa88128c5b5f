"""What a hand did with an object, in numbers that a critic reads: the part of `facts` that takes the place of posture, gait and falls.

In: the trajectory of one episode. Out: what became of the object, and the thirds of the time.
"""

from __future__ import annotations

import numpy as np

from movlr_jax.facts import Course, Drop, Phase, Thing
from movlr_jax.gait.trajectory import Trajectory, number, thirds

FINGERS: tuple[str, ...] = ("thumb", "index", "middle", "ring", "little")


def _course(values: np.ndarray) -> Course:
    return Course(start=number(values[0]), mean=number(values.mean()), min=number(values.min()), final=number(values[-1]))


def describe(trajectory: Trajectory, dropped: bool) -> tuple[Thing, list[Phase]]:
    """Return what became of the object, and thirds of the time with the mean errors.

    Args:
        trajectory: the episode.
        dropped: whether it ended because the object was dropped.
    """
    t = trajectory
    position, turn = t.object_position_error(), t.object_orientation_error()
    place = t.position("object")

    def distance(landmark: str) -> np.ndarray:
        return np.linalg.norm(t.position(landmark) - place, axis=1)

    palm = distance("right.hand")
    drop = Drop(time_s=number(t.time[-1]), below_start_m=number(place[0, 2] - place[-1, 2]), from_palm_m=number(palm[-1]))
    thing = Thing(
        position_error_m=_course(position),
        orientation_error_rad=_course(turn),
        lifted_m=number((place[:, 2] - place[0, 2]).max()),
        speed_mps=number(np.linalg.norm(t.velocity("object"), axis=1).mean()),
        palm_distance_m=number(palm.mean()),
        finger_distance_m={f: number(distance(f"right.{f}").mean()) for f in FINGERS if t.has(f"right.{f}")},
        dropped=drop if dropped else None,
    )
    phases = [
        Phase(
            name=name,
            from_s=number(t.time[part[0]]),
            to_s=number(t.time[part[-1]]),
            position_error_m=number(position[part].mean()),
            orientation_error_rad=number(turn[part].mean()),
        )
        for name, part in thirds(t.time)
    ]
    return thing, phases
