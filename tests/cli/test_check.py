"""movlr check: exit code 0 for a trusted reward only, and a verdict that says where and why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from movlr_jax import tasks
from movlr_jax.cli.main import main

README = Path(__file__).resolve().parents[2] / "README.md"


def readme_reward() -> str:
    """Return the first program of the README: of its Python, what begins with weights."""
    blocks = README.read_text(encoding="utf-8").split("```python\n")[1:]
    return next(text for block in blocks if (text := block.split("```", 1)[0]).startswith("WEIGHTS"))


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


def test_every_place_is_told_in_one_round(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "reward.py"
    file.write_text(
        'WEIGHTS = {"a": 1.0}\n\n\ndef terms(m):\n    x = m.head.hieght\n    if m.time > 1.0:\n        x = 0.0\n'
        '    return {"a": x + m.joints["hip_flexion_r"]}\n'
    )
    assert main(["check", str(file)]) == 1
    out = capsys.readouterr().out
    assert "    5 |     x = m.head.hieght" in out and "did you mean height" in out
    assert "    6 |     if m.time > 1.0:" in out and "jnp.where" in out
    assert "    8 |" in out and 'write m.joint("hip_flexion_r").angle' in out and "3 places." in out
    assert main(["check", str(file), "--json"]) == 1
    verdict = json.loads(capsys.readouterr().out)
    assert [fault[0] for fault in verdict["faults"]] == [5, 6, 8] and verdict["sentence"].count("Line ") == 3


# What the text alone does not tell, because a helper's argument may be anything: the jail finds it, and says the same.
@pytest.mark.parametrize(
    ("helper", "said"),
    [
        ("    if x.height > 1.0:\n        return 1.0\n    return 0.0", "Line 5: an if asks for a quantity of m"),
        ("    y = x.height > 1.0\n    return y and x.height", "Line 6: and asks for a quantity of m"),
        ("    return 1.0 * (not x.height)", "jnp.logical_not"),
        ('    return x["hip"]', "m.head is not indexed: name one of angular_velocity, forward, height"),
        ("    return x.load", "m.head has no attribute 'load': it has angular_velocity, forward, height"),
        ("    return x.heigth if x is x else 0.0", "is not allowed"),
    ],
)
def test_what_only_the_jail_sees_is_told_alike(helper: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "reward.py"
    file.write_text(f'WEIGHTS = {{"a": 1.0}}\n\n\ndef of(x):\n{helper}\n\n\ndef terms(m):\n    return {{"a": of(m.head)}}\n')
    assert main(["check", str(file)]) == 1
    assert said in capsys.readouterr().out
