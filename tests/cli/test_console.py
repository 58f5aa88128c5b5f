"""Tables and JSON documents."""

from __future__ import annotations

import json

import numpy as np
import pytest

from movlr_jax.cli import console

EPISODE = {
    "seed": 3,
    "seconds": 4.0,
    "fell": True,
    "fall_time_s": 1.25,
    "diverged": False,
    "distance_m": 1.5,
    "step_symmetry": None,
    "position_error_m": 0.125,
}


def test_json_is_valid_whatever_the_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    console.print_json({"a": float("nan"), "b": np.float32(1.5), "c": np.arange(3), "d": (True, None), "e": -np.inf})
    assert json.loads(capsys.readouterr().out) == {"a": None, "b": 1.5, "c": [0, 1, 2], "d": [True, None], "e": None}


def test_metrics_table_shows_shared_and_own_metrics(capsys: pytest.CaptureFixture[str]) -> None:
    console.stdout().print(console.metrics_table("walk", [EPISODE, EPISODE], {"distance_m": 1.5}, {"distance_m": 0.0}))
    text = capsys.readouterr().out
    lines = text.splitlines()
    assert "distance [m]" in text and "position error [m]" in text
    assert [line.split()[0] for line in lines[2:]] == ["3", "3", "mean", "std"]
    assert "1.25" in lines[2] and "1.50" in lines[2] and "0.125" in lines[2]


def test_one_episode_has_no_mean(capsys: pytest.CaptureFixture[str]) -> None:
    console.stdout().print(console.metrics_table("walk", [EPISODE], {"distance_m": 1.5}, {"distance_m": 0.0}))
    assert "mean" not in capsys.readouterr().out


def test_brackets_are_not_markup(capsys: pytest.CaptureFixture[str]) -> None:
    console.stdout().print(console.table("[red]x", ("speed [m/s]",), [("[bold]",)]))
    text = capsys.readouterr().out
    assert "[red]x" in text and "speed [m/s]" in text and "[bold]" in text
