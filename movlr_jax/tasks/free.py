"""free: anything a sentence asks for, from a standing start."""

from movlr_jax import goals
from movlr_jax.rewards import packaged
from movlr_jax.tasks import falls
from movlr_jax.tasks.task import Task

TASK = Task(
    name="free",
    sentence="Stay upright.",
    goal_speed=0.0,
    seconds=4.0,
    walks=False,
    metric=goals.REACHED,
    fall=falls.UNASKED,
    spoken=True,
    rewards=packaged.texts(start="free_start", human="free_start", pose="free_pose"),
    notes={
        "start": "an upright trunk over the feet",
        "human": "the same: nobody has designed a reward for a sentence not yet said",
        "pose": "what poses are made of, for the tuner to weigh: low, a foot up, bowed",
    },
)
