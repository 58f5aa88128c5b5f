"""Settings that a run brings along: all at its home, the planner's alone elsewhere, none where an option says otherwise."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from movlr_jax.cli import ablate, inherited, tune
from movlr_jax.control.planners import CEM, ICEM, MPPI
from movlr_jax.errors import MovlrError
from movlr_jax.runs.config import RunConfig

PLANNER = MPPI(candidates=12, horizon=0.2)


@pytest.fixture
def run_folder(tmp_path: Path) -> str:
    (tmp_path / "run.json").write_text(json.dumps({"task": "walk_flat", "morphology": "myolegs"}))
    config = RunConfig(goal="Walk like a duck.", injury=("gas*_r=0",), seconds=3.0, goal_speed=1.1, planner=PLANNER)
    (tmp_path / "config.yaml").write_text(config.to_yaml())
    return str(tmp_path)


def read(words: list[str]) -> tuple[tune.Options, str]:
    return inherited.parse(tune.Options, words, "tune", lambda o: (o.reward, (o.task,) if o.task else ()))


def test_a_run_brings_its_settings_and_says_so(run_folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    asked, goal = read([run_folder])
    assert (asked.injury, asked.seconds, asked.goal_speed, asked.planner, goal) == (("gas*_r=0",), 3.0, 1.1, PLANNER, "Walk like a duck.")
    said = "planner.candidates 12, planner.horizon 0.2, seconds 3.0, goal_speed 1.1, injury gas*_r=0; options override."
    assert capsys.readouterr().err == f"As in {run_folder}: {said}\n"
    same, _ = inherited.parse(ablate.Options, [run_folder], "ablate", lambda o: (o.reward, o.tasks))
    assert (same.injury, same.seconds, same.goal_speed, same.planner) == (("gas*_r=0",), 3.0, 1.1, PLANNER)


def test_options_override_one_by_one(run_folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    asked, _ = read([run_folder, "--seconds", "2", "--planner.candidates", "8", "--injury", "sol*_l=0.5"])
    assert (asked.seconds, asked.goal_speed, asked.injury) == (2.0, 1.1, ("sol*_l=0.5",))
    assert asked.planner == MPPI(candidates=8, horizon=0.2)


def test_elsewhere_the_planner_alone_comes_along(run_folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    asked, goal = read([run_folder, "--task", "stand"])
    assert (asked.injury, asked.seconds, asked.goal_speed, asked.planner, goal) == ((), None, None, PLANNER, "")
    asked, goal = read([run_folder, "--morphologies", "ostrich"])
    assert (asked.injury, asked.seconds, goal) == ((), 3.0, "Walk like a duck.")


def test_other_rewards_bring_nothing_and_a_damaged_run_is_told(run_folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert read(["human"]) == (tune.Options(), "") and capsys.readouterr().err == ""
    (Path(run_folder) / "config.yaml").write_text("seconds: [1")
    with pytest.raises(MovlrError, match="not YAML"):
        read([run_folder])


def test_settings_of_the_run_s_own_planner_are_understood(run_folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    config = RunConfig.load(Path(run_folder) / "config.yaml")
    (Path(run_folder) / "config.yaml").write_text(replace(config, planner=ICEM(keep=2, horizon=0.2)).to_yaml())
    asked, _ = read([run_folder])
    assert asked.planner == ICEM(keep=2, horizon=0.2) and "planner.name icem, planner.knots 4, " in capsys.readouterr().err
    asked, _ = read([run_folder, "--planner.keep", "1"])
    assert asked.planner == ICEM(keep=1, horizon=0.2)
    asked, _ = read([run_folder, "--planner.name", "cem"])
    assert asked.planner == CEM(horizon=0.2)
    for words in (["human", "--planner.keep", "1"], [run_folder, "--planner.covariance", "0.1"]):
        with pytest.raises(MovlrError, match=r"--planner\.\w+ is a setting of (icem, )?cma: name"):
            read(words)
