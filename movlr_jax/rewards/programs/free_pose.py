"""free: what poses are made of, each with a small weight; a tuner finds which of them the sentence wants."""

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
