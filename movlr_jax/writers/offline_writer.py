"""The offline writer: one small edit at a time from the term library, chosen by the critique and by what was
tried before.

No key, no network, no model. The critique's suggestions become changes of at most two terms. While the body is unstable
an edit may join two stability terms, because a body that falls learns nothing from one at a time; later edits change
one term. Edits that were tried and not kept are not repeated (a term may come back at half its weight), and terms that
failed lately are put back. Where edits of the best bring nothing better, other programs take turns with them: a failed attempt that got on
farther than the best is edited, and answers what its own critic found (a fast walk that turns and a slow one that does not are two ends of
one search); a term of another good attempt is taken into the best; the start reward is begun anew with the terms that the most successful
attempts share (`recombination`). Several candidates of one iteration take different turns. The same request always gives the same draft.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from itertools import combinations

from movlr_jax.critics.body_reading import BodyReading
from movlr_jax.critics.offline import gates_of
from movlr_jax.tasks import gates
from movlr_jax.writers import edits, proposals, recombination
from movlr_jax.writers.base import Draft, EditError, FailedAttempt, NothingLeft, WriteRequest
from movlr_jax.writers.edits import Change
from movlr_jax.writers.recombination import Recombined

# An edit's merit is the sum of its changes' merits: 1 for the critique's first suggestion, then this factor for each
# place further down.
_STEP = 0.85
# A term that was in an edit which was not kept, since the last that was, counts this much less for each time.
_FAILED = 0.6
# Candidates of one iteration should differ: a term that a better candidate uses counts this much less for the next.
_USED = 0.75
_LARGEST = 2  # changes of a small edit
# Iterations without a new best from which other programs than an edited best take turns with it, in this order.
_STAGNANT = 2
_TURNS = ("mend", "edit", "cross", "restart")
_FARTHER = 0.05  # how much more of the goal an attempt must have reached to be mended (0 to 1)


class OfflineWriter:
    """Edits the best reward with the term library; while it stagnates also one that got on farther, or recombines several."""

    name = "offline"

    def write(self, request: WriteRequest) -> Draft:
        """Return the k-th best edit, k being the candidate's number, further down the list for each refusal.

        Raises:
            NothingLeft: no edit of this text is left that was not tried.
        """
        turn = _turn(request)
        other = {"mend": self._mended, "cross": self._crossed, "restart": self._restarted}.get(turn)
        return (other and other(request)) or self._edit(request)

    def _crossed(self, request: WriteRequest) -> Draft | None:
        """Return the best with a term of another attempt; further down the list for each refusal; None where there is none."""
        for skipped, crossed in enumerate(recombination.crossovers(request)):
            if skipped >= request.refused and (draft := _recombined(request.best_source, crossed)):
                return replace(draft, builds_on=None)
        return None

    def _restarted(self, request: WriteRequest) -> Draft | None:
        """Return the start with what the most successful attempts share; None where there is none, or a restart was just refused."""
        restarted = None if request.refused else recombination.restart(request)
        return None if restarted is None else _recombined(request.programs[restarted.builds_on], restarted)

    def _mended(self, request: WriteRequest) -> Draft | None:
        """Return the edit of a failed attempt that got on farther; None where there is none, or nothing is left to edit of it."""
        farther = _farther(request)
        if farther is None:
            return None
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
            return None
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
            change = replace(change, weight=round(0.5 * change.weight, 3))
        return change

    def _failures(self, request: WriteRequest) -> Counter[str]:
        """Count, for each term, the small edits that changed it and were not kept since the last that was; of what a restart changed at
        once nothing is known of each."""
        failures: Counter[str] = Counter()
        for record in request.history:
            if record.kept:
                failures.clear()
                continue
            parts = record.edit.split(", ")
            for part in parts if len(parts) <= _LARGEST else ():
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
        kinds = {"add": 0, "reweigh": 1, "change": 1, "set": 1, "remove": 2}
        unstable = request.critique is None or any(f.stage == "stability" and f.severity >= 0.5 for f in request.critique.faults)
        changes.sort(
            key=lambda c: (failures[c.term], kinds[c.action], proposals.stage_rank(c.term) if unstable else 0),
        )
        return [((c,), "The critique has nothing left to try: a change not tried before.") for c in changes]


def _since_best(request: WriteRequest) -> list[FailedAttempt]:
    """Return the attempts since the best that went on to a critic, and were not kept."""
    return [f for f in request.failed if f.attempt.chosen and request.best is not None and f.attempt.iteration > request.best]


def _turn(request: WriteRequest) -> str:
    """Return whose turn it is: "edit" until the best stagnates."""
    since = len(_since_best(request)) - _STAGNANT
    return "edit" if since < 0 else _TURNS[(since + request.candidate) % len(_TURNS)]


def _recombined(source: str, recombined: Recombined) -> Draft | None:
    """Return a recombination of a program as a draft; None where the text does not admit it."""
    try:
        text = edits.apply(source, recombined.changes)
    except EditError:
        return None
    return Draft(text, edits.describe(recombined.changes), recombined.why, builds_on=recombined.builds_on)


def _farther(request: WriteRequest) -> FailedAttempt | None:
    """Return the failed attempt since the best to edit in its place: the one that reached most of the goal, behind no worse gates; or None.

    Of a hand with an object none: how far it got is told by its score alone.
    """
    since = _since_best(request)
    if request.facts.object is not None:
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
