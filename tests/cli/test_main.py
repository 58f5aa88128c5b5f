"""The front door: help, unknown verbs, errors in one sentence, exit codes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from types import ModuleType

import pytest

from movlr_jax.cli import main as front
from movlr_jax.errors import MovlrError


def verb_that(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    module = ModuleType("movlr_jax.cli.tasks")

    def main(argv: list[str]) -> int:
        raise error

    module.main = main  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "movlr_jax.cli.tasks", module)
    monkeypatch.delenv(front.TRACEBACK_VARIABLE, raising=False)


def test_help_names_every_verb_and_exits_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert front.main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(verb in text for verb in front.VERBS)
    assert max(len(line) for line in text.splitlines()) <= 100


def test_no_verb_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert front.main([]) == 2


def test_unknown_verb_gets_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    assert front.main(["rolout"]) == 2
    captured = capsys.readouterr()
    assert "did you mean rollout?" in captured.err
    assert captured.out == ""


def test_a_mistake_is_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    verb_that(monkeypatch, MovlrError("There is no such thing: take another."))
    assert front.main(["tasks"]) == 1
    captured = capsys.readouterr()
    assert captured.err == "movlr: There is no such thing: take another.\n"
    assert captured.out == ""


def test_traceback_on_demand(monkeypatch: pytest.MonkeyPatch) -> None:
    verb_that(monkeypatch, MovlrError("no"))
    with pytest.raises(MovlrError):
        front.main(["tasks", "--traceback"])
    monkeypatch.setenv(front.TRACEBACK_VARIABLE, "1")
    with pytest.raises(MovlrError):
        front.main(["tasks"])


def test_interruption_exits_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    verb_that(monkeypatch, KeyboardInterrupt())
    assert front.main(["tasks"]) == 130


def test_a_defect_is_named_without_a_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    verb_that(monkeypatch, ZeroDivisionError("by zero"))
    assert front.main(["tasks"]) == 1
    err = capsys.readouterr().err
    assert "ZeroDivisionError" in err and "--traceback" in err and "Traceback (most" not in err


def test_help_is_quick_and_imports_nothing_heavy() -> None:
    code = (
        "import sys; from movlr_jax.cli.main import main; main(['--help'])\n"
        "heavy = {'jax', 'mujoco', 'numpy', 'rich', 'tyro', 'yaml'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    began = time.perf_counter()
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=dict(os.environ), timeout=60)
    assert ran.returncode == 0, ran.stderr
    # 0.06 s alone on this class of machine; the bound only catches a heavy import that the list above does not name.
    assert time.perf_counter() - began < 5.0


@pytest.mark.parametrize("verb", front.VERBS)
def test_every_verb_has_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        front.main([verb, "--help"])
    assert stopped.value.code == 0
    assert f"movlr {verb}" in capsys.readouterr().out


@pytest.mark.parametrize("verb", front.VERBS)
def test_unknown_flags_are_told_in_one_line(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert front.main([verb, "--no-such-flag"]) == 1
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1 and ("--no-such-flag" in captured.err or "is missing" in captured.err)
    assert re.search(rf"movlr {verb}( list)? --help", captured.err)  # without a further word, a verb of several lists
    assert captured.out == ""
