"""A walk whose joints go as a human's do: a clock says which foot swings, and where in the stride hip, knee and ankle should be.

The clock and the placing of the feet are those of walk_stride. That leaves the legs free, and a planner then walks with stiff knees, flat
feet and stamping. Here the angles of the legs in the sagittal plane follow what a gait laboratory sees of every walk (Perry & Burnfield,
Gait Analysis): a hip that goes from flexion at touchdown to extension and back, a knee that yields a little under the load and much in
early swing, an ankle that lets the shank roll forward over the foot and then pushes off. They pull gently: balance and the placing of the
feet weigh more, so this is a style and not a motion to be copied. A foot in the air is to bear nothing, and no foot more than the body's
weight and a sixth.

What the planner's target postures move along with is the same course of the angles, EASE of it: so a leg swings within one plan's horizon,
and the noise searches around a step in place of a posture.

STRIDE is the time of two steps (s), STANCE the share of it that a foot stands; toes and heel rise to LIFT in mid swing (m), and a foot lands
OUT beside where the extrapolated centre of mass will be (m; Hof, Hum. Mov. Sci. 27, 2008). A body that is too slow has its feet LEAN behind
where they would be, and one that is too fast ahead (m for each m/s): it falls into its speed. Phases count from touchdown.
"""

WEIGHTS = {
    "height": 200.0,
    "upright": 50.0,
    "forward_speed": 200.0,
    "lateral_speed": 20.0,
    "lateral_position": 20.0,
    "lateral_margin": 100.0,
    "heading": 100.0,
    "yaw": 40.0,
    "feet_apart": 50.0,
    "lift": 100.0,
    "step": 100.0,
    "width": 100.0,
    "shift": 100.0,
    "hips": 10.0,
    "knees": 20.0,
    "ankles": 25.0,
    "turnout": 10.0,
    "unloaded": 20.0,
    "impact": 20.0,
    "posture": 20.0,
    "effort": 10.0,
}

STRIDE = 1.1
STANCE = 0.62
LIFT = 0.08
OUT = 0.08
LEAN = 0.3
EASE = 0.7
JOINTS = ("hip_flexion_l", "knee_angle_l", "ankle_angle_l", "hip_flexion_r", "knee_angle_r", "ankle_angle_r")


def phase_at(time, turn):
    phase = time / STRIDE + turn
    return phase - jnp.floor(phase)


def hip_flexion(phase):
    return 0.12 + 0.37 * jnp.cos(2.0 * pi * (phase - 0.95))


def knee_flexion(phase):
    under_load, before_swing, in_swing = gaussian(phase - 0.13, 0.06), gaussian(phase - 0.55, 0.05), gaussian(phase - 0.72, 0.08)
    return 0.08 + 0.2 * under_load + 0.1 * before_swing + 0.95 * in_swing


def ankle_flexion(phase):
    rolling = 0.17 * (ramp(phase, 0.06, 0.48) - ramp(phase, 0.6, 0.7))
    return rolling - 0.08 * gaussian(phase - 0.07, 0.04) - 0.47 * gaussian(phase - 0.63, 0.06)


def posture(m):
    share = EASE * ramp(m.time, 0.0, STRIDE)
    left, right = phase_at(m.time, STANCE), phase_at(m.time, STANCE + 0.5)
    return {
        "hip_flexion_l": share * hip_flexion(left),
        "knee_angle_l": share * knee_flexion(left),
        "ankle_angle_l": share * ankle_flexion(left),
        "hip_flexion_r": share * hip_flexion(right),
        "knee_angle_r": share * knee_flexion(right),
        "ankle_angle_r": share * ankle_flexion(right),
    }


def terms(m):
    across = m.left.hip.position - m.right.hip.position
    across = across / norm(across)
    gaps = [
        jnp.dot(m.left.foot.position - m.right.foot.position, across),
        jnp.dot(m.left.toe.position - m.right.toe.position, across),
        jnp.dot(m.left.knee.position - m.right.knee.position, across),
    ]
    crossing = sum([jnp.minimum(0.0, gap - 0.12) for gap in gaps])
    begun = ramp(m.time, 0.0, STRIDE)
    sideways = m.com.position[1] + 0.25 * m.com.velocity_left
    extrapolated = m.com.position[1] + 0.3 * m.com.velocity_left
    half = 0.5 * m.goal.speed * STANCE * STRIDE * begun
    surplus = m.com.velocity_forward - m.goal.speed * begun
    low, step, width, bearing, over = 0.0, 0.0, 0.0, 0.0, 0.0
    hips, knees, ankles, turnout, unloaded, impact = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for side, s, turn, out in ((m.left, "l", STANCE, OUT), (m.right, "r", STANCE + 0.5, -OUT)):
        phase = phase_at(m.time, turn)
        swings = jnp.where(phase >= STANCE, 1.0, 0.0)
        swung, stood = ramp(phase, STANCE, 1.0), ramp(phase, 0.0, STANCE)
        lift = LIFT * jnp.square(jnp.sin(pi * swung))
        ahead = half * jnp.where(phase >= STANCE, -jnp.cos(pi * swung), 1.0 - 2.0 * stood) + LEAN * jnp.where(phase >= STANCE, surplus * swung, jnp.minimum(surplus, 0.0))
        low = low + smooth_abs(below(jnp.minimum(side.toe.height, side.heel.height), lift))
        step = step + smooth_abs(side.foot.position[0] - m.com.position[0] - ahead)
        width = width + swings * smooth_abs(side.foot.position[1] - extrapolated - out)
        bearing = bearing + 1.0 - swings
        over = over + (1.0 - swings) * (side.foot.position[1] - out / 3.0)
        hips = hips + smooth_abs(m.joint("hip_flexion_" + s).angle - begun * hip_flexion(phase))
        knees = knees + smooth_abs(m.joint("knee_angle_" + s).angle - begun * knee_flexion(phase))
        ankles = ankles + smooth_abs(m.joint("ankle_angle_" + s).angle - begun * ankle_flexion(phase))
        turnout = turnout + smooth_abs(m.joint("hip_rotation_" + s).angle) + smooth_abs(m.joint("subtalar_angle_" + s).angle)
        unloaded = unloaded + swings * side.foot.load
        impact = impact + above(side.foot.load, 1.15)
    return {
        "height": -smooth_abs(below(m.head.position[2] - jnp.minimum(m.left.heel.position[2], m.right.heel.position[2]), 0.97 * m.standing.head_height)),
        "upright": -smooth_abs(m.trunk.pitch) - smooth_abs(m.trunk.roll),
        "forward_speed": -smooth_abs(surplus),
        "lateral_speed": -smooth_abs(m.com.velocity_left),
        "lateral_position": -smooth_abs(m.com.position[1]),
        "lateral_margin": -smooth_abs(outside(sideways, m.right.foot.position[1], m.left.foot.position[1])),
        "heading": -smooth_abs(1.0 - m.pelvis.forward[0]),
        "yaw": -smooth_abs(m.pelvis.yaw),
        "feet_apart": -smooth_abs(crossing),
        "lift": -low,
        "step": -step,
        "width": -width,
        "shift": -smooth_abs(m.com.position[1] + 0.2 * m.com.velocity_left - over / jnp.maximum(bearing, 1.0)),
        "hips": -hips,
        "knees": -knees,
        "ankles": -ankles,
        "turnout": -turnout,
        "unloaded": -unloaded,
        "impact": -impact,
        "posture": -jnp.sum(jnp.square(above(jnp.abs(m.joints.deviation), 1.1))),
        "effort": -mean_square(m.muscles.excitation),
    }
