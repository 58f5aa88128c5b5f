"""The offline writer: one small edit at a time from the term library, chosen by the critique and by what was
tried before.

No key, no network, no model. The critique's suggestions become changes of at most two terms. While the body is unstable
an edit may join two stability terms, because a body that falls learns nothing from one at a time; later edits change
one term. Edits that were tried and not kept are not repeated (a term may come back at half its weight), and terms that
failed lately are put back. Where edits of the best bring nothing better, every second one is made of a failed attempt that got on farther
than the best, and answers what its own critic found: a fast walk that turns and a slow one that does not are two ends of one search. The
same request always gives the same draft.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from itertools import combinations

from movlr_jax.critics.body_reading import BodyReading
from movlr_jax.critics.offline import gates_of
from movlr_jax.tasks import gates
from movlr_jax.writers import edits, proposals
from movlr_jax.writers.base import Draft, EditError, FailedAttempt, NothingLeft, WriteRequest
from movlr_jax.writers.edits import Change

# An edit's merit is the sum of its changes' merits: 1 for the critique's first suggestion, then this factor for each
# place further down.
_STEP = 0.85
# A term that was in an edit which was not kept, since the last that was, counts this much less for each time.
_FAILED = 0.6
# Candidates of one iteration should differ: a term that a better candidate uses counts this much less for the next.
_USED = 0.75
# Iterations without a new best from which another program may be edited, and how much more of the goal it must have reached (0 to 1).
_STAGNANT = 2
_FARTHER = 0.05


class OfflineWriter:
    """Edits the best reward, or one that got on farther, with the term library."""

    name = "offline"

    def write(self, request: WriteRequest) -> Draft:
        """Return the k-th best edit, k being the candidate's number, further down the list for each refusal.

        Raises:
            NothingLeft: no edit of this text is left that was not tried.
        """
        farther = _farther(request)
        if farther is None:
            return self._edit(request)
        number = farther.attempt.iteration
        history = [attempt for attempt in request.history if attempt.builds_on == number]
        assert farther.facts is not None
        other = replace(
            request,
            best=number,
            best_source=request.programs[number],
            best_weights=farther.facts.weights,
            facts=farther.facts,
            critique=farther.critique,
            history=history,
        )
        try:
            draft = self._edit(other)
        except NothingLeft:
            return self._edit(request)
        return replace(draft, builds_on=number, rationale=f"From iteration {number}, which got on farther: {draft.rationale}")

    def _edit(self, request: WriteRequest) -> Draft:
        """Return the edit of the request's best program; raises as `write`."""
        index = request.candidate + request.refused * max(request.candidates, request.candidate + 1)
        drafts: list[Draft] = []
        for changes, why in self._ranked(request):
            try:
                source = edits.apply(request.best_source, changes)
            except EditError:
                continue
            draft = Draft(source, edits.describe(changes), why)
            if source == request.best_source or any(draft.edit == d.edit for d in drafts):
                continue
            drafts.append(draft)
            if len(drafts) > index:
                return draft
        if drafts:
            return drafts[-1]
        raise NothingLeft("Every library edit of this reward was tried: start from another reward, or end the search here.")

    def _ranked(self, request: WriteRequest) -> list[tuple[tuple[Change, ...], str]]:
        terms = proposals.admitted(request)
        tried = {attempt.edit for attempt in request.history if not attempt.kept}
        failures = self._failures(request)
        merits: list[tuple[float, Change, str]] = []
        seen: set[str] = set()
        faults = {f.kind: f for f in request.critique.faults} if request.critique else {}
        suggestions = request.critique.suggestions if request.critique else ()
        unstable = any(f.stage == "stability" and f.severity >= 0.5 for f in faults.values())
        for suggestion in suggestions:
            change = proposals.change_of(suggestion, request, terms)
            if change is None or change.term in seen:
                continue
            seen.add(change.term)
            change = self._lighter(change, tried)
            fault = faults.get(suggestion.addresses or "")
            why = f"{fault.what} {suggestion.words}" if fault else suggestion.words
            merits.append((_STEP ** len(merits) * _FAILED ** failures[change.term], change, why))

        options: list[tuple[float, tuple[Change, ...], str]] = []
        for merit, change, why in merits:
            options.append((merit, (change,), why))
        for (m1, c1, w1), (m2, c2, w2) in combinations(merits, 2):
            if unstable:
                options.append((m1 + m2, (c1, c2), w1 if w1 == w2 else f"{w1} {w2}"))
        options = [o for o in options if edits.describe(o[1]) not in tried]

        ranked: list[tuple[tuple[Change, ...], str]] = []
        used: Counter[str] = Counter()
        while options:
            best = max(range(len(options)), key=lambda i: options[i][0] * _USED ** max(used[c.term] for c in options[i][1]))
            _, changes, why = options.pop(best)
            used.update(c.term for c in changes)
            ranked.append((changes, why))
        return ranked + self._rest(request, terms, tried, failures)

    def _lighter(self, change: Change, tried: set[str]) -> Change:
        """Halve the weight of a term to add for each time it was tried alone and not kept, twice at most."""
        for _ in range(2):
            if change.action != "add" or change.line() not in tried or change.weight is None:
                break
            change = Change("add", change.term, round(0.5 * change.weight, 3), change.expression)
        return change

    def _failures(self, request: WriteRequest) -> Counter[str]:
        """Count, for each term, the edits that changed it and were not kept since the last that was."""
        failures: Counter[str] = Counter()
        for record in request.history:
            if record.kept:
                failures.clear()
                continue
            for part in record.edit.split(", "):
                words = part.split()
                if len(words) > 1:
                    failures[words[1]] += 1
        return failures

    def _rest(
        self, request: WriteRequest, terms: dict[str, proposals.LibraryTerm], tried: set[str], failures: Counter[str]
    ) -> list[tuple[tuple[Change, ...], str]]:
        """Return what to try when the critique gives no more: single changes, stability first, shuffled within a class
        by the seed."""
        changes = [c for c in proposals.every_change(request, terms) if c.line() not in tried]
        order = random.Random(f"{request.seed}/{request.iteration}")
        order.shuffle(changes)
        kinds = {"add": 0, "reweigh": 1, "change": 1, "remove": 2}
        unstable = request.critique is None or any(f.stage == "stability" and f.severity >= 0.5 for f in request.critique.faults)
        changes.sort(
            key=lambda c: (failures[c.term], kinds[c.action], proposals.stage_rank(c.term) if unstable else 0),
        )
        return [((c,), "The critique has nothing left to try: a change not tried before.") for c in changes]


def _farther(request: WriteRequest) -> FailedAttempt | None:
    """Return the failed attempt since the best to edit in its place: the one that reached most of the goal, behind no worse gates.

    None while there is no stagnation, in every second iteration of it, and where no attempt got on farther.
    """
    since = [f for f in request.failed if f.attempt.chosen and request.best is not None and f.attempt.iteration > request.best]
    if len(since) < _STAGNANT or len(since) % 2 or request.facts.object is not None:
        return None
    reached, place = BodyReading(request.facts).reached, gates.rank(gates_of(request.facts))
    ahead = [
        (BodyReading(f.facts).reached, f)
        for f in since
        if f.facts is not None and f.critique is not None and f.attempt.iteration in request.programs
        if gates.rank(gates_of(f.facts)) >= place
    ]
    best = max(ahead, key=lambda pair: pair[0], default=None)
    return None if best is None or best[0] < reached + _FARTHER else best[1]
