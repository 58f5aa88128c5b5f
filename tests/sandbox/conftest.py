"""Fixtures of the sandbox's tests; see conftest_sandbox for what they share."""

from support.sandbox_programs import judge, motions  # noqa: F401
