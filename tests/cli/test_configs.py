"""configs/: every file is a valid run, and each stands below the flags and above the code's defaults."""

from __future__ import annotations

from pathlib import Path

import pytest

from movlr_jax import tasks
from movlr_jax.cli.main import main
from movlr_jax.cli.run import configure
from movlr_jax.control.planners import MPPI
from movlr_jax.morphologies import plan
from movlr_jax.runs.config import RunConfig

CONFIGS = sorted((Path(__file__).resolve().parents[2] / "configs").glob("*.yaml"))


@pytest.mark.parametrize("file", CONFIGS, ids=lambda f: f.stem)
def test_every_file_is_a_valid_run(file: Path) -> None:
    config = RunConfig.load(file)
    assert tasks.get(config.task)
    assert plan(config.morphology)
    assert config != RunConfig()


def test_there_is_a_file_for_each_task() -> None:
    assert set(tasks.TASKS) == {RunConfig.load(file).task for file in CONFIGS}


def test_the_published_planner_has_a_file() -> None:
    assert RunConfig.load(next(file for file in CONFIGS if file.stem == "published")).planner == MPPI.published()


def test_code_then_file_then_flags(tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_text("task: stand\nseconds: 3\nseeds: [4, 5]\n")
    assert configure([]) == RunConfig()
    assert configure(["--config", str(file)]) == RunConfig(task="stand", seconds=3.0, seeds=(4, 5))
    flags = ["--seconds", "1.5", "--seeds", "7", "8", "9"]
    assert configure(["--config", str(file), *flags]) == RunConfig(task="stand", seconds=1.5, seeds=(7, 8, 9))
    assert configure(["walk_flat", "--config", str(file)]).task == "walk_flat"


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("iteratons: 3\n", "iteratons"),
        ("iterations: many\n", "iterations"),
        ("iterations: -1\n", "give 0 or more"),
        ("[1, 2", "not YAML"),
        ("- 1\n", "name: value"),
    ],
)
def test_mistakes_in_a_file_are_one_sentence(text: str, part: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "my.yaml"
    file.write_text(text)
    assert main(["run", "--config", str(file)]) == 1
    err = capsys.readouterr().err
    assert part in err and err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--config", "no/such.yaml"], "no/such.yaml"),
        (["--config"], "needs a file"),
        (["walk_flat", "--candidates", "0"], "candidates is 0"),
        (["walk_flat", "--seeds", "1", "1"], "give each seed once"),
    ],
)
def test_mistakes_on_the_command_line_are_one_sentence(words: list[str], part: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", *words]) == 1
    err = capsys.readouterr().err
    assert part in err and err.count("\n") == 1
