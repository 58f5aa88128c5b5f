"""What a process owes others: it holds what it alone may work on, and a polite end ends it as Ctrl-C does."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import signal
import site
import stat
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from movlr_jax.errors import BadFile, MovlrError

# A Python of ours that looks for modules where they are installed, and not in the folder it happens to be started in.
PYTHON = (sys.executable, "-P")


def find_modules_where_installed() -> None:
    """Have every Python that this process starts, by whatever library, find modules where they are installed.

    A file called like a module (json.py, in a downloaded folder that the user works in) would otherwise be imported by it. This package
    stays where it was found, which may be a checkout.
    """
    os.environ["PYTHONSAFEPATH"] = "1"
    own, known = package_folder(), os.environ.get("PYTHONPATH", "")
    if own not in known.split(os.pathsep) and not any(own == str(Path(place).resolve()) for place in site.getsitepackages()):
        os.environ["PYTHONPATH"] = own + (os.pathsep + known if known else "")


def package_folder() -> str:
    """Return the folder that this package is imported from."""
    return str(Path(__file__).resolve().parents[1])


def open_lock(path: Path) -> int:
    """Open a lock file, made where there is none, and return its descriptor.

    Raises:
        BadFile: something else stands there, such as a link to another file.
        OSError: it cannot be made.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        descriptor = os.open(path, flags, 0o644)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
            raise BadFile(f"{path} is no lock file (a link, a folder or a pipe): remove it.") from None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise BadFile(f"{path} is no lock file (a link, a folder or a pipe): remove it.")
    return descriptor


@contextlib.contextmanager
def claimed(lock: Path) -> Iterator[bool]:
    """Hold a lock file if no other process does, and say whether this one has it; the system lets go when it ends, however it ends.

    Args:
        lock: the file, in a folder that exists; it stays.

    Raises:
        BadFile: it is no lock file.
        OSError: the file cannot be made.
    """
    descriptor = open_lock(lock)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            mine = True
        except OSError:
            mine = False
        yield mine
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def alone(lock: Path, taken: str) -> Iterator[None]:
    """Hold a lock file against other processes; the system lets go when this one ends, however it ends.

    Args:
        lock: the file, in a folder that exists; it stays.
        taken: what to say where another process holds it.

    Raises:
        MovlrError: another process holds it, or it is no lock file.
        OSError: the file cannot be made.
    """
    with claimed(lock) as mine:
        if not mine:
            raise MovlrError(taken)
        yield


def private(folder: Path) -> Path:
    """Return a folder for what is run as code, such as pickled jobs, made where it is missing: this user's, and only theirs to write to.

    Raises:
        MovlrError: another user could write into it.
        OSError: it cannot be made.
    """
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700, parents=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o022:
        raise MovlrError(
            f"{folder} must be a folder that you alone can write to, for what stands there is run as you: chmod go-w it if it is yours, "
            "else choose another place."
        )
    return folder


@contextlib.contextmanager
def terminable() -> Iterator[None]:
    """Let SIGTERM (a scheduler's polite end) stop a run as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
