"""The record of a finished iteration: iteration.json, and its row in summary.json.

In: what an iteration's steps left (`movlr_jax.searches.closing`), or the JSON of any version. Out: fields for search, tables and replay.
"""

from __future__ import annotations

from pydantic import Field

from movlr_jax.facts import Measures
from movlr_jax.typed_record import Count, Number, TypedRecord
from movlr_jax.writers.base import Attempt, Change

_HIDDEN = {"failures", "tried", "exhausted"}


class Tuned(TypedRecord):
    """tuned.json: which trial of weights was taken."""

    trial: Count
    trials: Count
    score_as_written: Number
    score: Number
    moved_again: bool
    simulated_s: Number
    unmoved: bool = False


class Eliminated(TypedRecord):
    """A program that was eliminated in the race.

    Attributes:
        candidate: which.
        rung: at which rung, from 0.
        ran: what it had run then, in words ("2 s of seed 0").
        by: "gates" or "score".
        against: whom it was behind: "best" or "leader".
        reason: why, in a sentence.
        score: of what it ran.
    """

    candidate: Count
    rung: Count
    ran: str
    by: str
    against: str
    reason: str
    score: Number | None = None


class Failure(TypedRecord):
    """A named failure of the search."""

    name: str
    iteration: Count
    sentence: str


class IterationRecord(TypedRecord):
    """One finished iteration.

    Attributes:
        iteration: its number; 0 is the start reward's.
        reward: what its reward is called; "" where every draft was refused, as with all that follows from a motion.
        metrics: the mean over the seeds; `fell` says whether any fell.
        gates: the gates' document.
        score: of the chosen candidate's motion.
        kept: whether it became the best.
        why: why it was kept or not, or why this candidate was chosen.
        weights: the reward's.
        term_classes: term -> class.
        critique: the judgement in one line.
        edit: what the writer changed, in one line, and of which iteration's reward where that was not the best's.
        changes: term -> what the edit did to it.
        parameters: the values of the reward's declared constants; none where it declares none.
        parameter_changes: parameter -> what the edit did to it, such as "1.0 -> 1.1".
        parent: the iteration whose reward was edited: the best, unless the writer built on another.
        candidate: the one that was chosen.
        refusals: why drafts were refused, a sentence each.
        eliminated: the programs that were eliminated in the race; absent where there was none.
        confidence: where a score or a critic decided, and there were several seeds, the probability that the chosen candidate is better
            than the best before it (`movlr_jax.feedback.confidence`); None where the gates or one seed decided.
        tried: every draft.
        exhausted: whether the writer had none left to offer.
        seconds: stage -> wall time (s).
        simulated_s: motion executed, all candidates, trials and further seeds together (s); 0 of a version that did not count.
        tuned: what tuning did to the weights, where they are tuned.
        failures: what went wrong with the search here.
    """

    iteration: Count
    reward: str
    metrics: Measures
    gates: dict[str, bool]
    score: Number | None
    kept: bool
    why: str
    weights: dict[str, Number]
    term_classes: dict[str, str]
    critique: str
    edit: str
    changes: dict[str, Change]
    parameters: dict[str, Number] = Field(default_factory=dict)
    parameter_changes: dict[str, str] = Field(default_factory=dict)
    parent: Count | None
    candidate: Count | None
    refusals: list[str]
    eliminated: list[Eliminated] = Field(default_factory=list)
    confidence: Number | None = None
    tried: list[Attempt] = Field(default_factory=list)
    exhausted: bool = False
    seconds: dict[str, Number]
    simulated_s: Number = 0.0
    tuned: Tuned | None = None
    failures: list[Failure] = Field(default_factory=list)

    def summary(self) -> dict[str, object]:
        """Return the row of summary.json."""
        return {name: value for name, value in self.to_json().items() if name not in _HIDDEN}
