"""The extrapolated centre of mass over the whole of a motion, and its margin inside the feet that stand.

xi = x + v sqrt(l / g) (Hof, Gazendam, Sinke 2005, J Biomech 38:1): where a body that balances as an inverted pendulum would come to rest;
x and v are the centre of mass's place and velocity over the ground, l its height above the feet, g gravity. The margin is its distance to
the edge of the area that the feet on the ground span, positive inside: below 0 the body falls unless it steps. A foot spans the line over
its heel, middle and toe landmarks, half a sole wide to each side. At touchdowns, `movlr_jax.gait.stability` measures the same by the
outlines of the model's soles.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from movlr_jax.gait.trajectory import Trajectory
from movlr_jax.rewards.layout import SIDES
from movlr_jax.units import GRAVITY

HALF_SOLE = 0.04  # m, from the line over a foot's landmarks to the sole's edge
_LEAST = 0.1  # m, height of a centre of mass that counts as a pendulum's length
_DIRECTIONS = 72  # in which the edge is looked for: every 5 degrees
_PARTS = ("heel", "foot", "toe")

Line = Float[np.ndarray, " time"]


def over_time(t: Trajectory) -> tuple[Line, Line, Line]:
    """Return how far the extrapolated centre of mass is ahead of the feet, to their left and inside their edge (m), of a body with feet.

    Ahead and left are the pelvis's own, from the middle between the feet. While no foot is on the ground, both count as if they were.
    """
    position, velocity = t.com()
    feet = 0.5 * (t.position("left.foot") + t.position("right.foot"))
    length = np.maximum(position[:, 2] - feet[:, 2], _LEAST)
    xi = position[:, :2] + velocity[:, :2] * np.sqrt(length / GRAVITY)[:, None]
    c, s = np.cos(t.heading()), np.sin(t.heading())
    away = xi - feet[:, :2]
    return c * away[:, 0] + s * away[:, 1], c * away[:, 1] - s * away[:, 0], _inside(t, xi)


def _inside(t: Trajectory, xi: Float[np.ndarray, "time 2"]) -> Line:
    """Return the distance of points to the edge of what the feet span (m), positive inside: the least over all directions of how much
    farther the feet reach than the point."""
    stands = {side: t.gait(side, "in_contact") > 0.5 for side in SIDES}
    flies = ~(stands["left"] | stands["right"])
    points, counted = [], []
    for side in SIDES:
        for name in (f"{side}.{part}" for part in _PARTS):
            if t.has(name):
                points.append(t.position(name)[:, :2])
                counted.append(stands[side] | flies)
    angle = np.arange(_DIRECTIONS) * (2.0 * np.pi / _DIRECTIONS)
    way = np.stack([np.cos(angle), np.sin(angle)])
    reach = np.where(np.stack(counted)[..., None], np.stack(points) @ way, -np.inf).max(axis=0)
    return np.asarray((reach - xi @ way).min(axis=1) + HALF_SOLE)
