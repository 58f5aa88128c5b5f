"""A study's file is data: what stands in it runs nothing, and what is no study is a sentence."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path

import pytest

pytest.importorskip("optuna", reason="Optuna is not installed")
pytest.importorskip("cmaes", reason="cmaes is not installed")

from movlr_jax.errors import MovlrError
from movlr_jax.tuning import optuna_study


def _drawn(path: Path, count: int, afresh: bool) -> list[float]:
    """Draw and tell trials of CMA-ES; `afresh` opens the file anew for each, as killed processes would."""
    values, study = [], optuna_study.study(path, "s", "maximize")
    for number in range(count):
        if afresh:
            study = optuna_study.study(path, "s", "maximize")
        study.sampler = optuna_study.cmaes(number)
        trial = study.ask()
        x, y = trial.suggest_float("x", 0, 1), trial.suggest_float("y", 0, 1)
        study.tell(trial, -((x - 0.7) ** 2) - y)
        values += [x, y]
    return values


def test_cmaes_goes_on_from_its_file_as_it_would_have(tmp_path: Path) -> None:
    assert _drawn(tmp_path / "one.journal", 20, afresh=False) == _drawn(tmp_path / "two.journal", 20, afresh=True)


class Harm:
    """What a pickle can do."""

    def __init__(self, file: Path):
        self.file = str(file)

    def __reduce__(self):  # type: ignore[no-untyped-def]
        return os.mkdir, (self.file,)


@pytest.mark.parametrize("what", ["a function", "another class", "no pickle"])
def test_the_state_of_a_sampler_runs_no_code(tmp_path: Path, what: str) -> None:
    path = tmp_path / "study.journal"
    _drawn(path, 12, afresh=False)
    data = {"a function": pickle.dumps(Harm(tmp_path / "made")), "another class": pickle.dumps([1]), "no pickle": b"\x00"}[what].hex()
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    changed = 0
    for line in lines:
        held = line.get("system_attr", {})
        for key in [k for k in held if "optimizer" in k]:
            held[key] = data if key.endswith(":0") or key.endswith("optimizer") else ""
            changed += 1
    assert changed, "the sampler should keep its state in the file, or this test shows nothing"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    study = optuna_study.study(path, "s", "maximize")
    study.sampler = optuna_study.cmaes(99)
    with pytest.raises(MovlrError, match="state of CMA-ES"):
        trial = study.ask()
        trial.suggest_float("x", 0, 1), trial.suggest_float("y", 0, 1)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("data", [b"[]\n", b'{"op_code": 99}\n', b"\x00\xff", b'{"op_code": 0, "worker_id": 3}\n', b"{" * 4000])
def test_what_is_no_study_is_a_sentence(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "study.journal"
    path.write_bytes(data)
    with pytest.raises(MovlrError, match="study"):
        optuna_study.study(path, "s", "maximize")


def test_a_study_that_is_a_link_or_a_pipe_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("kept")
    (tmp_path / "link.journal").symlink_to(tmp_path / "other")
    os.mkfifo(tmp_path / "pipe.journal")
    for name in ("link", "pipe"):
        with pytest.raises(MovlrError, match=name):
            optuna_study.study(tmp_path / f"{name}.journal", "s", "maximize")
    assert (tmp_path / "other").read_text() == "kept"
