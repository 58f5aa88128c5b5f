"""Folders spoilt at random, read by everything that reads a run: a sentence or a value, in bounded time, and nothing outside."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.spoiling import spoil

from movlr_jax.cli.main import main
from movlr_jax.cli.run import iterations_table
from movlr_jax.control.episode import Rollout
from movlr_jax.errors import MovlrError
from movlr_jax.evaluation import reward_texts
from movlr_jax.llm.ledger import Ledger
from movlr_jax.media import report
from movlr_jax.runs.config import RunConfig
from movlr_jax.runs.run_folder import RunFolder
from movlr_jax.searches import replay, state
from movlr_jax.tasks import TASKS

HONEST = Path(__file__).parents[1] / "data" / "run-of-0.1"


def _everything(run: Path) -> None:
    """Read a run's folder in each of the ways that verbs do; raise what they raise."""
    with contextlib.suppress(MovlrError):
        reward_texts.find(str(run), TASKS.values())
        reward_texts.home(str(run))
    with contextlib.suppress(MovlrError):
        report.write_report(run)
    with contextlib.suppress(MovlrError):
        replay.configure(run, run / "again")
    folder = RunFolder.find(run)
    config = RunConfig.load(folder["config.yaml"])
    folder = RunFolder(run, config.seeds)
    rows = folder.rows()
    iterations_table(rows)
    folder.best(), folder.sources(), Ledger(run / "calls").by_purpose()
    with contextlib.suppress(MovlrError):
        state.next_step(folder, config)
    with folder.locked():
        folder.point_best()
    for row in rows:
        chosen = folder.iteration(row.iteration).chosen()
        if chosen is None:
            continue
        for name in ("metrics.json", "facts.json", "critique.json", "weights.json", "verdict.json"):
            chosen.read(name)
        chosen.drafts(), chosen.refusals(), chosen.trials(), chosen.text()
        Rollout.load(chosen.rollout(config.seeds[0]))
        replay._Films(folder)


# `tools/fuzz_run_folders.py` asks for more, drawn anew each time.
MORE = int(os.environ.get("MOVLR_FUZZ_EXAMPLES", "0"))


@settings(max_examples=MORE or 200, deadline=8000, suppress_health_check=list(HealthCheck), derandomize=not MORE, database=None)
@given(st.data())
def test_a_spoilt_folder_is_a_sentence_or_harmless(data: st.DataObject) -> None:
    check(data)


def check(data: st.DataObject) -> None:
    """Spoil a folder once to three times, and read it."""
    with tempfile.TemporaryDirectory() as place:
        run, outside = Path(place) / "run", Path(place) / "outside"
        outside.mkdir()
        (outside / "secret.txt").write_text("the victim's")
        shutil.copytree(HONEST, run, symlinks=True)
        for _ in range(data.draw(st.integers(1, 3))):
            spoil(run, outside, data.draw)
        said = io.StringIO()
        with contextlib.suppress(MovlrError, OSError):  # which `movlr` tells in a sentence
            _everything(run)
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            main(["prompt", "show", str(run), "1"])
        assert "defect" not in said.getvalue() and "the victim's" not in said.getvalue()
        assert [p.name for p in outside.iterdir()] == ["secret.txt"] and (outside / "secret.txt").read_text() == "the victim's"


@pytest.mark.parametrize("seed", range(3))
def test_several_spoilings_end_in_a_sentence_of_movlr(seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The verb itself, on files that are all of one wrong kind."""
    shutil.copytree(HONEST, tmp_path / "run", symlinks=True)
    for path in (tmp_path / "run").rglob("*.json"):
        path.write_bytes([b"[]", b"{}", b"\x00\xff"][seed])
    assert main(["resume", str(tmp_path / "run")]) in (0, 1)
    assert "defect" not in capsys.readouterr().err


@settings(max_examples=max(MORE // 30, 6), deadline=None, suppress_health_check=list(HealthCheck), derandomize=not MORE, database=None)
@given(st.data())
def test_a_spoilt_run_goes_on_or_says_why(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as place:
        run = Path(place) / "run"
        shutil.copytree(HONEST, run, symlinks=True)
        for name in ("iteration.json", "tracked.json", "decision.json"):  # so that judging is done again
            (run / "iterations" / "001" / name).unlink()
        shutil.copytree(run / "iterations" / "001", run / "iterations" / "001" / "candidates" / "0")
        for path in (run / "iterations" / "001").iterdir():
            if path.name not in ("candidates", "choice.json", "seconds.json"):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        spoil(run, Path(place), data.draw, odd=True)
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            main(["resume", str(run)])
        assert "defect" not in said.getvalue(), said.getvalue()
