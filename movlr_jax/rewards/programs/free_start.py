"""free: what a pose needs whatever its sentence wants, the trunk upright over the feet.

Height is left out on purpose, because many goals (squat, kneel) lower the body.
"""

WEIGHTS = {
    "upright": 100.0,
    "balance": 100.0,
    "posture": 1.0,
}


def terms(m):
    feet = 0.5 * (m.left.foot.position + m.right.foot.position)
    return {
        "upright": -smooth_abs(2.0 - m.pelvis.up[2] - m.trunk.up[2]),
        "balance": -smooth_abs(norm(m.com.position[:2] - feet[:2])),
        "posture": -0.5 * jnp.sum(jnp.square(m.joints.deviation)),
    }
