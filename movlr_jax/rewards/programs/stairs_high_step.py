"""walk_straight on stairs: what walks on flat ground trips over the first riser.

A demand on the swinging foot alone would punish lifting it at all; that one foot be up at any time does not.
"""

WEIGHTS = {
    "height": 100.0,
    "balance": 100.0,
    "feet_apart": 50.0,
    "forward_speed": 20.0,
    "lateral_speed": 10.0,
    "heading": 100.0,
    "lateral_margin": 100.0,
    "yaw": 15.0,
    "lateral_position": 5.0,
    "clearance": 100.0,
}


def terms(m):
    feet = 0.5 * (m.left.foot.position + m.right.foot.position)
    head_height = m.head.position[2] - feet[2]
    across = m.left.hip.position - m.right.hip.position
    across = across / norm(across)
    gaps = [
        jnp.dot(m.left.foot.position - m.right.foot.position, across),
        jnp.dot(m.left.toe.position - m.right.toe.position, across),
        jnp.dot(m.left.knee.position - m.right.knee.position, across),
    ]
    crossing = sum([jnp.minimum(0.0, gap - 0.15) for gap in gaps])
    sideways = m.com.position[1] + 0.25 * m.com.velocity_left
    return {
        "height": -smooth_abs(jnp.minimum(0.0, head_height - 0.98 * m.standing.head_height)),
        "balance": -smooth_abs(norm(m.com.position[:2] - feet[:2])),
        "feet_apart": -smooth_abs(crossing),
        "forward_speed": -smooth_abs(jnp.minimum(0.0, m.com.velocity_forward - m.goal.speed)),
        "lateral_speed": -smooth_abs(m.com.velocity_left),
        "heading": -smooth_abs(1.0 - m.pelvis.forward[0]),
        "lateral_margin": -smooth_abs(outside(sideways, m.right.foot.position[1], m.left.foot.position[1])),
        "yaw": -smooth_abs(m.pelvis.yaw),
        "lateral_position": -smooth_abs(m.com.position[1]),
        "clearance": -smooth_abs(below(jnp.maximum(m.left.toe.height, m.right.toe.height), 0.15)),
    }
