"""turn_left: walking steered by a heading that swings left within 4.5 s.

Forward of the task is to the left of where the body faces at the start. Speed, side speed and facing are measured against the swinging
heading, so that no instant asks for more turn than a step or two can make.
"""

WEIGHTS = {
    "height": 100.0,
    "balance": 100.0,
    "feet_apart": 50.0,
    "speed_ahead": 20.0,
    "side_speed": 30.0,
    "heading": 40.0,
    "lateral_margin": 100.0,
}


def terms(m):
    feet = 0.5 * (m.left.foot.position + m.right.foot.position)
    head_height = m.head.position[2] - feet[2]
    heading = -0.5 * pi * jnp.clip(1.0 - m.time / 4.5, 0.0, 1.0)
    ahead = jnp.array([jnp.cos(heading), jnp.sin(heading)])
    side = jnp.array([-jnp.sin(heading), jnp.cos(heading)])
    across = m.left.hip.position - m.right.hip.position
    across = across / norm(across)
    gaps = [
        jnp.dot(m.left.foot.position - m.right.foot.position, across),
        jnp.dot(m.left.toe.position - m.right.toe.position, across),
        jnp.dot(m.left.knee.position - m.right.knee.position, across),
    ]
    crossing = sum([jnp.minimum(0.0, gap - 0.15) for gap in gaps])
    velocity = m.com.velocity[:2]
    sideways = jnp.dot(m.com.position[:2] + 0.25 * velocity, side)
    right = jnp.dot(m.right.foot.position[:2], side)
    left = jnp.dot(m.left.foot.position[:2], side)
    facing = m.pelvis.yaw - heading
    return {
        "height": -smooth_abs(jnp.minimum(0.0, head_height - 0.98 * m.standing.head_height)),
        "balance": -smooth_abs(norm(m.com.position[:2] - feet[:2])),
        "feet_apart": -smooth_abs(crossing),
        "speed_ahead": -smooth_abs(jnp.minimum(0.0, jnp.dot(velocity, ahead) - m.goal.speed)),
        "side_speed": -smooth_abs(jnp.dot(velocity, side)),
        "heading": -smooth_abs(jnp.arctan2(jnp.sin(facing), jnp.cos(facing))),
        "lateral_margin": -smooth_abs(outside(sideways, right, left)),
    }
