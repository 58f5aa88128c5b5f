"""stand, the reward to start from: head height alone."""

WEIGHTS = {
    "head_height": 100.0,
}


def terms(m):
    return {
        "head_height": -smooth_abs(m.head.height - m.standing.head_height),
    }
