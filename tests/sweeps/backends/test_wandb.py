"""A W&B sweep: its definition, what its agents would type, and that `movlr run` understands it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from movlr_jax.cli import run
from movlr_jax.errors import MovlrError
from movlr_jax.runs.config import RunConfig, free_folder
from movlr_jax.sweeps import definition
from movlr_jax.sweeps.backends import wandb

SPACE = {
    "planner.noise": {"low": 0.01, "high": 0.2, "log": True},
    "planner.candidates": {"low": 16, "high": 64, "step": 16},
    "models.writer_model": ["a/b", "c/d"],
    "iterations": {"low": 1, "high": 3},
}


def sweep(folder: Path, **way: object) -> definition.SweepFile:
    file = folder / "agents.yaml"
    file.write_text(yaml.safe_dump({"name": "agents", "out": str(folder / "out"), "base": {"task": "stand"}, **way}))
    return definition.read(file)


def test_the_definition_is_wandbs_and_its_command_is_movlr_run(tmp_path, monkeypatch):
    utils = pytest.importorskip("wandb.sdk.launch.sweeps.utils", reason="wandb is not installed")
    monkeypatch.chdir(tmp_path)
    path, agents = wandb.write(
        sweep(tmp_path, optuna={"trials": 9, "space": SPACE, "direction": "minimize", "objective": "metrics.effort"})
    )
    assert agents == ""
    read = utils.load_sweep_config(str(path))
    assert (read["method"], read["metric"], read["run_cap"]) == ("bayes", {"name": "metrics/effort", "goal": "minimize"}, 9)
    assert read["parameters"] == {
        "planner.noise": {"distribution": "log_uniform_values", "min": 0.01, "max": 0.2},
        "planner.candidates": {"values": [16, 32, 48, 64]},
        "models.writer_model": {"values": ["a/b", "c/d"]},
        "iterations": {"distribution": "int_uniform", "min": 1, "max": 3},
    }
    drawn = {"planner.noise": 0.03, "planner.candidates": 32, "models.writer_model": "c/d", "iterations": 2}
    words = utils.create_sweep_command_args({"args": {name: {"value": value} for name, value in drawn.items()}})["args"]
    command = [w for part in read["command"] for w in (words if part == "${args}" else [part])]
    typed = command[command.index("run") + 1 :]
    config = run.configure(typed)
    assert (config.planner.noise, config.planner.candidates, config.models.writer_model, config.iterations) == (0.03, 32, "c/d", 2)
    assert (config.task, config.name, config.group, config.tracking) == ("stand", "agents", "agents", "online")
    monkeypatch.setenv("WANDB_SWEEP_ID", "s1")
    monkeypatch.setenv("WANDB_RUN_ID", "r7")
    assert free_folder(config).out == Path("runs/agents-r7")


def test_a_grid_keeps_its_values_and_lists_are_refused(tmp_path):
    made = wandb.define(sweep(tmp_path, grid={"seed": [0, 1], "method": ["movlr"]}), tmp_path / "base.yaml")
    assert made["method"] == "grid" and made["parameters"] == {"seed": {"values": [0, 1]}, "method": {"values": ["movlr"]}}
    assert made["project"] == RunConfig().project and "run_cap" not in made
    with pytest.raises(MovlrError, match="seeds takes a list"):
        wandb.define(sweep(tmp_path, grid={"seeds": [[0], [1]]}), tmp_path / "base.yaml")


@pytest.mark.parametrize("said", ["", "requests.exceptions.ConnectionError: no route to secret-key"])
def test_an_outage_is_one_sentence_without_the_key(tmp_path, monkeypatch, said):
    monkeypatch.setenv("WANDB_API_KEY", "secret-key")

    class Ran:
        stdout, stderr = "", said

    def no_answer(command, **more):
        if not said:
            raise wandb.subprocess.TimeoutExpired(command, 60)
        return Ran()

    monkeypatch.setattr(wandb.subprocess, "run", no_answer)
    with pytest.raises(MovlrError, match=r"wandb sweep .*wandb.yaml") as caught:
        wandb.write(sweep(tmp_path, grid={"seed": [0]}))
    assert "secret-key" not in str(caught.value) and (tmp_path / "out" / "wandb.yaml").exists()
