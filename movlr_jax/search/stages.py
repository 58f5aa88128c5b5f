"""The stages of a MoVLR iteration as the loop calls them: what goes into each and what comes out.

The loop knows no physics, no model and no encoder: it is handed a `Stages` and keeps the books. `assembly.py` builds
the real one. What comes out of a stage is plain data that the loop saves at once, and what goes into the next is read
back from the disk; a stage therefore may keep caches but no state that changes a result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from movlr_jax import atomic

Json = Mapping[str, Any]
Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class WriteRequest:
    """What a writer is given.

    Attributes:
        iteration, candidate, attempt: which draft this is.
        seed: key for the writer's own random numbers.
        source: the best source so far; the edit starts from it.
        facts: what was measured on the best's motion.
        critique: what the critic said of the best's motion; "advice" is what a person said of it.
        history: one record for every draft that was written, oldest first: iteration, candidate, edit, outcome (one
            line), kept, weights, changes (term -> added, removed, raised, lowered), warnings, score, gates; a
            refused draft has only the first five.
        siblings: sources already proven for this iteration; a candidate that repeats one is refused.
        refusal: verdict on this candidate's previous attempt (`sentence`, `line`), or None on the first.
        refused_source: the text that was refused, or None.
        clip: the film of the best's motion, or None where this machine cannot draw.
    """

    iteration: int
    candidate: int
    attempt: int
    seed: int
    source: str
    facts: Json
    critique: Json
    history: tuple[Json, ...] = ()
    siblings: tuple[str, ...] = ()
    refusal: Json | None = None
    refused_source: str | None = None
    clip: Path | None = None


@dataclass(frozen=True)
class Draft:
    """A reward program's text as it was written: not proven, not trusted.

    Attributes:
        name: where it came from, for people ("start", "iteration 3").
        source: the text.
        edit: what was changed, in one line.
        rationale: why.
        calls: records of the model calls made for it.
        refusal: why it is no program at all; "" for a program. The sandbox is not asked then.
    """

    name: str
    source: str
    edit: str = ""
    rationale: str = ""
    calls: tuple[Json, ...] = ()
    refusal: str = ""


@dataclass(frozen=True)
class Proof:
    """The sandbox's answer.

    Attributes:
        trusted: whether the artifact may be used.
        verdict: the record for verdict.json; a refusal has "sentence" and "line".
        weights: term name -> weight, in the artifact's order; empty when refused.
        artifact: serialised reward, or None when refused.
    """

    trusted: bool
    verdict: Json
    weights: Mapping[str, float] = field(default_factory=dict)
    artifact: bytes | None = None


@dataclass(frozen=True)
class Trusted:
    """A proven reward, as it stands in the run's folder.

    Attributes:
        name: for people.
        source: its text.
        weights: term name -> weight; those to move under, where they are not the text's own.
        folder: holds reward.py, reward.stablehlo and verdict.json, for people: what runs was proven by this process.
    """

    name: str
    source: str
    weights: Mapping[str, float]
    folder: Path


@dataclass(frozen=True)
class Judged:
    """A motion of a closed iteration, with its score: what a new reward's ranking may be compared with."""

    score: float
    rollout: Path


@dataclass(frozen=True)
class Moved:
    """A reward with its measured motion: what a critic is shown.

    Attributes:
        name: for people.
        source: the reward's text.
        weights: term name -> weight.
        facts: what was measured.
        clip: the film, or None where this machine cannot draw.
        seed: key for the critic's own random numbers.
        earlier: what was said of the best motion so far, or None where this is the first.
    """

    name: str
    source: str
    weights: Mapping[str, float]
    facts: Json
    clip: Path | None
    seed: int
    earlier: Json | None = None


@dataclass(frozen=True)
class Preference:
    """Which of two motions serves the goal better.

    Attributes:
        winner: "candidate", "best" or "tie" (a tie: the critic does not know, or its answer depends on the order).
        reason: in words.
        calls: records of the model calls made for it.
    """

    winner: Literal["candidate", "best", "tie"]
    reason: str = ""
    calls: tuple[Json, ...] = ()


class NothingToWrite(Exception):
    """A writer that has no draft left to offer; the message is a sentence for people."""


class Stages(Protocol):
    """The stages of an iteration. Every method is a function of its arguments and of the run's configuration."""

    def start(self) -> Draft:
        """Return the reward of iteration 0."""
        ...

    def write(self, request: WriteRequest) -> Draft:
        """Edit the best reward.

        Raises:
            NothingToWrite: no draft is left to offer.
        """
        ...

    def prove(self, draft: Draft, archive: Sequence[Judged]) -> Proof:
        """Make a trusted artifact of a text, or say in one sentence why not; the archive only brings warnings."""
        ...

    @property
    def side_by_side(self) -> int:
        """How many episodes `move` runs at the same time."""
        ...

    def move(self, jobs: Sequence[tuple[Trusted, int]], advanced: Callable[[float], None]) -> list[Arrays]:
        """Run at most `side_by_side` episodes of (reward, seed) and return the arrays of their rollout.npz.

        An episode's result does not depend on the others. `advanced` is told the simulated seconds so far.
        """
        ...

    def measure(self, rollout: Arrays) -> Json:
        """Return one episode's flat metrics record."""
        ...

    def summarize(self, episodes: list[Json]) -> Json:
        """Return the record {"episodes", "mean", "std", "falls", "gates"} of all seeds.

        Gates are "fell", "diverged" and, where the task asks to move, "moved".
        """
        ...

    def score(self, facts: Json) -> float:
        """Return the documented score of a motion: higher is better."""
        ...

    def describe(self, reward: Trusted, rollouts: list[Arrays], summary: Json) -> Json:
        """Return the facts that critics and writers read, one record for all seeds."""
        ...

    def classes(self, reward: Trusted) -> Mapping[str, str]:
        """Return term name -> class, from global stability to fine coordination ("" where unknown)."""
        ...

    def film(self, rollout: Arrays, path: Path, title: str) -> None:
        """Write the clip of one episode to `path`, with a few words on it."""
        ...

    def critique(self, moved: Moved) -> Json:
        """Return what is wrong and what to change; "calls" holds the records of model calls."""
        ...

    def prefer(self, candidate: Moved, best: Moved) -> Preference:
        """Say which motion serves the goal better; position bias is the stage's to cancel."""
        ...

    def illustrate(self, folder: Path) -> None:
        """Draw heat maps and the report of the run as it stands in its folder."""
        ...

    def close(self) -> None:
        """End the processes that the stages keep."""
        ...


def measured(stages: Stages, reward: Trusted, rollouts: Sequence[Arrays]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the facts of a reward's episodes, and their metrics with the score, both as JSON gives them back."""
    summary = atomic.plain(stages.summarize([stages.measure(rollout) for rollout in rollouts]))
    facts = atomic.plain(stages.describe(reward, list(rollouts), summary))
    return facts, {**summary, "score": stages.score(facts)}
