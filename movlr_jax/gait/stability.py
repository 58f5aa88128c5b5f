"""Margins of stability: how far the extrapolated centre of mass is from the edges of the foot that lands, at each contact.

xi = x + v sqrt(l / g) (Hof, Gazendam, Sinke 2005, J Biomech 38:1): x and v are the centre of mass's place and velocity over the ground, l
is its distance from the ankle of the landing foot at that instant, g is gravity. Backward: xi minus the rear edge of the foot, along the
way of the stride. Forward: the front edge minus xi. Lateral: the outer edge minus xi, away from the other foot. Edges are those of the
model's sole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from movlr_jax.gait.foot_outline import outline
from movlr_jax.gait.space_time import ways
from movlr_jax.gait.spread import Sided
from movlr_jax.gait.strides import Stride
from movlr_jax.gait.trajectory import Trajectory
from movlr_jax.morphologies import Morphology
from movlr_jax.rewards.layout import SIDES


@dataclass(frozen=True)
class Stability:
    """Margins of stability at the touchdowns that end steady strides (m).

    Attributes:
        backward: how far xi is ahead of the rear edge of the landing foot; below 0 the body falls back unless it steps.
        forward: how far xi is behind its front edge; a walking body is often beyond it, and steps.
        lateral: how far xi is inside its outer edge; below 0 the body falls to that side unless it crosses its feet.
    """

    backward: Sided
    forward: Sided
    lateral: Sided

    def figures(self) -> dict[str, float | None]:
        """Return metric -> number: means over contacts, and the spread of the lateral margin."""
        return {
            "margin_backward_m": self.backward.mean,
            "margin_forward_m": self.forward.mean,
            "margin_lateral_m": self.lateral.mean,
            "margin_lateral_m_sd": self.lateral.sd,
        }


def measure(body: Morphology, trajectory: Trajectory, steady: Sequence[Stride]) -> Stability | None:
    """Return the margins at each contact; None without steady strides."""
    if not steady:
        return None
    gravity = float(np.linalg.norm(body.model.opt.gravity))
    place, velocity = trajectory.com()
    found: dict[str, dict[str, list[float]]] = {side: {"backward": [], "forward": [], "lateral": []} for side in SIDES}
    for side in SIDES:
        foot = outline(body, side)
        ankle = foot.over_time(trajectory, foot.ankle)
        rear = foot.over_time(trajectory, (foot.rear, 0.0, foot.sole))
        front = foot.over_time(trajectory, (foot.front, 0.0, foot.sole))
        outer = foot.over_time(trajectory, (0.0, foot.outer, foot.sole))
        for stride in steady:
            row = stride.next_touchdown_row
            if stride.side != side or row >= len(place):
                continue
            ahead, left = ways(trajectory, stride)
            out = left if side == "left" else -left
            pendulum = float(np.linalg.norm(place[row] - ankle[row]))
            xi = place[row, :2] + velocity[row, :2] * np.sqrt(pendulum / gravity)
            found[side]["backward"].append(float((xi - rear[row, :2]) @ ahead))
            found[side]["forward"].append(float((front[row, :2] - xi) @ ahead))
            found[side]["lateral"].append(float((outer[row, :2] - xi) @ out))
    sided = {name: Sided.of(*(found[side][name] for side in SIDES)) for name in ("backward", "forward", "lateral")}
    return Stability(**sided)
