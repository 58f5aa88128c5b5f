"""Episodes that were measured: a folder of one JSON file an episode, which any number of processes add to and a killed one leaves whole.

In: records, each under a key that stands for all that decides the episode. Out: the same, in this process or a later one. A file is
KEY.json, written whole or not at all. Beside the files stands a lock file: its first byte is shared by the processes that have the folder
open, and one byte an episode is held while that episode is run, so that processes with the same work share it instead of doing it twice.
The system lets go of a byte when its process ends, however it ends. Earlier versions kept all episodes in one file, NAME.json beside the
folder NAME: what stands there is read too, and the file left as it is.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from movlr_jax import atomic, folders
from movlr_jax.errors import MovlrError
from movlr_jax.processes import open_lock

_LOCK = ".lock"
_OPEN = 0  # the byte of those that have the folder open; the others are episodes'
_BYTES = 1 << 62
_FILE = re.compile(r"[0-9a-f]{16}\.json")
_MOST = 1 << 20  # bytes of one episode's file; a record has some 2 kB


def key_of(decided_by: Mapping[str, Any]) -> str:
    """Return the key of the episode that these values decide: 16 hexadecimal digits, the same in every process."""
    text = json.dumps(atomic.plain(decided_by), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class EpisodeStore:
    """A folder of episodes. Use it in a `with` block; one process opens a folder once.

    Nothing is made before the first episode is claimed or added, so that what is refused before leaves no trace.

    Args:
        folder: it need not exist.

    Raises:
        MovlrError: it cannot be written or is a link, or a file in it is damaged.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._opened: int | None = None
        self._known: dict[Path, tuple[tuple[int, int, int], Any]] = {}  # file -> its state on the disk, and what it holds
        if folder.is_symlink():
            raise MovlrError(f"{folder} is a link, and a folder of episodes is none: remove it, or choose another --out.")
        folders.require_writable(folder)
        self.episodes()

    def _lock(self) -> int:
        """Return the descriptor of the lock file, made when it is first wanted.

        Raises:
            MovlrError: it cannot be made, or not locked.
        """
        if self._opened is not None:
            return self._opened
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            descriptor = open_lock(self.folder / _LOCK)
        except OSError as error:
            raise folders.unwritable(self.folder, error) from None
        try:
            if _held(descriptor, fcntl.LOCK_EX, _OPEN):  # nobody else is here, so what is unfinished was left by a killed process
                atomic.sweep(self.folder)
            fcntl.lockf(descriptor, fcntl.LOCK_SH, 1, _OPEN)
        except OSError as error:
            os.close(descriptor)
            raise MovlrError(f"Cannot lock {self.folder} ({error.strerror}): choose an --out on a file system with locks.") from None
        self._opened = descriptor
        return descriptor

    def __enter__(self) -> EpisodeStore:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of everything that this process holds of the folder."""
        if self._opened is not None:
            os.close(self._opened)
            self._opened = None

    def episodes(self) -> dict[str, dict[str, Any]]:
        """Return key -> record, as they are now; only files that changed are read again.

        Raises:
            MovlrError: a file is damaged.
        """
        old = self.folder.with_name(f"{self.folder.name}.json")
        records: dict[str, dict[str, Any]] = dict(self._read(old, atomic.MOST_TEXT)) if os.path.lexists(old) else {}
        with contextlib.suppress(FileNotFoundError):
            for name in sorted(entry.name for entry in self.folder.iterdir() if _FILE.fullmatch(entry.name)):
                records[name.removesuffix(".json")] = self._read(self.folder / name, _MOST)
        return records

    def _read(self, path: Path, most: int) -> dict[str, Any]:
        """Return the record in an episode's file, or all that a file of an earlier version holds."""
        try:
            status = path.lstat()
            state = (status.st_ino, status.st_mtime_ns, status.st_size)
            known = self._known.get(path)
            if known is None or known[0] != state:
                content = atomic.read_json(path, most)
                if path.parent == self.folder:
                    _require_record(content)
                else:
                    content = dict(content["episodes"])
                    for record in content.values():
                        _require_record(record)
                known = self._known[path] = (state, content)
            return dict(known[1])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise MovlrError(f"{path} holds no episodes ({type(error).__name__}): move it away, or choose another --out.") from None

    def add(self, records: Mapping[str, Mapping[str, Any]]) -> None:
        """Save episodes; an earlier record of the same key is replaced.

        Args:
            records: by key.
        """
        self._lock()
        for key, record in records.items():
            atomic.write_json(self.folder / f"{key}.json", record)

    def claim(self, key: str) -> bool:
        """Take an episode for this process; False where another process is at it."""
        return _held(self._lock(), fcntl.LOCK_EX, _byte(key))

    def release(self, key: str) -> None:
        """Let go of an episode that this process took."""
        fcntl.lockf(self._lock(), fcntl.LOCK_UN, 1, _byte(key))


def _held(descriptor: int, kind: int, byte: int) -> bool:
    """Lock a byte, and return whether that was possible at once."""
    try:
        fcntl.lockf(descriptor, kind | fcntl.LOCK_NB, 1, byte)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EAGAIN):
            return False
        raise
    return True


def _require_record(record: Any) -> None:
    """Raise ValueError for what is no record: numbers, but for what decided the episode and the names of its reward and its law."""
    if not isinstance(record, dict):
        raise ValueError("no record")
    for name, value in record.items():
        kind = dict if name == "decided_by" else str if name in ("reward", "law") else bool | int | float | None
        if not isinstance(value, kind):
            raise ValueError(f"{name} is no value of an episode")


def _byte(key: str) -> int:
    return 1 + int(key, 16) % _BYTES
