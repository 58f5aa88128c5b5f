"""What a goal sentence's words are measured by: the numbers that an episode's record has beside its task's.

In: a goal as it was read, an episode, the speed asked for. Out: a flat record: a number for each part of the sentence (`goal_...`), for
what has to be held the pelvis's speeds and the share of the time on the feet that stand, whether it was held, and `goal_reached`, the share
of the whole, None where nothing of the sentence is measured. What is held is measured over the last third of the time that was asked for:
an episode that ended before it held nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from movlr_jax import goals
from movlr_jax.control.episode import Rollout
from movlr_jax.gait.trajectory import Trajectory
from movlr_jax.goals import Goal, Part
from movlr_jax.rewards.layout import SIDES, FeatureLayout
from movlr_jax.tasks import falls

Signal = Callable[[Trajectory], np.ndarray]


def _hip(t: Trajectory, side: str) -> float:
    name = f"{side}_hip_height"
    return t.standing(name if name in t.layout.standing else "pelvis_height")


def _knee(side: str) -> Signal:
    return lambda t: t.height(f"{side}.knee") / _hip(t, side)


def _lift(t: Trajectory, side: str) -> np.ndarray:
    return t.height(f"{side}.foot") - t.layout.standing.get(f"{side}_foot_height", 0.0)


def _pitch(t: Trajectory) -> np.ndarray:
    heading, up = t.heading(), t.axis("trunk", 2)
    return np.arctan2(np.cos(heading) * up[:, 0] + np.sin(heading) * up[:, 1], up[:, 2])


def _body(t: Trajectory) -> np.ndarray:
    highest = np.max([t.height(name) for name in ("head", "trunk", "pelvis") if t.has(name)], axis=0)
    return np.asarray(highest / falls.stature(t.layout))


_KNEES = tuple(f"{side}.knee" for side in SIDES)
# name -> (landmarks that it needs beside those that every body has, the numbers over time [T]).
SIGNALS: dict[str, tuple[tuple[str, ...], Signal]] = {
    "pelvis_height": ((), lambda t: t.height("pelvis") / t.standing("pelvis_height")),
    "knee_over_ground": (
        _KNEES,
        lambda t: np.min([t.height(f"{s}.knee") / t.standing(f"{s}_knee_height") for s in SIDES], axis=0),
    ),
    "body_height": ((), _body),
    **{f"{side}_knee_height": ((f"{side}.knee",), _knee(side)) for side in SIDES},
    "knee_height": (_KNEES, lambda t: np.max([_knee(side)(t) for side in SIDES], axis=0)),
    **{f"{side}_foot_lift": ((), functools.partial(_lift, side=side)) for side in SIDES},
    "feet_lift": ((), lambda t: np.min([_lift(t, side) for side in SIDES], axis=0)),
    "trunk_pitch": ((), _pitch),
    "speed": ((), lambda t: t.velocity("pelvis")[:, 0]),
}


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
    last = np.logical_and(sound, t.time >= goals.LAST * (rollout.seconds - rollout.dt) - 1e-9)
    record: dict[str, Any] = {part.metric: None for part in goal.parts}
    if rollout.ended != "diverged" and sound.any():
        record |= {part.metric: _level(part, SIGNALS[part.target.signal][1](t), sound, last) for part in parts}
    if goal.holds and parts:
        record |= _rest(goal, t, last) if rollout.ended == "time" and last.any() else {goals.MOVING: None, goals.SINKING: None}
        record[goals.HELD] = bool(rollout.ended == "time" and not missing and goal.held(record))
    reached = goal.reached(record, own)
    return record | {goals.REACHED: 0.0 if rollout.ended == "diverged" else reached}


def _level(part: Part, signal: np.ndarray, sound: np.ndarray, last: np.ndarray) -> float | None:
    where = last if part.statistic == "last" else sound
    if not where.any():
        return None
    of: Callable[[np.ndarray], Any] = {"min": np.min, "max": np.max}.get(part.statistic, np.mean)
    return float(of(signal[where]))


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
