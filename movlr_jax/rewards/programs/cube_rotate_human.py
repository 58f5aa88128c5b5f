"""cube_rotate: position, orientation, the cube held in the palm without tumbling.

The cube keeps its place in the palm (IN_HAND, m, in the hand's axes, which at the start are the world's), so that arm and wrist turn it
first; it may turn within the fingers, but not tumble.
"""

WEIGHTS = {
    "position": 100.0,
    "orientation": 40.0,
    "nest": 100.0,
    "fingers": 20.0,
    "spin": 4.0,
    "haste": 20.0,
}

IN_HAND = (0.03, 0.018, 0.028)


def terms(m):
    hand = m.right
    palm = hand.hand
    tips = [hand.thumb, hand.index, hand.middle, hand.ring, hand.little]
    far = sum([above(norm(tip.position - m.object.position), 0.05) for tip in tips])
    away = m.object.position - palm.position
    slid = jnp.stack([jnp.dot(away, palm.forward), jnp.dot(away, palm.left), jnp.dot(away, palm.up)]) - jnp.array(IN_HAND)
    return {
        "position": -smooth_abs(m.goal.object_position_error, 0.03),
        "orientation": -smooth_abs(m.goal.object_orientation_error),
        "nest": -smooth_abs(norm(slid), 0.02),
        "fingers": -far,
        "spin": -above(norm(m.object.angular_velocity - palm.angular_velocity), 0.5),
        "haste": -above(norm(m.object.velocity), 0.2),
    }
