"""Episodes in parts: the beginning of one, run by itself or cut from the whole, and the whole made of a beginning and what followed.

A beginning is, to the last bit, what the whole episode begins with: it is planned with the same noise, and what continues it is a snapshot
(`movlr_jax.control.snapshot`). So rewards are compared over the first seconds of the same seed, and none of these is run twice. On an
engine that does not repeat an episode to the bit a beginning that is gone on with still is that of its episode.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from movlr_jax.control.episode import EpisodeRunner, Job, Rollout, Watch, plans, terms_of
from movlr_jax.control.snapshot import Snapshot
from movlr_jax.errors import BadFile
from movlr_jax.rewards.reward import Reward

# The arrays of a rollout that have a row an instant.
_TIMED = ("time", "qpos", "qvel", "act", "instants", "terms", "targets", "costs", "diverged", "simulated", "spread")


def cut(rollout: Rollout, seconds: float) -> Rollout:
    """Return the beginning of an episode, as an episode of that length would be; one that is no longer stays as it is.

    Args:
        rollout: the episode.
        seconds: length of the beginning (s).
    """
    rows = plans(seconds, rollout.dt)
    if seconds >= rollout.seconds:
        return rollout
    if rows >= len(rollout.time):  # it ended before, which is its end at any length
        return replace(rollout, seconds=seconds)
    kept = {name: value[:rows] for name in _TIMED if (value := getattr(rollout, name)) is not None}
    return replace(rollout, seconds=seconds, ended="time", **kept)


def begin(
    runner: EpisodeRunner,
    jobs: Sequence[Job],
    *,
    seconds: float,
    part: float,
    fallen: Callable[[np.ndarray], bool],
    ends_as: str,
    progress: Callable[[float], None] | None = None,
) -> list[tuple[Rollout, Snapshot | None]]:
    """Run the beginnings of episodes; return each with the snapshot that continues it, None where the episode is over.

    Args:
        runner: the body, the engine and the planner.
        jobs: the episodes.
        seconds: their length (s).
        part: length of the beginnings (s).
        fallen, ends_as, progress: as `EpisodeRunner.run_many`.
    """
    after: dict[int, Snapshot] = {}
    watch = Watch(after.__setitem__, every=0, at_end=True)
    part = min(part, seconds)
    ran = runner.run_many(jobs, seconds=seconds, fallen=fallen, ends_as=ends_as, progress=progress, watch=watch, part=part)
    over = plans(part, runner.dt) >= plans(seconds, runner.dt)
    return [(cut(rollout, part), None if over else after.get(e)) for e, rollout in enumerate(ran)]


def go_on(
    runner: EpisodeRunner,
    begun: Sequence[tuple[Reward, Rollout, Snapshot | None]],
    *,
    seconds: float,
    fallen: Callable[[np.ndarray], bool],
    ends_as: str,
    progress: Callable[[float], None] | None = None,
) -> list[Rollout]:
    """Run episodes from the end of their beginnings on; return them whole, as `EpisodeRunner.run_many` would have.

    Args:
        runner: the one that they began with, or its like.
        begun: reward, beginning and what continues it; None: the episode is over. All beginnings that go on are of one length.
        seconds: length of the episodes (s).
        fallen, ends_as: as `EpisodeRunner.run_many`.
        progress: called after each plan with the time simulated since the beginning, averaged over the episodes (s).

    Raises:
        BadFile: an episode is neither over nor has what continues it.
    """
    steps = plans(seconds, runner.dt)
    for _, first, after in begun:
        if after is None and first.ended == "time" and len(first.time) < steps:
            raise BadFile("An episode that was begun lacks what continues it: delete its folder rungs/00 and resume; it is run again.")
    going = [(e, reward, first, after) for e, (reward, first, after) in enumerate(begun) if after is not None]
    out = [replace(first, seconds=seconds) for _, first, _ in begun]
    if going:
        left = (steps - len(going[0][2].time)) * runner.dt
        jobs = [Job.of(after, reward) for _, reward, _, after in going]
        rests = runner.run_many(jobs, seconds=seconds, fallen=fallen, ends_as=ends_as, progress=progress, part=left)
        for (e, reward, first, _), rest in zip(going, rests, strict=True):
            out[e] = _joined(first, rest, reward, steps)
    return out


def _joined(first: Rollout, rest: Rollout, reward: Reward, steps: int) -> Rollout:
    """Return the episode that is made of its beginning and what followed."""
    whole: dict[str, Any] = {}
    for name in (name for name in _TIMED if getattr(rest, name) is not None):
        whole[name] = np.concatenate([getattr(first, name), getattr(rest, name)])
    # The rest's first terms took its own instant for the one before.
    whole["terms"] = terms_of(reward, whole["instants"], steps)
    return replace(rest, **whole)


assert set(_TIMED) <= {field.name for field in fields(Rollout)}
