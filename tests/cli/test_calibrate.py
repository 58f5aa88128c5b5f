"""movlr calibrate: what it says to bad input; what it finds is tested where it is computed."""

from __future__ import annotations

import pytest

from movlr_jax.cli.main import main


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--seconds", "nan"], "--seconds is nan: give more than 0"),
        (["--seconds", "inf"], "--seconds is inf"),
        (["--seconds", "0"], "--seconds is 0"),
        (["--seeds", "1", "1"], "--seeds has repeats (1 1)"),
        (["--goal-speed", "nan"], "--goal-speed is nan"),
    ],
)
def test_mistakes_are_one_sentence(words: list[str], part: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calibrate", *words]) == 1
    captured = capsys.readouterr()
    assert part in captured.err and captured.err.count("\n") == 1
    assert captured.out == ""
