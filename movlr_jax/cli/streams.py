"""The standard streams, made fit for whatever a shell gives: closed, full, without a reader, of an encoding that lacks characters.

In: sys.stdin, sys.stdout, sys.stderr as the process found them. Out: the same, open, and none of which a character can break; what was
printed and cannot be written is told as any other file that cannot.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys
from typing import IO


def mend() -> None:
    """Open what the shell closed onto nothing, and have characters that a stream lacks replaced.

    A closed descriptor would otherwise be given to the next file that is opened, and a library that prints would write into it.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free descriptor is this one, since those below it are open by now.
            descriptor = os.open(os.devnull, os.O_RDONLY if number == 0 else os.O_WRONLY)
            os.set_inheritable(descriptor, True)
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w", encoding="utf-8", closefd=False))
    for stream in (sys.stdout, sys.stderr):
        if getattr(stream, "errors", "") == "strict" and hasattr(stream, "reconfigure"):
            # Names of files that are no UTF-8 are printed as the bytes that they are.
            stream.reconfigure(errors="surrogateescape" if stream.encoding.lower().replace("-", "") == "utf8" else "replace")


def finish() -> None:
    """Write out what was printed.

    Raises:
        OSError: it cannot be written; nothing more is tried at the end of the process.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError as error:
            give_up(stream)
            if stream is sys.stdout:
                error.filename = error.filename or "The output"
                raise


def give_up(stream: IO[str]) -> None:
    """Point a stream elsewhere, or the flush at the end of the process complains."""
    with contextlib.suppress(OSError, ValueError):
        number = stream.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, number)
        os.close(nowhere)


def reader_left() -> bool:
    """Return whether nobody reads our output any more (movlr ... | head)."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            poll = select.poll()
            poll.register(stream.fileno(), select.POLLOUT)
            if any(events & select.POLLERR for _, events in poll.poll(0)):
                return True
    return False
