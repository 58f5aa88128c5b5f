"""Goal signals: the numbers over time by which a sentence's words are measured, each so that only what the words mean brings it about.

In: a trajectory. Out: float64[T] by the name that a target gives its signal (`goals.targets`). A knee is raised in front of the hip, not
behind it; a foot is lifted when the lowest part of it is, above the other one; who squats is on the feet, who kneels is not on the seat,
who stands or sits holds the trunk up, who jumps does not sit. Where a posture is another thing than the words say, its signal is that of
standing.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from movlr_jax.gait.trajectory import Trajectory
from movlr_jax.rewards.layout import SIDES
from movlr_jax.tasks import falls

Values = Float[np.ndarray, " time"]
Signal = Callable[[Trajectory], Values]

FRONT = 0.7  # of a thigh's way over the ground: a knee with so much of it forward, within 45 degrees of the front, counts whole
SEATED = 0.2  # of the pelvis's standing height: lower is sitting or lying on the ground
KNEELING = 0.5  # of the knees' standing height: lower than that a body is on its knees
BOWED = 0.5  # of the trunk's upward axis: below it, 60 degrees from upright, a body neither stands nor sits
CROUCHED = 0.75  # of the pelvis's standing height: who jumps is above it while in the air
_PARTS = ("foot", "heel", "toe")


def _pelvis(t: Trajectory) -> Values:
    return t.height("pelvis") / t.standing("pelvis_height")


def _hip(t: Trajectory, side: str) -> float:
    name = f"{side}_hip_height"
    return t.standing(name if name in t.layout.standing else "pelvis_height")


def _forward(t: Trajectory) -> Float[np.ndarray, "time 2"]:
    """Return the direction over the ground in which the pelvis faces; from its left axis, which a bow does not tilt."""
    left = t.axis("pelvis", 1)[:, :2]
    return np.stack([left[:, 1], -left[:, 0]], axis=1) / np.maximum(np.linalg.norm(left, axis=1, keepdims=True), 1e-9)


def _knee(t: Trajectory, side: str) -> Values:
    """Return the height of a knee over its hip's in standing; above the knee's own standing height only as far as it is in front."""
    hip, knee = f"{side}.hip", f"{side}.knee"
    height, standing = t.height(knee) / _hip(t, side), t.standing(f"{side}_knee_height") / _hip(t, side)
    thigh = (t.position(knee) - t.position(hip if t.has(hip) else "pelvis"))[:, :2]
    ahead = (thigh * _forward(t)).sum(axis=1) / np.maximum(np.linalg.norm(thigh, axis=1), 1e-9)
    raised = np.clip(ahead / FRONT, 0.0, 1.0) * np.maximum(height - standing, 0.0)
    return np.asarray(np.minimum(height, standing) + raised)


def _knees_down(t: Trajectory) -> Values:
    """Return the height of the lower knee over that of standing."""
    return np.min([t.height(f"{side}.knee") / t.standing(f"{side}_knee_height") for side in SIDES], axis=0)


def _kneeling(t: Trajectory) -> Values:
    return np.where(_pelvis(t) < SEATED, 1.0, _knees_down(t))


def _squat(t: Trajectory) -> Values:
    pelvis, knees = _pelvis(t), all(t.has(f"{side}.knee") for side in SIDES)
    other = (pelvis < SEATED) | (_knees_down(t) < KNEELING if knees else False)
    return np.where(other, 1.0, pelvis)


def _seat(t: Trajectory) -> Values:
    return np.where(t.axis("trunk", 2)[:, 2] < BOWED, 1.0, _pelvis(t))


def _stand(t: Trajectory) -> Values:
    pelvis = _pelvis(t)
    return np.where(t.axis("trunk", 2)[:, 2] < BOWED, np.minimum(pelvis, CROUCHED), pelvis)


def _off_ground(t: Trajectory, side: str) -> Values:
    """Return how far the lowest part of a foot is above its height in standing (m): on tiptoe a foot is on the ground."""
    parts = [f"{side}.{part}" for part in _PARTS if t.has(f"{side}.{part}")]
    return np.min([t.height(part) - t.layout.standing.get(f"{part.replace('.', '_')}_height", 0.0) for part in parts], axis=0)


def _lift(t: Trajectory, side: str) -> Values:
    """Return how far a foot is off the ground, above the other one if that is, too: who jumps or sits with the legs up lifts no foot."""
    other = _off_ground(t, SIDES[1 - SIDES.index(side)])
    return np.asarray(_off_ground(t, side) - np.maximum(other, 0.0))


def _flight(t: Trajectory) -> Values:
    lift = np.min([_off_ground(t, side) for side in SIDES], axis=0)
    return np.where(_pelvis(t) < CROUCHED, np.minimum(lift, 0.0), lift)


def _pitch(t: Trajectory) -> Values:
    heading, up = t.heading(), t.axis("trunk", 2)
    return np.arctan2(np.cos(heading) * up[:, 0] + np.sin(heading) * up[:, 1], up[:, 2])


def _body(t: Trajectory) -> Values:
    highest = np.max([t.height(name) for name in ("head", "trunk", "pelvis") if t.has(name)], axis=0)
    return np.asarray(highest / falls.stature(t.layout))


_KNEES = tuple(f"{side}.knee" for side in SIDES)
# name -> (landmarks that it needs beside those that every body has, the numbers over time [T]).
SIGNALS: dict[str, tuple[tuple[str, ...], Signal]] = {
    "squat_height": ((), _squat),
    "knee_over_ground": (_KNEES, _kneeling),
    "seat_height": ((), _seat),
    "standing_height": ((), _stand),
    "body_height": ((), _body),
    **{f"{side}_knee_height": ((f"{side}.knee",), functools.partial(_knee, side=side)) for side in SIDES},
    "knee_height": (_KNEES, lambda t: np.max([_knee(t, side) for side in SIDES], axis=0)),
    **{f"{side}_foot_lift": ((), functools.partial(_lift, side=side)) for side in SIDES},
    "feet_lift": ((), _flight),
    "trunk_pitch": ((), _pitch),
    "speed": ((), lambda t: t.velocity("pelvis")[:, 0]),
}
