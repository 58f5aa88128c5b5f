"""Asking a person: what a critic said of a motion, where its clips are, and a line to answer on.

In: the live view, which gives way meanwhile. Out: the line.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from movlr_jax.cli import console
from movlr_jax.cli.progress import View
from movlr_jax.errors import MovlrError
from movlr_jax.plain_words import plain_words

if TYPE_CHECKING:
    from movlr_jax.searches.steps import Advisor


def attended() -> bool:
    """Return whether somebody sits at a terminal."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def refuse_unattended() -> None:
    """Raise MovlrError, in one sentence, where nobody can be asked."""
    if not attended():
        raise MovlrError("--ask takes advice on a terminal, and this is none: leave it out, or run in a terminal.")


def adviser(view: View) -> Advisor | None:
    """Return what asks on this terminal, or None where there is none."""

    def ask(number: int, clips: Mapping[str, Path], critique: Mapping[str, Any]) -> str:
        err = console.stderr()
        with view.paused():
            err.print(markup=False)
            for caption, clip in clips.items() or [("", None)]:
                which = f"Iteration {number}, {caption}" if caption else f"Iteration {number}"
                err.print(f"{which}: {clip or 'there is no clip'}", markup=False, soft_wrap=True)
            err.print(str(critique.get("summary", "")), markup=False, soft_wrap=True)
            for fault in critique.get("faults", ()):
                err.print(f"  fault: {fault['what']} ({fault['kind']}, severity {fault['severity']:g})", markup=False, soft_wrap=True)
            for wish in critique.get("suggestions", ()):
                err.print(f"  suggestion: {wish['action']} {wish.get('term') or ''}: {wish['words']}", markup=False, soft_wrap=True)
            err.print("Your advice, in a sentence (Enter: none): ", end="", markup=False)
            try:
                return plain_words(input())
            except EOFError:
                return ""

    return ask if attended() else None
