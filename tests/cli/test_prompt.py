"""movlr prompt: the list, and what was sent in a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from movlr_jax.cli.main import main
from movlr_jax.prompts import prompt


def call(purpose: str, version: str, text: str, **more) -> dict:  # type: ignore[no-untyped-def]
    request = {
        "system": "Be brief.",
        "parts": [{"text": text}, {"video": {"sha256": "ab" * 32, "bytes": 7, "frames_per_second": 8.0}}],
        "schema": {"title": "Critique"},
        "exchange": [{"answer": "no \x1b[2JJSON", "complaint": "Give JSON."}],
        "temperature": 0.0,
    }
    record = {"purpose": purpose, "prompt": f"{purpose}@{version}", "model": "m-1", "request": request, "response": "yes", "fault": None}
    return {**record, **more}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    chosen, other = folder / "iterations/001/calls", folder / "iterations/001/candidates/0/calls"
    for path in (chosen, other):
        path.mkdir(parents=True)
    (folder / "run.json").write_text("{}")
    (folder / "config.yaml").write_text("{}")
    label = prompt.load("critique").version
    (chosen / "critique.json").write_text(json.dumps([call("critique", label, "The goal: walk.\n  indented\n")]))
    (chosen / "write-00.json").write_text(json.dumps([call("write", "00000000", "Chosen.\n")]))
    fault = {"response": None, "fault": {"kind": "blocked", "sentence": "A filter took it."}}
    (other / "write-00.json").write_text(json.dumps([call("write", "00000000", "Other.\n", **fault)]))
    return folder


def test_the_list_gives_versions(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prompt", "list"]) == 0
    out = capsys.readouterr().out
    assert main(["prompt"]) == 0 and capsys.readouterr().out == out
    assert all(name in out and prompt.load(name).version in out for name in prompt.NAMES)


def test_what_was_sent_is_shown_in_full(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prompt", "show", str(run), "1"]) == 0
    out = capsys.readouterr().out
    assert "The goal: walk.\n  indented\n[video: 7 bytes, SHA-256 abababababab, 8 frames a second]" in out
    assert "Be brief." in out and "no [2JJSON" in out and "Give JSON." in out and "\x1b" not in out and "yes" not in out
    assert out.index("Chosen.") < out.index("Other.") and f"(now {prompt.load('write').label})" in out
    assert f"{prompt.load('critique').label} to m-1" in out
    assert main(["prompt", "show", str(run), "1", "--stage", "write", "--answers"]) == 0
    out = capsys.readouterr().out
    assert "walk" not in out and "yes" in out and "(none: A filter took it.)" in out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["shw"], "did you mean show"),
        (["show", "RUN", "7"], "no iteration 7"),
        (["show", "RUN", "1", "--stage", "compare"], "No model was asked to compare in iteration 1"),
        (["show", "nowhere", "1"], "holds no run"),
    ],
)
def test_mistakes(run: Path, words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prompt", *(str(run) if word == "RUN" else word for word in words)]) == 1
    assert sentence in capsys.readouterr().err
