"""walk_rough: walk straight ahead over a relief of 0.08 m, elsewhere on it with every seed."""

from movlr_jax.morphologies import Scene
from movlr_jax.morphologies.terrain import Rough
from movlr_jax.tasks import walk_flat
from movlr_jax.tasks.task import Task

TASK = Task(
    name="walk_rough",
    sentence="Walk forward in a straight line over rough ground with an upright posture.",
    goal_speed=0.8,
    seconds=10.0,
    walks=True,
    rewards=walk_flat.TASK.rewards,
    notes=walk_flat.TASK.notes,
    scene=Scene(Rough()),
)
