"""walk_stairs: walk up three steps of 0.1 m and down again."""

from movlr_jax.morphologies import Scene
from movlr_jax.morphologies.terrain import Stairs
from movlr_jax.rewards import packaged
from movlr_jax.tasks import walk_flat
from movlr_jax.tasks.task import Task

TASK = Task(
    name="walk_stairs",
    sentence="Walk forward up the stairs and down again with an upright posture.",
    goal_speed=0.7,
    seconds=10.0,
    walks=True,
    rewards=walk_flat.TASK.rewards | packaged.texts(high_step="stairs_high_step", climb="stairs_climb"),
    notes={
        **walk_flat.TASK.notes,
        "high_step": "straight, and the toes of one foot 0.15 m up at any time",
        "climb": "stride, with a foot lifted higher where the ground rises ahead of it, and the weight on the other",
    },
    scene=Scene(Stairs()),
)
