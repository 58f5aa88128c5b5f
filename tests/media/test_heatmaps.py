"""Heat maps are drawn from plain records and show them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from matplotlib.image import imread

from movlr_jax.errors import MovlrError
from movlr_jax.media import heatmaps, muscle_map
from movlr_jax.media.metric_matrix import metric_matrix

ROWS = [
    {"iteration": 0, "weights": {"speed": 10.0}, "term_classes": {"speed": "progress"}, "kept": True},
    {
        "iteration": 1,
        "weights": {"speed": 10.0, "upright": 100.0},
        "term_classes": {"speed": "progress", "upright": "stability"},
        "kept": True,
    },
    {"iteration": 2, "weights": {}, "kept": False},
    {
        "iteration": 3,
        "weights": {"speed": -15.0, "upright": 100.0, "$mood_1$ of <b>": 0.5},
        "term_classes": {"speed": "progress", "upright": "stability", "$mood_1$ of <b>": ""},
        "kept": False,
    },
]


def _inked(path) -> np.ndarray:  # type: ignore[no-untyped-def]
    image = imread(path)[..., :3]
    assert image.shape[0] > 150 and image.shape[1] > 500
    assert image.std() > 0.05 and len(np.unique(np.round(image.reshape(-1, 3), 1), axis=0)) > 8
    return image


def test_weights_by_iteration(tmp_path):  # type: ignore[no-untyped-def]
    image = _inked(heatmaps.weight_by_iteration(ROWS, tmp_path / "maps" / "w.png", best=1))
    yellow = (image[..., 0] > 0.9) & (image[..., 1] > 0.85) & (image[..., 2] < 0.3)
    assert yellow.sum() > 2000, "the greatest weight has the brightest colour"
    assert [p.name for p in (tmp_path / "maps").iterdir()] == ["w.png"]


def test_class_arrival_tells_what_came_first():
    assert heatmaps.class_arrival(ROWS) == {"progress": 0, "stability": 1}


def test_many_iterations_and_terms_still_draw(tmp_path):  # type: ignore[no-untyped-def]
    rows = [
        {"iteration": i, "weights": {f"term_{k}": 1.0 + k for k in range(min(i + 1, 20))}, "term_classes": {}, "kept": i % 2 == 0}
        for i in range(40)
    ]
    _inked(heatmaps.weight_by_iteration(rows, tmp_path / "w.png"))


def test_nothing_to_draw_is_said(tmp_path):  # type: ignore[no-untyped-def]
    with pytest.raises(MovlrError, match="no weights"):
        heatmaps.weight_by_iteration([{"iteration": 0, "weights": {}}], tmp_path / "w.png")
    with pytest.raises(MovlrError, match=r"terms \[T, n\]"):
        heatmaps.term_contributions(np.arange(3.0), np.zeros((3, 2)), ["a"], np.ones(1), tmp_path / "c.png")
    with pytest.raises(MovlrError, match=r"act \[T, m\]"):
        muscle_map.muscle_activations(np.arange(3.0), np.zeros((3, 2)), tmp_path / "a.png", muscles=["one"])


@pytest.mark.parametrize("sign", [-1.0, 1.0, 0.0])
def test_contributions(tmp_path, rng, sign):  # type: ignore[no-untyped-def]
    time = np.arange(100) * 0.02
    terms = rng.normal(size=(100, 3)) if sign == 0.0 else sign * np.abs(rng.normal(size=(100, 3)))
    terms[5, 1] = np.nan
    path = heatmaps.term_contributions(time, terms, ["a", "b", "c"], np.array([1.0, 50.0, 3.0]), tmp_path / "c.png")
    _inked(path)


def test_constant_terms_and_a_single_instant(tmp_path):  # type: ignore[no-untyped-def]
    heatmaps.term_contributions(np.zeros(1), np.zeros((1, 2)), ["a", "b"], np.ones(2), tmp_path / "c.png")
    assert (tmp_path / "c.png").stat().st_size > 1000


def test_muscles_are_grouped_once_right_side_first():
    names = ["rf_l", "rf_r", "bf_r", "neck1", "xx2_r"]
    groups = {"left_quads": [0], "right_quads": [1], "right_again": [1, 2], "out": [99]}
    assert muscle_map.muscle_groups(names, groups) == [
        ("right_quads", [1]),
        ("right_again", [2]),
        ("right_xx", [4]),
        ("left_quads", [0]),
        ("neck", [3]),
    ]


@pytest.mark.parametrize("count", [6, 700])
def test_activations(tmp_path, rng, count):  # type: ignore[no-untyped-def]
    time = np.arange(60) * 0.02
    act = rng.uniform(size=(60, count))
    groups = {f"{side}_g{k}": range(k, count, 6) for k, side in enumerate(("left", "right", "middle"))}
    image = _inked(muscle_map.muscle_activations(time, act, tmp_path / "a.png", groups=groups))
    assert image.shape[0] < 2000, "700 muscles must stay readable"


def test_draw_all_takes_what_there_is(tmp_path, rng):  # type: ignore[no-untyped-def]
    assert heatmaps.draw_all(tmp_path) == []
    (tmp_path / "summary.json").write_text(json.dumps({"best": 1, "iterations": ROWS}))
    assert [p.name for p in heatmaps.draw_all(tmp_path)] == ["weights.png"]
    folder = tmp_path / "iterations" / "001"
    folder.mkdir(parents=True)
    arrays = {"time": np.arange(20) * 0.02, "act": rng.uniform(size=(20, 4)), "terms": rng.normal(size=(20, 2))}
    np.savez(folder / "rollout.npz", term_names=np.array(["speed", "upright"]), weights=np.array([10.0, 100.0]), **arrays)
    drawn = heatmaps.draw_all(tmp_path, muscles=["a_l", "a_r", "b_l", "b_r"], groups={"left_a": (0,)})
    assert [p.name for p in drawn] == ["weights.png", "contributions.png", "activations.png"]
    (folder / "rollout.npz").write_bytes(b"broken")
    assert [p.name for p in heatmaps.draw_all(tmp_path)] == ["weights.png"]


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_matrix_colours_what_it_has_and_hatches_the_rest(tmp_path, sign):  # type: ignore[no-untyped-def]
    values = np.array([[7.5, np.nan, 0.2], [3.0, 1.0, sign * 5.0]])
    cells = [["7.50 ± 0.10\n1 of 5 fell", "-", "0.20"], ["3.00", "1.00", f"{sign * 5:.2f}"]]
    names = (["human\nfrom walk_flat", "…runs/walk_flat-0"], ["walk\nmyolegs", "stairs\nms-human-700-locomotion", "turn\nostrich"])
    path = metric_matrix(values, *names, tmp_path / "m.png", cells=cells, label="distance [m]", title="Rewards elsewhere")
    image = _inked(path)
    yellow = (image[..., 0] > 0.9) & (image[..., 1] > 0.85) & (image[..., 2] < 0.3)
    assert (yellow.sum() > 2000) == (sign > 0), "the largest is brightest where all have one sign"


def test_a_matrix_of_many_places_turns_its_names(tmp_path, rng):  # type: ignore[no-untyped-def]
    names = [f"walk_number_{i}\nms-human-700-locomotion" for i in range(9)]
    cells = [["0.00 ± 0.00"] * 9] * 3
    image = _inked(metric_matrix(rng.uniform(size=(3, 9)), "abc", names, tmp_path / "m.png", cells=cells, label="m", title="t"))
    assert image.shape[1] < 1600
    with pytest.raises(MovlrError, match="a value and a text"):
        metric_matrix(np.zeros((2, 2)), "ab", "abc", tmp_path / "m.png", cells=cells, label="", title="")
