"""Axes of a rotated frame and angles between two, over any array namespace: the jail, the metrics and the facts use one formula."""

from __future__ import annotations

from typing import Any


def quat_axis(w: Any, x: Any, y: Any, z: Any, axis: int) -> tuple[Any, Any, Any]:
    """Return the components of a unit quaternion's rotated axis: 0 forward (x), 1 left (y), 2 up (z).

    Args:
        w: scalar part, of any shape.
        x: first component of the vector part, of the same shape.
        y: second component.
        z: third component.
        axis: which axis.
    """
    if axis == 0:
        return 1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)
    if axis == 1:
        return 2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)
    return 2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)


def angle_between(a: Any, b: Any, xp: Any) -> Any:
    """Return the geodesic angle [...] between two rotations (rad, 0 to pi): the smallest turn that brings one to the other.

    Args:
        a: unit quaternions [..., 4], w first.
        b: unit quaternions [..., 4].
        xp: numpy or jax.numpy.
    """
    aw, av, bw, bv = a[..., :1], a[..., 1:], b[..., :1], b[..., 1:]
    scalar = (aw * bw)[..., 0] + (av * bv).sum(-1)
    # The vector part of conj(a) b; the small number keeps the slope at equality finite.
    vector = aw * bv - bw * av - xp.cross(av, bv)
    return 2.0 * xp.arctan2(xp.sqrt((vector * vector).sum(-1) + 1e-12), xp.abs(scalar))
