"""Fixtures of the sandbox's tests; see `support.sandbox_programs`."""

from support.sandbox_programs import judge, motions  # noqa: F401
