"""Elites in words: what a language model is told of the programs that do something better than the best.

In: the records of a WriteRequest. Out: text, bounded: a line an elite, and its program where it is not the best's, which stands elsewhere;
one that is long is told by its difference from the best.
"""

from __future__ import annotations

from movlr_jax.plain_words import plain_words
from movlr_jax.prompts.prompt import fenced
from movlr_jax.writers import attempts_text
from movlr_jax.writers.base import NICHES, Elite, WriteRequest

MOST = 4  # elites beside the best
_PROGRAM = 4_000  # characters of a program that is shown whole
_OUTCOME = 400


def elites(request: WriteRequest, measured: bool = True) -> str:
    """Return the elites beside the best, and what the best holds.

    Args:
        request: has them.
        measured: whether the writer is told what was measured.
    """
    others = [elite for elite in request.elites if elite.iteration != request.best][:MOST]
    parts = [f"The best also {_does(elite, ' and ')}." for elite in request.elites if elite.iteration == request.best and elite.niches[1:]]
    parts += [_elite(elite, request, measured) for elite in others]
    return "\n\n".join(parts) or "None beside the best yet."


def _does(elite: Elite, between: str) -> str:
    return between.join(NICHES[niche] for niche in elite.niches if niche != "best")


def _elite(elite: Elite, request: WriteRequest, measured: bool) -> str:
    numbers = _numbers(elite) if measured else ""
    line = f"Iteration {elite.iteration} {_does(elite, ', ')}: {plain_words(elite.outcome, _OUTCOME)}{numbers}."
    if len(elite.source) <= _PROGRAM:
        return f"{line}\n{fenced(elite.source, 'python')}"
    changed = attempts_text.difference(request.best_source, elite.source)
    return "\n".join([line, "Against the best program (- the best, + this):", changed or "(nothing)"])


def _numbers(elite: Elite) -> str:
    """Return what of a motion its niches go by, beside its outcome."""
    metrics, parts = elite.facts.metrics, []
    if metrics.seconds is not None:
        parts.append(f"stayed up {metrics.seconds:.2f} s of {elite.facts.seconds:g} s")
    if (effort := metrics.number("effort")) is not None:
        parts.append(f"effort {effort:.3f}")
    parts.append(f"coordination faults {elite.coordination:.2f}")
    return "; " + ", ".join(parts)
