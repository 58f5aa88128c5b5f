"""The walk, steered and faster.

The published cost barely sees a slow turn (1 - cos) and does not see where the body is, so it drifts sideways, and a drift ends in a fall
to that side; its posture term, the largest cost of a walk, holds back the very joints that walk. Here posture and uprightness go (height
and balance keep the body up), speed weighs 20, and yaw, lateral position and the margin of lateral stability (the extrapolated centre of
mass between the feet) are added.
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
    }
