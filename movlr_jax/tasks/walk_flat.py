"""walk_flat: walk straight ahead on flat ground, upright."""

from movlr_jax.rewards import packaged
from movlr_jax.tasks.task import Task

TASK = Task(
    name="walk_flat",
    sentence="Walk forward in a straight line with an upright posture.",
    goal_speed=0.8,
    seconds=10.0,
    walks=True,
    rewards=packaged.texts(start="walk_start", human="walk_human", straight="walk_straight", stride="walk_stride", natural="walk_natural"),
    notes={
        "start": "forward speed alone",
        "human": "the published human-designed terms and weights",
        "stride": "steered, and led by a clock, so that both legs take their turn",
        "natural": "led by a clock, along and in the style of a human walk's joint angles",
        "straight": "steered and faster: yaw, lateral position and lateral stability added, posture left free",
    },
)
