"""walk_slope: walk up a slope of one in ten."""

from movlr_jax.morphologies import Scene
from movlr_jax.morphologies.terrain import Slope
from movlr_jax.tasks import walk_flat
from movlr_jax.tasks.task import Task

TASK = Task(
    name="walk_slope",
    sentence="Walk forward up the slope with an upright posture.",
    goal_speed=0.8,
    seconds=10.0,
    walks=True,
    rewards=walk_flat.TASK.rewards,
    notes=walk_flat.TASK.notes,
    scene=Scene(Slope()),
)
