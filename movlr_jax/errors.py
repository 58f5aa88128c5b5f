"""The one exception that a user is meant to read: a sentence that names the cause and the cure."""

import difflib
from collections.abc import Iterable


class MovlrError(Exception):
    """Bad input or a missing part, told in one sentence; the command line prints it without a traceback and exits with 1."""


class BadFile(MovlrError, ValueError):
    """A file that is not what it should be: a link, a pipe, too large, or with other contents."""


class UnknownName(MovlrError, KeyError):
    """A name that stands for nothing."""

    def __str__(self) -> str:
        return str(self.args[0])


def require(*rules: tuple[bool, str]) -> None:
    """Raise MovlrError with the sentence of the first rule (is it kept, what to say if not) that is not kept."""
    for kept, sentence in rules:
        if not kept:
            raise MovlrError(sentence)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return "did you mean X? " for the known name nearest to an unknown one, or "" where none is near."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {close[0]}? " if close else ""
