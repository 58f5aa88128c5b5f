"""What a goal sentence's words are measured by: the numbers that an episode's record has beside its task's.

In: a goal as it was read, an episode, the speed asked for. Out: a flat record: a number for each part of the sentence (`goal_...`), for
what has to be held the pelvis's speeds and the share of the time on the feet that stand, whether it was held, and `goal_reached`, the share
of the whole, None where nothing of the sentence is measured. Means are over the time that was asked for: an episode that ended before it
did no more than a standing body in the rest of it. What is held is measured over the last third of that time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from movlr_jax import goals
from movlr_jax.control.episode import Rollout
from movlr_jax.gait.trajectory import Trajectory
from movlr_jax.goals import Goal, Part
from movlr_jax.rewards.layout import SIDES, FeatureLayout
from movlr_jax.tasks.goal_signals import SIGNALS


def lacking(goal: Goal, layout: FeatureLayout) -> tuple[str, ...]:
    """Return the metrics of a goal that a body lacks the landmarks for; all of them for a body that is fixed to a place."""
    needed = ("pelvis", "left.foot", "right.foot", "trunk")
    fixed = "object" in layout.landmarks or not all(name in layout.landmarks for name in needed)
    return tuple(p.metric for p in goal.parts if fixed or not all(n in layout.landmarks for n in SIGNALS[p.target.signal][0]))


def measure(goal: Goal, layout: FeatureLayout, rollout: Rollout, own: tuple[float, ...] = ()) -> dict[str, Any]:
    """Return the record of a goal.

    Args:
        goal: it.
        layout: where quantities stand in an instant.
        rollout: the episode.
        own: shares of what the task asks for beside the sentence.
    """
    missing = lacking(goal, layout)
    parts = goal.measured(missing)
    if not parts and not own:
        return {goals.REACHED: None}
    t = Trajectory(rollout.instants, layout)
    sound: np.ndarray = np.asarray(np.isfinite(t.instants).all(axis=1))
    since = goals.LAST * (rollout.seconds - rollout.dt) - 1e-9
    last = np.logical_and(sound, t.time >= since)
    whole = rollout.dt * np.arange(round(rollout.seconds / rollout.dt))  # the instants of an episode that is not cut short
    counts = {"last": int((whole >= since).sum()), "mean": len(whole)} if rollout.ended != "time" else {}
    record: dict[str, Any] = {part.metric: None for part in goal.parts}
    if rollout.ended != "diverged" and sound.any():
        record |= {part.metric: _level(part, SIGNALS[part.target.signal][1](t), sound, last, counts) for part in parts}
    if goal.holds and parts:
        record |= _rest(goal, t, last) if rollout.ended == "time" and last.any() else {goals.MOVING: None, goals.SINKING: None}
        record[goals.HELD] = bool(rollout.ended == "time" and not missing and goal.held(record))
    reached = goal.reached(record, own)
    return record | {goals.REACHED: 0.0 if rollout.ended == "diverged" else reached}


def _level(part: Part, signal: np.ndarray, sound: np.ndarray, last: np.ndarray, counts: Mapping[str, int]) -> float | None:
    """Return the number of a part; of an episode that ended early, statistic -> how many instants it would have had stand in `counts`."""
    where = last if part.statistic == "last" else sound
    if not where.any():
        return None
    of: Callable[[np.ndarray], Any] = {"min": np.min, "max": np.max}.get(part.statistic, np.mean)
    there = int(where.sum())
    missing = max(counts.get(part.statistic, there) - there, 0)
    return float((there * of(signal[where]) + missing * part.target.rest) / (there + missing))


def _rest(goal: Goal, t: Trajectory, last: np.ndarray) -> dict[str, float]:
    """Return how the pelvis moves over the last third, and the share of it in which the feet that have to stand do."""
    height, time = t.height("pelvis")[last], t.time[last]
    slope = float(np.polyfit(time - time[0], height, 1)[0]) if len(time) > 1 else 0.0
    record = {goals.MOVING: float(np.linalg.norm(t.velocity("pelvis")[last], axis=1).mean()), goals.SINKING: abs(slope)}
    if goal.planted:
        down = {side: t.gait(side, "in_contact")[last] > 0.5 for side in SIDES}
        both = {"both": down["left"] & down["right"], "one": down["left"] | down["right"]}
        record[goals.FEET] = float((both | down)[goal.planted].mean())
    return record
