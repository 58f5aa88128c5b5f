"""Episodes that were measured, in one JSON file that any number of processes add to and that a killed one leaves whole.

In: records, each under a key that stands for all that decides the episode. Out: the same, in this process or a later one. The file is
`{"episodes": {key: record}}`, rewritten atomically after every episode. Beside it stands a lock file: one byte of it is held while the file
is rewritten, and one byte an episode while that episode is run, so that processes with the same work share it instead of doing it twice.
The system lets go of a byte when its process ends, however it ends.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from movlr_jax import atomic
from movlr_jax.errors import MovlrError
from movlr_jax.processes import open_lock

_WRITER = 0  # the byte of who rewrites the file; the others are episodes'
_BYTES = 1 << 62


def key_of(decided_by: Mapping[str, Any]) -> str:
    """Return the key of the episode that these values decide: 16 hexadecimal digits, the same in every process."""
    text = json.dumps(atomic.plain(decided_by), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class EpisodeStore:
    """A file of episodes. Use it in a `with` block; one process opens a file once.

    Nothing is made before the first episode is claimed or added, so that what is refused before leaves no trace.

    Args:
        path: the JSON file; it need not exist.

    Raises:
        MovlrError: its folder cannot be written, or the file is damaged.
    """

    def __init__(self, path: Path):
        self.path = path
        self._opened: int | None = None
        try:
            atomic.require_writable(path.parent)
        except OSError as error:
            raise self._unwritable(error) from None
        self.episodes()

    def _unwritable(self, error: OSError) -> MovlrError:
        return MovlrError(f"Cannot write into {self.path.parent} ({error.strerror}): choose another --out.")

    @property
    def _lock(self) -> int:
        """The descriptor of the lock file, made when it is first wanted.

        Raises:
            MovlrError: it cannot be made, or not locked.
        """
        if self._opened is not None:
            return self._opened
        lock = self.path.with_name(f".{self.path.name}.lock")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._opened = open_lock(lock)
        except OSError as error:
            raise self._unwritable(error) from None
        try:
            with self._rewriting():  # nobody else is writing now, so what is unfinished was left by a killed process
                for leftover in self.path.parent.glob(f"{atomic.TEMPORARY_PREFIX}*-{self.path.name}"):
                    leftover.unlink(missing_ok=True)
        except OSError as error:
            self.close()
            raise MovlrError(f"Cannot lock {lock} ({error.strerror}): choose an --out on a file system with locks.") from None
        return self._opened

    def __enter__(self) -> EpisodeStore:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of everything that this process holds of the file."""
        if self._opened is not None:
            os.close(self._opened)
            self._opened = None

    def episodes(self) -> dict[str, dict[str, Any]]:
        """Return key -> record, as the file has it now.

        Raises:
            MovlrError: the file is damaged.
        """
        return self._read()["episodes"]

    def _read(self) -> dict[str, Any]:
        if not self.path.exists():
            return {"episodes": {}}
        try:
            document = atomic.read_json(self.path)
            episodes = dict(document["episodes"])
            if not all(isinstance(record, dict) and all(map(_measured, record.items())) for record in episodes.values()):
                raise ValueError("a record that no episode has")
            return {**document, "episodes": episodes}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise MovlrError(
                f"{self.path} is not a file of episodes ({type(error).__name__}): move it away, or choose another --out."
            ) from None

    def add(self, records: Mapping[str, Mapping[str, Any]]) -> None:
        """Add episodes to the file; what other processes added meanwhile stays."""
        with self._rewriting():
            document = self._read()
            document["episodes"].update(records)
            atomic.write_json(self.path, document)

    def claim(self, key: str) -> bool:
        """Take an episode for this process; False where another process is at it."""
        try:
            fcntl.lockf(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _byte(key))
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EAGAIN):
                return False
            raise
        return True

    def release(self, key: str) -> None:
        """Let go of an episode that this process took."""
        fcntl.lockf(self._lock, fcntl.LOCK_UN, 1, _byte(key))

    @contextlib.contextmanager
    def _rewriting(self) -> Iterator[None]:
        fcntl.lockf(self._lock, fcntl.LOCK_EX, 1, _WRITER)
        try:
            yield
        finally:
            fcntl.lockf(self._lock, fcntl.LOCK_UN, 1, _WRITER)


def _measured(item: tuple[str, Any]) -> bool:
    """Return whether a value of a record is one: numbers, but for what decided the episode and what its reward and its law are called."""
    name, value = item
    if name == "decided_by":
        return isinstance(value, dict)
    return isinstance(value, str) if name in ("reward", "law") else value is None or isinstance(value, bool | int | float)


def _byte(key: str) -> int:
    return 1 + int(key, 16) % _BYTES
