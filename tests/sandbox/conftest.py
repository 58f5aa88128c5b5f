"""Fixtures of the sandbox's tests; see conftest_sandbox for what they share."""

from conftest_sandbox import judge, motions  # noqa: F401
