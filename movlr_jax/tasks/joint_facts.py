"""Facts of a body that is fixed to the world: where its joints and its landmarks went, and how fast.

In: the trajectory of one episode. Out: the part of `facts.describe` that stands in place of posture and gait.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from movlr_jax.tasks.trajectory import Trajectory, number


def describe(trajectory: Trajectory) -> dict[str, Any]:
    """Return "joints" (planned joint -> start, end, least and greatest angle, rad or m), "landmarks" (landmark -> path and shift (m)) and
    "phases" (three thirds: speed of the body as a whole, 0; mean change of the joints from the start, their mean speed)."""
    t = trajectory
    angle, speed = t.planned(), t.joint_velocity()
    change = np.abs(angle - angle[:1])
    joints = {
        name: {"start": number(a[0]), "end": number(a[-1]), "min": number(a.min()), "max": number(a.max())}
        for name, a in zip(t.layout.planned_joints, angle.T, strict=True)
    }
    landmarks = {}
    for name in t.layout.landmarks:
        place = t.position(name)
        path = float(np.linalg.norm(np.diff(place, axis=0), axis=1).sum())
        landmarks[name] = {"path_m": number(path), "shift_m": [number(v) for v in place[-1] - place[0]]}
    thirds = zip(("start", "middle", "end"), np.array_split(np.arange(len(t.time)), 3), strict=True)
    return {
        "joints": joints,
        "landmarks": landmarks,
        "phases": [
            {
                "name": name,
                "from_s": number(t.time[part[0]]),
                "to_s": number(t.time[part[-1]]),
                "speed_mps": 0.0,  # of the body as a whole
                "joint_change": number(change[part].mean()),
                "joint_speed": number(np.abs(speed[part]).mean()),
            }
            for name, part in thirds
            if part.size
        ],
    }
