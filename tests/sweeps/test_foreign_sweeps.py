"""A sweep's folder that someone else wrote: what its plan and its runs may be, and what they may not reach."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from movlr_jax.cli.main import main
from movlr_jax.errors import MovlrError
from movlr_jax.processes import private

FILE = "name: s\nout: {out}\ngrid: {{seed: [0]}}\nbase: {{task: walk_flat, iterations: 0, seconds: 0.02}}\n"
TRIAL = {"number": 0, "name": "000-seed-0", "values": {"seed": 0}}
PLAN = {"version": 1, "name": "s", "base": {}, "paths": ["seed"], "threads": 1, "trials": [TRIAL]}
KINDS = {
    "a list": [],
    "a trial that is a path": {**PLAN, "trials": [{"number": "../../outside", "values": {}}]},
    "a name that is a path": {**PLAN, "name": "../outside"},
    "values that are a list": {**PLAN, "trials": [{"number": 0, "values": [1]}]},
    "threads of text": {**PLAN, "threads": "many"},
}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "kept.txt").write_text("kept")
    (tmp_path / "mine.yaml").write_text(FILE.format(out=tmp_path / "out"))
    (tmp_path / "out" / "trials").mkdir(parents=True)
    return tmp_path


def _refused(place: Path, capsys: pytest.CaptureFixture[str]) -> str:
    said = ""
    for words in (["sweep", str(place / "mine.yaml")], ["trial", str(place / "out"), "0"]):
        assert main(words) == 1
        told = capsys.readouterr()
        assert "defect" not in told.err and len(told.err) < 1500
        said += told.err + told.out
    assert [p.name for p in (place / "outside").iterdir()] == ["kept.txt"]
    return said


@pytest.mark.parametrize("what", KINDS)
def test_a_plan_of_another_kind_is_a_sentence(place: Path, what: str, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "out" / "plan.json").write_text(json.dumps(KINDS[what]))
    assert "plan.json" in _refused(place, capsys)


def test_a_folder_of_jobs_that_others_can_write_to_is_refused(tmp_path: Path) -> None:
    assert private(tmp_path / "mine").stat().st_mode & 0o077 == 0
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "link").symlink_to(tmp_path / "mine")
    for name in ("open", "link"):
        with pytest.raises(MovlrError, match="you alone can write to"):
            private(tmp_path / name)


@pytest.mark.parametrize("name", ["trials/000-seed-0", "plan.json", "logs", "table.md", "compare.html", ".lock", "optuna.journal"])
def test_links_and_pipes_in_a_sweep_are_refused(place: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    if name != "plan.json":
        (place / "out" / "plan.json").write_text(json.dumps(PLAN))
    (place / "out" / name).symlink_to(place / "outside")
    assert "link" in _refused(place, capsys)
    (place / "out" / name).unlink()
    os.mkfifo(place / "out" / name)
    assert "pipe" in _refused(place, capsys)
