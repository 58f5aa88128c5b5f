"""cube_rotate: hold a cube in the hand and turn it into the orientation asked for (MoVLR, arXiv 2512.23077)."""

from __future__ import annotations

import numpy as np

from movlr_jax.morphologies import Scene
from movlr_jax.morphologies.objects import Cube, Table
from movlr_jax.tasks.object_task import ObjectTask, turned

_TURN = (0.5, 1.0)  # rad, about an axis of any direction: what wrist and fingers can do without letting go

_START = """\
WEIGHTS = {
    "position": 100.0,
}


def terms(m):
    return {
        "position": -smooth_abs(m.goal.object_position_error),
    }
"""

_HUMAN = """\
WEIGHTS = {
    "position": 100.0,
    "orientation": 30.0,
    "fingers": 20.0,
    "haste": 20.0,
}


def terms(m):
    hand = m.right
    tips = [hand.thumb, hand.index, hand.middle, hand.ring, hand.little]
    far = sum([above(norm(tip.position - m.object.position), 0.05) for tip in tips])
    return {
        "position": -smooth_abs(m.goal.object_position_error, 0.03),
        "orientation": -smooth_abs(m.goal.object_orientation_error),
        "fingers": -far,
        "haste": -above(norm(m.object.velocity), 0.2),
    }
"""


def _goal(rng: np.random.Generator) -> tuple[float, ...]:
    return (*Cube().position, *turned(rng.normal(size=3), rng.uniform(*_TURN)))


TASK = ObjectTask(
    name="cube_rotate",
    sentence="Hold the cube where it is and turn it into the orientation of the target.",
    goal_speed=0.0,
    seconds=5.0,
    walks=False,
    rewards={"start": _START, "human": _HUMAN},
    notes={
        "start": "the cube's position alone",
        "human": "position, orientation, fingertips at the cube",
    },
    scene=Scene(thing=Cube(), table=Table()),
    morphologies=("ms-human-700-manipulation",),
    metric="final_orientation_error_rad",
    goal=_goal,
)
