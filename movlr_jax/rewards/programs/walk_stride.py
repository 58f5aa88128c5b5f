"""A walk led by a clock, so that both legs take their turn.

What the published cost asks for can be had by a limp: one foot always ahead, the other drawn after it. Here a clock says which foot
swings. The swinging foot is lifted and carried from behind the centre of mass to before it, and put down where the extrapolated centre of
mass will need it (Hof, Hum. Mov. Sci. 27, 2008), sideways and, as much as the body is faster than it should be, ahead; the other bears,
and the weight is brought over it. The clock is that of a periodic reward composition (Siekmann et al., ICRA 2021), and its stride's length
follows from the speed asked for, which grows from nothing over the first stride: asked for at once, it makes the body fall ahead before
its feet have left the ground.

Arms that nothing is asked of are flung about for balance; legs that walk stay within the bounds of the posture term but for a knee in mid
swing. STRIDE is the time of two steps (s), SWING the share of it that each foot is in the air; heel and toes rise to 0.06 m in mid swing.
"""

WEIGHTS = {
    "height": 200.0,
    "balance": 50.0,
    "forward_speed": 60.0,
    "lateral_speed": 20.0,
    "lateral_position": 20.0,
    "lateral_margin": 100.0,
    "heading": 100.0,
    "yaw": 15.0,
    "feet_apart": 50.0,
    "lift": 60.0,
    "step": 100.0,
    "width": 100.0,
    "shift": 100.0,
    "posture": 20.0,
}

STRIDE = 1.0
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
    bearing, over = 0.0, 0.0
    for side, turn, out in ((m.left, 0.0, 0.09), (m.right, 0.5, -0.09)):
        phase = m.time / STRIDE + turn
        phase = phase - jnp.floor(phase)
        swung, stood = ramp(phase, 0.0, SWING), ramp(phase, SWING, 1.0)
        lift = 0.06 * jnp.square(jnp.sin(pi * swung))
        ahead = half * jnp.where(phase < SWING, -jnp.cos(pi * swung), 1.0 - 2.0 * stood)
        ahead = ahead + jnp.where(phase < SWING, 0.3 * surplus * swung, 0.0)
        low = low + smooth_abs(below(jnp.minimum(side.toe.height, side.heel.height), lift))
        step = step + smooth_abs(side.foot.position[0] - m.com.position[0] - ahead)
        width = width + jnp.where(phase < SWING, smooth_abs(side.foot.position[1] - extrapolated - out), 0.0)
        bears = jnp.where(phase < SWING, 0.0, 1.0)
        bearing = bearing + bears
        over = over + bears * (side.foot.position[1] - out / 3.0)
    return {
        "height": -smooth_abs(below(m.head.position[2] - 0.5 * (m.left.foot.position[2] + m.right.foot.position[2]), 0.98 * m.standing.head_height)),
        "balance": -smooth_abs(norm(m.com.position[:2] - 0.5 * (m.left.foot.position + m.right.foot.position)[:2])),
        "forward_speed": -smooth_abs(m.com.velocity_forward - m.goal.speed * ramp(m.time, 0.0, STRIDE)),
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
        "posture": -jnp.sum(jnp.square(above(jnp.abs(m.joints.deviation), 0.8))),
    }
