"""What the system, or Python on its behalf, would not do, as one sentence: which path, why, and what helps.

In: an exception that is no mistake of this program. Out: a sentence, or None where it is one.
"""

from __future__ import annotations

import errno
import os

_ROOM = "make room, then give the same command again"
_ANOTHER = "make it readable and writable, or choose another path"
_CURES = {
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EFBIG: "raise the largest size of a file (ulimit -f), or choose another file system, then give the same command again",
    errno.EROFS: "choose a folder that can be written",
    errno.EACCES: _ANOTHER,
    errno.EPERM: _ANOTHER,
    errno.ENOENT: "check the path; if it belongs to a run, restore it",
    errno.ENOTDIR: "a file stands where a folder is wanted: name another path",
    errno.EISDIR: "name a file, not a folder",
    errno.ELOOP: "its links lead in a circle: name the file itself",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ENXIO: "name a regular file",
    errno.EIO: "look at the disk; nothing can be read or written there",
    errno.ESTALE: "mount the file system again, then give the same command again",
    errno.EMFILE: "raise the number of open files (ulimit -n), then give the same command again",
    errno.ENFILE: "end other programs, then give the same command again",
    errno.ENOMEM: "give it more memory, or ask for less (--planner.candidates, --seeds), then give the same command again",
    errno.EAGAIN: "raise the number of processes (ulimit -u), then give the same command again",
}


_OTHERS_WORDS = {
    errno.ENOSPC: ("no space left on device", "disk is full", "disk full"),
    errno.EDQUOT: ("disk quota exceeded",),
    errno.EROFS: ("read-only file system", "readonly database"),
    errno.EFBIG: ("file too large",),
}


def sentence(error: BaseException) -> str | None:
    """Return what happened, in a sentence; None: nobody but this program is to blame."""
    if isinstance(error, OSError):
        return _of_the_system(error)
    said = " ".join(str(error).split())
    for number, words in _OTHERS_WORDS.items():  # a database, a library of checkpoints
        if any(word in said.lower() for word in words):
            return f"{os.strerror(number)} ({said[:200].rstrip('.')}): {_CURES[number]}; what was finished is saved."
    if isinstance(error, MemoryError):
        return f"There is not enough memory for this: {_CURES[errno.ENOMEM]}; what was finished is saved."
    if isinstance(error, OverflowError):
        return f"A number is too large ({said}): give smaller ones."
    if isinstance(error, UnicodeError):
        return "A name or a text holds characters that the encoding of this machine lacks: set PYTHONUTF8=1, or LANG=C.UTF-8."
    if isinstance(error, ValueError) and ("null byte" in said or "null character" in said):
        return "A path holds a NUL, which no path may: give another."
    if isinstance(error, RuntimeError) and said.startswith("Symlink loop"):
        return f"{said}: name the file itself."
    if isinstance(error, RuntimeError) and "home directory" in said:
        return f"{said.rstrip('.')}: set HOME, or give a path without ~."
    return None


def _of_the_system(error: OSError) -> str:
    name = error.filename if isinstance(error.filename, str) else os.fsdecode(error.filename) if isinstance(error.filename, bytes) else ""
    why = error.strerror or " ".join(str(error).split()) or type(error).__name__
    if "temporary directory" in why:  # of the module tempfile
        return f"{why}: make room there, or set TMPDIR to a folder that can be written."
    cure = _CURES.get(error.errno or 0, "mend that, then give the same command again")
    where = f"{name}: {why[:1].lower()}" if name else why[:1].upper()
    return f"{where}{why[1:]}: {cure}; what was finished is saved."
