"""cube_rotate: hold a cube in the hand and turn it into the orientation asked for (MoVLR, arXiv 2512.23077)."""

from __future__ import annotations

import numpy as np

from movlr_jax.morphologies import Scene
from movlr_jax.morphologies.objects import Cube, Table
from movlr_jax.tasks.object_task import START, ObjectTask, turned

_TURN = (0.5, 1.0)  # rad, about an axis of any direction: what wrist and fingers can do without letting go

# The cube keeps its place in the palm (in the hand's axes, which at the start are the world's), so that arm and wrist turn it first; it may
# turn within the fingers, but not tumble.
_HUMAN = """\
WEIGHTS = {
    "position": 100.0,
    "orientation": 40.0,
    "nest": 100.0,
    "fingers": 20.0,
    "spin": 4.0,
    "haste": 20.0,
}

IN_HAND = (0.03, 0.018, 0.028)


def terms(m):
    hand = m.right
    palm = hand.hand
    tips = [hand.thumb, hand.index, hand.middle, hand.ring, hand.little]
    far = sum([above(norm(tip.position - m.object.position), 0.05) for tip in tips])
    away = m.object.position - palm.position
    slid = jnp.stack([jnp.dot(away, palm.forward), jnp.dot(away, palm.left), jnp.dot(away, palm.up)]) - jnp.array(IN_HAND)
    return {
        "position": -smooth_abs(m.goal.object_position_error, 0.03),
        "orientation": -smooth_abs(m.goal.object_orientation_error),
        "nest": -smooth_abs(norm(slid), 0.02),
        "fingers": -far,
        "spin": -above(norm(m.object.angular_velocity - palm.angular_velocity), 0.5),
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
    rewards={"start": START, "human": _HUMAN},
    notes={
        "start": "the cube's position alone",
        "human": "position, orientation, the cube held in the palm without tumbling",
    },
    scene=Scene(thing=Cube(), table=Table()),
    morphologies=("ms-human-700-manipulation",),
    metric="final_orientation_error_rad",
    goal=_goal,
)
