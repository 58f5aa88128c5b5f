"""movlr check: exit code 0 for a trusted reward only, and a verdict that says where and why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from movlr_jax import tasks
from movlr_jax.cli.main import main

README = Path(__file__).resolve().parents[2] / "README.md"


def readme_reward() -> str:
    return README.read_text(encoding="utf-8").split("```python\n", 1)[1].split("```", 1)[0]


def test_the_readme_s_example_is_trusted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "reward.py"
    file.write_text(readme_reward())
    assert main(["check", str(file)]) == 0
    out = capsys.readouterr().out
    assert "Trusted: head_height, forward_speed." in out and "Jail:" in out


def test_a_refusal_names_line_and_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "reward.py"
    file.write_text('WEIGHTS = {"a": 1.0}\n\n\ndef terms(m):\n    return {"a": m.tail.height}\n')
    assert main(["check", str(file)]) == 1
    out = capsys.readouterr().out
    assert "Refused" in out and "tail" in out and "    5 |" in out


def test_lying_paid_better_than_standing_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "reward.py"
    file.write_text('WEIGHTS = {"low": 10.0}\n\n\ndef terms(m):\n    return {"low": -m.head.height}\n')
    assert main(["check", str(file), "--json"]) == 1
    verdict = json.loads(capsys.readouterr().out)
    assert verdict["trusted"] is False and verdict["stage"] == "behaviour" and "Lying" in verdict["reason"]


def test_a_refused_file_moves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "reward.py"
    file.write_text("import os\n" + tasks.get("stand").rewards["start"])
    assert main(["rollout", "stand", "--reward", str(file), "--seconds", "0.1"]) == 1
    captured = capsys.readouterr()
    assert "is refused" in captured.err and "import" in captured.err and captured.out == ""


@pytest.mark.parametrize(("content", "part"), [(None, "cannot be read"), (b"\xff\xfe\x00", "UTF-8")])
def test_what_is_no_reward_file(content: bytes | None, part: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "reward.py"
    if content is not None:
        file.write_bytes(content)
    assert main(["check", str(file)]) == 1
    err = capsys.readouterr().err
    assert part in err and err.count("\n") == 1


def test_a_folder_is_no_reward_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path)]) == 1
    assert "best/reward.py" in capsys.readouterr().err
