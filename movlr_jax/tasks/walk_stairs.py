"""walk_stairs: walk up three steps of 0.1 m and down again."""

from movlr_jax.morphologies import Scene
from movlr_jax.morphologies.terrain import Stairs
from movlr_jax.tasks import walk_flat
from movlr_jax.tasks.task import Task

TASK = Task(
    name="walk_stairs",
    sentence="Walk forward up the stairs and down again with an upright posture.",
    goal_speed=0.6,
    seconds=10.0,
    walks=True,
    rewards=walk_flat.TASK.rewards,
    notes=walk_flat.TASK.notes,
    scene=Scene(Stairs()),
)
