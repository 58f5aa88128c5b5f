"""walk_flat: walk straight ahead on flat ground, upright."""

from movlr_jax.tasks.stride import GAPS, stride
from movlr_jax.tasks.task import Task

START = """\
WEIGHTS = {
    "forward_speed": 10.0,
}


def terms(m):
    return {
        "forward_speed": -smooth_abs(jnp.minimum(0.0, m.com.velocity_forward - m.goal.speed)),
    }
"""

# What the rewards below are made of.
_FEET = """\
    feet = 0.5 * (m.left.foot.position + m.right.foot.position)
    head_height = m.head.position[2] - feet[2]
"""
_HEIGHT = """\
        "height": -smooth_abs(jnp.minimum(0.0, head_height - 0.98 * m.standing.head_height)),
"""
_WALK = """\
        "balance": -smooth_abs(norm(m.com.position[:2] - feet[:2])),
        "feet_apart": -smooth_abs(crossing),
        "forward_speed": -smooth_abs(jnp.minimum(0.0, m.com.velocity_forward - m.goal.speed)),
        "lateral_speed": -smooth_abs(m.com.velocity_left),
        "heading": -smooth_abs(1.0 - m.pelvis.forward[0]),
"""


def human(height: float = 200.0, upright: float = 200.0, posture: float = 2.5, rest: str = "m.joints.angle") -> str:
    """Return the reference system's human-designed walking cost (MoVLR, arXiv 2512.23077, released task files), smooth-abs of width 0.1.

    Args:
        height: weight of the head's height.
        upright: weight of an upright pelvis and head.
        posture: weight of the joints' distance from rest, squared.
        rest: that distance.
    """
    return f"""\
WEIGHTS = {{
    "height": {height},
    "upright": {upright},
    "balance": 100.0,
    "feet_apart": 50.0,
    "forward_speed": 10.0,
    "lateral_speed": 10.0,
    "heading": 100.0,
    "posture": {posture},
}}


def terms(m):
{_FEET}    tilt = 2.0 - m.pelvis.up[2] - m.head.up[2] + 0.1 * (2.0 - m.left.foot.up[2] - m.right.foot.up[2])
{GAPS}    return {{
{_HEIGHT}        "upright": -smooth_abs(tilt),
{_WALK}        "posture": -0.5 * jnp.sum(jnp.square({rest})),
    }}
"""


def straight(weights: str = "", terms: str = "") -> str:
    """Return the steered walk's reward; lines of weights and of terms may be added to it for other ground."""
    # The published cost barely sees a slow turn (1 - cos) and does not see where the body is, so it drifts sideways, and a drift ends
    # in a fall to that side; its posture term, the largest cost of a walk, holds back the very joints that walk. Here posture and
    # uprightness go (height and balance keep the body up), speed weighs 20, and yaw, lateral position and the margin of lateral
    # stability (the extrapolated centre of mass between the feet) are added.
    return f"""\
WEIGHTS = {{
    "height": 100.0,
    "balance": 100.0,
    "feet_apart": 50.0,
    "forward_speed": 20.0,
    "lateral_speed": 10.0,
    "heading": 100.0,
    "lateral_margin": 100.0,
    "yaw": 15.0,
    "lateral_position": 5.0,
{weights}}}


def terms(m):
{_FEET}{GAPS}    sideways = m.com.position[1] + 0.25 * m.com.velocity_left
    return {{
{_HEIGHT}{_WALK}        "lateral_margin": -smooth_abs(outside(sideways, m.right.foot.position[1], m.left.foot.position[1])),
        "yaw": -smooth_abs(m.pelvis.yaw),
        "lateral_position": -smooth_abs(m.com.position[1]),
{terms}    }}
"""


TASK = Task(
    name="walk_flat",
    sentence="Walk forward in a straight line with an upright posture.",
    goal_speed=0.8,
    seconds=10.0,
    walks=True,
    rewards={"start": START, "human": human(), "straight": straight(), "stride": stride()},
    notes={
        "start": "forward speed alone",
        "human": "the published human-designed terms and weights",
        "stride": "steered, and led by a clock, so that both legs take their turn",
        "straight": "steered and faster: yaw, lateral position and lateral stability added, posture left free",
    },
)
