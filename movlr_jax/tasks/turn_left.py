"""turn_left: turn 90 degrees to the left while walking, then walk on in that direction."""

import math

from movlr_jax.rewards import packaged
from movlr_jax.tasks.task import Task

TASK = Task(
    name="turn_left",
    sentence="Turn 90 degrees to the left while walking, then walk on in that direction with an upright posture.",
    goal_speed=0.5,
    seconds=10.0,
    walks=True,
    rewards=packaged.texts(start="walk_start", human="turn_left_human"),
    notes={"start": "speed in the new direction alone", "human": "walking steered by a heading that swings left within 4.5 s"},
    heading=math.pi / 2,  # forward of the task is to the left of where the body faces at the start
    metric="heading_error_rad",
)
