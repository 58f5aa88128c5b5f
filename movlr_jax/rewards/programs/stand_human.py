"""stand: the reference controller's standing terms and weights, and an upright trunk.

MPC2's released stand task: head height 100, capture point over the feet 50, feet crossing 50, centre-of-mass velocity 10 and joint
velocity 0.01 (quadratic), excitation 0.1 (quadratic).
"""

WEIGHTS = {
    "height": 100.0,
    "upright": 100.0,
    "capture_point": 50.0,
    "feet_apart": 50.0,
    "still": 10.0,
    "joint_velocity": 0.01,
    "excitation": 0.1,
}


def terms(m):
    feet = 0.5 * (m.left.foot.position + m.right.foot.position)
    capture = m.com.position[:2] + 0.2 * m.com.velocity[:2]
    across = m.left.hip.position - m.right.hip.position
    gap = jnp.dot(m.left.foot.position - m.right.foot.position, across / norm(across))
    return {
        "height": -smooth_abs(m.head.height - m.standing.head_height),
        "upright": -smooth_abs(2.0 - m.pelvis.up[2] - m.trunk.up[2]),
        "capture_point": -smooth_abs(norm(capture - feet[:2])),
        "feet_apart": -smooth_abs(jnp.minimum(0.0, gap - 0.1)),
        "still": -0.5 * jnp.sum(jnp.square(m.com.velocity[:2])),
        "joint_velocity": -0.5 * jnp.sum(jnp.square(m.joints.velocity)),
        "excitation": -0.5 * jnp.sum(jnp.square(m.muscles.excitation)),
    }
