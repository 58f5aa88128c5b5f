"""The receding horizon: candidates of a planner are simulated with the muscle controller in the loop, and the plan follows their costs.

Flows in: the state of E worlds, the plan before, noise drawn on the host. Flows out: the new plan and what happened in it. It knows no
algorithm, only the `Planner` interface, whose functions it compiles where the engine's arrays are JAX's.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from movlr_jax.control import values
from movlr_jax.control.planners import danger, spread
from movlr_jax.control.planners.base import Planner, PlanReport
from movlr_jax.control.planners.nominal import Nominal
from movlr_jax.control.planners.screening import Screening, steps_spared
from movlr_jax.control.proposals import PROPOSALS, Proposals
from movlr_jax.control.values.base import valued
from movlr_jax.errors import MovlrError
from movlr_jax.morphologies.posture import PostureSpace
from movlr_jax.physics.instant import Frame, rows
from movlr_jax.physics.simulator import Controller, Simulator, State
from movlr_jax.rewards.features import feature_layout
from movlr_jax.rewards.reward import RewardBatch


class RecedingHorizon:
    """Plans E episodes of one body at the same time.

    Args:
        simulator: the engine; its candidate worlds must be planner.candidates.
        controller: the muscle controller in the loop.
        planner: the algorithm with its settings.

    Raises:
        MovlrError: the planner's terminal value or its proposals do not suit the body, or the engine cannot vary its candidates.
    """

    def __init__(self, simulator: Simulator, controller: Controller, planner: Planner):
        self._simulator, self._controller, self._planner = simulator, controller, planner
        # Functions of this module, not bound methods: a cycle through this object would keep its simulator's worlds alive.
        space, compiled = simulator.morphology.posture, (lambda f: f) if simulator.xp is np else jax.jit
        self._compiled = compiled
        self._planners = {False: planner}
        if planner.danger_candidates is not None:
            if not simulator.any_candidates or simulator.episodes > 1:
                raise MovlrError(
                    f"The engine {simulator.name} plans with one number of candidates: leave out --planner.danger-candidates, or use "
                    "--engine native."
                )
            self._planners[True] = replace(planner, candidates=planner.danger_candidates)
        self._before = {wide: compiled(functools.partial(_sampled, space, p)) for wide, p in self._planners.items()}
        self._proposed = None
        if planner.proposals is not None:
            proposals = PROPOSALS[planner.proposals](simulator.morphology, planner.proposed, planner.between.times)
            self._proposed = compiled(functools.partial(_with_proposals, space, proposals))
        self._held, self._target = compiled(planner.between.held), compiled(functools.partial(planner.between.first, planner.replan))
        self._after = {wide: compiled(functools.partial(_updated, space, p)) for wide, p in self._planners.items()}
        self._shift, self._spread = compiled(planner.shift), compiled(spread.among)
        self._value = None
        if planner.terminal_value is not None and planner.value_weight:
            self._value = compiled(values.make(planner.terminal_value, feature_layout(simulator.morphology)))

    def first(self, state: State) -> Any:
        """Return the plan that E worlds start with: to hold their postures."""
        space = self._simulator.morphology.posture
        return self._planner.init(space, space.read(state.qpos))

    @functools.cached_property
    def _nominal(self) -> Nominal:
        return Nominal(self._simulator, self._planner, self._compiled)

    def draw(self, rngs: Sequence[np.random.Generator]) -> Float[np.ndarray, "round episode candidate knot d"]:
        """Return the noise of one plan, each episode's from its own source."""
        return self._planner.draw(self._simulator.morphology.posture, rngs)

    def plan(self, state: State, plan: Any, frames: Sequence[Frame], rewards: RewardBatch, noise: np.ndarray) -> tuple[Any, PlanReport]:
        """Make one plan from the state of E worlds; what is executed until the next is in its report.

        Args:
            state: E worlds.
            plan: the plan before (warm start).
            frames: frame and goal of each episode.
            rewards: each episode's reward; its weighted mean over the horizon is maximised, with the terminal value where there is one.
                Where it has a nominal posture, candidates and plan move along with it.
            noise: float[rounds, E, N, K, d], standard normals (`draw`), of the most candidates that there may be.
        """
        simulator, lately = self._simulator, plan.costs
        in_danger = lately is not None and bool(lately[:, 3].any())
        planner = self._planners[in_danger]
        plan = self._shift(plan)
        drift = self._nominal.drift(state, frames, rewards) if rewards.posture_joints else None
        for i in range(planner.iterations):
            own = planner.anneal**i * noise[i, :, : planner.candidates]
            candidates = self._before[in_danger](plan, state.qpos, simulator.put(own))
            if self._proposed is not None and i == 0:
                candidates = self._proposed(candidates, state, plan.mean, simulator.put(rows(frames)))
            rollout, screen = simulator.rollout, None
            if planner.quick:
                screen = Screening(planner, rewards, self._value, candidates.shape[:2])
                rollout = functools.partial(simulator.screened_rollout, screen=screen)
            postures = self._held(candidates) if drift is None else self._nominal.held(candidates, drift)
            rolled = rollout(state, self._controller, postures, planner.steps, frames)
            reward, terms = map(simulator.gathered, rewards.means(rolled.instants))
            diverged = simulator.gathered(rolled.diverged)
            value = None if self._value is None else simulator.gathered(self._value(rolled.instants[:, :, -1]))
            given_up = None
            if screen is not None and rolled.kept is not None:
                reward, value, given_up = screen.whole(rolled, reward, value)
            plan, report = self._after[in_danger](plan, candidates, reward, diverged, value, given_up)
        if lately is not None:
            plan = replace(plan, costs=danger.after(lately, report.best_cost, planner.replan, planner.danger_cost))
        sound = ~(diverged if rolled.kept is None else np.take_along_axis(np.asarray(diverged), np.asarray(rolled.kept), axis=1))
        set_apart = self._spread(simulator.xp.asarray(terms), rewards.weights, sound)
        report = replace(report, target=self._target(plan.mean), spread=set_apart)
        return (plan, report) if drift is None else self._nominal.handed_on(plan, report, drift)


def _sampled(space: PostureSpace, planner: Planner, plan: Any, qpos: Any, noise: Any) -> Any:
    return planner.sample(space, plan, space.read(qpos), noise)


def _with_proposals(space: PostureSpace, proposals: Proposals, candidates: Any, state: State, mean: Any, frames: Any) -> Any:
    xp = candidates.__array_namespace__()
    proposed = xp.asarray(xp.clip(proposals(state, mean, frames), space.lower, space.upper), candidates.dtype)
    return xp.concatenate([candidates[:, : candidates.shape[1] - proposed.shape[1]], proposed], axis=1)


def _updated(
    space: PostureSpace, planner: Planner, plan: Any, candidates: Any, reward: Any, diverged: Any, value: Any, given_up: Any
) -> tuple[Any, PlanReport]:
    xp = candidates.__array_namespace__()
    reward = xp.asarray(reward, candidates.dtype)
    costs = xp.where(diverged | ~xp.isfinite(reward), xp.inf, -reward)
    if value is not None:
        costs = valued(costs, value, planner.value_weight)
    if given_up is not None:
        costs = xp.where(given_up, xp.inf, costs)
    new, elites = planner.update(space, plan, candidates, costs)
    spared = 0 if given_up is None else steps_spared(planner)
    simulated = xp.full(len(costs), planner.iterations * (costs.shape[1] * planner.steps - spared))
    return new, PlanReport(costs.min(axis=1), diverged.sum(axis=1), elites, simulated)
