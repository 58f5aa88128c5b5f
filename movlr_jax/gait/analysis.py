"""The analysis of an episode: everything that the gait laboratory measures of it, as one record of parts, each from a file of its own.

In: a prepared body and an executed episode. Out: `GaitAnalysis`; a part is None where it is not known: of a body without feet, of an
episode without a steady stride, of quantities that the body lacks the landmarks for.
"""

from __future__ import annotations

import math
import weakref
from dataclasses import dataclass
from typing import Any

import numpy as np

from movlr_jax.control.episode import Rollout
from movlr_jax.gait import comparison, curves, energy, feet, force_curves, ground, norms, on_times, space_time, stability, sway
from movlr_jax.gait.comparison import Comparison
from movlr_jax.gait.curves import Kinematics
from movlr_jax.gait.energy import Energy
from movlr_jax.gait.feet import Feet
from movlr_jax.gait.force_curves import Forces
from movlr_jax.gait.ground import Ground
from movlr_jax.gait.on_times import Timing
from movlr_jax.gait.space_time import SpaceTime
from movlr_jax.gait.stability import Stability
from movlr_jax.gait.strides import Contact, Stride, contacts, strides
from movlr_jax.gait.sway import Sway
from movlr_jax.gait.trajectory import Trajectory
from movlr_jax.morphologies import Morphology
from movlr_jax.rewards.features import feature_layout
from movlr_jax.rewards.layout import SIDES


@dataclass(frozen=True)
class GaitAnalysis:
    """What was measured of an episode's gait.

    Attributes:
        contacts: the stances of each side, of a body with feet.
        strides: all whole strides of both feet, by touchdown; means are over the steady ones.
        space_time: lengths, times and shares.
        ground: ground reaction; its curves are known without a steady stride too.
        stability: margins of stability.
        sway: of head and trunk.
        feet: how they land, swing and chatter.
        kinematics: joint curves over the cycle.
        comparison: joint curves beside people's, of legs that are built as a human's.
        forces: ground reaction over the cycle.
        timing: when muscles work.
        energy: what walking costs.
    """

    contacts: dict[str, tuple[Contact, ...]]
    strides: tuple[Stride, ...] = ()
    space_time: SpaceTime | None = None
    ground: Ground | None = None
    stability: Stability | None = None
    sway: Sway | None = None
    feet: Feet | None = None
    kinematics: Kinematics | None = None
    comparison: Comparison | None = None
    forces: Forces | None = None
    timing: Timing | None = None
    energy: Energy | None = None

    @property
    def steady(self) -> tuple[Stride, ...]:
        """The strides that count in means."""
        return tuple(stride for stride in self.strides if stride.steady)

    def _parts(self) -> tuple[Any, ...]:
        own = (self.kinematics, self.comparison, self.forces, self.timing, self.energy)
        return (self.space_time, self.ground, self.stability, self.sway, self.feet, *own)

    def figures(self) -> dict[str, float | None]:
        """Return metric name -> number of everything that is known, or None; nothing for a body without feet."""
        if not self.contacts:
            return {}
        out: dict[str, float | None] = {}
        for part in self._parts():
            out |= {} if part is None else part.figures()
        return {name: None if value is None or not math.isfinite(value) else float(value) for name, value in out.items()}


def usable(rollout: Rollout) -> int:
    """Return how many of an episode's first instants hold numbers: a diverged world leaves some that are none."""
    finite = np.isfinite(rollout.instants).all(1)
    return len(finite) if finite.all() else int(np.argmin(finite))


def _speed(space: SpaceTime) -> float | None:
    length, time = space.stride_length_m.mean, space.stride_time_s.mean
    return None if length is None or time is None else length / time


# The last episode that was analysed: its metrics, its facts and its score want it one after the other.
_last: tuple[weakref.ref[Morphology], weakref.ref[Rollout], GaitAnalysis] | None = None


def analyse(body: Morphology, rollout: Rollout) -> GaitAnalysis:
    """Measure an episode as a gait laboratory does.

    Args:
        body: the prepared body, in the scene of the episode.
        rollout: the episode, of any engine.
    """
    global _last
    if _last is None or _last[0]() is not body or _last[1]() is not rollout:
        _last = (weakref.ref(body), weakref.ref(rollout), _analyse(body, rollout))
    return _last[2]


def _analyse(body: Morphology, rollout: Rollout) -> GaitAnalysis:
    count = usable(rollout)
    if body.fixed or count < 2:
        return GaitAnalysis({})
    layout = feature_layout(body)
    trajectory = Trajectory(rollout.instants[:count], layout)
    stances = {side: contacts(trajectory, side) for side in SIDES}
    found = strides(trajectory, fell=rollout.ended != "time")
    steady = [stride for stride in found if stride.steady]
    space, reaction = space_time.measure(trajectory, steady, stances), ground.measure(body, trajectory, steady)
    speed = None if space is None else _speed(space)
    leg = norms.leg_length(layout) if norms.comparable(layout) else None
    kinematics = curves.measure(trajectory, steady)
    beside = None if speed is None or leg is None or kinematics is None else comparison.measure(kinematics.curves, speed, leg)
    at = None if beside is None else beside.norm_speed
    return GaitAnalysis(
        stances,
        found,
        space_time=space,
        ground=reaction,
        stability=stability.measure(body, trajectory, steady),
        sway=sway.measure(trajectory, steady),
        feet=feet.measure(trajectory, steady),
        kinematics=kinematics,
        comparison=beside,
        forces=None if reaction is None else force_curves.measure(trajectory, reaction.force, steady, at),
        timing=on_times.measure(trajectory, steady, body.muscles.peak_force),
        energy=None if speed is None else energy.measure(body, trajectory, steady, speed),
    )
