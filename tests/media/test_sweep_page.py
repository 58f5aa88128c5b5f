"""The page that compares trials: everything in one file, hostile text harmless, clips within a budget."""

from __future__ import annotations

import itertools
import re

from movlr_jax.media import sweep_page


def row(number, score, method="movlr", **more):
    held = {
        "trial": number,
        "name": f"{number:03d}",
        "state": "done",
        "sentence": "",
        "stopped": "iterations",
        "values": {"method": method},
    }
    held |= {"iterations": 3, "best": 2, "score": score, "metrics.distance_m": score, "metrics.fell": False, "usd": 0.0}
    return held | {"scores": [0.5, None, score], "kept": [True, False, True], "folder": f"trials/{number:03d}"} | more


def test_one_file_with_table_curves_and_clips(tmp_path):
    rows = [row(0, 1.5), row(1, 4.25, "eureka"), row(2, 3.0, "<img src=x onerror=alert(1)>")]
    failed = row(3, None, state="failed", best=None, scores=[], kept=[], sentence="The disk <b>is</b> full.", stopped=None)
    for number, size in ((0, 300), (1, 400), (2, 500)):
        clip = tmp_path / f"trials/{number:03d}/iterations/002/clip.mp4"
        clip.parent.mkdir(parents=True)
        clip.write_bytes(b"m" * size)
    page = sweep_page.write_page(tmp_path, "a <sweep>", [*rows, failed], ["method"], clip_budget=800).read_text()
    assert "http" not in page.replace("http-equiv", "") and "<img" not in page and "<b>is</b>" not in page
    assert page.count("<polyline ") == 3 and page.count("<figure ") == 3 and page.count('<tr data-t="') == 4
    # The best come first into the budget: 400, then 500 is too much, then 300.
    assert re.findall(r'id="clip-(\d)"[^>]*src="(data|trials)', page) == [("0", "data"), ("1", "data"), ("2", "trials")]
    assert 'data-v="4.25"' in page and "3 of 4 trials are done" in page
    curve = re.search(r'<polyline data-t="1"[^>]*points="([^"]*)"', page)
    assert curve is not None
    points = [tuple(map(float, p.split(","))) for p in curve[1].split()]
    # What was not kept holds the score before it, and a better one is a step up, not a slope.
    assert len({x for x, _ in points}) == 3 and all(a[0] == b[0] or a[1] == b[1] for a, b in itertools.pairwise(points))
    assert 'report.html">finished</a>' in page and re.findall(r"<th><button>(\w+)", page) == ["method", "state"]
