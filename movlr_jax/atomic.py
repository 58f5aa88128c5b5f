"""Atomic writes: a reader, or a process that starts after a kill, sees the old file or the new one and nothing between.

Flows in: bytes, JSON values, arrays. Flows out: files. Each is written under a temporary name in its own folder,
flushed to the disk and renamed over its final name; the folder is flushed too, so that the order of the renames
survives a power cut.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

# Every temporary name starts with this, so that what a killed process left can be told from what it finished.
TEMPORARY_PREFIX = ".unfinished-"


def temporary(path: Path) -> Path:
    """Return the name that stands for `path` while it is written; it keeps the suffix, which encoders read."""
    return path.with_name(f"{TEMPORARY_PREFIX}{os.getpid()}-{path.name}")


def _flush(path: Path) -> None:
    """Flush a file, or a folder's list of names, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path to write; on leaving without an exception it becomes `path`, otherwise it is removed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = temporary(path)
    try:
        yield partial
        _flush(partial)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    _flush(path.parent)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a whole file."""
    with replacing(path) as partial:
        partial.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write a whole text file as UTF-8."""
    write_bytes(path, text.encode())


def plain(value: Any) -> Any:
    """Return a value as JSON holds it: NumPy values, tuples and paths become plain, NaN and infinity null."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Path):
        return str(value)
    return value


def write_json(path: Path, value: Any) -> Any:
    """Write a value as JSON and return it as a reader of the file sees it.

    Callers go on with the returned value, never with the one they passed: an undisturbed run then computes with the
    very numbers that a resumed one reads back.
    """
    text = json.dumps(plain(value), indent=1, allow_nan=False)
    write_text(path, text + "\n")
    return json.loads(text)


def read_json(path: Path) -> Any:
    """Return the value in a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def npz_bytes(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Return arrays as the bytes of an .npz file; equal arrays give equal bytes on every day and machine."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(array) if np.ndim(array) else np.asarray(array), allow_pickle=False)
            # The fixed date and system keep the bytes free of the clock and of the platform.
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, 0o600 << 16
            archive.writestr(entry, member.getvalue())
    return buffer.getvalue()


def write_npz(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays as an .npz file whose bytes depend on the arrays alone."""
    write_bytes(path, npz_bytes(arrays))


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of an .npz file."""
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def link(path: Path, target: str) -> None:
    """Make `path` a symbolic link to `target` (relative to the link's folder), replacing the one that is there."""
    if path.is_symlink() and str(path.readlink()) == target:
        return
    partial = temporary(path)
    partial.unlink(missing_ok=True)
    partial.symlink_to(target)
    partial.replace(path)
    _flush(path.parent)


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder to fill; left without an exception it becomes `path`, which must be empty or missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for leftover in path.parent.glob(f"{TEMPORARY_PREFIX}*-{path.name}"):
        shutil.rmtree(leftover, ignore_errors=True)
    partial = temporary(path)
    partial.mkdir()
    try:
        yield partial
        partial.replace(path)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    _flush(path.parent)


def sweep(folder: Path) -> None:
    """Remove what killed processes left unfinished under a folder. The caller holds the folder's lock."""
    for leftover in sorted(folder.rglob(f"{TEMPORARY_PREFIX}*")):
        if leftover.is_dir() and not leftover.is_symlink():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)
