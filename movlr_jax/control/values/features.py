"""What a learnt terminal value sees of an instant: numbers of order one that depend on neither place, heading nor time.

All in the frame of the pelvis's heading, as lengths of the standing pelvis's height. Nothing of muscles, of the goal or of the frame:
whether a body falls lies in how it stands and moves. One of them is the danger by capturability, which holds what is known of falls before
anything is learnt: a network that has seen few of them starts from there. Which columns there are, and their names, follows from the layout
alone, so by these names a network is known to fit a body's instants or not.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

from movlr_jax.control.values.body_view import BodyView
from movlr_jax.control.values.capture import Capture
from movlr_jax.errors import MovlrError
from movlr_jax.physics.gait import GAIT_FIELDS
from movlr_jax.rewards.layout import FeatureLayout
from movlr_jax.sides import SIDES
from movlr_jax.units import GRAVITY

_SPEED = 0.1  # per rad/s, for joints
_LONGEST = 1.0  # s; a foot that has not moved for longer is one that stands
_FARTHEST = 3.0  # of any of them; what is beyond tells nothing more


class StanceFeatures:
    """The features of one body.

    Args:
        layout: of its instants.

    Attributes:
        names: of the columns.
        body: the body's name.

    Raises:
        MovlrError: the body has no feet.
    """

    def __init__(self, layout: FeatureLayout):
        missing = [*(["pelvis"] if "pelvis" not in layout.landmarks else []), *layout.missing_feet]
        if missing:
            raise MovlrError(f"Falls are learnt of bodies with feet, and {layout.morphology} lacks {missing[0]}.")
        self._layout, self.body = layout, layout.morphology
        self._height = layout.standing["pelvis_height"]
        self._joints = [layout.joints[name] for name in layout.planned_joints]
        ranges = np.array([layout.joint_ranges[name] for name in layout.planned_joints], np.float32).reshape(-1, 2)
        limited = ranges[:, 1] > ranges[:, 0]
        self._middle = np.where(limited, ranges.mean(1), 0.0).astype(np.float32)
        self._half = np.where(limited, 0.5 * (ranges[:, 1] - ranges[:, 0]), 1.0).astype(np.float32)
        self._trunk = "trunk" if "trunk" in layout.landmarks else "pelvis"
        self._capture = Capture(layout)
        self.names = tuple(self._columns(np.zeros((1, layout.size), np.float32)))

    def __call__(self, instants: Float[Any, "*batch f"]) -> Float[Any, "*batch n"]:
        """Return the features, over numpy or jax.numpy."""
        xp = instants.__array_namespace__()
        return xp.clip(xp.stack(list(self._columns(instants).values()), axis=-1), -_FARTHEST, _FARTHEST)

    def _columns(self, instants: Any) -> dict[str, Any]:
        view, out = BodyView(self._layout, instants), {}
        xp, unit = view.xp, self._height

        def vector(name: str, value: Any, scale: float) -> None:
            for axis, word in enumerate(("forward", "left", "up")[: value.shape[-1]]):
                out[f"{name}/{word}"] = scale * value[..., axis]

        com, speed, pelvis = view.com(), view.com_velocity(), view.place("pelvis")
        out["capture/danger"] = self._capture.danger(instants)
        vector("pelvis/place", pelvis[..., 2:], 1 / unit)
        for name in dict.fromkeys(("pelvis", self._trunk)):
            vector(f"{name}/up", view.axis(name, 2), 1.0)
            vector(f"{name}/turning", view.turning(name), _SPEED)
        vector("com/place", com - pelvis, 1 / unit)
        vector("com/velocity", speed, 1 / unit)
        extrapolated = com[..., :2] + speed[..., :2] * xp.sqrt(xp.maximum(com[..., 2:], 0.2 * unit) / GRAVITY)
        gait = view.block("gait").reshape(*instants.shape[:-1], len(SIDES), len(GAIT_FIELDS))
        for i, side in enumerate(SIDES):
            foot = f"{side}.foot"
            vector(f"{foot}/place", view.place(foot) - com, 1 / unit)
            vector(f"{foot}/velocity", view.velocity(foot), 0.5 / unit)
            vector(f"{foot}/forward", view.axis(foot, 0), 1.0)
            vector(f"{foot}/extrapolated_com", extrapolated - view.place(foot)[..., :2], 1 / unit)
            memory = {name: gait[..., i, k] for k, name in enumerate(GAIT_FIELDS)}
            out[f"{foot}/in_contact"] = memory["in_contact"]
            out[f"{foot}/load"] = memory["load"]
            for name in ("time_since_touchdown", "time_since_liftoff"):
                out[f"{foot}/{name}"] = xp.minimum(memory[name], _LONGEST)
            # The ground before the toes, as the planner knows it: a stair, a slope.
            under = view.block("ground")[..., self._layout.landmarks[foot]["ground"]]
            out[f"{foot}/ground_ahead"] = (view.block("ahead")[..., i] - under) / unit
        qpos, qvel = view.block("qpos"), view.block("qvel")
        for j, (name, (angle, rate)) in enumerate(zip(self._layout.planned_joints, self._joints, strict=True)):
            out[f"{name}/angle"] = (qpos[..., angle] - self._middle[j]) / self._half[j]
            out[f"{name}/velocity"] = _SPEED * qvel[..., rate]
        return out
