"""stand: stay standing, upright and still."""

from movlr_jax.rewards import packaged
from movlr_jax.tasks.task import Task

TASK = Task(
    name="stand",
    sentence="Stand still and upright.",
    goal_speed=0.0,
    seconds=10.0,
    walks=False,
    metric="seconds",
    rewards=packaged.texts(start="stand_start", human="stand_human"),
    notes={
        "start": "head height alone",
        "human": "the reference controller's standing terms and weights, and an upright trunk",
    },
)
