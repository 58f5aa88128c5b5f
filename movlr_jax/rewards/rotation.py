"""Axes of a rotated frame, over any array namespace: the jail, the metrics and the facts read landmarks' axes by one formula."""

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
