"""free: anything a sentence asks for, from a standing start."""

from movlr_jax import goals
from movlr_jax.tasks import falls
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

# What poses are made of, each with a small weight: a tuner finds which of them the sentence wants.
_POSE = """\
WEIGHTS = {
    "upright": 100.0,
    "balance": 100.0,
    "posture": 1.0,
    "low": 5.0,
    "left_foot_up": 5.0,
    "right_foot_up": 5.0,
    "bow": 5.0,
}


def terms(m):
    feet = 0.5 * (m.left.foot.position + m.right.foot.position)
    return {
        "upright": -smooth_abs(1.0 - m.pelvis.up[2]),
        "balance": -smooth_abs(norm(m.com.position[:2] - feet[:2])),
        "posture": -0.5 * jnp.sum(jnp.square(m.joints.deviation)),
        "low": -above(m.pelvis.height, 0.5 * m.standing.pelvis_height),
        "left_foot_up": -below(m.left.foot.height, 0.3),
        "right_foot_up": -below(m.right.foot.height, 0.3),
        "bow": -below(m.trunk.pitch, 1.0),
    }
"""

TASK = Task(
    name="free",
    sentence="Stay upright.",
    goal_speed=0.0,
    seconds=4.0,
    walks=False,
    metric=goals.REACHED,
    fall=falls.UNASKED,
    spoken=True,
    rewards={"start": _START, "human": _START, "pose": _POSE},
    notes={
        "start": "an upright trunk over the feet",
        "human": "the same: nobody has designed a reward for a sentence not yet said",
        "pose": "what poses are made of, for the tuner to weigh: low, a foot up, bowed",
    },
)
