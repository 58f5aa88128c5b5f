"""Folders that earlier versions wrote are read as today's are: a run by report, resume and replay, episodes by those who share them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from movlr_jax.cli.main import main
from movlr_jax.control.episode import Rollout
from movlr_jax.evaluation import evaluation

OLD = Path(__file__).parents[1] / "data" / "folders-of-0.1"
# How the folders were made; the episodes in them are found again by these very settings.
TINY = ["--seconds", "0.06", "--seeds", "0", "1", "--threads", "1"]
TINY += ["--planner.candidates", "8", "--planner.elites", "2", "--planner.horizon", "0.08"]


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the folders."""
    monkeypatch.setattr("os.fsync", lambda descriptor: None)
    shutil.copytree(OLD, tmp_path / "old", symlinks=True)
    return tmp_path / "old"


def test_a_run_is_reported(old, capsys):
    assert main(["report", str(old / "run")]) == 0
    page = (old / "run" / "report.html").read_text()
    assert page.count("<video") >= 3 and "Stand still and upright." in page
    assert (old / "run" / "heatmaps" / "weights.png").stat().st_size > 3000


@pytest.mark.gl
def test_a_run_goes_on(old, capsys):
    before = json.loads((old / "run" / "summary.json").read_text())["iterations"]
    assert main(["resume", str(old / "run"), "--iterations", "3"]) == 0
    rows = json.loads((old / "run" / "summary.json").read_text())["iterations"]
    assert [row["iteration"] for row in rows] == [0, 1, 2, 3]
    for earlier, row in zip(before, rows, strict=False):
        assert {name: row[name] for name in earlier} == earlier
    assert set(before[-1]) <= set(rows[-1]) and (old / "run" / "iterations" / "003" / "clip.mp4").is_file()


@pytest.mark.gl
def test_a_run_is_replayed(old, tmp_path, capsys):
    assert main(["replay", str(old / "run"), "--out", str(tmp_path / "again")]) in (0, 1)  # 1: this processor rounds otherwise
    first, second = (sorted((folder / "iterations").glob("*/reward.py")) for folder in (old / "run", tmp_path / "again"))
    assert [path.read_text() for path in first] == [path.read_text() for path in second] and len(first) == 3
    for one, other in zip(first, second, strict=True):
        recorded, repeated = (Rollout.load(path.with_name("rollout_1.npz")) for path in (one, other))
        assert np.allclose(recorded.qpos, repeated.qpos, atol=1e-6) and recorded.ended == repeated.ended


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["eval", "--rewards", "human", "start", "--task", "stand"], "4 of 4 episodes found"),
        (["ablate", "start", "--task", "stand", "--factors", "0", "2"], "6 of 6 episodes found"),
        (["tune", "human", "--task", "stand", "--trials", "2", "--sampler", "random"], "6 of 6 episodes found"),
    ],
)
def test_measured_episodes_are_not_run_again(old, words, found, capsys, monkeypatch):
    """Planned as that version did, with the installed packages and the compiled model, which holds its meshes' paths, of back then."""
    if words[0] == "tune":
        pytest.importorskip("optuna")
    recorded = next(iter(json.loads((old / words[0] / "episodes.json").read_text())["episodes"].values()))["decided_by"]
    monkeypatch.setattr(evaluation, "_model_sha256", lambda body: recorded["model_sha256"])
    monkeypatch.setattr(evaluation, "installed", recorded["versions"].get)
    as_planned = ["--planner.no-quick", "--planner.value", "None"]
    assert main([*words, *TINY, *as_planned, "--out", str(old / words[0])]) == 0
    assert found in capsys.readouterr().err
