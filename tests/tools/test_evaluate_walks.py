"""The walking table reads what older versions measured as well as what the store holds."""

from __future__ import annotations

import importlib
import json
import shutil
from pathlib import Path

import pytest


def test_old_and_new_episodes_stand_in_one_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    walks = importlib.import_module("evaluate_walks")
    path = tmp_path / "walks.json"
    shutil.copy(walks.RESULTS.with_suffix(".json"), path)
    episodes = json.loads(path.read_text())
    name = "myolegs walk_flat straight 0.9 m/s 10 s horizon 0.35 s replan 0.01 s"
    old = episodes["episodes"][f"{name} seed 1"]
    by = {"morphology": "myolegs", "task": "stand", "goal_speed_mps": 0.0, "seconds": 5.0}
    by |= {"planner": {"horizon": 0.35, "replan": 0.01}, "versions": {"movlr-jax": "9"}, "reward_sha256": "abcdef0123"}
    episodes["episodes"]["0123456789abcdef"] = {**old, "reward": "human", "decided_by": by}
    path.write_text(json.dumps(episodes))
    assert walks.main(["--table", "--results", str(path.with_suffix(""))]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith(f"| {name} | 0 of 5 | 7.60 (6.63 to 8.26) |") for line in lines)
    new = "myolegs stand human (abcdef) 5 s horizon 0.35 s replan 0.01 s absolute lambda, version 9"
    assert any(line.startswith(f"| {new} | 0 of 1 |") for line in lines)
