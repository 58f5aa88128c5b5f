"""free: anything a sentence asks for, from a standing start."""

from movlr_jax.tasks.task import Task

# Enough to stay up while the writer finds out what the sentence wants: the trunk upright over the feet. Height is left out on purpose,
# because many goals (squat, kneel) lower the body.
_START = """\
WEIGHTS = {
    "upright": 100.0,
    "balance": 100.0,
    "posture": 1.0,
}


def terms(m):
    feet = 0.5 * (m.left.foot.position + m.right.foot.position)
    return {
        "upright": -smooth_abs(2.0 - m.pelvis.up[2] - m.trunk.up[2]),
        "balance": -smooth_abs(norm(m.com.position[:2] - feet[:2])),
        "posture": -0.5 * jnp.sum(jnp.square(m.joints.deviation)),
    }
"""

TASK = Task(
    name="free",
    sentence="Stay upright.",
    goal_speed=0.0,
    seconds=4.0,
    walks=False,
    metric="seconds",
    rewards={"start": _START, "human": _START},
    notes={
        "start": "an upright trunk over the feet",
        "human": "the same: nobody has designed a reward for a sentence not yet said",
    },
)
