"""Facts of a body that is fixed to the world: where its joints and its landmarks went, and how fast.

In: the trajectory of one episode. Out: the part of `facts.describe` that stands in place of posture and gait.
"""

from __future__ import annotations

import numpy as np

from movlr_jax.facts import Joint, Landmark, Phase
from movlr_jax.gait.trajectory import Trajectory, number, thirds


def describe(trajectory: Trajectory) -> tuple[dict[str, Joint], dict[str, Landmark], list[Phase]]:
    """Return where the planned joints and the landmarks went, and the thirds of the time: the joints' mean change from the start and speed.

    The speed of the body as a whole is 0.
    """
    t = trajectory
    angle, speed = t.planned(), t.joint_velocity()
    change = np.abs(angle - angle[:1])
    joints = {
        name: Joint(start=number(a[0]), end=number(a[-1]), min=number(a.min()), max=number(a.max()))
        for name, a in zip(t.layout.planned_joints, angle.T, strict=True)
    }
    landmarks = {}
    for name in t.layout.landmarks:
        place = t.position(name)
        path = float(np.linalg.norm(np.diff(place, axis=0), axis=1).sum())
        landmarks[name] = Landmark(path_m=number(path), shift_m=[number(v) for v in place[-1] - place[0]])
    phases = [
        Phase(
            name=name,
            from_s=number(t.time[part[0]]),
            to_s=number(t.time[part[-1]]),
            speed_mps=0.0,
            joint_change=number(change[part].mean()),
            joint_speed=number(np.abs(speed[part]).mean()),
        )
        for name, part in thirds(t.time)
    ]
    return joints, landmarks, phases
