"""movlr eval and movlr transfer: the tables, the documents, the files, going on, and what they say to bad input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from movlr_jax.cli.main import main

# A tenth of a second with few candidates: the real planner on the real body, quick.
QUICK = [
    "--seconds", "0.1", "--planner.candidates", "8", "--planner.elites", "2", "--planner.instant", "2", "--planner.horizon", "0.08",
    "--threads", "1",
]  # fmt: skip
EVAL = ["eval", "--reward", "start", "--reward", "straight", "--task", "stand", "walk_flat", "--seeds", "0", *QUICK]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:  # type: ignore[no-untyped-def]
    """What a first evaluation left."""
    out = tmp_path_factory.mktemp("eval")
    assert main([*EVAL, "--out", str(out)]) == 0
    return out


def test_a_row_a_combination_and_a_second_call_that_finds_them(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*EVAL, "--out", str(folder), "--json"]) == 0
    captured = capsys.readouterr()
    assert captured.err == f"3 of 3 episodes found in {folder / 'episodes'}\n"
    document = json.loads(captured.out)
    assert document == json.loads((folder / "eval.json").read_text())
    rows = {(row["reward"], row["task"]): row for row in document["rows"]}
    assert len(rows) == 4 and "has no reward 'straight'" in rows["straight", "stand"]["refused"]
    assert [e["seed"] for e in rows["straight", "walk_flat"]["episodes"]] == [0] and rows["start", "walk_flat"]["goal_speed_mps"] == 0.8
    markdown = (folder / "eval.md").read_text()
    assert "| walk_flat | myolegs | straight | 0.8 | 0 of 1 |" in markdown and "- stand, myolegs, straight: " in markdown


def test_the_table_says_what_was_not_measured(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*EVAL, "--out", str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["task", "body", "reward"] and lines[-2].startswith("not measured: stand, myolegs, straight:")


@pytest.mark.gl
def test_clips_of_the_first_seed(folder: Path) -> None:
    words = ["eval", "--reward", "start", "--task", "stand", "--seeds", "0", *QUICK, "--clips", "--out", str(folder)]
    assert main(words) == 0
    (clip,) = (folder / "clips").iterdir()
    assert clip.name.startswith("stand_myolegs_start_") and clip.stat().st_size > 1000
    before = clip.stat().st_mtime_ns
    assert main(words) == 0
    assert clip.stat().st_mtime_ns == before


def test_transfer_shares_the_episodes_and_draws(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["transfer", "--rewards", "start", "straight", "--from", "walk_flat", "--to", "walk_flat", "stand", "--seeds", "0", *QUICK]
    assert main([*words, "--out", str(folder), "--json"]) == 0
    captured = capsys.readouterr()
    # Its own task's rewards were evaluated there; on stand it is the text of walk_flat that is new.
    assert captured.err.startswith("2 of 4 episodes found")
    document = json.loads(captured.out)
    assert [row["from"] for row in document["rows"]] == ["walk_flat", "walk_flat"] and document["metric"] == "distance_m"
    assert all(value is not None for line in document["mean"] for value in line)
    assert (folder / "transfer.png").stat().st_size > 5000
    assert "| straight | walk_flat |" in (folder / "transfer.md").read_text()
    # The matrix shows what the first task is measured by, and nothing is run again for it.
    words[words.index("walk_flat", 6) : words.index("--seeds")] = ["stand", "walk_flat"]
    assert main([*words, "--out", str(folder)]) == 0
    captured = capsys.readouterr()
    assert captured.err.startswith("4 of 4 episodes found") and captured.out.startswith("seconds, mean")


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["eval", "--reward", "humna"], "did you mean human?"),
        (["eval", "--task", "wlak_flat"], "did you mean walk_flat?"),
        (["eval", "--morphology", "myoleg"], "did you mean myolegs?"),
        (["eval", "--seeds"], "at least one number"),
        (["eval", "--reward"], "nothing to measure"),
        (["eval", "--engine", "cuda"], "known are native, warp, jax and auto"),
        (["eval", "--planner.law", "papr"], "muscle law 'papr'"),
        (["eval", "--task", "stand", "--strengths", "0", "1"], "task stand injures no muscles that --strengths could change"),
        (["eval", "--task", "walk_injured", "--strengths", "2"], "fractions from 0 to 1, not 2"),
        (["transfer", "--to", "walk_injured", "--strengths", "0", "--strengths", "0"], "repeats (0 0)"),
        (["eval", "--mjx.hosts"], "start the same command on each"),
        (["transfer", "--from", "walk"], "There is no task 'walk'"),
        (["transfer", "--rewards", "strait"], "did you mean straight?"),
    ],
)
def test_mistakes_are_one_sentence(words: list[str], part: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, "--out", str(tmp_path)]) == 1
    captured = capsys.readouterr()
    assert part in captured.err and captured.err.count("\n") == 1
    assert captured.out == ""


def test_a_folder_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["eval", "--out", str(tmp_path / "file")]) == 1
    assert "choose another --out" in capsys.readouterr().err
