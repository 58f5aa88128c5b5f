WEIGHTS = {
    "head_height": 100.0,
    "stillness": 20.0,
}


def terms(m):
    return {
        "head_height": -smooth_abs(m.head.height - m.standing.head_height),
        "stillness": -smooth_abs(norm(m.com.velocity[:2])),
    }
