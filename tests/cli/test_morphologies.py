"""movlr morphologies: sizes of what is there, a way to get what is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from movlr_jax.cli.main import main


def listed(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, object]]:
    assert main(["morphologies", "--json"]) == 0
    return {r["name"]: r for r in json.loads(capsys.readouterr().out)["morphologies"]}


def test_the_embedded_body_is_always_there(capsys: pytest.CaptureFixture[str]) -> None:
    body = listed(capsys)["myolegs"]
    assert body["default"] and body["found"]
    assert (body["muscles"], body["degrees_of_freedom"]) == (80, 34)


def test_a_missing_body_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("MOVLR_MODELS_PATH", str(tmp_path))
    monkeypatch.setenv("MOVLR_CACHE", str(tmp_path / "cache"))
    body = listed(capsys)["ms-human-700"]
    assert not body["found"] and "MOVLR_MODELS_PATH" in str(body["missing"]) and str(tmp_path) in str(body["missing"])
    assert main(["morphologies"]) == 0
    assert "MOVLR_MODELS_PATH" in capsys.readouterr().out


@pytest.mark.models
def test_sizes_of_ms_human_700(capsys: pytest.CaptureFixture[str]) -> None:
    bodies = listed(capsys)
    assert bodies["ms-human-700"]["muscles"] == 700 and bodies["ms-human-700"]["degrees_of_freedom"] == 85
    assert bodies["ms-human-700-locomotion"]["muscles"] == 100


def test_the_tables_are_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["morphologies"]) == 0 and main(["tasks"]) == 0
    captured = capfd.readouterr()
    assert "walk_flat" in captured.out and "myolegs (default)" in captured.out
    assert captured.err == ""
