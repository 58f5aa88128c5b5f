"""walk_injured: walk straight ahead without the right hamstrings and calf (MoVLR, arXiv 2512.23077)."""

from movlr_jax.morphologies import Scene
from movlr_jax.tasks import walk_flat
from movlr_jax.tasks.task import Task

# Biceps femoris (both heads), gastrocnemius (both heads), semimembranosus and semitendinosus of the right leg, as in the reference.
_INJURED = ("bf?h_r", "gas*_r", "semimem_r", "semiten_r")

TASK = Task(
    name="walk_injured",
    sentence="Walk forward in a straight line with an upright posture although muscles of the right leg are injured.",
    goal_speed=0.8,
    seconds=10.0,
    walks=True,
    rewards=walk_flat.TASK.rewards,
    notes=walk_flat.TASK.notes,
    scene=Scene(injuries=tuple((pattern, 0.0) for pattern in _INJURED)),
)
