"""bottle_pour: the reference's terms, the bottle fast in the hand, and the arm kept out of the shoulder's gimbal lock.

The reference's terms (position 100, orientation 10, the palm at the bottle, every finger around it; MoVLR, arXiv 2512.23077), position
twice and orientation five times as heavy, and what keeps the bottle in the hand while it moves. At the start hand and bottle have the axes
of the world, so a bottle held fast keeps its place in the hand's axes (IN_HAND, m) and its axes along the hand's. Distances of fingers are
to the bottle's axis, so that each may take hold at its own height. The corner of the position term is narrower than the reference's 0.1 m,
under which a centimetre is hardly felt. The upper arm is kept off the trunk and swung ahead, where the place is: with the arm hanging the
shoulder is in gimbal lock (the plane it is raised in and its axial rotation turn about one axis), and no muscle's pull brings it out
ahead.
"""

WEIGHTS = {
    "position": 200.0,
    "orientation": 50.0,
    "grasp": 300.0,
    "aligned": 20.0,
    "fingers": 50.0,
    "grip": 40.0,
    "haste": 20.0,
    "raised": 100.0,
    "swung": 20.0,
}

IN_HAND = (0.053, 0.012, -0.007)


def from_axis(m, point):
    away = point - m.object.position
    return norm(away - jnp.dot(away, m.object.up) * m.object.up)


def terms(m):
    hand = m.right
    palm = hand.hand
    tips = [hand.thumb, hand.index, hand.middle, hand.ring, hand.little]
    far = sum([above(from_axis(m, tip.position), 0.034) for tip in tips])
    away = m.object.position - palm.position
    slid = jnp.stack([jnp.dot(away, palm.forward), jnp.dot(away, palm.left), jnp.dot(away, palm.up)]) - jnp.array(IN_HAND)
    return {
        "position": -smooth_abs(m.goal.object_position_error, 0.02),
        "orientation": -smooth_abs(m.goal.object_orientation_error),
        "grasp": -smooth_abs(norm(slid), 0.02),
        "aligned": -smooth_abs(norm(palm.up - m.object.up) + norm(palm.forward - m.object.forward)),
        "fingers": -far,
        "grip": -below(jnp.mean(m.muscle_group("right_finger_flexors").activation), 0.15),
        "haste": -above(norm(m.object.velocity), 0.4),
        "raised": -below(m.joint("shoulder_elv_r").angle, 0.2),
        "swung": -below(m.joint("elv_angle_r").angle, 0.5),
    }
