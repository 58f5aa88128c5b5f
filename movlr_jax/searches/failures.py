"""What can go wrong with a search, by name: stagnation, collapse, drift.

Flows in: the rows of iterations, facts and critiques. Flows out: one sentence for each failure. Naming changes nothing
in the search; people read it in the progress view, summary.json and the report.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from movlr_jax.critics.critique import Critique
from movlr_jax.facts import Term
from movlr_jax.runs.iteration_record import Failure
from movlr_jax.writers.base import Change

# What an edit did to a term -> what undoes it.
UNDOES: dict[str, tuple[str, ...]] = {
    "added": ("removed",),
    "removed": ("added",),
    "raised": ("lowered", "removed"),
    "lowered": ("raised",),
}
# MoVLR's released runs drowned in one term more than once; above this share the others no longer steer the planner.
COLLAPSE_SHARE = 0.95
# Below this spread of the weighted reward over a whole episode, no candidate posture is told from another: the reward is flat.
FLAT = 1e-6


def changes(before: Mapping[str, float], after: Mapping[str, float], rewritten: Collection[str] = ()) -> dict[str, Change]:
    """Return what an edit did to the terms: term -> added, removed, rewritten, raised or lowered (by size of the weight).

    Args:
        before: the weights of the program that was edited.
        after: those of the edited program.
        rewritten: the terms whose formula is another; a weight of another formula is neither higher nor lower.
    """
    edits: dict[str, Change] = {}
    for term in [*before, *(t for t in after if t not in before)]:
        if term not in after:
            edits[term] = "removed"
        elif term not in before:
            edits[term] = "added"
        elif term in rewritten:
            edits[term] = "rewritten"
        elif abs(after[term]) > abs(before[term]):
            edits[term] = "raised"
        elif abs(after[term]) < abs(before[term]):
            edits[term] = "lowered"
    return edits


def reversed_terms(first: Mapping[str, str], second: Mapping[str, str]) -> list[str]:
    """Return the terms on which the second change undoes the first.

    Taking out what was added or raised does, and adding back what was taken out. Another weight for a term that was added is fitting it
    in, and another formula is a new idea.
    """
    return [term for term, what in second.items() if what in UNDOES.get(first.get(term, ""), ())]


def suggested(critique: Critique, weights: Mapping[str, float]) -> dict[str, Change]:
    """Return what a critique's first suggestions ask of terms that the reward has."""
    edits: dict[str, Change] = {}
    for suggestion in critique.suggestions:
        term, weight = suggestion.term, suggestion.weight
        if term is None or term not in weights or term in edits:
            continue
        if suggestion.action == "remove":
            edits[term] = "removed"
        elif suggestion.action == "reweigh" and weight is not None and abs(weight) != abs(weights[term]):
            edits[term] = "raised" if abs(weight) > abs(weights[term]) else "lowered"
    return edits


def _failure(name: str, iteration: int, sentence: str) -> Failure:
    return Failure(name=name, iteration=iteration, sentence=sentence)


def stagnation(iteration: int, since_best: int, limit: int) -> list[Failure]:
    """Name a stagnation when `since_best` iterations, this one included, have brought no new best; once a stretch."""
    if since_best != limit:
        return []
    return [_failure("stagnation", iteration, f"No new best for {limit} iterations, the last of them {iteration}.")]


def collapse(iteration: int, terms: Mapping[str, Term]) -> list[Failure]:
    """Name a collapse: all terms are flat over the episode, or one of several carries more than 95 % of the weighted reward's spread
    among the planner's candidates (over time, where the episode does not tell).

    A reward of one term is not collapsed for being alone; it may still be flat.

    Args:
        iteration: the iteration.
        terms: what the terms did.
    """
    spreads = {name: abs(term.weight) * term.std for name, term in terms.items()}
    total = sum(spreads.values())
    if not spreads:
        return []
    if total < FLAT:
        return [_failure("collapse", iteration, "Every term is flat over the episode: the reward tells no motion from another.")]
    known = all(term.share_among_candidates is not None for term in terms.values())
    shares = {name: terms[name].share if known else spread / total for name, spread in spreads.items()}
    name = max(shares, key=lambda n: shares[n])
    share = shares[name]
    if len(spreads) < 2 or share <= COLLAPSE_SHARE:
        return []
    return [
        _failure(
            "collapse",
            iteration,
            f"The term {name} carries {100 * share:.0f} % of the reward's spread {terms[name].shared if known else 'over time'}; "
            "the other terms hardly count.",
        )
    ]


def drift(
    iteration: int,
    edit: Mapping[str, str],
    parent: int | None,
    parent_edit: Mapping[str, str],
    kept: bool,
    suggested_changes: Mapping[str, str],
) -> list[Failure]:
    """Name a drift: an edit undoes the one that made its parent, or the critique of a kept motion undoes the edit that
    made it.

    Args:
        iteration: the iteration.
        edit: what its edit did to the terms.
        parent: the iteration whose reward was edited, or None.
        parent_edit: what the edit that made the parent did.
        kept: whether this iteration is the new best. The critique of a failed edit may well ask to take it back.
        suggested_changes: what the critique's suggestions ask of the terms.
    """
    failures = []
    undone = reversed_terms(parent_edit, edit)
    if undone:
        failures.append(_failure("drift", iteration, f"The edit undoes what iteration {parent} did to {', '.join(undone)}."))
    undone = reversed_terms(edit, suggested_changes) if kept else []
    if undone:
        failures.append(_failure("drift", iteration, f"The critique asks to undo what this very edit did to {', '.join(undone)}."))
    return failures
