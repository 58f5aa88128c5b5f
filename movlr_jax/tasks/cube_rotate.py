"""cube_rotate: hold a cube in the hand and turn it into the orientation asked for (MoVLR, arXiv 2512.23077)."""

from __future__ import annotations

import numpy as np

from movlr_jax.morphologies import Scene
from movlr_jax.morphologies.objects import Cube, Table
from movlr_jax.rewards import packaged
from movlr_jax.tasks.object_task import ObjectTask, turned

_TURN = (0.5, 1.0)  # rad, about an axis of any direction: what wrist and fingers can do without letting go


def _goal(rng: np.random.Generator) -> tuple[float, ...]:
    return (*Cube().position, *turned(rng.normal(size=3), rng.uniform(*_TURN)))


TASK = ObjectTask(
    name="cube_rotate",
    sentence="Hold the cube where it is and turn it into the orientation of the target.",
    goal_speed=0.0,
    seconds=5.0,
    walks=False,
    rewards=packaged.texts(start="object_start", human="cube_rotate_human"),
    notes={
        "start": "the cube's position alone",
        "human": "position, orientation, the cube held in the palm without tumbling",
    },
    scene=Scene(thing=Cube(), table=Table()),
    morphologies=("ms-human-700-manipulation",),
    metric="final_orientation_error_rad",
    goal=_goal,
)
