"""Refusals: why a text is refused, a sentence each with the line it points at, the cause and the cure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Refusal:
    """Why a text is refused.

    Attributes:
        line: the line it points at (1 is the first).
        reason: one sentence: line, cause, cure.
        cure: what to do, as in the sentence.
        column: where on the line, from 0; None for the whole line.
    """

    line: int
    reason: str
    cure: str
    column: int | None = None


class Refuse(Exception):
    """A place is refused."""

    def __init__(self, line: int, cause: str, cure: str, column: int | None = None):
        super().__init__(cause)
        self.refusal = Refusal(max(1, line), f"Line {max(1, line)}: {cause}; {cure}.", cure, column)


class Enough(Exception):
    """There is more wrong than anybody reads at once."""
