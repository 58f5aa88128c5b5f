"""movlr run, resume, report and check on a real, tiny search: one edit, a tenth of a second of motion."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
from support.iteration_records import record

from movlr_jax import searches
from movlr_jax.cli import console, run
from movlr_jax.cli.main import main
from movlr_jax.runs.config import RunConfig
from movlr_jax.runs.iteration_record import IterationRecord
from movlr_jax.searches.result import RunResult

pytestmark = pytest.mark.gl
TINY = ["--seconds", "0.1", "--planner.candidates", "16", "--planner.horizon", "0.1"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """Return a run's folder with what was printed to stdout and stderr."""
    folder = tmp_path_factory.mktemp("cli") / "run"
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        assert main(["run", "stand", "--iterations", "1", *TINY, "--out", str(folder)]) == 0
    return folder, out.getvalue(), err.getvalue()


def test_a_run_ends_with_tables_and_directions(finished: tuple[Path, str, str]) -> None:
    folder, out, err = finished
    assert "distance [m]" in out and "how to go on" in out
    assert f"movlr resume {folder}" in out and f"{folder}/report.html" in out
    assert f"Run folder: {folder}" in err and "iteration 0 of 1" in err and "iteration 1 of 1" in err
    rows = json.loads((folder / "summary.json").read_text())["iterations"]
    assert [row["iteration"] for row in rows] == [0, 1]


def test_a_folder_that_holds_a_run_is_refused(finished: tuple[Path, str, str], capsys: pytest.CaptureFixture[str]) -> None:
    folder = finished[0]
    assert main(["run", "stand", *TINY, "--out", str(folder)]) == 1
    assert f"movlr resume {folder}" in capsys.readouterr().err


def test_resume_goes_on(finished: tuple[Path, str, str], capsys: pytest.CaptureFixture[str]) -> None:
    folder = finished[0]
    before = (folder / "iterations" / "001" / "reward.py").read_bytes()
    assert main(["resume", str(folder), "--iterations", "2", "--max-calls", "7", "--max-cost", "0.5"]) == 0
    config = RunConfig.load(folder / "config.yaml")
    assert (config.max_calls, config.max_cost) == (7, 0.5)
    assert len(json.loads((folder / "summary.json").read_text())["iterations"]) == 3
    assert (folder / "iterations" / "001" / "reward.py").read_bytes() == before
    assert "how to go on" in capsys.readouterr().out


def test_a_replay_comes_to_the_same_bits_and_draws_nothing(
    finished: tuple[Path, str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = finished[0]
    monkeypatch.setattr("movlr_jax.evaluation.filming.film", None)  # drawing would fail
    assert main(["replay", str(folder), "--out", str(tmp_path / "again")]) == 0
    assert "bit for bit" in capsys.readouterr().out
    assert (tmp_path / "again" / "best" / "clip.mp4").read_bytes() == (folder / "best" / "clip.mp4").read_bytes()
    config = RunConfig.load(tmp_path / "again" / "config.yaml")
    assert config.engine == "native" and config.iterations == len(json.loads((folder / "summary.json").read_text())["iterations"]) - 1
    assert main(["replay", str(tmp_path / "nowhere")]) == 1
    assert "holds no run" in capsys.readouterr().err


def test_report_draws_again(finished: tuple[Path, str, str], capsys: pytest.CaptureFixture[str]) -> None:
    folder = finished[0]
    (folder / "report.html").unlink()
    assert main(["report", str(folder)]) == 0
    assert capsys.readouterr().out == f"{folder / 'report.html'}\n"
    assert (folder / "report.html").stat().st_size > 1000


def test_a_run_stands_for_its_best_reward(finished: tuple[Path, str, str], capfd: pytest.CaptureFixture[str]) -> None:
    folder = finished[0]
    assert main(["rollout", "stand", "--reward", str(folder), *TINY, "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["reward"] == str(folder)


@pytest.mark.parametrize("verb", ["resume", "report"])
def test_no_run_there(verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb, str(tmp_path)]) == 1
    err = capsys.readouterr().err
    assert "holds no run" in err and err.count("\n") == 1


def test_free_needs_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "free", "--out", str(tmp_path / "run")]) == 1
    err = capsys.readouterr().err
    assert "--goal" in err and err.count("\n") == 1


def test_a_second_run_gets_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = RunConfig(name="demo")
    assert searches.free_folder(config).out == Path("runs/demo")
    (tmp_path / "runs" / "demo").mkdir(parents=True)
    (tmp_path / "runs" / "demo-2").mkdir()
    assert searches.free_folder(config).out == Path("runs/demo-3")
    asked = RunConfig(out=tmp_path / "runs" / "demo")
    assert searches.free_folder(asked) == asked


def test_an_interrupted_run_says_how_to_go_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(config: RunConfig, **more: Any) -> RunResult:
        assert config.out is not None
        return RunResult(config.out, None, None, {}, [], [], "interrupted", "Interrupted.")

    monkeypatch.setattr(searches, "run", interrupted)
    assert main(["run", "stand", "--out", str(tmp_path / "run")]) == 130
    captured = capsys.readouterr()
    assert f"movlr resume {tmp_path / 'run'}" in captured.err and captured.out == ""


def test_the_tables_of_a_hand_tell_of_its_object(capsys: pytest.CaptureFixture[str]) -> None:
    def row(iteration: int, drop_time_s: float | None) -> IterationRecord:
        errors = {"final_position_error_m": 0.0312, "final_orientation_error_rad": 0.25}
        metrics = {"seconds": 2.0, "fell": drop_time_s is not None, "effort": 0.01, "dropped": 0.0, "drop_time_s": drop_time_s, **errors}
        return record(iteration, metrics=metrics)

    rows = [row(0, 1.25), row(1, None)]
    console.stdout().print(run.iterations_table(rows))
    console.stdout().print(run.start_and_best(*rows))
    told = capsys.readouterr().out
    assert "dropped at [s]" in told and "1.25" in told and "final position error [m]" in told and "0.031" in told
    assert "distance" not in told and "drift" not in told and "fell" not in told


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """Return the folder of a run for a sentence of which half is measured, with what was printed to stdout and stderr."""
    folder = tmp_path_factory.mktemp("cli") / "spoken"
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        words = ["run", "free", "--goal", "squat and stay there, and play the violin", "--iterations", "0", *TINY, "--out", str(folder)]
        assert main(words) == 0
    return folder, out.getvalue(), err.getvalue()


def test_what_of_a_sentence_is_measured_is_told_before_after_and_in_the_report(spoken: tuple[Path, str, str]) -> None:
    folder, out, err = spoken
    unread = "Nothing here measures 'play the violin'"
    assert err.index("at most 0.83, held over the last third") < err.index("iteration 0 of 0")
    report = (folder / "report.html").read_text()
    for told in (err, out, report.replace("&#x27;", "'").replace("&#39;", "'")):
        assert unread in told and "at most 0.83" in told
    assert "the trunk or the head on the ground" in out and "the trunk or the head on the ground" in report
    assert "reached" in out and "pelvis height" in report and "% of the goal" in report
    summary = json.loads((folder / "summary.json").read_text())
    row = summary["iterations"][0]
    assert summary["goal_measures"] and "1 m/s" in summary["ends_when"]
    assert 0.9 < row["metrics"]["goal_pelvis_height"] < 1.1 and row["metrics"]["goal_reached"] < 0.5 and row["score"] < 80
    record = json.loads((folder / "iterations" / "000" / "metrics.json").read_text())["episodes"][0]
    assert record["goal_held"] is False and record["goal_reached"] == row["metrics"]["goal_reached"]
    critique = json.loads((folder / "iterations" / "000" / "critique.json").read_text())
    assert not critique["success"] and "unmeasured" in [fault["kind"] for fault in critique["faults"]]
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert any("metrics/goal_reached" in json.dumps(line) for line in lines)  # what trackers plot


def test_the_goal_of_a_run_goes_with_its_reward(spoken: tuple[Path, str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(spoken[0])
    quick = [*TINY, "--seeds", "0", "--json"]
    assert main(["rollout", "free", "--reward", folder, *quick]) == 0
    captured = capsys.readouterr()
    assert "play the violin" in captured.err and json.loads(captured.out)["goal"].startswith("squat and stay there")
    assert main(["eval", "--reward", folder, "--task", "free", *quick, "--out", str(tmp_path / "eval")]) == 0
    captured = capsys.readouterr()
    (row,) = json.loads(captured.out)["rows"]
    assert "play the violin" in captured.err and row["episodes"][0]["goal_reached"] < 0.5
    assert "| free | myolegs |" in (tmp_path / "eval" / "eval.md").read_text() and "held" in (tmp_path / "eval" / "eval.md").read_text()
    words = ["transfer", "--reward", folder, "human", "--from", "free", "--to", "free", *quick, "--out", str(tmp_path / "eval")]
    assert main(words) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["metric"] == "goal_reached" and "One seed" in document["limits"][0]


def test_another_sentence_is_another_episode(spoken: tuple[Path, str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    quick = ["eval", "--reward", "start", "--task", "free", *TINY, "--seeds", "0", "--json", "--out", str(tmp_path)]
    for goal, found in (("squat", 0), ("lie down", 0), ("squat", 1)):
        assert main([*quick, "--goal", goal]) == 0
        captured = capsys.readouterr()
        assert ("1 of 1 episodes found" in captured.err) is bool(found)
        assert json.loads(captured.out)["rows"][0]["goal"] == goal
    episodes = [json.loads(path.read_text()) for path in (tmp_path / "episodes").glob("*.json")]
    assert sorted(e["decided_by"]["fall"]["low"] for e in episodes) == [0.0, 0.6]
