"""walk_stride on stairs.

Where the ground rises ahead of a swinging foot, it is lifted by 1.3 times the rise more. The body's height is measured from the bearing
foot instead of from both, joints may be bent as far as a step takes, and the whole speed is asked for from the start. Up a step a body
goes slowly, and at a slow pace nothing but its weight on the other foot lets a foot rise: it sways from side to side, which on flat ground
is held back, and is kept over its feet before it is sped up.
"""

WEIGHTS = {
    "height": 200.0,
    "balance": 150.0,
    "forward_speed": 40.0,
    "lateral_speed": 5.0,
    "lateral_position": 5.0,
    "lateral_margin": 100.0,
    "heading": 100.0,
    "yaw": 15.0,
    "feet_apart": 50.0,
    "lift": 150.0,
    "step": 100.0,
    "width": 100.0,
    "shift": 100.0,
}

STRIDE = 1.2
SWING = 0.42


def terms(m):
    across = m.left.hip.position - m.right.hip.position
    across = across / norm(across)
    gaps = [
        jnp.dot(m.left.foot.position - m.right.foot.position, across),
        jnp.dot(m.left.toe.position - m.right.toe.position, across),
        jnp.dot(m.left.knee.position - m.right.knee.position, across),
    ]
    crossing = sum([jnp.minimum(0.0, gap - 0.15) for gap in gaps])
    sideways = m.com.position[1] + 0.25 * m.com.velocity_left
    extrapolated = m.com.position[1] + 0.3 * m.com.velocity_left
    half = 0.5 * m.goal.speed * (1.0 - SWING) * STRIDE * ramp(m.time, 0.0, STRIDE)
    surplus = jnp.maximum(0.0, m.com.velocity_forward - m.goal.speed * ramp(m.time, 0.0, STRIDE))
    low, step, width = 0.0, 0.0, 0.0
    bearing, support, over = 0.0, 0.0, 0.0
    for side, turn, out in ((m.left, 0.0, 0.09), (m.right, 0.5, -0.09)):
        phase = m.time / STRIDE + turn
        phase = phase - jnp.floor(phase)
        swung, stood = ramp(phase, 0.0, SWING), ramp(phase, SWING, 1.0)
        lift = 0.08 * jnp.square(jnp.sin(pi * swung))
        ahead = half * jnp.where(phase < SWING, -jnp.cos(pi * swung), 1.0 - 2.0 * stood)
        ahead = ahead + jnp.where(phase < SWING, 0.3 * surplus * swung, 0.0)
        low = low + smooth_abs(below(jnp.minimum(side.toe.height, side.heel.height), lift + jnp.where(phase < SWING, 1.3 * jnp.maximum(0.0, side.foot.ground_ahead), 0.0)))
        step = step + smooth_abs(side.foot.position[0] - m.com.position[0] - ahead)
        width = width + jnp.where(phase < SWING, smooth_abs(side.foot.position[1] - extrapolated - out), 0.0)
        bears = jnp.where(phase < SWING, 0.0, 1.0)
        bearing, support = bearing + bears, support + bears * side.foot.position[2]
        over = over + bears * (side.foot.position[1] - out / 3.0)
    return {
        "height": -smooth_abs(below(m.head.position[2] - support / bearing, 0.98 * m.standing.head_height)),
        "balance": -smooth_abs(m.com.position[0] - 0.5 * (m.left.foot.position + m.right.foot.position)[0]),
        "forward_speed": -smooth_abs(m.com.velocity_forward - m.goal.speed),
        "lateral_speed": -smooth_abs(m.com.velocity_left),
        "lateral_position": -smooth_abs(m.com.position[1]),
        "lateral_margin": -smooth_abs(outside(sideways, m.right.foot.position[1], m.left.foot.position[1])),
        "heading": -smooth_abs(1.0 - m.pelvis.forward[0]),
        "yaw": -smooth_abs(m.pelvis.yaw),
        "feet_apart": -smooth_abs(crossing),
        "lift": -low,
        "step": -step,
        "width": -width,
        "shift": -smooth_abs(m.com.position[1] + 0.2 * m.com.velocity_left - over / bearing),
    }
