"""movlr rollout: the document, the table, the files, and what it says to bad input."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from movlr_jax.cli.main import main
from movlr_jax.media import clip

# A fifth of a second with few candidates: the real planner on the real body, quick.
QUICK = ["--seconds", "0.1", "--planner.candidates", "16", "--planner.horizon", "0.1"]


def test_json_is_the_only_thing_on_stdout(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["rollout", "stand", *QUICK, "--seeds", "1", "2", "--json", "--out", str(tmp_path)]) == 0
    captured = capfd.readouterr()  # capfd: C libraries write past sys.stdout
    document = json.loads(captured.out)
    assert list(document) == [
        "task",
        "morphology",
        "engine",
        "reward",
        "goal",
        "goal_measures",
        "ends_when",
        "goal_speed_mps",
        "episodes",
        "mean",
        "std",
        "falls",
    ]
    assert [e["seed"] for e in document["episodes"]] == [1, 2]
    assert document["episodes"][0]["seconds"] == pytest.approx(0.1)
    assert document["morphology"] == "myolegs" and document["engine"] == "native" and document["falls"] == 0
    assert captured.err == ""
    assert sorted(p.name for p in tmp_path.iterdir()) == ["metrics.json", "reward.py", "rollout.npz", "rollout_2.npz"]
    assert json.loads((tmp_path / "metrics.json").read_text()) == document


def test_the_table_names_every_seed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rollout", "stand", *QUICK, "--seeds", "3", "--out", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("stand on myolegs, reward human, engine native")
    assert any(line.split()[:1] == ["3"] for line in lines[1:]) and any("falls: 0 of 1" in line for line in lines)
    assert "below 0.6 of its standing height" in lines[-3] and lines[-2].startswith("Measured: pelvis height")
    with np.load(tmp_path / "rollout.npz") as saved:
        assert saved["seed"] == 3 and saved["goal_speed"] == 0.0


@pytest.mark.gl
def test_a_clip_is_filmed(tmp_path: Path) -> None:
    assert main(["rollout", "stand", *QUICK, "--clip", "--out", str(tmp_path)]) == 0
    assert (tmp_path / "clip.mp4").stat().st_size > 1000


def test_a_clip_that_cannot_be_drawn_costs_no_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clip.close_studios()  # those of earlier clips would draw on
    monkeypatch.setenv("MUJOCO_GL", "off")
    assert main(["rollout", "stand", *QUICK, "--json", "--clip", "--out", str(tmp_path)]) == 1
    told = capsys.readouterr()
    assert json.loads(told.out)["episodes"] == json.loads((tmp_path / "metrics.json").read_text())["episodes"]
    assert "MUJOCO_GL=off" in told.err and told.err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["wlak_flat"], "did you mean walk_flat?"),
        (["stand", "--reward", "humna"], "did you mean human?"),
        (["stand", "--reward", "."], "holds no reward"),
        (["stand", "--morphology", "myoleg"], "did you mean myolegs?"),
        (["stand", "--engine", "cuda"], "known are native, warp, jax and auto"),
        (["stand", "--clip"], "add --out DIR"),
        (["stand", "--seeds"], "--seeds is empty"),
        (["stand", "--seeds", "1", "1"], "--seeds has repeats (1 1)"),
        (["stand", "--seeds", "-1"], "--seeds has a negative number (-1)"),
        (["stand", "--seconds", "inf"], "--seconds is inf"),
        (["stand", "--goal-speed", "nan"], "--goal-speed is nan"),
        (["stand", "--threads", "-1"], "--threads is -1"),
        (["stand", "--planner.law", "papr"], "muscle law 'papr'"),
    ],
)
def test_mistakes_are_one_sentence(words: list[str], part: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rollout", *words]) == 1
    captured = capsys.readouterr()
    assert part in captured.err and captured.err.count("\n") == 1
    assert captured.out == ""


def test_a_sentence_that_nothing_measures_is_told_before_and_after(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rollout", "free", "--goal", "play the violin", *QUICK]) == 0
    captured = capsys.readouterr()
    told = "Nothing here measures 'play the violin'"
    assert told in captured.err and told in captured.out and "unmeasured" in captured.out
    assert "the trunk or the head on the ground" in captured.out


def test_the_goals_own_quantity_stands_in_the_table_and_the_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rollout", "free", "--goal", "squat and stay there", *QUICK, "--json"]) == 0
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert document["goal"] == "squat and stay there" and "at most 0.83" in document["goal_measures"][0] == captured.err.splitlines()[0]
    record = document["episodes"][0]
    assert 0.9 < record["goal_pelvis_height"] < 1.1 and record["goal_held"] is False and record["goal_reached"] < 0.5
    assert main(["rollout", "free", "--goal", "squat and stay there", *QUICK]) == 0
    assert "pelvis" in capsys.readouterr().out
