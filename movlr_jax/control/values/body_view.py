"""Instants as seen from the pelvis: places and velocities in the frame of its heading, whichever way on the ground the body goes.

In: instants [..., f] and the layout that names their columns. Out: vectors [..., 3], forward, left and up, over numpy or jax.numpy.
"""

from __future__ import annotations

from typing import Any

from movlr_jax.rewards.layout import FeatureLayout
from movlr_jax.rewards.rotation import quat_axis

_LEAST = 1e-6  # of a direction's horizontal part, below which it has no heading


class BodyView:
    """Named views of instants in the frame of the pelvis's heading, with its origin on the ground below the pelvis.

    Args:
        layout: of the instants.
        instants: float[..., f].
    """

    def __init__(self, layout: FeatureLayout, instants: Any):
        self._layout, self._instants, self.xp = layout, instants, instants.__array_namespace__()
        x, y, _ = self._axis("pelvis", 0)
        length = self.xp.sqrt(x * x + y * y)
        self._cosine = self.xp.where(length > _LEAST, x / self.xp.maximum(length, _LEAST), 1.0)
        self._sine = self.xp.where(length > _LEAST, y / self.xp.maximum(length, _LEAST), 0.0)
        pelvis = layout.landmarks["pelvis"]
        ground = self.block("ground")[..., pelvis["ground"], None]
        self._origin = self.xp.concatenate([self._sensor(pelvis["position"])[..., :2], ground], axis=-1)

    def block(self, name: str) -> Any:
        """Return a block of columns."""
        return self._instants[..., self._layout.columns(name)]

    def place(self, landmark: str) -> Any:
        """Return where a landmark is (m); its height is above the ground under the pelvis."""
        return self.turned(self._sensor(self._layout.landmarks[landmark]["position"]) - self._origin)

    def velocity(self, landmark: str) -> Any:
        """Return a landmark's velocity over the ground (m/s)."""
        return self.turned(self._sensor(self._layout.landmarks[landmark]["velocity"]))

    def turning(self, landmark: str) -> Any:
        """Return a landmark's angular velocity (rad/s)."""
        return self.turned(self._sensor(self._layout.landmarks[landmark]["angular_velocity"]))

    def axis(self, landmark: str, axis: int) -> Any:
        """Return a landmark's axis: 0 forward, 1 left, 2 up."""
        return self.turned(self.xp.stack(self._axis(landmark, axis), axis=-1))

    def com(self) -> Any:
        """Return where the centre of mass is (m)."""
        return self.turned(self._sensor(self._layout.com["position"]) - self._origin)

    def com_velocity(self) -> Any:
        """Return the velocity of the centre of mass (m/s)."""
        return self.turned(self._sensor(self._layout.com["velocity"]))

    def turned(self, v: Any) -> Any:
        """Return vectors of the world [..., 3] in the frame of the heading."""
        c, s = self._cosine, self._sine
        return self.xp.stack([c * v[..., 0] + s * v[..., 1], c * v[..., 1] - s * v[..., 0], v[..., 2]], axis=-1)

    def _sensor(self, offset: int, count: int = 3) -> Any:
        start = self._layout.column("sensor", offset)
        return self._instants[..., start : start + count]

    def _axis(self, landmark: str, axis: int) -> tuple[Any, Any, Any]:
        quat = self._sensor(self._layout.landmarks[landmark]["quat"], 4)
        return quat_axis(quat[..., 0], quat[..., 1], quat[..., 2], quat[..., 3], axis)
