"""stand: stay standing, upright and still."""

from movlr_jax.tasks.task import Task

_START = """\
WEIGHTS = {
    "head_height": 100.0,
}


def terms(m):
    return {
        "head_height": -smooth_abs(m.head.height - m.standing.head_height),
    }
"""

# The reference controller's standing cost (MPC2's released stand task): head height 100, capture point over the feet 50, feet crossing 50,
# centre-of-mass velocity 10 and joint velocity 0.01 (quadratic), excitation 0.1 (quadratic).
_HUMAN = """\
WEIGHTS = {
    "height": 100.0,
    "upright": 100.0,
    "capture_point": 50.0,
    "feet_apart": 50.0,
    "still": 10.0,
    "joint_velocity": 0.01,
    "excitation": 0.1,
}


def terms(m):
    feet = 0.5 * (m.left.foot.position + m.right.foot.position)
    capture = m.com.position[:2] + 0.2 * m.com.velocity[:2]
    across = m.left.hip.position - m.right.hip.position
    gap = jnp.dot(m.left.foot.position - m.right.foot.position, across / norm(across))
    return {
        "height": -smooth_abs(m.head.height - m.standing.head_height),
        "upright": -smooth_abs(2.0 - m.pelvis.up[2] - m.trunk.up[2]),
        "capture_point": -smooth_abs(norm(capture - feet[:2])),
        "feet_apart": -smooth_abs(jnp.minimum(0.0, gap - 0.1)),
        "still": -0.5 * jnp.sum(jnp.square(m.com.velocity[:2])),
        "joint_velocity": -0.5 * jnp.sum(jnp.square(m.joints.velocity)),
        "excitation": -0.5 * jnp.sum(jnp.square(m.muscles.excitation)),
    }
"""

TASK = Task(
    name="stand",
    sentence="Stand still and upright.",
    goal_speed=0.0,
    seconds=10.0,
    walks=False,
    metric="seconds",
    rewards={"start": _START, "human": _HUMAN},
    notes={
        "start": "head height alone",
        "human": "the reference controller's standing terms and weights, and an upright trunk",
    },
)
