"""movlr ablate: tables, pictures, the pruned file, going on, a run's folder, and what it says to bad input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from movlr_jax.cli.main import main

QUICK = [
    "--seconds", "0.06", "--planner.candidates", "4", "--planner.elites", "2", "--planner.instant", "2", "--planner.horizon", "0.04",
    "--threads", "1", "--seeds", "0", "1",
]  # fmt: skip


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    """A run whose best reward has three terms, the last of them of weight nought."""
    folder = tmp_path / "run"
    (folder / "iterations" / "003").mkdir(parents=True)
    (folder / "best").symlink_to("iterations/003")
    (folder / "run.json").write_text(json.dumps({"task": "stand", "morphology": "myolegs"}))
    (folder / "best" / "reward.py").write_text(
        'WEIGHTS = {"height": 100.0, "speed": 50.0, "still": 0.0}\n\n\ndef terms(m):\n    return {\n'
        '        "height": -smooth_abs(jnp.minimum(0.0, m.head.height - 0.95 * m.standing.head_height)),\n'
        '        "speed": -smooth_abs(m.com.velocity_forward - 2.0),\n'
        '        "still": -smooth_abs(m.com.velocity_forward),\n    }\n'
    )
    return folder


def test_a_run_is_ablated_where_it_was_made(run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    words = ["ablate", str(run_folder), *QUICK, "--factors", "0", "3", "--metric", "distance_m", "--tolerance", "0.001", "--out", str(out)]
    assert main([*words, "--json"]) == 0
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert document == json.loads((out / "ablation.json").read_text())
    assert [(p["task"], p["morphology"], p["judged_by"]) for p in document["places"]] == [("stand", "myolegs", "distance_m")]
    assert document["from"] == "stand on myolegs, iteration 3" and len(document["variants"]) == 6
    # A weight of nought is nought times anything: those variants are the unchanged reward's own episode.
    assert document["limits"] == []
    assert captured.err.count("stand, myolegs") == 12  # two seeds: unchanged, two terms dropped and tripled, and the pruned text
    assert document["pruned"]["dropped"][0] == "still" and '"still"' not in (out / "pruned.py").read_text()
    assert all((out / f"ablation_x{f}.png").stat().st_size > 3000 for f in ("0", "3"))
    text = (out / "ablation.md").read_text()
    assert "| height | 100 |" in text and "- still goes" in text
    assert main(words) == 0
    captured = capsys.readouterr()
    assert "myolegs, " not in captured.err and "What earns its place" in captured.out and "saved in" in captured.out


def test_an_ablation_by_a_metric_that_nothing_moves_recommends_nothing(
    run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "pruned.py").write_text("of an earlier call")
    assert main(["ablate", str(run_folder), *QUICK, "--factors", "0", "--out", str(out)]) == 0
    captured = capsys.readouterr()
    assert "Nothing is recommended. Nothing that was changed moved the metric 'lasted [s]'" in captured.out
    assert "can go" not in captured.out and "earns" not in captured.out and not (out / "pruned.py").exists()
    assert "Nothing is recommended" in (out / "ablation.md").read_text()


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["humna"], "did you mean human?"),
        (["human", "--task", "wlak_flat"], "did you mean walk_flat?"),
        (["human", "--factors", "1"], "--factors needs"),
        (["human", "--tolerance", "2"], "--tolerance is 2"),
        (["human", "--seeds"], "at least one number"),
    ],
)
def test_mistakes_are_one_sentence(words: list[str], part: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ablate", *words, "--out", str(tmp_path)]) == 1
    captured = capsys.readouterr()
    assert part in captured.err and captured.err.count("\n") == 1 and captured.out == ""
