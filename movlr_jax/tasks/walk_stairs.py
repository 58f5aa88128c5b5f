"""walk_stairs: walk up three steps of 0.1 m and down again."""

from movlr_jax.morphologies import Scene
from movlr_jax.morphologies.terrain import Stairs
from movlr_jax.tasks import walk_flat
from movlr_jax.tasks.stride import stride
from movlr_jax.tasks.task import Task

# What walks on flat ground trips over the first riser. A demand on the swinging foot alone would punish lifting it at all; that one foot be
# up at any time does not.
_HIGH_STEP = walk_flat.straight(
    '    "clearance": 100.0,\n',
    '        "clearance": -smooth_abs(below(jnp.maximum(m.left.toe.height, m.right.toe.height), 0.15)),\n',
)

TASK = Task(
    name="walk_stairs",
    sentence="Walk forward up the stairs and down again with an upright posture.",
    goal_speed=0.7,
    seconds=10.0,
    walks=True,
    rewards={**walk_flat.TASK.rewards, "high_step": _HIGH_STEP, "climb": stride(1.2, 0.42, 0.08, climb=1.3)},
    notes={
        **walk_flat.TASK.notes,
        "high_step": "straight, and the toes of one foot 0.15 m up at any time",
        "climb": "stride, with a foot lifted higher where the ground rises ahead of it, and the weight on the other",
    },
    scene=Scene(Stairs()),
)
