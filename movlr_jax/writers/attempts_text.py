"""Attempts in words: what a language model is told of the drafts before, and above all of those that failed.

In: the records of a WriteRequest. Out: text, bounded: a draft that failed with its difference from the program it was made from, what was
measured and said of it, and how it ended; the others take a line each.
"""

from __future__ import annotations

import difflib

from movlr_jax.critics import facts_text
from movlr_jax.critics.critique import Critique
from movlr_jax.plain_words import plain_words
from movlr_jax.writers.base import Attempt, FailedAttempt, WriteRequest

_LINES = 40  # drafts of the history that take a line
_REASON = 1_000  # characters of an outcome, which is a refusal's sentence or a line of numbers
_WARNING = 200
_DIFFERENCE = 60  # lines of a difference


def history(request: WriteRequest) -> str:
    """Return what was tried and what it did, a line a draft; those that are told at length are left out here."""
    at_length = [failed.attempt for failed in request.failed]
    left = [attempt for attempt in request.history if attempt not in at_length]
    lines = []
    for attempt in left[-_LINES:]:
        fate = "kept as best" if attempt.kept else "not kept"
        lines.append(f"- {_name(attempt)}: {_edit(attempt)}: {plain_words(attempt.outcome, _REASON)}; {fate}.{_warnings(attempt)}")
    left_out = len(left) - len(lines)
    return "\n".join([f"({left_out} earlier ones are left out.)"] * bool(left_out) + lines) or "Nothing yet."


def failures(request: WriteRequest, measured: bool = True) -> str:
    """Return the drafts that failed, each with its difference from the program it was made from.

    Args:
        request: has them.
        measured: whether the writer is told what was measured.
    """
    return "\n\n".join(_failure(failed, request.best, measured) for failed in request.failed) or "None yet."


def difference(before: str, after: str) -> str:
    """Return the lines in which two programs differ, a minus before those of the first and a plus before those of the second."""
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0))[2:]
    changed = [line for line in lines if not line.startswith("@@")]
    more = len(changed) - _DIFFERENCE
    return "\n".join(changed[:_DIFFERENCE] + [f"(and {more} lines more)"] * (more > 0))


def _failure(failed: FailedAttempt, best: int | None, measured: bool) -> str:
    attempt = failed.attempt
    base = "the best" if failed.base == best else f"iteration {failed.base}"
    # What was not run whole is not measured against what was.
    base_facts = None if attempt.eliminated else failed.base_facts
    before = "" if failed.base_score is None or attempt.score is None else f" ({failed.base_score:.2f} under the program it was built on)"
    lines = [
        f"{_name(attempt, capital=True)}, built on {base}: {_edit(attempt)}",
        f"How it ended: {plain_words(attempt.outcome, _REASON)}{before}. {failed.ending}".strip(),
    ]
    if failed.critique is not None:
        lines.append(f"Critique: {_critique(failed.critique)}")
    if measured and failed.facts is not None and (telling := facts_text.telling(failed.facts, base_facts)):
        lines.append(f"Measured: {telling}.")
    if warnings := _warnings(attempt):
        lines.append(warnings.strip())
    if failed.source:
        lines += ["What it changed:", difference(failed.base_source, failed.source) or "(nothing)"]
    return "\n".join(lines)


def _name(attempt: Attempt, capital: bool = False) -> str:
    word = "Iteration" if capital else "iteration"
    return f"{word} {attempt.iteration}" + (f", program {attempt.candidate + 1}" if attempt.candidate else "")


def _edit(attempt: Attempt) -> str:
    return attempt.edit or ("no program" if attempt.refused else "the reward of the start" if not attempt.iteration else "an edit")


def _warnings(attempt: Attempt) -> str:
    return "".join(f" Warning: {plain_words(warning, _WARNING)}" for warning in attempt.warnings)


def _critique(judged: Critique) -> str:
    worst = judged.worst()
    return judged.summary + (f" Worst: {worst.what}" if worst is not None and worst.what not in judged.summary else "")
