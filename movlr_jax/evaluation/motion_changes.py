"""Changes of a recorded motion whose effect on its quality is known, because physics or geometry says it, and no critic.

In: a body, its task, an executed episode. Out: another episode, measured anew by the project's own pipeline where poses or velocities are
others (`physics.instants_of_states`). `again` measures the motion itself that way, so that the two of a pair differ in the change alone.

What is shortened is a part of the recording itself. What is turned on flat ground is a motion that the same muscles would have made, since
the plane looks alike in every direction; so is the mirror image of a body that is built evenly. What is played at another pace, in part
or whole, backward or forward, has every pose of the recording and with them its way and its footholds, and is no motion that forces made:
inertia changes with the square of the pace. The tables of pairs say so.
"""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from typing import Any

import mujoco
import numpy as np
from jaxtyping import Float
from scipy import ndimage

from movlr_jax.control.episode import Rollout
from movlr_jax.errors import MovlrError
from movlr_jax.gait.strides import contacts
from movlr_jax.gait.trajectory import Trajectory
from movlr_jax.morphologies import Morphology, root
from movlr_jax.morphologies.mirror import Mirror
from movlr_jax.physics import instants_of_states
from movlr_jax.rewards.features import feature_layout
from movlr_jax.sides import SIDES
from movlr_jax.tasks import Task

LIMP = 3.0  # the swing of the one leg takes this many times as long as the other's: of an even walk, a symmetry of step times of 0.5
_EASE_S = 0.04  # s, standard deviation over which the pace of a limp changes
_LEAST_STEPS = 5  # landings, left and right in turn, of which a limp is made


def without_plans(rollout: Rollout) -> Rollout:
    """Return an episode with its motion alone: nothing of the reward that made it, or of its planning, tells it from a changed one."""
    count = len(rollout.time)
    return dataclasses.replace(
        rollout,
        terms=np.zeros((count, 0), np.float32),
        term_names=(),
        weights=np.zeros(0, np.float32),
        costs=np.zeros(count),
        diverged=np.zeros(count, int),
        simulated=None,
        parameter_names=None,
        parameters=None,
    )


def shortened(rollout: Rollout, seconds: float, asked: float | None = None) -> Rollout:
    """Return the first part of an episode as it was recorded.

    Args:
        rollout: the episode.
        seconds: how much of it (s).
        asked: length asked for (s); None: that of the episode.
    """
    count = max(2, min(len(rollout.time), round(seconds / rollout.dt)))
    rows = {name: value[:count] for name, value in _rows(rollout).items()}
    ended = rollout.ended if count == len(rollout.time) else "time"
    return dataclasses.replace(rollout, ended=ended, seconds=rollout.seconds if asked is None else asked, **rows)


def again(body: Morphology, task: Task, rollout: Rollout) -> Rollout:
    """Return the episode itself, measured anew from its states."""
    return _measured(body, task, rollout, rollout.qpos, rollout.qvel, rollout.act, _ctrl(body, rollout), rollout.seconds)


def mirrored(body: Morphology, task: Task, rollout: Rollout) -> Rollout:
    """Return the mirror image of an episode, left for right, in the plane of its own straight way.

    Raises:
        MovlrError: the body is not even, or the way does not lead ahead.
    """
    frame = _frame(body, rollout)
    if abs(frame[3]) > 1e-6 or frame[2] < 0.0:
        raise MovlrError(f"The way of the task {task.name} does not lead straight ahead, so its motions have no mirror image.")
    mirror = Mirror(body)
    return _measured(
        body,
        task,
        rollout,
        mirror.qpos(rollout.qpos, float(frame[1])),
        mirror.qvel(rollout.qvel),
        mirror.muscles(rollout.act),
        mirror.muscles(_ctrl(body, rollout)),
        rollout.seconds,
    )


def turned(body: Morphology, task: Task, rollout: Rollout, angle: float) -> Rollout:
    """Return the episode turned about its start, to the left by angle (rad), while the way that is asked for stays.

    Raises:
        MovlrError: the root cannot turn.
    """
    around = _frame(body, rollout)[:2].astype(float)
    states = zip(rollout.qpos, rollout.qvel, strict=True)
    made = [root.turned(body.model, body.top, qpos, qvel, angle, around) for qpos, qvel in states]
    qpos, qvel = (np.stack(values) for values in zip(*made, strict=True))
    return _measured(body, task, rollout, qpos, qvel, rollout.act, _ctrl(body, rollout), rollout.seconds)


def paced(body: Morphology, task: Task, rollout: Rollout, pace: float) -> Rollout:
    """Return an episode at another pace: at 0.5 its first half in all of its time, at 2 all of it in half of the time, which is asked."""
    seconds = _end(rollout) / max(pace, 1.0)
    steps = np.arange(int(np.floor(seconds / rollout.dt + 1e-6)) + 1) * rollout.dt
    return _retimed(body, task, rollout, pace * steps, np.full(len(steps), pace), rollout.seconds / max(pace, 1.0))


def backward(body: Morphology, task: Task, rollout: Rollout) -> Rollout:
    """Return an episode played from its end to its start."""
    steps = np.arange(len(rollout.time)) * rollout.dt
    return _retimed(body, task, rollout, _end(rollout) - steps, np.full(len(steps), -1.0), rollout.seconds)


def limping(body: Morphology, task: Task, rollout: Rollout, side: str) -> Rollout:
    """Return an episode in which the swing of one leg is slow and that of the other quick: every pose, foothold and the whole time stay.

    A leg that hurts is stood on for a short time, while the other one swings: so the leg that swings slowly is the one that is spared.

    Args:
        body, task, rollout: as everywhere here.
        side: the leg whose swing is slow.

    Raises:
        MovlrError: it has too few steps.
    """
    trajectory = Trajectory(rollout.instants, feature_layout(body))
    landings = sorted((c.from_s, s) for s in SIDES for c in contacts(trajectory, s) if c.landed)
    landings = [landing for i, landing in enumerate(landings) if not i or landings[i - 1][1] != landing[1]]
    if len(landings) < _LEAST_STEPS:
        raise MovlrError(f"This motion has {len(landings)} steps, left and right in turn, of which no limp can be made.")
    time = rollout.time - rollout.time[0]
    rate = np.ones(len(time))  # source seconds a second, at each instant of the source
    for (start, _), (end, lands) in pairwise(landings):
        between = (rollout.time >= start) & (rollout.time < end)
        # The leg that lands at the end swung from the other's landing on.
        rate[between] = (1.0 + LIMP) / (2.0 * LIMP if lands == side else 2.0)
    rate = np.exp(ndimage.gaussian_filter1d(np.log(rate), _EASE_S / rollout.dt))
    # Time as it is played at each instant of the source; scaled, so that all of it takes as long as before.
    played = np.concatenate([[0.0], np.cumsum(0.5 * (1.0 / rate[1:] + 1.0 / rate[:-1]) * np.diff(time))])
    scale = time[-1] / played[-1]
    source = np.interp(time, scale * played, time)
    return _retimed(body, task, rollout, source, np.interp(source, time, rate) / scale, rollout.seconds)


def _retimed(body: Morphology, task: Task, rollout: Rollout, source: np.ndarray, rate: np.ndarray, seconds: float) -> Rollout:
    """Return an episode whose k-th row is the recording at the time source[k] (s from its start), passed at the pace rate[k]."""
    at = np.clip(source / rollout.dt, 0.0, len(rollout.time) - 1.0)
    before = np.minimum(np.floor(at + 1e-9).astype(int), max(len(rollout.time) - 2, 0))
    share = (at - before)[:, None]
    qpos, step = np.array(rollout.qpos[before]), np.zeros(body.model.nv)
    for row, k, part in zip(qpos, before, share[:, 0], strict=True):
        if part > 1e-9:
            mujoco.mj_differentiatePos(body.model, step, 1.0, rollout.qpos[k], rollout.qpos[k + 1])
            mujoco.mj_integratePos(body.model, row, step, part)

    def between(values: np.ndarray) -> np.ndarray:
        return np.asarray((1.0 - share) * values[before] + share * values[before + 1])

    ctrl = _ctrl(body, rollout)
    return _measured(body, task, rollout, qpos, rate[:, None] * between(rollout.qvel), between(rollout.act), between(ctrl), seconds)


def _measured(
    body: Morphology,
    task: Task,
    rollout: Rollout,
    qpos: Float[np.ndarray, "time nq"],
    qvel: Float[np.ndarray, "time nv"],
    act: Float[np.ndarray, "time na"],
    ctrl: Float[np.ndarray, "time nu"],
    seconds: float,
) -> Rollout:
    """Return an episode of these states in an episode's frame, which ends where the task says that it has fallen."""
    count = len(qpos)
    time = rollout.time[0] + np.arange(count) * rollout.dt
    made = instants_of_states.instants(body, time, qpos, qvel, act, ctrl, _frame(body, rollout), rollout.dt)
    over = np.flatnonzero(np.asarray(task.over(body)(made.astype(np.float64))))
    last = int(over[0]) + 1 if over.size else count
    rows = {"time": time, "qpos": qpos, "qvel": qvel, "act": act, "instants": made, "targets": np.zeros((count, rollout.targets.shape[1]))}
    whole = dataclasses.replace(
        rollout,
        seconds=seconds,
        ended=task.ends_as if over.size else "time",
        terms=np.zeros((count, 0), np.float32),
        costs=np.zeros(count),
        diverged=np.zeros(count, int),
        simulated=None,
        **rows,
    )
    kept = dataclasses.replace(whole, **{name: value[:last] for name, value in _rows(whole).items()})
    return without_plans(kept)


def _rows(rollout: Rollout) -> dict[str, Any]:
    """Return the arrays that have a row an instant."""
    names = ("time", "qpos", "qvel", "act", "instants", "terms", "targets", "costs", "diverged", "simulated")
    return {name: value for name in names if (value := getattr(rollout, name)) is not None}


def _ctrl(body: Morphology, rollout: Rollout) -> np.ndarray:
    return np.asarray(rollout.instants[:, feature_layout(body).columns("ctrl")], np.float64)


def _frame(body: Morphology, rollout: Rollout) -> np.ndarray:
    """Return the frame's row of an episode: origin, cosine, sine, goal."""
    layout = feature_layout(body)
    return np.concatenate([rollout.instants[0, layout.columns("frame")], rollout.instants[0, layout.columns("goal")]])


def _end(rollout: Rollout) -> float:
    """Return the time from the first instant to the last (s)."""
    return float(rollout.time[-1] - rollout.time[0])
