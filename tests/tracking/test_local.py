"""metrics.jsonl: one line an iteration, whole at every moment, without repeats after a resume."""

from __future__ import annotations

import json
from pathlib import Path

from movlr_jax.tracking import LocalTracker, open_trackers


def rows(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_one_line_an_iteration_and_a_repeat_replaces(tmp_path):
    tracker = LocalTracker(tmp_path)
    tracker.start({}, "id")
    tracker.log(0, {"score": 1.0}, {}, {"clip": tmp_path / "iterations" / "000" / "clip.mp4"})
    tracker.log(1, {"score": float("nan")}, {}, {})
    LocalTracker(tmp_path).log(0, {"score": 2.0}, {}, {})
    LocalTracker(tmp_path).log(1, {}, {"weights": tmp_path / "heatmaps" / "weights.png"}, {})
    tracker.finish()
    assert rows(tmp_path) == [
        {"iteration": 0, "score": 2.0, "videos": {"clip": "iterations/000/clip.mp4"}},
        {"iteration": 1, "score": None, "images": {"weights": "heatmaps/weights.png"}},
    ]
    assert [p.name for p in tmp_path.iterdir()] == ["metrics.jsonl"]


def test_weights_and_biases_is_off_unless_asked_for(tmp_path):
    assert [t.name for t in open_trackers("off", tmp_path, "p", "n", print)] == ["local"]
    assert [t.name for t in open_trackers("offline", tmp_path, "p", "n", print)] == ["local", "wandb"]
    assert not (tmp_path / "wandb").exists()
