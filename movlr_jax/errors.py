"""The one exception that a user is meant to read: a sentence that names the cause and the cure."""


class MovlrError(Exception):
    """Bad input or a missing part, told in one sentence; the command line prints it without a traceback and exits with 1."""
