"""A nominal posture: target postures that move along with how a reward says that some joints should go.

A target that is held over a horizon cannot swing a leg: the planner finds the posture that is best on the whole. With a nominal posture
n(i) of an instant i, planned as before from the instant i0, a posture z is what is wanted now, and s seconds later its target is

    clip(z + n(i(s)) - n(i0), lower, upper),        i(s): the instant carried on for s seconds (`movlr_jax.physics.carrying`),

so that the noise of a plan searches around a motion in place of a posture. Of this only the state is needed: between two plans nothing is
remembered, and what the plan is handed on as has moved along itself. Joints that a reward does not name do not move along.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float

from movlr_jax.control.planners.base import Planner, PlanReport
from movlr_jax.control.planners.knots import Knots
from movlr_jax.morphologies.posture import PostureSpace
from movlr_jax.physics.carrying import Carrying
from movlr_jax.physics.instant import Frame
from movlr_jax.physics.simulator import Simulator, State
from movlr_jax.rewards.reward import RewardBatch


class Nominal:
    """The nominal motion of the episodes that one planner plans for.

    Args:
        simulator: the engine.
        planner: the planner.
        compiled: makes a function of arrays one of the engine's.
    """

    def __init__(self, simulator: Simulator, planner: Planner, compiled: Callable[[Callable[..., Any]], Callable[..., Any]]):
        space = simulator.morphology.posture
        self._simulator, self._names = simulator, space.names
        # Now, the middle of each section, half way to the next plan, and the next plan.
        seconds = np.array([0.0, *planner.between.middles, planner.replan / 2, planner.replan])
        carrying = Carrying(simulator.morphology)
        self._features = compiled(functools.partial(carrying.features, seconds=seconds, dt=planner.plan_dt))
        self._drift = compiled(_drift)
        self._held = compiled(functools.partial(_held, space, planner.between))
        self._handed_on = compiled(functools.partial(_handed_on, space, planner))

    def drift(self, state: State, frames: Sequence[Frame], rewards: RewardBatch) -> Float[Any, "episode time d"]:
        """Return how far nominal postures will have moved (rad): in the middle of each section, half way to the next plan, and at it.

        Args:
            state: E worlds.
            frames: frame and goal of each episode.
            rewards: each episode's reward; of one without a nominal posture nothing moves.
        """
        features = self._features(self._simulator.instant(state, frames))
        return self._drift(rewards.posture(features, self._names))

    def held(
        self, candidates: Float[Any, "episode candidate knot d"], drift: Float[Any, "episode time d"]
    ) -> Float[Any, "episode candidate section d"]:
        """Return the postures that are held one after the other, each for its share of the horizon (rad)."""
        return self._held(candidates, drift)

    def handed_on(self, plan: Any, report: PlanReport, drift: Float[Any, "episode time d"]) -> tuple[Any, PlanReport]:
        """Return a plan as it stands when the next is made, and its report with the targets that are executed until then."""
        plan, target = self._handed_on(plan, report.target, drift)
        return plan, replace(report, target=target)


def _drift(angles: Any) -> Any:
    xp = angles.__array_namespace__()
    moved = angles[:, 1:] - angles[:, :1]
    return xp.where(xp.isfinite(moved), moved, 0.0)  # a program may fail far from all motions that it was judged on


def _held(space: PostureSpace, between: Knots, candidates: Any, drift: Any) -> Any:
    return space.moved(between.divided(candidates), drift[:, None, :-2])


def _handed_on(space: PostureSpace, planner: Planner, plan: Any, target: Any, drift: Any) -> tuple[Any, Any]:
    return planner.moved(space, plan, drift[:, -1:]), space.moved(target, drift[:, -2:-1])
