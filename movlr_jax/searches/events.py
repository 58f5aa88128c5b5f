"""What a run tells while it goes: one event at a time, to whoever shows it.

Flows in: nothing. Flows out: Event records to a Progress callback. The loop never waits for a callback and takes
nothing from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

Kind = Literal["run", "iteration", "stage", "simulated", "refused", "eliminated", "judged", "failure", "warning", "finished"]


@dataclass(frozen=True)
class Event:
    """One thing that happened.

    Attributes:
        kind: "run" (started or resumed), "iteration" (one begins), "stage" (a stage begins), "simulated" (an episode
            has advanced), "refused" (a draft was refused), "eliminated" (a program is out of the race), "judged" (an
            iteration is decided and saved), "failure" (a named failure), "warning", "finished".
        iteration: the iteration at work.
        iterations: the last iteration that the run may reach.
        stage: "write", "prove", "tune", "move", "film", "judge" or "save".
        candidate: the candidate at work.
        trial: the trial of weights at work, in "tune".
        seed: the episode's seed, in "tune" and "move".
        simulated_s: seconds simulated in the episode at work [s].
        seconds: length of an episode, or of the part of it that is run [s].
        best: the iteration kept as best so far, or None.
        best_score: its score.
        score: the judged iteration's score, in "judged".
        kept: whether the judged iteration is the new best, in "judged".
        confidence: the probability that it is better than the best before it, in "judged"; None where none can be stated.
        message: one sentence for a person, or "".
    """

    kind: Kind
    iteration: int = 0
    iterations: int = 0
    stage: str = ""
    candidate: int = 0
    trial: int | None = None
    seed: int | None = None
    simulated_s: float = 0.0
    seconds: float = 0.0
    best: int | None = None
    best_score: float | None = None
    score: float | None = None
    kept: bool | None = None
    confidence: float | None = None
    message: str = ""


class Progress(Protocol):
    """Shows events. It may be called often (several times a second) and must return at once."""

    def __call__(self, event: Event) -> None:
        """Take one event."""
        ...
