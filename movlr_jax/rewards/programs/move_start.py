"""move: the pose it starts in, and joints at rest."""

WEIGHTS = {
    "posture": 10.0,
    "calm": 0.1,
}


def terms(m):
    return {
        "posture": -0.5 * jnp.sum(jnp.square(m.joints.deviation)),
        "calm": -0.5 * jnp.sum(jnp.square(m.joints.velocity)),
    }
