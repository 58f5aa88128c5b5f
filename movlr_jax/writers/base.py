"""The Writer: who rewrites the reward.

In: a WriteRequest (goal, vocabulary, the best source so far and what its terms did, the critique, what was tried, and
on a retry why the last draft was refused). Out: a Draft (source text, one line that names the edit, why). A draft is
untrusted text: the sandbox judges it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from pydantic import Field

from movlr_jax.critics.critique import Critique
from movlr_jax.errors import MovlrError
from movlr_jax.facts import Facts
from movlr_jax.typed_record import Count, Number, TypedRecord

# What an edit did to a term: a formula that was rewritten has a scale of its own, so that its weight is not compared with the one before.
Change = Literal["added", "removed", "raised", "lowered", "rewritten"]


class Attempt(TypedRecord):
    """One draft of the history that writers are shown.

    Attributes:
        iteration, candidate: which draft it was.
        edit: what it changed, in one line.
        kept: whether it became the best.
        chosen: whether it was its iteration's.
        outcome: what became of it, in one line.
        refused: whether the sandbox refused it; it has nothing more then.
        eliminated: whether it was eliminated in the race, by what its outcome says; it has no score then, because it did not run whole.
        given_up: whether there was no text at all.
        weights: the weights under which it moved.
        changes: term -> what the edit did to it.
        parameters: the values under which it moved; none where its text declares none.
        parameter_changes: parameter -> what the edit did to it, such as "1.0 -> 1.1".
        warnings: what the sandbox warned of.
        score, gates: of its motion.
        builds_on: the iteration whose program it was made from; None of a version that did not record it.
    """

    iteration: Count
    candidate: Count
    edit: str
    kept: bool
    chosen: bool
    outcome: str = ""
    refused: bool = False
    eliminated: bool = False
    given_up: bool = False
    weights: dict[str, Number] = Field(default_factory=dict)
    changes: dict[str, Change] = Field(default_factory=dict)
    parameters: dict[str, Number] = Field(default_factory=dict)
    parameter_changes: dict[str, str] = Field(default_factory=dict)
    warnings: list[str] = Field(default_factory=list)
    score: Number | None = None
    gates: dict[str, bool] = Field(default_factory=dict)
    builds_on: Count | None = None


@dataclass(frozen=True)
class FailedAttempt:
    """A draft that was not kept, with what shows why.

    Attributes:
        attempt: its record.
        base: the iteration whose program it was made from.
        base_source: that program's text.
        source: its own text; "" where the answer held no program.
        ending: why it was not kept, in a sentence; "" where the sandbox refused it, which its outcome says.
        base_score: score of the base's motion.
        base_facts: what was measured of the base's motion.
        facts: what was measured of its own; None where it did not move.
        critique: what was said of its motion; None where it was not judged.
    """

    attempt: Attempt
    base: int
    base_source: str
    source: str = ""
    ending: str = ""
    base_score: float | None = None
    base_facts: Facts | None = None
    facts: Facts | None = None
    critique: Critique | None = None


# What a motion may do best of all of a search: a niche of the archive -> what that is, for people and models.
Niche = Literal["best", "farthest", "longest", "coordinated", "effortless"]
NICHES: dict[Niche, str] = {
    "best": "the best by the order in which motions are kept",
    "farthest": "gets on farthest",
    "longest": "stays up longest",
    "coordinated": "moves best coordinated of those that stay up and get on",
    "effortless": "takes the least effort of those that do what the goal asks for",
}


@dataclass(frozen=True)
class Elite:
    """An iteration that does something better than any other of its search.

    Attributes:
        niches: what, in the order of `NICHES`.
        iteration: which; its program may be built on.
        source: the program's text.
        outcome: what its motion came to, in one line.
        score: of its motion.
        facts: what was measured of its motion.
        coordination: the summed severity of the coordination faults that the offline critic finds in it; 0 is the best.
        critique: what was said of its motion; None where nobody judges.
    """

    niches: tuple[Niche, ...]
    iteration: int
    source: str
    outcome: str
    score: float
    facts: Facts
    coordination: float
    critique: Critique | None = None


@dataclass(frozen=True)
class WriteRequest:
    """All that a writer is told.

    Attributes:
        goal: the goal sentence.
        vocabulary: what `m` offers on this body (`movlr_jax.rewards.vocabulary`).
        best_source: text of the best reward so far; the edit starts from it, or from one of `programs`.
        best_weights: its weights, term -> weight.
        critique: judgement of the best motion so far, or None.
        history: every draft that was written, oldest first.
        failed: those that were not kept since the best, and a few before it, oldest first, with what shows why.
        elites: the iterations that do something better than any other, the best first; each may be built on.
        best: the iteration of the best reward; None where nothing has moved yet.
        programs: iteration -> the text of its program, of every one that may be built on.
        refusal: why the last draft for this same candidate was refused, or None.
        earlier_refusals: why those before it were, oldest first.
        candidate: which of the iteration's candidates this is, from 0; the k-th asks for the k-th best edit.
        candidates: how many candidates the iteration has.
        attempt: how many drafts for this candidate were refused before.
        seed: key for the writer's own random numbers.
        iteration: the iteration's number.
        refused_source: the text that was refused, or None.
        siblings: the programs already proven for this iteration; a candidate that repeats one is refused.
        sibling_edits: what each of the iteration's candidates before this one changes, in a line each, proven or not.
        facts: what was measured of the best motion.
        clip: its film, of several episodes that of the worst, or None.
        clips: seed -> the films that there are, of several episodes.
        advice: what a person who watched it says, or "".
        planning: how the planner uses a reward, in a line: how far it looks ahead and how often it plans; "" where none is known.
    """

    goal: str
    vocabulary: str
    best_source: str
    best_weights: Mapping[str, float]
    critique: Critique | None = None
    history: Sequence[Attempt] = ()
    failed: Sequence[FailedAttempt] = ()
    elites: Sequence[Elite] = ()
    best: int | None = None
    programs: Mapping[int, str] = field(default_factory=dict)
    refusal: str | None = None
    earlier_refusals: Sequence[str] = ()
    candidate: int = 0
    candidates: int = 1
    attempt: int = 0
    seed: int = 0
    iteration: int = 0
    refused_source: str | None = None
    siblings: Sequence[str] = ()
    sibling_edits: Sequence[str] = ()
    facts: Facts = field(default_factory=Facts)
    clip: Path | None = None
    clips: Mapping[int, Path] = field(default_factory=dict)
    advice: str = ""
    planning: str = ""

    @property
    def refused(self) -> int:
        """Drafts refused before this one; at least 1 when there is a refusal."""
        return max(self.attempt, int(self.refusal is not None))


@dataclass(frozen=True)
class Draft:
    """A candidate reward.

    Attributes:
        source: text of the whole program, neither proven nor trusted.
        edit: one line: what changed.
        rationale: why.
        refusal: why this is no program at all, in a sentence for the next attempt ("" for a program): the sandbox is not asked
            then, and `source` is what was answered instead.
        name: where it came from, for people ("start", "iteration 3").
        calls: records of the model calls made for it.
        builds_on: the iteration whose program it was made from; None: the best's.
    """

    source: str
    edit: str = ""
    rationale: str = ""
    refusal: str = ""
    name: str = ""
    calls: tuple[Mapping[str, Any], ...] = ()
    builds_on: int | None = None


class EditError(ValueError):
    """An edit that this text does not admit, in one sentence."""


class NothingLeft(MovlrError):
    """A writer has no draft left to offer; the message is a sentence for people."""


@runtime_checkable
class Writer(Protocol):
    """Rewrites rewards."""

    name: str

    def write(self, request: WriteRequest) -> Draft:
        """Return a new draft, without name and calls: those are its caller's to add.

        Raises:
            NothingLeft: no draft is left to offer.
            MovlrError: the writer cannot go on.
        """
        ...
