"""Atomic writes: whole or not at all, deterministic bytes, nothing left behind."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path

import numpy as np
import pytest

from movlr_jax import atomic


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.json"
    atomic.write_json(path, {"n": 1})
    with pytest.raises(RuntimeError), atomic.replacing(path) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert atomic.read_json(path) == {"n": 1} and names(tmp_path) == ["a.json"]


def test_an_existing_file_is_whole_at_every_moment(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    atomic.write_json(path, ["old"])
    seen = []
    replace = type(path).replace
    monkeypatch.setattr(type(path), "replace", lambda self, target: (seen.append(json.loads(path.read_text())), replace(self, target))[1])
    atomic.write_json(path, ["new"])
    assert seen == [["old"]] and atomic.read_json(path) == ["new"]


def test_json_returns_what_a_reader_sees():
    value = {"f": np.float32(0.1), "a": np.arange(2), "t": (1, 2), "bad": float("nan"), 3: True}
    assert atomic.plain(value) == {"f": float(np.float32(0.1)), "a": [0, 1], "t": [1, 2], "bad": None, "3": True}


def test_npz_bytes_depend_on_the_arrays_alone(tmp_path):
    arrays = {
        "qpos": np.linspace(0, 1, 12).reshape(4, 3),
        "name": np.asarray("fell"),
        "n": np.asarray(3),
        "f": np.zeros((2, 0), np.float32),
    }
    first = atomic.npz_bytes(arrays)
    time.sleep(2.1)  # zip files keep the time to two seconds
    assert hashlib.sha256(first).digest() == hashlib.sha256(atomic.npz_bytes(arrays)).digest()
    atomic.write_npz(tmp_path / "r.npz", arrays)
    back = atomic.read_npz(tmp_path / "r.npz")
    assert all(np.array_equal(back[k], arrays[k]) and back[k].dtype == arrays[k].dtype for k in arrays)
    assert atomic.npz_bytes({**arrays, "n": np.asarray(4)}) != first


def test_link_and_sweep(tmp_path):
    atomic.link(tmp_path / "best", "iterations/000")
    atomic.link(tmp_path / "best", "iterations/001")
    assert str((tmp_path / "best").readlink()) == "iterations/001"
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / f"{atomic.TEMPORARY_PREFIX}9-clip.mp4").write_bytes(b"half")
    (tmp_path / f"{atomic.TEMPORARY_PREFIX}9-x").mkdir()
    atomic.sweep(tmp_path)
    assert names(tmp_path) == ["best", "deep"] and not names(tmp_path / "deep")


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    with pytest.raises(RuntimeError), atomic.new_folder(tmp_path / "run") as partial:
        (partial / "config.yaml").write_text("x")
        raise RuntimeError
    assert names(tmp_path) == []
    with atomic.new_folder(tmp_path / "run") as partial:
        (partial / "config.yaml").write_text("x")
        assert not (tmp_path / "run").exists()
    assert names(tmp_path / "run") == ["config.yaml"]
