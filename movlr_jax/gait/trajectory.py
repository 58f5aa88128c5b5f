"""Trajectory: the instants of one executed episode by name, in the task's frame; what metrics and facts are read from.

In: float32[T, f] and the FeatureLayout that packed it. Out: arrays over time, float64. The simulator is never asked.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

from movlr_jax.rewards.layout import GAIT_FIELDS, SIDES, FeatureLayout
from movlr_jax.rewards.rotation import angle_between, quat_axis


def height(layout: FeatureLayout, instants: Float[Any, "*batch f"], landmark: str) -> Float[Any, "*batch"]:
    """Return the height of a landmark above the ground under it in instants, of numpy or jax.numpy (m)."""
    offsets = layout.landmarks[landmark]
    return instants[..., layout.column("sensor", offsets["position"] + 2)] - instants[..., layout.column("ground", offsets["ground"])]


def number(value: Any) -> float:
    """Return a number as facts tell it: rounded to 5 decimals, 0 for what is not finite."""
    value = float(value)
    return round(value, 5) if np.isfinite(value) else 0.0


def thirds(time: Float[np.ndarray, " time"]) -> list[tuple[str, np.ndarray]]:
    """Return (name, indices) of the thirds of an episode's instants that hold any."""
    return [pair for pair in zip(("start", "middle", "end"), np.array_split(np.arange(len(time)), 3), strict=True) if pair[1].size]


class Trajectory:
    """Named, vectorised views of an episode's instants.

    Args:
        instants: float[T, f].
        layout: where quantities stand.
    """

    def __init__(self, instants: np.ndarray, layout: FeatureLayout):
        self.instants = np.asarray(instants, np.float64)
        self.layout = layout
        self.time = self.block("time")[:, 0]  # s [T]
        steps = np.diff(self.time)
        steps = steps[steps > 0]
        self.dt = float(np.median(steps)) if steps.size else 0.02  # s between the recorded instants

    def block(self, name: str) -> Float[np.ndarray, "time width"]:
        """Return a block of every instant."""
        return self.instants[:, self.layout.columns(name)]

    def muscles(self, name: str) -> Float[np.ndarray, "time m"]:
        """Return a block of actuators for the muscles alone."""
        return self.block(name)[:, : len(self.layout.muscles)]

    def _sensor(self, offset: int, count: int) -> np.ndarray:
        start = self.layout.column("sensor", offset)
        return self.instants[:, start : start + count]

    def turn(self, vectors: Float[np.ndarray, "time 3"]) -> Float[np.ndarray, "time 3"]:
        """Rotate world vectors into the task's frame."""
        frame = self.block("frame")
        c, s = frame[:, 2], frame[:, 3]
        x, y = vectors[:, 0], vectors[:, 1]
        return np.stack([c * x + s * y, c * y - s * x, vectors[:, 2]], axis=1)

    def place(self, points: Float[np.ndarray, "time 3"]) -> Float[np.ndarray, "time 3"]:
        """Move world points into the task's frame (m)."""
        frame = self.block("frame")
        return self.turn(points - np.stack([frame[:, 0], frame[:, 1], np.zeros(len(frame))], axis=1))

    def has(self, landmark: str) -> bool:
        """Tell whether the body has a landmark."""
        return landmark in self.layout.landmarks

    def position(self, landmark: str) -> Float[np.ndarray, "time 3"]:
        """Position in the task's frame (m)."""
        return self.place(self._sensor(self.layout.landmarks[landmark]["position"], 3))

    def velocity(self, landmark: str) -> Float[np.ndarray, "time 3"]:
        """Velocity in the task's frame (m/s)."""
        return self.turn(self._sensor(self.layout.landmarks[landmark]["velocity"], 3))

    def height(self, landmark: str) -> Float[np.ndarray, " time"]:
        """Height above the ground under the landmark (m)."""
        return np.asarray(height(self.layout, self.instants, landmark))

    def axis(self, landmark: str, axis: int) -> Float[np.ndarray, "time 3"]:
        """Unit vector of a landmark in the task's frame: axis 0 forward, 1 left, 2 up."""
        w, x, y, z = self._sensor(self.layout.landmarks[landmark]["quat"], 4).T
        return self.turn(np.stack(quat_axis(w, x, y, z, axis), axis=1))

    def _target(self, first: str, count: int) -> np.ndarray:
        start = self.layout.column("goal", self.layout.goal[first])
        return self.instants[:, start : start + count]

    def target(self) -> Float[np.ndarray, " 7"]:
        """Where the episode wants the object: position (m) and quaternion, world axes."""
        return np.concatenate([self._target("object_x", 3)[0], self._target("object_qw", 4)[0]])

    def object_position_error(self) -> Float[np.ndarray, " time"]:
        """Distance from the object to where it is wanted (m)."""
        return np.linalg.norm(self.position("object") - self.place(self._target("object_x", 3)), axis=1)

    def object_orientation_error(self) -> Float[np.ndarray, " time"]:
        """Angle between the object's orientation and the one wanted (rad)."""
        now = self._sensor(self.layout.landmarks["object"]["quat"], 4)
        return np.asarray(angle_between(now, self._target("object_qw", 4), np))

    def com(self) -> tuple[Float[np.ndarray, "time 3"], Float[np.ndarray, "time 3"]]:
        """Centre of mass: position (m) and velocity (m/s) in the task's frame."""
        return (
            self.place(self._sensor(self.layout.com["position"], 3)),
            self.turn(self._sensor(self.layout.com["velocity"], 3)),
        )

    def heading(self) -> Float[np.ndarray, " time"]:
        """Heading of the pelvis relative to forward, positive to the left (rad)."""
        forward = self.axis("pelvis", 0)
        return np.arctan2(forward[:, 1], forward[:, 0])

    def first_facing(self) -> int:
        """Return the first instant at which the pelvis faces forward, within 0.5 rad: 0 unless the task begins with a turn."""
        facing = np.flatnonzero(np.abs(self.heading()) < 0.5)
        return int(facing[0]) if facing.size else 0

    def standing(self, quantity: str) -> float:
        """Return a height of the standing pose (m), never 0."""
        return max(self.layout.standing.get(quantity, 1.0), 1e-3)

    def gait(self, side: str, field: str) -> Float[np.ndarray, " time"]:
        """Return one field of a foot's gait memory."""
        return self.block("gait")[:, SIDES.index(side) * len(GAIT_FIELDS) + GAIT_FIELDS.index(field)]

    def joint(self, name: str) -> Float[np.ndarray, " time"]:
        """Angle of a scalar joint (rad)."""
        return self.instants[:, self.layout.column("qpos", self.layout.joints[name][0])]

    def function(self, name: str) -> Float[np.ndarray, " time"] | None:
        """Angle of a leg's function such as "left.knee_flexion" (rad); None for a body that lacks it."""
        joint, sign = self.layout.anatomy.get(name, ("", 1.0))
        return sign * self.joint(joint) if joint else None

    def planned(self) -> Float[np.ndarray, "time d"]:
        """Angles of the planned joints (rad, m of slides)."""
        return np.stack([self.joint(name) for name in self.layout.planned_joints], axis=1)

    def joint_velocity(self) -> Float[np.ndarray, "time d"]:
        """Velocities of the planned joints (rad/s)."""
        names = self.layout.planned_joints or tuple(self.layout.joints)
        return self.instants[:, [self.layout.column("qvel", self.layout.joints[n][1]) for n in names]]
