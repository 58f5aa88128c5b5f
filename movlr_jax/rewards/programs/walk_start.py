"""Every walk, the reward to start from: forward speed alone."""

WEIGHTS = {
    "forward_speed": 10.0,
}


def terms(m):
    return {
        "forward_speed": -smooth_abs(jnp.minimum(0.0, m.com.velocity_forward - m.goal.speed)),
    }
