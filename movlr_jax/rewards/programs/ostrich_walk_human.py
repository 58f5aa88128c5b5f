"""walk_human with the weights that are published for the ostrich.

Its joints rest in the stance: an ostrich stands on bent legs, with angles far from 0.
"""

WEIGHTS = {
    "height": 100.0,
    "upright": 100.0,
    "balance": 100.0,
    "feet_apart": 50.0,
    "forward_speed": 10.0,
    "lateral_speed": 10.0,
    "heading": 100.0,
    "posture": 1.0,
}


def terms(m):
    feet = 0.5 * (m.left.foot.position + m.right.foot.position)
    head_height = m.head.position[2] - feet[2]
    tilt = 2.0 - m.pelvis.up[2] - m.head.up[2] + 0.1 * (2.0 - m.left.foot.up[2] - m.right.foot.up[2])
    across = m.left.hip.position - m.right.hip.position
    across = across / norm(across)
    gaps = [
        jnp.dot(m.left.foot.position - m.right.foot.position, across),
        jnp.dot(m.left.toe.position - m.right.toe.position, across),
        jnp.dot(m.left.knee.position - m.right.knee.position, across),
    ]
    crossing = sum([jnp.minimum(0.0, gap - 0.15) for gap in gaps])
    return {
        "height": -smooth_abs(jnp.minimum(0.0, head_height - 0.98 * m.standing.head_height)),
        "upright": -smooth_abs(tilt),
        "balance": -smooth_abs(norm(m.com.position[:2] - feet[:2])),
        "feet_apart": -smooth_abs(crossing),
        "forward_speed": -smooth_abs(jnp.minimum(0.0, m.com.velocity_forward - m.goal.speed)),
        "lateral_speed": -smooth_abs(m.com.velocity_left),
        "heading": -smooth_abs(1.0 - m.pelvis.forward[0]),
        "posture": -0.5 * jnp.sum(jnp.square(m.joints.deviation)),
    }
