"""Places of a body as a reward program sees them: landmarks, feet with their memory of steps, sides, the centre of mass.

Every docstring of a public property is part of the vocabulary that a writer is shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax.numpy as jnp

from movlr_jax.rewards.layout import GAIT_FIELDS, SIDES
from movlr_jax.rewards.named import Named
from movlr_jax.rewards.rotation import quat_axis

if TYPE_CHECKING:
    from jax import Array

    from movlr_jax.rewards.motion import Motion


class Landmark(Named):
    """A named place on the body, with axes that were forward, left and up in the standing pose."""

    def __init__(self, motion: Motion, name: str):
        self._motion = motion
        self._name = name
        self._offsets = motion._layout.landmarks[name]
        self._written = f"m.{name}"

    def _rotation_column(self, axis: int) -> Array:
        w, x, y, z = (self._motion._sensor(self._offsets["quat"] + i, 1)[0] for i in range(4))
        return self._motion._turn(jnp.stack(quat_axis(w, x, y, z, axis)))

    @property
    def position(self) -> Array:
        """Position in the task's frame: forward, left, up [3] (m)."""
        return self._motion._place(self._motion._sensor(self._offsets["position"], 3))

    @property
    def height(self) -> Array:
        """Height above the ground under it (m)."""
        ground = self._motion._block("ground")[self._offsets["ground"]]
        return self._motion._sensor(self._offsets["position"] + 2, 1)[0] - ground

    @property
    def velocity(self) -> Array:
        """Linear velocity: forward, left, up [3] (m/s)."""
        return self._motion._turn(self._motion._sensor(self._offsets["velocity"], 3))

    @property
    def angular_velocity(self) -> Array:
        """Angular velocity about the forward, left and up axes [3] (rad/s)."""
        return self._motion._turn(self._motion._sensor(self._offsets["angular_velocity"], 3))

    @property
    def forward(self) -> Array:
        """Unit vector that pointed forward in the standing pose [3]; forward[0] is 1 when it faces the goal direction."""
        return self._rotation_column(0)

    @property
    def left(self) -> Array:
        """Unit vector that pointed left in the standing pose [3]."""
        return self._rotation_column(1)

    @property
    def up(self) -> Array:
        """Unit vector that pointed up in the standing pose [3]; up[2] is 1 when upright, 0 when lying."""
        return self._rotation_column(2)

    @property
    def pitch(self) -> Array:
        """Lean forward (positive) or backward (rad)."""
        up = self.up
        return jnp.arctan2(up[0], up[2])

    @property
    def roll(self) -> Array:
        """Lean to the right (positive) or to the left (rad)."""
        up = self.up
        return jnp.arctan2(-up[1], up[2])

    @property
    def yaw(self) -> Array:
        """Heading, positive to the left of the task's forward direction (rad)."""
        forward = self.forward
        return jnp.arctan2(forward[1], forward[0])


class Foot(Landmark):
    """A foot: a landmark with its contact and a memory of its last step. Only `left.foot` and `right.foot` are feet."""

    def _gait(self, field: str, count: int = 1) -> Array:
        start = SIDES.index(self._name.split(".")[0]) * len(GAIT_FIELDS) + GAIT_FIELDS.index(field)
        return self._motion._block("gait")[start : start + count]

    @property
    def in_contact(self) -> Array:
        """1 while the foot bears load, else 0."""
        return self._gait("in_contact")[0]

    @property
    def load(self) -> Array:
        """Contact force under the foot, in body weights."""
        return self._gait("load")[0]

    @property
    def time_since_touchdown(self) -> Array:
        """Time since this foot last touched down (s); 0 at the start of the episode."""
        return self._gait("time_since_touchdown")[0]

    @property
    def time_since_liftoff(self) -> Array:
        """Time since this foot last left the ground (s); 0 at the start of the episode."""
        return self._gait("time_since_liftoff")[0]

    @property
    def last_touchdown_position(self) -> Array:
        """Where this foot last touched down, in the task's frame [3] (m)."""
        return self._motion._place(self._gait("last_touchdown_x", 3))

    @property
    def ground_ahead(self) -> Array:
        """Highest ground up to 0.3 m ahead of the toes, above the ground under the foot (m): a step up."""
        return self._motion._block("ahead")[SIDES.index(self._name.split(".")[0])] - self._motion._block("ground")[self._offsets["ground"]]

    @property
    def step_length(self) -> Array:
        """Forward distance from the other foot to this one at its last touchdown (m); 0 before its first step."""
        return self._gait("step_length")[0]


class Side(Named):
    """The landmarks of one side of the body."""

    def __init__(self, motion: Motion, side: str):
        self._motion = motion
        self._side = side
        self._written = f"m.{side}"

    def __getattr__(self, name: str) -> Landmark:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._motion._landmark(f"{self._side}.{name}")


class CenterOfMass(Named):
    """The centre of mass of the whole body."""

    _written = "m.com"

    def __init__(self, motion: Motion):
        self._motion = motion

    @property
    def position(self) -> Array:
        """Position in the task's frame: forward, left, up [3] (m)."""
        return self._motion._place(self._motion._sensor(self._motion._layout.com["position"], 3))

    @property
    def height(self) -> Array:
        """Height above the ground under the pelvis (m)."""
        ground = self._motion._block("ground")[self._motion._layout.landmarks["pelvis"]["ground"]]
        return self._motion._sensor(self._motion._layout.com["position"] + 2, 1)[0] - ground

    @property
    def velocity(self) -> Array:
        """Velocity: forward, left, up [3] (m/s)."""
        return self._motion._turn(self._motion._sensor(self._motion._layout.com["velocity"], 3))

    @property
    def velocity_forward(self) -> Array:
        """Forward speed (m/s)."""
        return self.velocity[0]

    @property
    def velocity_left(self) -> Array:
        """Sideways speed, positive to the left (m/s)."""
        return self.velocity[1]
