"""The benchmark measures what it says, on both kinds of engine, at a size that takes seconds."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import pytest

pytest.importorskip("warp", reason="warp-lang is not installed")


def test_rows_are_measured_once_and_no_row_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    benchmark = importlib.import_module("benchmark")
    monkeypatch.setattr(benchmark, "RESULTS", tmp_path / "benchmark.json")
    words = "benchmark --bodies myolegs --engines native warp --worlds 4 --horizons 3 --steps 3 --repeats 1 --fused"
    monkeypatch.setattr(sys, "argv", words.split())
    benchmark.main()
    rows = json.loads((tmp_path / "benchmark.json").read_text())
    works = {key.split(", ", 2)[2]: row for key, row in rows.items()}
    assert set(works) == {
        "native, step 4 worlds",
        "native, plan 4 x 3, 1 episodes",
        "warp, step 4 worlds",
        "warp, plan 4 x 3, 1 episodes",
        "warp, plan 4 x 3, 1 episodes, reward fused in",
    }
    assert all("error" not in row and row["steps_per_s"] > 0 and row["first_call_s"] > 0 for row in works.values()), works
    capsys.readouterr()
    benchmark.main()
    assert json.loads((tmp_path / "benchmark.json").read_text()) == rows
    assert capsys.readouterr().out.startswith("| machine")


def test_a_plan_is_compared_with_its_bare_steps(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmark_plan", "--plans", "2", "--candidates", "8", "--horizon", "0.04"])
    importlib.import_module("benchmark_plan").main()
    row = json.loads(capsys.readouterr().out)
    assert row["steps"] == 5 and row["bare_step_s"] > 0 and 0 < row["stepping_share_of_plan"] < 1
