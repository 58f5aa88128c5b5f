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


LONG = {f"a-metric-of-one-s-own-{k}": 0.5 for k in range(6)}


@pytest.mark.parametrize("width", [40, 60, 80, 140])
def test_a_table_fits_and_breaks_no_word(width: int, capsys: pytest.CaptureFixture[str]) -> None:
    out = console.stdout(width)
    episode = EPISODE | LONG
    made = console.metrics_table("walk", [episode, episode], episode, episode)
    out.print(made)
    out.print(console.table("", ("task", "speed", "sentence"), [("walk_injured", 1, "although muscles are injured " * 9)]))
    out.print(made)
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= width
    words = text.split()
    for name in (*LONG, "walk_injured", "although", "position"):
        assert name in words
    assert words.count("seed") == 2 * len(made.parts(width))


def test_a_narrow_table_repeats_what_names_its_rows() -> None:
    headings = ["task", "body", "falls", *(f"metric_{k}_m" for k in range(9))]
    parts = console.table("", headings, [["stand", "myolegs", "0 of 3", *"123456789"]]).parts(60)
    assert len(parts) > 1 and all(part[:2] == [0, 1] for part in parts)
    assert sorted({i for part in parts for i in part}) == list(range(12))


def test_a_word_wider_than_the_page_is_broken_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    console.stdout(40).print(console.table("", ("name", "found in"), [("myolegs", "/" + "x" * 90)]))
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 40 and "myolegs" in text and text.count("x") == 90


def test_what_is_to_be_copied_is_never_wrapped(capsys: pytest.CaptureFixture[str]) -> None:
    command = "movlr resume " + "runs/a-long-name" * 9 + " --iterations 16"
    console.listed(console.stdout(40), "how to go on", [("more iterations", command), ("the page", "x")])
    assert capsys.readouterr().out.splitlines() == ["how to go on", f"more iterations  {command}", "the page         x"]
