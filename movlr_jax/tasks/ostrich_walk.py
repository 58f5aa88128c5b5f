"""ostrich_walk: an ostrich walks straight ahead on flat ground."""

from movlr_jax.rewards import packaged
from movlr_jax.tasks import walk_flat
from movlr_jax.tasks.task import Task

TASK = Task(
    name="ostrich_walk",
    sentence="Walk forward in a straight line with the head high.",
    goal_speed=1.0,
    seconds=10.0,
    walks=True,
    morphologies=("ostrich",),
    rewards=walk_flat.TASK.rewards | packaged.texts(human="ostrich_walk_human"),
    notes={
        **walk_flat.TASK.notes,
        "human": "the published terms with the weights published for the ostrich, the legs bent as they stand",
    },
)
