"""The stages of a MoVLR iteration as the loop calls them: what goes into each and what comes out.

The loop knows no physics, no model and no encoder: it is handed a `Stages` and keeps the books. `real_stages.py` has
the real one. What comes out of a stage is plain data that the loop saves at once, and what goes into the next is read
back from the disk; a stage therefore may keep caches but no state that changes a result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from movlr_jax import atomic
from movlr_jax.critics.base import Evidence
from movlr_jax.critics.critique import Preference
from movlr_jax.errors import BadFile
from movlr_jax.facts import Facts
from movlr_jax.runs.run_folder import Candidate
from movlr_jax.sandbox.proof import Proof
from movlr_jax.writers.base import Draft, WriteRequest

Json = Mapping[str, Any]
Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Trusted:
    """A proven reward, as it stands in the run's folder.

    Attributes:
        name: for people.
        source: its text.
        weights: term name -> weight; those to move under, where they are not the text's own.
        folder: holds reward.py, reward.stablehlo and verdict.json, for people: what runs was proven by this process.
        parameters: parameter -> value, of those to move under that are not the text's own.
    """

    name: str
    source: str
    weights: Mapping[str, float]
    folder: Path
    parameters: Mapping[str, float] = field(default_factory=dict)


def trusted(candidate: Candidate, place: Candidate | None = None) -> Trusted:
    """Return a candidate's reward as it stands in its folder, or in another place of it.

    Raises:
        BadFile: the folder lacks its drafts.
    """
    drafts, place = candidate.drafts(), place or candidate
    if not drafts:
        raise BadFile(f"{candidate.path} has no drafts/: restore them, or start the run again.")
    return Trusted(name=drafts[-1]["name"], source=place.text(), weights=place.weights(), folder=place.path)


@dataclass(frozen=True)
class Begun:
    """The beginning of an episode.

    Attributes:
        rollout: the arrays of its rollout.npz, as of an episode of that length.
        after: what continues it; None where the episode is over.
    """

    rollout: Arrays
    after: Arrays | None


@dataclass(frozen=True)
class Judged:
    """A motion of a closed iteration, with its score: what a new reward's ranking may be compared with."""

    score: float
    rollout: Path


class Stages(Protocol):
    """The stages of an iteration. Every method is a function of its arguments and of the run's configuration."""

    goal: str
    """The goal sentence."""
    vocabulary: str
    """What a reward may read on this body."""
    planning: str
    """How far the planner looks ahead, and how often it plans, in a line."""

    def start(self) -> Draft:
        """Return the reward of iteration 0."""
        ...

    def write(self, request: WriteRequest) -> Draft:
        """Edit the best reward.

        Raises:
            NothingLeft: no draft is left to offer.
        """
        ...

    def prove(self, draft: Draft, archive: Sequence[Judged]) -> Proof:
        """Make a trusted artifact of a text, or say in one sentence why not; the archive only brings warnings."""
        ...

    @property
    def seconds(self) -> float:
        """Length of an episode (s)."""
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

    def begin(self, jobs: Sequence[tuple[Trusted, int]], seconds: float, advanced: Callable[[float], None]) -> list[Begun]:
        """Run the beginnings, of so many seconds, of at most `side_by_side` episodes that `move` would run."""
        ...

    def go_on(self, jobs: Sequence[tuple[Trusted, Begun]], advanced: Callable[[float], None]) -> list[Arrays]:
        """Run episodes from where their beginnings, all of one length, ended, and return them whole, to the bit as `move` would have.

        Raises:
            BadFile: what is given is no beginning.
        """
        ...

    def cut(self, rollout: Arrays, seconds: float) -> Arrays:
        """Return the beginning of an episode, as `begin` would have; one that ended before stays as it is."""
        ...

    def measure(self, rollout: Arrays) -> Json:
        """Return one episode's flat metrics record."""
        ...

    def summarize(self, episodes: list[Json]) -> Json:
        """Return the record {"episodes", "mean", "std", "falls", "gates"} of all seeds.

        Gates are "fell", "diverged" and, where the task asks to move, "moved".
        """
        ...

    def score(self, facts: Facts) -> float:
        """Return the documented score of a motion: higher is better."""
        ...

    def describe(self, reward: Trusted, rollouts: list[Arrays], summary: Json) -> Facts:
        """Return the facts that critics and writers read, one record for all seeds.

        The first seed's episode stands in detail, and of several that are not all alike the worst and the best (`Facts.with_extremes`).
        """
        ...

    def classes(self, reward: Trusted) -> Mapping[str, str]:
        """Return term name -> class, from global stability to fine coordination ("" where unknown)."""
        ...

    def film(self, rollout: Arrays, path: Path) -> None:
        """Write the clip of one episode to `path`; nothing on it tells which iteration or seed it is."""
        ...

    def critique(self, motion: Evidence, earlier: Json | None) -> Json:
        """Return what is wrong and what to change; "calls" holds the records of model calls.

        Args:
            motion: it.
            earlier: what was said of the best motion so far, or None where this is the first.
        """
        ...

    def compare(self, a: Evidence, b: Evidence) -> tuple[Preference, Sequence[Json]]:
        """Say which motion serves the goal better, with the records of the model calls; position bias is the stage's to cancel."""
        ...

    def illustrate(self, folder: Path) -> None:
        """Draw heat maps and the report of the run as it stands in its folder."""
        ...

    def close(self) -> None:
        """End the processes that the stages keep."""
        ...


def measured(stages: Stages, reward: Trusted, rollouts: Sequence[Arrays]) -> tuple[Facts, dict[str, Any]]:
    """Return the facts of a reward's episodes, and their metrics with the score, as JSON gives them back."""
    summary = atomic.plain(stages.summarize([stages.measure(rollout) for rollout in rollouts]))
    facts = stages.describe(reward, list(rollouts), summary)
    return facts, {**summary, "score": stages.score(facts)}
