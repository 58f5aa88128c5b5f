"""Words that name a user's own Python: `my_task.py`, `my_task.py:NAME`, `package.module:NAME`. Nothing here opens or runs any of it."""

from __future__ import annotations

import re
from pathlib import Path

from movlr_jax.errors import MovlrError

_FILE = re.compile(r"(?P<place>.+\.py)(?::(?P<name>[^\W\d]\w*))?", re.DOTALL)
_MODULE = re.compile(r"(?P<place>[^\W\d]\w*(?:\.[^\W\d]\w*)*):(?P<name>[^\W\d]\w*)")


def names_code(word: str) -> bool:
    """Whether a word means a Python file, or something in a module, rather than a name of a registry."""
    return _FILE.fullmatch(word) is not None or _MODULE.fullmatch(word) is not None


def split(word: str) -> tuple[Path | str, str]:
    """Return the place that a word names, an absolute path or a module's name, and the name in it ("": none is given).

    Raises:
        MovlrError: it names no code, or no file can be called so.
    """
    match = _FILE.fullmatch(word)
    if match is None:
        match = _MODULE.fullmatch(word)
        if match is None:
            raise MovlrError(f"'{word}' names no Python: give a file (my_task.py, my_task.py:NAME) or package.module:NAME.")
        return match["place"], match["name"]
    try:
        return Path(match["place"]).expanduser().resolve(), match["name"] or ""
    except (OSError, ValueError, RuntimeError):  # a NUL, links in a circle, no such user's home
        raise MovlrError(f"{word!r} is no name of a file: give a path.") from None


def place(word: str) -> str:
    """Return what is run when a word is looked up, in one spelling: the file's absolute path, or the module."""
    return str(split(word)[0])


def settled(word: str) -> str:
    """Return a word as a run keeps it: of a file the absolute path, so that the run goes on from any folder; another word as it is."""
    if not names_code(word):
        return word
    where, name = split(word)
    return f"{where}:{name}" if name else str(where)


def label(word: str) -> str:
    """Return a short plain name for what a word means, as folders are called by; another word as it is."""
    if not names_code(word):
        return word
    where, name = split(word)
    stem = where.stem if isinstance(where, Path) else where.rpartition(".")[2]
    return re.sub(r"[^A-Za-z0-9._-]+", "-", f"{stem}-{name}" if name else stem).strip("-.") or "own"
