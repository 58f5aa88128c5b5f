"""The analysis of an episode: everything that the gait laboratory measures of it, as one record of parts, each from a file of its own.

In: a prepared body and an executed episode. Out: `GaitAnalysis`; a part is None where it is not known: of a body without feet, of an
episode without a steady stride, of quantities that the body lacks the landmarks for.
"""

from __future__ import annotations

import math
import weakref
from dataclasses import dataclass

import numpy as np

from movlr_jax.control.episode import Rollout
from movlr_jax.gait import feet, ground, space_time, stability, sway
from movlr_jax.gait.feet import Feet
from movlr_jax.gait.ground import Ground
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
    """

    contacts: dict[str, tuple[Contact, ...]]
    strides: tuple[Stride, ...] = ()
    space_time: SpaceTime | None = None
    ground: Ground | None = None
    stability: Stability | None = None
    sway: Sway | None = None
    feet: Feet | None = None

    @property
    def steady(self) -> tuple[Stride, ...]:
        """The strides that count in means."""
        return tuple(stride for stride in self.strides if stride.steady)

    def figures(self) -> dict[str, float | None]:
        """Return metric name -> number of everything that is known, or None; nothing for a body without feet."""
        if not self.contacts:
            return {}
        out: dict[str, float | None] = {}
        for part in (self.space_time, self.ground, self.stability, self.sway, self.feet):
            out |= {} if part is None else part.figures()
        return {name: None if value is None or not math.isfinite(value) else float(value) for name, value in out.items()}


def usable(rollout: Rollout) -> int:
    """Return how many of an episode's first instants hold numbers: a diverged world leaves some that are none."""
    finite = np.isfinite(rollout.instants).all(1)
    return len(finite) if finite.all() else int(np.argmin(finite))


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
    trajectory = Trajectory(rollout.instants[:count], feature_layout(body))
    stances = {side: contacts(trajectory, side) for side in SIDES}
    found = strides(trajectory, fell=rollout.ended != "time")
    steady = [stride for stride in found if stride.steady]
    return GaitAnalysis(
        stances,
        found,
        space_time=space_time.measure(trajectory, steady, stances),
        ground=ground.measure(body, trajectory, steady),
        stability=stability.measure(body, trajectory, steady),
        sway=sway.measure(trajectory, steady),
        feet=feet.measure(trajectory, steady),
    )
