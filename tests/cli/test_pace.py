"""What is waited for is told on stderr without a terminal too: a line when it begins, and one every so often while it goes on."""

from __future__ import annotations

import io
import time

import pytest

from movlr_jax.cli import console
from movlr_jax.cli.main import main
from movlr_jax.cli.progress import Pace

TINY = ["--seconds", "0.1", "--planner.candidates", "4", "--planner.horizon", "0.05", "--threads", "1", "--engine", "native"]


def test_lines_come_every_so_often_and_no_more(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    text = io.StringIO()
    pace = Pace(console.PlainConsole(file=text, width=80))
    pace.tell("compiling")
    for step in range(1, 200):
        now[0] += 0.125
        pace.moved(f"{step} of 200")
    assert text.getvalue().splitlines() == ["[0:00] compiling", "[0:10] 80 of 200", "[0:20] 160 of 200"]


@pytest.mark.parametrize("json", [False, True])
def test_a_rollout_says_what_it_is_at(json, own_body, monkeypatch, capsys):
    monkeypatch.setattr(Pace.__init__, "__defaults__", (0.0,))
    words = ["rollout", "stand", "--reward", "start", "--morphology", str(own_body()), "--seeds", "3", *TINY]
    assert main([*words, *(["--json"] if json else [])]) == 0
    captured = capsys.readouterr()
    assert "seed 3: planning and executing 0.1 s of motion of my-biped" in captured.err
    assert " of 0.1 s\n" in captured.err and " of 0.1 s" not in captured.out
    assert captured.out.startswith("{") == json


def test_check_says_what_it_waits_for(own_body, tmp_path, capsys):
    text = "\ufeffWEIGHTS = {“up”: 1.0}\n\n\ndef terms(m):\n\treturn {“up”: m.head.height}\n"
    (tmp_path / "reward.py").write_bytes(text.replace("\n", "\r\n").encode())
    assert main(["check", str(tmp_path / "reward.py"), "--morphology", str(own_body()), "--json"]) == 0
    captured = capsys.readouterr()
    said = [line.partition("] ")[2] for line in captured.err.splitlines()]
    begun = ("Read in Python's own signs: a byte-order mark", "loading", "making motions of my-biped", "warming a", "tracing", "judging")
    for words in begun:
        assert any(line.startswith(words) for line in said), words
    assert "curly quotes (lines 1, 5)" in captured.err and captured.out.startswith("{")
