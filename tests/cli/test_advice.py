"""Asking a person on a terminal: what is shown, what is taken, and where nobody can be asked."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from movlr_jax.cli import advice
from movlr_jax.cli.main import main
from movlr_jax.cli.progress import View
from movlr_jax.searches.events import Event

CRITIQUE = {
    "summary": "It [bold]leans[/bold].",
    "faults": [{"what": "It leans.", "kind": "lean_forward", "severity": 0.5}],
    "suggestions": [{"action": "add", "term": "trunk_upright", "words": "Stand up."}],
}


def test_what_is_shown_and_taken(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(advice, "attended", lambda: True)
    answers = ["bend the\x1b left knee ", EOFError()]

    def answer() -> str:
        said = answers.pop(0)
        if isinstance(said, Exception):
            raise said
        return said

    monkeypatch.setattr("builtins.input", answer)
    ask = advice.adviser(View(Console(file=io.StringIO())))
    assert ask is not None and ask(3, {"": Path("run/clip.mp4")}, CRITIQUE) == "bend the left knee"
    told = capsys.readouterr().err
    assert "Iteration 3: run/clip.mp4" in told and "It [bold]leans[/bold]." in told
    assert "lean_forward, severity 0.5" in told and "add trunk_upright: Stand up." in told
    assert ask(4, {}, {}) == "" and "there is no clip" in capsys.readouterr().err


def test_of_several_seeds_each_clip_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(advice, "attended", lambda: True)
    monkeypatch.setattr("builtins.input", lambda: "")
    ask = advice.adviser(View(Console(file=io.StringIO())))
    assert ask is not None
    ask(3, {"seed 0": Path("run/clip.mp4"), "seed 1, the worst of 3": Path("run/clip_1.mp4")}, CRITIQUE)
    told = capsys.readouterr().err
    assert "Iteration 3, seed 0: run/clip.mp4" in told and "Iteration 3, seed 1, the worst of 3: run/clip_1.mp4" in told


def test_the_live_view_gives_way_and_comes_back() -> None:
    terminal = Console(file=io.StringIO(), force_terminal=True, width=100)
    with View(terminal, "a heading") as view:
        view(Event("stage", iteration=1, iterations=2, stage="judge"))
        with view.paused():
            assert view._live is None
        assert view._live is not None and view._live.is_started
    assert not view._live.is_started


def test_where_nobody_sits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert advice.adviser(View(Console(file=io.StringIO()))) is None
    assert main(["run", "stand", "--ask", "--out", str(tmp_path / "run")]) == 1
    assert "this is none" in capsys.readouterr().err and not (tmp_path / "run").exists()
    assert main(["resume", str(tmp_path), "--ask", "True"]) == 1
    assert "this is none" in capsys.readouterr().err
