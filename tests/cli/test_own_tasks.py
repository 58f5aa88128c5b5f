"""A task of one's own through the verbs: named by its file wherever a task is named, kept by its path, and never run because a folder or a
file from someone else names it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

from movlr_jax.cli import train
from movlr_jax.cli.main import main
from movlr_jax.errors import MovlrError
from movlr_jax.learning.rl import training_folder
from movlr_jax.learning.rl.config import TrainConfig
from movlr_jax.llm import addresses

README = Path(__file__).resolve().parents[2] / "README.md"
TINY = ["--seconds", "0.05", "--planner.candidates", "4", "--planner.horizon", "0.05", "--threads", "1", "--engine", "native"]
# A task that leaves a mark wherever its code is run.
MARKING = """
from pathlib import Path

from movlr_jax.tasks import TASKS, Task

Path(__file__).with_name("it-was-run").touch()
START = TASKS["stand"].rewards["start"]
TASK = Task(name="mine", sentence="Stand.", goal_speed=0.0, seconds=1.0, walks=False, rewards={"start": START, "human": START})
"""


def example() -> str:
    """Return the README's task."""
    return next(block for block in re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL) if "TASK = " in block)


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A task's file, in a folder that is not worked in."""
    (tmp_path / "tasks").mkdir()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    path = tmp_path / "tasks" / "my_task.py"
    path.write_text(MARKING)
    return path


def of_someone_else(monkeypatch: pytest.MonkeyPatch, mine: Path, tmp_path: Path) -> Path:
    """Make this user one who has allowed nothing; return where the code would leave its mark."""
    from movlr_jax.tasks import own

    monkeypatch.setattr(addresses, "_given", set())
    monkeypatch.setattr(own, "_modules", {})
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "another-user"))
    mark = mine.with_name("it-was-run")
    mark.unlink(missing_ok=True)
    return mark


def test_the_readme_s_task_is_listed_and_moved(own_body, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_task.py").write_text(example())
    assert main(["tasks", "my_task.py"]) == 0
    said = capsys.readouterr().out
    assert "one_leg" in said and "Stand on the right leg" in said and "walk_flat" not in said
    assert main(["rollout", "my_task.py", "--reward", "human", "--morphology", str(own_body()), "--json", *TINY]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["task"] == "one_leg" and abs(told["mean"]["lifted_m"]) < 0.1
    (tmp_path / "reward.py").write_text('WEIGHTS = {"up": 1.0}\n\n\ndef terms(m):\n    return {"up": m.head.height}\n')
    assert main(["check", "reward.py", "--task", "my_task.py", "--morphology", str(own_body())]) == 0


@pytest.mark.gl
def test_a_run_keeps_its_task_and_goes_on_from_anywhere(mine, own_body, tmp_path, monkeypatch, capsys):
    body = str(own_body())
    assert main(["run", "../tasks/my_task.py", "--morphology", body, "--iterations", "0", *TINY]) == 0, capsys.readouterr().err
    run = tmp_path / "elsewhere" / "runs" / "my_task-0"
    assert yaml.safe_load((run / "config.yaml").read_text())["task"] == str(mine)
    header = json.loads((run / "run.json").read_text())
    assert header["task"] == "mine" and len(header["task_sha256"]) == 64
    assert f"movlr rollout {mine} --reward" in capsys.readouterr().out
    assert str(mine) in (run / "report.html").read_text()

    monkeypatch.chdir("/")
    assert main(["resume", str(run), "--iterations", "1"]) == 0, capsys.readouterr().err
    assert "has changed" not in capsys.readouterr().err
    assert main(["replay", str(run), "--out", str(tmp_path / "again")]) == 0, capsys.readouterr().err
    out = tmp_path / "eval"
    small = ["--seconds", "0.05", "--planner.candidates", "4", "--planner.horizon", "0.05", "--threads", "1"]
    assert main(["eval", "--rewards", str(run), "--tasks", str(mine), "stand", "--morphology", body, "--out", str(out), *small]) == 0
    assert main(["ablate", str(run), "--factors", "0.5", "--out", str(out), *small]) == 0, capsys.readouterr().err
    decided = [json.loads(path.read_text())["decided_by"] for path in (out / "episodes").glob("*.json")]
    assert {d["task"]: d.get("task_sha256") for d in decided} == {"mine": header["task_sha256"], "stand": None}

    mine.write_text(MARKING.replace("Stand.", "Stay."))
    assert main(["resume", str(run), "--iterations", "1"]) == 0
    assert f"The task {mine} has changed since the run began" in capsys.readouterr().err
    mine.unlink()
    for words in (["resume", str(run)], ["ablate", str(run), "--out", str(out)], ["replay", str(run), "--out", str(tmp_path / "third")]):
        assert main(words) == 1
        said = capsys.readouterr().err
        assert f"The task's file {mine} cannot be read (No such file or directory): put it back there" in said
    assert main(["report", str(run)]) == 0
    captured = capsys.readouterr()
    assert str(mine) in captured.err and "report.html" in captured.out


@pytest.mark.gl
def test_a_folder_from_someone_else_runs_no_code(mine, own_body, tmp_path, monkeypatch, capsys):
    body = str(own_body())
    assert main(["run", str(mine), "--morphology", body, "--iterations", "0", *TINY, "--out", str(tmp_path / "theirs")]) == 0
    mark = of_someone_else(monkeypatch, mine, tmp_path)
    run, out = tmp_path / "shared", str(tmp_path / "out")
    shutil.copytree(tmp_path / "theirs", run, symlinks=True)
    before = (run / "config.yaml").read_bytes()
    capsys.readouterr()
    for words in (
        ["resume", str(run)],
        ["replay", str(run), "--out", out],
        ["ablate", str(run), "--out", out],
        ["tune", str(run), "--out", out, "--trials", "1"],
        ["run", "--config", str(run / "config.yaml"), "--out", out],
        ["train", "--config", str(theirs_to_train(run)), "--out", out],
    ):
        assert main(words) == 1, words
        said = capsys.readouterr().err
        assert f"names the task {mine}, whose Python would be run: if you trust it, add --allow {mine}" in said, words
        assert not mark.exists() and (run / "config.yaml").read_bytes() == before
    assert main(["report", str(run)]) == 0 and not mark.exists()
    assert main(["rollout", "stand", "--reward", str(run), "--morphology", body, *TINY]) == 0 and not mark.exists()
    assert main(["resume", str(run), "--allow", str(mine)]) == 0, capsys.readouterr().err
    assert mark.exists()
    monkeypatch.setattr(addresses, "_given", set())  # a later command of the same user
    assert main(["resume", str(run)]) == 0


def theirs_to_train(run: Path) -> Path:
    """Return a training's configuration with the task of a run."""
    path = run.parent / "train.yaml"
    path.write_text(yaml.safe_dump({"task": yaml.safe_load((run / "config.yaml").read_text())["task"], "reward": "human"}))
    return path


def test_what_a_module_is_called_runs_nothing_either(tmp_path, monkeypatch, capsys):
    (tmp_path / "config.yaml").write_text("task: 'this:s'\n")
    assert main(["run", "--config", str(tmp_path / "config.yaml"), "--out", str(tmp_path / "run")]) == 1
    captured = capsys.readouterr()
    assert "add --allow this:s" in captured.err and "Zen" not in captured.out
    assert main(["run", "--config", str(tmp_path / "config.yaml"), "--out", str(tmp_path / "run"), "--allow", "this:s"]) == 1
    assert "s is a str, not a Task" in capsys.readouterr().err


def test_a_sweep_s_trials_know_it_by_its_path(mine, tmp_path, monkeypatch, capsys):
    mark = of_someone_else(monkeypatch, mine, tmp_path)
    (tmp_path / "sweep.yaml").write_text(
        f"base: {{iterations: 0, seconds: 0.05}}\nout: {tmp_path / 'out'}\ngrid: {{task: [../tasks/my_task.py, stand]}}\n"
    )
    assert main(["sweep", str(tmp_path / "sweep.yaml"), "--dry-run"]) == 1
    said = capsys.readouterr().err
    assert "trial 0 (task my_task.py): The sweep names the task" in said and f"--allow {mine}" in said and not mark.exists()
    assert main(["sweep", str(tmp_path / "sweep.yaml"), "--dry-run", "--allow", "../tasks/my_task.py"]) == 0
    assert str(mine) in capsys.readouterr().out and mark.exists()


def test_what_a_trial_elsewhere_is_told_names_the_code(mine, monkeypatch):
    from movlr_jax.runs import permissions
    from movlr_jax.searches import RunConfig

    config = RunConfig(task=str(mine))
    assert permissions.targets(config) == (("code", str(mine)),) and addresses.environment(permissions.targets(config)) == ()
    addresses.give("code", str(mine))
    (told,) = addresses.environment(permissions.targets(config))
    monkeypatch.setattr(addresses, "_given", set())
    monkeypatch.setenv("XDG_CONFIG_HOME", "/nowhere")
    with pytest.raises(MovlrError, match="add --allow"):
        permissions.task(str(mine))
    monkeypatch.setenv(*told)
    assert permissions.task(str(mine)).name == "mine"


def test_two_tasks_of_one_name_are_kept_apart(mine, tmp_path, capsys):
    other = mine.with_name("other.py")
    other.write_text(MARKING)
    assert main(["eval", "--tasks", str(mine), str(other), "--out", str(tmp_path / "eval")]) == 1
    assert f"{mine} and {other} are both named mine" in capsys.readouterr().err


def test_a_training_is_about_it(mine, own_body, monkeypatch):
    config = train.configure(["../tasks/my_task.py", "--reward", "human", "--morphology", str(own_body())])
    assert config.task == str(mine)
    asked = training_folder.setup_of(config, "human")
    assert asked.task.name == "mine" and asked.reward.name == "human"
    monkeypatch.setattr(addresses, "_given", set())
    monkeypatch.setenv("XDG_CONFIG_HOME", "/nowhere")
    with pytest.raises(MovlrError, match=r"some/config.yaml names the task"):
        training_folder.setup_of(TrainConfig(task=str(mine)), "human", where=Path("some/config.yaml"))


def test_a_fault_while_a_body_moves_is_the_file_s(mine, own_body, capsys):
    faulty = "class Mine(Task):\n    def measure(self, morphology, rollout):\n        return {'x': rollout.nothing}\n\n\nTASK = Mine("
    mine.write_text(MARKING.replace("TASK = Task(", faulty))
    assert main(["rollout", str(mine), "--morphology", str(own_body()), *TINY]) == 1
    said = capsys.readouterr().err
    assert f"{mine}, line " in said and "AttributeError" in said and "A defect" not in said
