"""Checkpoints that someone else wrote or a disk damaged: a sentence, nothing read in vain, nothing written beside them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from movlr_jax.cli.main import main
from movlr_jax.errors import MovlrError
from movlr_jax.learning.rl import checkpoint

TREE = {"params": {"w": np.arange(6.0, dtype=np.float32).reshape(2, 3)}, "observed": {"n": np.ones(2, np.float32)}}


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    with checkpoint.opened(tmp_path / "run") as checkpoints:
        checkpoints.save(7, TREE)
    return tmp_path / "run"


def _names(folder: Path) -> list[tuple[str, int]]:
    return sorted((str(path), path.stat().st_mtime_ns) for path in folder.rglob("*"))


def test_reading_writes_nothing(saved: Path) -> None:
    before = _names(saved)
    with checkpoint.opened(saved, read_only=True) as checkpoints:
        assert checkpoints.latest() == 7
        back = checkpoints.restore(7, TREE)
    np.testing.assert_array_equal(back["params"]["w"], TREE["params"]["w"])
    assert _names(saved) == before


@pytest.mark.parametrize("what", ["no metadata", "metadata of nothing", "metadata of texts", "cut data", "no data", "another tree"])
def test_a_damaged_checkpoint_is_a_sentence(saved: Path, what: str) -> None:
    place = saved / checkpoint.FOLDER / "7" / "default"
    like = TREE
    if what == "no metadata":
        (place / "_METADATA").unlink()
    elif what == "metadata of nothing":
        (place / "_METADATA").write_text("{}")
    elif what == "metadata of texts":
        (place / "_METADATA").write_text((place / "_METADATA").read_text().replace("np.ndarray", "os.system"))
    elif what == "cut data":
        for path in place.rglob("d/*"):
            path.write_bytes(path.read_bytes()[:20])
    elif what == "no data":
        shutil.rmtree(place / "ocdbt.process_0")
        (place / "manifest.ocdbt").unlink()
    else:
        like = {"params": {"v": np.zeros(3)}}
    with checkpoint.opened(saved, read_only=True) as checkpoints, pytest.raises(MovlrError) as said:
        checkpoints.restore(7, like)
    assert len(str(said.value)) < 500


def test_arrays_that_claim_too_much_are_not_read(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "_MOST", 8)
    with checkpoint.opened(saved, read_only=True) as checkpoints, pytest.raises(MovlrError, match="claim"):
        checkpoints.restore(7, TREE)


@pytest.mark.parametrize("what", ["a link", "a pipe"])
def test_a_training_folder_holds_no_links_and_no_pipes(tmp_path: Path, what: str, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("brax", reason="brax is not installed")
    run = tmp_path / "run"
    run.mkdir()
    (run / "run.json").write_text("{}")
    (run / "reward.py").write_text("WEIGHTS = {}\n")
    (run / "config.yaml").write_text("engine: jax\n")
    (tmp_path / "outside").mkdir()
    if what == "a link":
        (run / checkpoint.FOLDER).symlink_to(tmp_path / "outside")
    else:
        os.mkfifo(run / "metrics.jsonl")
    for words in (["train", "--resume", str(run)], ["rollout", "--policy", str(run)]):
        assert main(words) == 1
        told = capsys.readouterr().err
        assert ("link" in told or "pipe" in told) and told.count("\n") == 1
    assert not list((tmp_path / "outside").iterdir())
