"""The writer "random": library edits drawn at random, of the same size as the offline writer's. The baseline it is
compared with.

It ignores the critique and the history. Terms that only serve another goal sentence are left out for both writers, so
that the comparison is about the choice, not about the library.
"""

from __future__ import annotations

import random

from movlr_jax.writers import edits, proposals
from movlr_jax.writers.base import Draft, EditError, NothingLeft, WriteRequest


class RandomWriter:
    """Edits the best reward at random."""

    name = "random"

    def write(self, request: WriteRequest) -> Draft:
        """Return a random edit of one or two terms, determined by seed, iteration, candidate and refusals.

        Raises:
            NothingLeft: the text admits no edit.
        """
        order = random.Random(f"{request.seed}/{request.iteration}/{request.candidate}/{request.refused}")
        changes = proposals.every_change(request, proposals.admitted(request))
        by_term: dict[str, list[edits.Change]] = {}
        for change in changes:
            by_term.setdefault(change.term, []).append(change)
        for _ in range(100):
            names = order.sample(sorted(by_term), min(order.choice((1, 2)), len(by_term)))
            picked = [order.choice(by_term[name]) for name in names]
            try:
                source = edits.apply(request.best_source, picked)
            except EditError:
                continue
            if source != request.best_source:
                return Draft(source, edits.describe(picked), "Drawn at random.")
        raise NothingLeft("No random library edit fits this reward: check that it keeps the contract.")
