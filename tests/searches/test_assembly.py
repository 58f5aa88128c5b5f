"""The real search, whole: MyoLegs, planner, jail, critic, writer, film; on episodes of a tenth of a second."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.pendulum_stages import tree

from movlr_jax import searches
from movlr_jax.control.planners import MPPI
from movlr_jax.errors import MovlrError
from movlr_jax.searches import Event, RunConfig
from movlr_jax.searches.real_stages import find_start
from movlr_jax.tasks import get

PLANNER = MPPI(candidates=8, elites=2, instant=2, horizon=0.08)
CONFIG = RunConfig(task="walk_flat", iterations=1, seeds=(0, 1), seconds=0.1, planner=PLANNER)

KILLED = """
import os, signal, sys
from pathlib import Path
from movlr_jax import searches

def die(event):
    if (event.kind, event.iteration, event.stage, event.seed) == ("simulated", 1, "move", 1) and event.simulated_s > 0.05:
        os.kill(os.getpid(), signal.SIGKILL)

searches.run(searches.RunConfig.from_yaml(sys.stdin.read()), progress=die)
"""


def products(folder: Path) -> dict:
    """Return the run's files by content; clips may differ with the encoder's threads, config.yaml names the folder."""
    return {name: what for name, what in tree(folder).items() if not name.endswith((".mp4", "config.yaml", "report.html"))}


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("search") / "whole"
    result = searches.run(RunConfig(**{**vars(CONFIG), "out": folder}))
    assert result.stopped == "iterations" and len(result.rows) == 2
    return folder


def test_the_circle_turns_and_leaves_what_it_should(whole):
    for number in range(2):
        place = whole / "iterations" / f"{number:03d}"
        for name in ("reward.py", "reward.stablehlo", "verdict.json", "rollout.npz", "rollout_1.npz", "metrics.json", "critique.json"):
            assert (place / name).is_file(), name
        assert (place / "clip.mp4").is_file() or (place / "no_clip.json").is_file()
        facts = json.loads((place / "facts.json").read_text())
        assert facts["seed"] == 0 and {e["seed"] for e in facts["extremes"]} == {0, 1}
        assert (place / "clip_1.mp4").is_file() == (place / "clip.mp4").is_file()
    verdict = json.loads((whole / "iterations" / "001" / "verdict.json").read_text())
    assert verdict["trusted"] and verdict["layers"] and verdict["checks"]["behaviour" if "behaviour" in verdict["checks"] else "finite"]
    assert (whole / "report.html").is_file() and list((whole / "heatmaps").glob("*.png"))
    run = json.loads((whole / "run.json").read_text())
    assert run["versions"]["mujoco"] == run["versions"]["mujoco-mjx"] and run["engine"] == "native" and run["run_id"].startswith("whole-")
    summary = json.loads((whole / "summary.json").read_text())
    assert {"task", "goal", "morphology", "engine", "seed", "best", "named_failures", "iterations"} <= set(summary)
    edited = summary["iterations"][1]
    assert edited["edit"] and 1 <= len(edited["changes"]) <= 2 and edited["metrics"]["distance_m"] is not None


def test_killed_while_planning_and_resumed_equals_undisturbed(whole, tmp_path):
    folder = tmp_path / "killed"
    config = RunConfig(**{**vars(CONFIG), "out": folder}).to_yaml()
    done = subprocess.run([sys.executable, "-c", KILLED], input=config, text=True, capture_output=True, timeout=120)
    assert done.returncode == -9, done.stderr[-1500:]
    assert not (folder / "iterations" / "001" / "metrics.json").exists()
    shutil.copytree(folder, tmp_path / "forged", symlinks=True)
    events: list[Event] = []
    result = searches.resume(folder, progress=events.append)
    assert result.stopped == "iterations"
    moved = [(e.iteration, e.seed) for e in events if e.kind == "stage" and e.stage == "move"]
    assert moved[0] == (1, 1), "what was finished is not run again"
    found, expected = products(folder), products(whole)
    assert sorted(n for n in found.keys() | expected.keys() if found.get(n) != expected.get(n)) == []
    # What stands in a folder is not believed, it may have been anywhere since: another program under a verdict that vouches for it.
    place = tmp_path / "forged" / "iterations" / "001" / "candidates" / "0"
    other = (tmp_path / "forged" / "iterations" / "000" / "reward.stablehlo").read_bytes()
    verdict = json.loads((place / "verdict.json").read_text())
    (place / "reward.stablehlo").write_bytes(other)
    (place / "verdict.json").write_text(json.dumps(verdict | {"artifact_sha256": hashlib.sha256(other).hexdigest()}))
    searches.resume(tmp_path / "forged")
    found = products(tmp_path / "forged")
    changed = {n for n in found.keys() | expected.keys() if found.get(n) != expected.get(n)}
    assert changed == {"iterations/001/reward.stablehlo", "iterations/001/verdict.json"}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"task": "fly"}, "There is no task 'fly'"),
        ({"task": "free"}, "needs a sentence"),
        ({"critic": "oracle"}, "There is no critic 'oracle'"),
        ({"writer": "muse"}, "There is no writer 'muse'"),
        ({"engine": "steam"}, "There is no engine 'steam'"),
        ({"start_reward": "nowhere.py"}, "There is no reward 'nowhere.py'"),
    ],
)
def test_a_mistake_is_one_sentence_and_leaves_no_folder(tmp_path, changed, said):
    with pytest.raises(MovlrError, match=said):
        searches.run(RunConfig(**{**vars(CONFIG), "out": tmp_path / "run", **changed}))
    assert not (tmp_path / "run").exists()


def test_a_start_reward_may_be_a_file_or_a_run(whole, tmp_path):
    task = get("walk_flat")
    assert find_start("human", task).source == task.rewards["human"]
    file = tmp_path / "mine.py"
    file.write_text("WEIGHTS = {}\n")
    mine = find_start(str(file), task)
    assert mine.source == "WEIGHTS = {}\n"
    assert find_start(str(whole), task).source == (whole / "best" / "reward.py").read_text()


def test_a_run_on_warp_plans_everything_side_by_side_and_traces_its_physics_once(tmp_path, monkeypatch):
    pytest.importorskip("warp", reason="warp-lang is not installed")
    from movlr_jax.searches import assembly

    made = []

    class Watched(assembly.RealStages):
        def __init__(self, *given):
            super().__init__(*given)
            made.append(self)

    monkeypatch.setattr(assembly, "RealStages", Watched)
    config = RunConfig(
        task="walk_flat",
        engine="warp",
        iterations=2,
        candidates=2,
        seeds=(0,),
        seconds=0.04,
        planner=MPPI(candidates=8, elites=2, instant=2, horizon=0.04, replan=0.02),
        out=tmp_path / "run",
    )
    result = searches.run(config)
    assert result.stopped == "iterations" and [row.iteration for row in result.rows] == [0, 1, 2]
    simulator = made[0].runner.simulator
    assert simulator.name == "warp" and simulator.episodes == 2
    assert simulator.traces == 2  # one rollout and one execution, whatever rewards came
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["engine"] == "warp"
