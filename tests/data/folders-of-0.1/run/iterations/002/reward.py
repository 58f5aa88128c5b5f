WEIGHTS = {
    "stillness": 20.0,
}


def terms(m):
    return {
        "stillness": -smooth_abs(norm(m.com.velocity[:2])),
    }
