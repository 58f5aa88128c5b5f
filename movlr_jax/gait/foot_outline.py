"""The outline of a foot: how far its sole reaches from the foot's landmark and where its ankle is, from the model in the standing pose."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np
from jaxtyping import Float

from movlr_jax.gait.trajectory import Trajectory
from movlr_jax.morphologies import Morphology
from movlr_jax.rewards.features import feature_layout

_LOW = 0.15  # shares of the pelvis's height above the foot in which an ankle is one: a bird's lies half way up its leg


@dataclass(frozen=True)
class FootOutline:
    """Places of a foot from its landmark along the landmark's axes, which are forward, left and up in the standing pose (m).

    Attributes:
        side: "left" or "right".
        rear, front: forward coordinates of the sole's edges.
        outer: left coordinate of its edge away from the other foot.
        sole: up coordinate of its lowest point.
        ankle: the joint that flexes the foot; the landmark itself where that is no joint of the foot.
    """

    side: str
    rear: float
    front: float
    outer: float
    sole: float
    ankle: tuple[float, float, float]

    def over_time(self, trajectory: Trajectory, offset: tuple[float, float, float]) -> Float[np.ndarray, "time 3"]:
        """Return where a place of the foot is, in the task's frame (m)."""
        landmark = f"{self.side}.foot"
        axes = np.stack([trajectory.axis(landmark, axis) for axis in range(3)])
        return trajectory.position(landmark) + np.einsum("a,atx->tx", np.array(offset), axes)


def outline(body: Morphology, side: str) -> FootOutline:
    """Return the outline of a foot, from the boxes around its solid geoms."""
    model, data = body.model, mujoco.MjData(body.model)
    data.qpos[:] = body.standing_qpos
    mujoco.mj_kinematics(model, data)
    at = data.site(f"landmark/{side}.foot").xpos
    parts = {model.body(name).id for name in body.plan.feet[side]}
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    for g in range(model.ngeom):
        if model.geom_bodyid[g] in parts and (model.geom_contype[g] or model.geom_conaffinity[g]):
            center, half = model.geom_aabb[g, :3], model.geom_aabb[g, 3:]
            corners = center + half * np.array(np.meshgrid((-1, 1), (-1, 1), (-1, 1))).reshape(3, -1).T
            world = data.geom_xpos[g] + corners @ data.geom_xmat[g].reshape(3, 3).T - at
            low, high = np.minimum(low, world.min(0)), np.maximum(high, world.max(0))
    if not np.isfinite(low).all():
        low = high = np.zeros(3)
    ankle = np.zeros(3)
    joint = feature_layout(body).anatomy.get(f"{side}.ankle_flexion")
    if joint is not None:
        above = data.xanchor[model.joint(joint[0]).id] - at
        if np.linalg.norm(above) < _LOW * body.standing_heights["pelvis"]:
            ankle = above
    x, y, z = (float(v) for v in ankle)
    return FootOutline(side, float(low[0]), float(high[0]), float(high[1] if side == "left" else low[1]), float(low[2]), (x, y, z))
