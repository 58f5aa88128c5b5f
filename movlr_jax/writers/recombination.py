"""Recombination: programs made of parts of several attempts, for when small edits of the best bring nothing better.

In: a WriteRequest. Out: changes of a program, the iteration whose program they change, and why. A crossover takes one term of another good
attempt, with its weight and its parameters' values, into the best (module-level crossover of rewards, as in R*, Li et al., ICML 2025). A
restart begins again from the start reward, with terms that the most successful attempts share. Both are drawn from the request's seed, and
what was tried of the same program is not tried again.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from movlr_jax.rewards.program import ProgramError, literal_weights
from movlr_jax.tasks import gates
from movlr_jax.writers import edits
from movlr_jax.writers.base import Attempt, EditError, WriteRequest
from movlr_jax.writers.edits import Change

DONORS = 4  # attempts that parts are taken of: the most successful ones
SHARED = 0.5  # of those attempts that have to have a term, for a restart to take it
DRAWS = 20  # times that a restart is drawn before it is given up: each may leave out terms
SAME = 0.01  # of a weight, by which another may differ and be no other
LEFT_OUT = 0.25  # of the shared terms that a later draw leaves out, on average


@dataclass(frozen=True)
class Recombined:
    """Changes of a program, the iteration that the program is of, and why."""

    changes: tuple[Change, ...]
    builds_on: int
    why: str


@dataclass(frozen=True)
class _Donor:
    """An attempt that parts may be taken of: its number, text and weights."""

    iteration: int
    source: str
    weights: dict[str, float]


def _donors(request: WriteRequest) -> list[_Donor]:
    """Return the attempts whose programs are known, the most successful first: by gates, then score; of equals the later."""
    moved = {a.iteration: a for a in request.history if a.chosen and a.score is not None and a.iteration in request.programs}
    placed = sorted(moved.values(), key=lambda a: (_place(a), a.iteration), reverse=True)
    donors = []
    for attempt in placed[:DONORS]:
        source = request.programs[attempt.iteration]
        try:
            donors.append(_Donor(attempt.iteration, source, literal_weights(source)))
        except ProgramError:  # a text that was changed by hand
            continue
    return donors


def _place(attempt: Attempt) -> tuple[float, ...]:
    assert attempt.score is not None
    return gates.place(gates.of_document(attempt.gates), None, attempt.score)


def _tried(request: WriteRequest, base: int | None) -> set[str]:
    """Return the edits of a program that were tried and not kept, here or of an earlier version, which did not say of which; and those of
    the iteration's other candidates."""
    return {a.edit for a in request.history if not a.kept and a.builds_on in (None, base)} | set(request.sibling_edits)


def crossovers(request: WriteRequest) -> Iterator[Recombined]:
    """Return every term of a good attempt that the best lacks, or has at another weight: as changes of the best, the best attempt's first.

    Terms of one attempt come in an order that the seed draws.
    """
    best = request.best
    if best is None:
        return
    own, tried, seen = dict(request.best_weights), _tried(request, best), set[str]()
    for donor in _donors(request):
        names = [name for name in donor.weights if donor.iteration != best]
        random.Random(f"{request.seed}/cross/{donor.iteration}").shuffle(names)
        for name in sorted(names, key=lambda name: name in own):  # what the best lacks before what it weighs otherwise
            change = _taken(donor, name, own)
            if change is None or change.line() in tried or change.line() in seen:
                continue
            seen.add(change.line())
            yield Recombined((change,), best, f"The term {name} of iteration {donor.iteration}, in the best's program.")


def _taken(donor: _Donor, name: str, own: Mapping[str, float]) -> Change | None:
    """Return the change that gives a program a donor's term; None where it has it at the same weight, or it cannot be taken out."""
    if name in own:
        same = abs(own[name] - donor.weights[name]) <= SAME * abs(own[name])
        return None if same else Change("reweigh", name, donor.weights[name])
    try:
        return edits.part_of(donor.source, name)
    except EditError:
        return None


def restart(request: WriteRequest) -> Recombined | None:
    """Return the start reward with terms that the most successful attempts share, each at the median of their weights.

    The first time all of them; later, and for other candidates, some are left out. None where the start is not known, the attempts share
    nothing that it lacks, or every draw was tried.
    """
    start, donors = request.programs.get(0), [donor for donor in _donors(request) if donor.iteration != 0]
    if start is None or not donors:
        return None
    parts = _shared(start, donors)
    order, tried = random.Random(f"{request.seed}/restart"), _tried(request, 0)
    for draw in range(DRAWS if parts else 0):
        changes = tuple(part for part in parts if not draw or order.random() >= LEFT_OUT)
        if changes and edits.describe(changes) not in tried and not _is_one_of(start, changes, request):
            said = ", ".join(str(donor.iteration) for donor in donors)
            return Recombined(changes, 0, f"The start reward again, with what iterations {said} share.")
    return None


def _shared(start: str, donors: Sequence[_Donor]) -> list[Change]:
    """Return the terms that donors share and a start lacks, as changes of it; each in the text of the most successful that has it."""
    own, parts = literal_weights(start), []
    names = dict.fromkeys(name for donor in donors for name in donor.weights if name not in own)
    for name in names:
        having = [donor for donor in donors if name in donor.weights]
        if len(having) < SHARED * len(donors):
            continue
        part = _taken(having[0], name, own)
        if part is not None:
            weight = median(donor.weights[name] for donor in having)
            parts.append(Change("add", name, round(weight, 3), part.expression, parameters=part.parameters))
    return parts


def _is_one_of(start: str, changes: Sequence[Change], request: WriteRequest) -> bool:
    """Tell whether a restart would give the weights of a program that was tried, or is one of the iteration's other candidates."""
    weights = literal_weights(start) | {change.term: change.weight for change in changes if change.weight is not None}
    tried = [attempt.weights for attempt in request.history] + [literal_weights(source) for source in request.siblings]
    return weights in tried
