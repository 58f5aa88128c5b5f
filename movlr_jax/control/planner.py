"""The posture planner of MPC2: MPPI with elites over one constant target posture per horizon (arXiv 2505.08238, Algorithm 1).

Candidates z ~ N(mu, (sigma range)^2) are simulated with the muscle controller in the loop; the elites' weights are
w_n = exp(-(C_n - C_min) / lambda), mu <- sum w z / sum w, and sigma <- the elites' weighted spread, floored. Some candidates are
"instant": they hold the body's current posture, so that the plan reacts when the warm start is stale, as in a fall.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from movlr_jax.morphologies.posture import PostureSpace
from movlr_jax.physics.instant import Frame
from movlr_jax.physics.simulator import Controller, Simulator, State
from movlr_jax.rewards.reward import Reward


@dataclass(frozen=True)
class PlannerConfig:
    """Settings of the planner; the defaults are the published ones where they are known."""

    candidates: int = 64
    """Candidate postures per plan."""
    elites: int = 6
    """Best candidates that make the new plan."""
    temperature: float = 0.1
    """lambda of the elites' weights, in units of cost."""
    instant: int = 10
    """Candidates around the current posture; the first of them is exactly it."""
    instant_noise: bool = True
    """Whether the other instant candidates are spread around the current posture, as the paper says, or copies, as released."""
    mean_candidate: bool = True
    """Whether the un-noised plan is itself a candidate."""
    noise: float = 0.05
    """Initial noise and its floor, as a share of each joint's range."""
    horizon: float = 0.35
    """Time looked ahead (s); published are 0.30 to 0.35."""
    plan_dt: float = 0.008
    """Step of the rollouts (s)."""
    replan: float = 0.02
    """Time executed between plans (s)."""
    law: str = "auto"
    """Muscle law: auto (the one that measured best on the body), fibre-strain, posture-weighted, paper or paper-hoisted."""
    gain: float | None = None
    """Gain of the muscle law; the body's calibrated one if not given."""

    @property
    def steps(self) -> int:
        """Planning steps in a horizon: 38 for 0.30 s of 8 ms, 44 for 0.35 s."""
        return max(2, round(self.horizon / self.plan_dt))

    @staticmethod
    def published() -> PlannerConfig:
        """Return the settings of the released controller, with its copies for instant rollouts and its published law."""
        return PlannerConfig(instant_noise=False, mean_candidate=False, law="paper")


@dataclass(frozen=True)
class PlanState:
    """What a plan hands to the next: mean posture float[d] (rad) and noise float[d] (share of joint range)."""

    mean: np.ndarray
    sigma: np.ndarray


@dataclass(frozen=True)
class PlanReport:
    """What happened in one plan: cost of the best candidate, candidates that diverged, elite indices."""

    best_cost: float
    diverged: int
    elites: np.ndarray


def initial(space: PostureSpace, config: PlannerConfig, posture: np.ndarray) -> PlanState:
    """Return the first plan: the given posture[d], clipped to the joint ranges."""
    return PlanState(np.clip(posture, space.lower, space.upper), np.full(space.size, config.noise))


def sample(space: PostureSpace, config: PlannerConfig, plan: PlanState, current: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw candidate postures float[N, d].

    Order: the mean (if it is a candidate), the instant candidates, then the mean with noise.
    """
    noise = rng.standard_normal((config.candidates, space.size))
    noise *= np.maximum(plan.sigma, config.noise) * space.range
    out = plan.mean + noise
    first = int(config.mean_candidate)
    if config.mean_candidate:
        out[0] = plan.mean
    stop = min(first + config.instant, config.candidates)
    if stop > first:
        out[first:stop] = current
        if config.instant_noise:
            out[first + 1 : stop] += noise[first + 1 : stop]
    return np.clip(out, space.lower, space.upper)


def update(
    space: PostureSpace, config: PlannerConfig, plan: PlanState, candidates: np.ndarray, costs: np.ndarray
) -> tuple[PlanState, np.ndarray]:
    """Return the plan after one MPPI update, and the elites' indices (best first).

    Args:
        space: the posture space.
        config: the settings.
        plan: the plan before.
        candidates: float[N, d].
        costs: float[N]; inf for a diverged candidate, which is never an elite. If all diverged, the plan stays as it was.
    """
    order = np.argsort(costs, kind="stable")[: config.elites]
    elites = order[np.isfinite(costs[order])]
    if not len(elites):
        return plan, elites
    z = candidates[elites]
    weights = np.exp(-(costs[elites] - costs[elites[0]]) / config.temperature)
    weights /= weights.sum()
    mean = weights @ z
    spread = np.sqrt(weights @ np.square((z - mean) / space.range))
    return PlanState(mean, np.maximum(spread, config.noise)), elites


class Planner:
    """Plans one body's postures with one reward.

    Args:
        simulator: the engine; its candidate worlds must be config.candidates.
        controller: the muscle controller in the loop.
        reward: the compiled reward; its weighted mean over the horizon is maximised.
        config: the settings.
    """

    def __init__(self, simulator: Simulator, controller: Controller, reward: Reward, config: PlannerConfig):
        self._simulator, self._controller, self._reward, self._config = simulator, controller, reward, config
        self._space = simulator.morphology.posture

    def plan(self, state: State, plan: PlanState, frame: Frame, rng: np.random.Generator) -> tuple[PlanState, PlanReport]:
        """Make one plan from the state of one world.

        Args:
            state: one world.
            plan: the plan before (warm start).
            frame: the task's frame and goal.
            rng: the noise's source; a plan draws N x d normals from it.
        """
        current = self._space.read(state.qpos[0])
        candidates = sample(self._space, self._config, plan, current, rng)
        rolled = self._simulator.rollout(state, self._controller, candidates, self._config.steps, frame)
        reward = self._reward.mean_reward(rolled.instants)
        costs = np.where(rolled.diverged | ~np.isfinite(reward), np.inf, -reward.astype(np.float64))
        new, elites = update(self._space, self._config, plan, candidates, costs)
        best = float(costs[elites[0]]) if len(elites) else float("inf")
        report = PlanReport(best, int(rolled.diverged.sum()), elites)
        return new, report


def with_candidates(config: PlannerConfig, candidates: int) -> PlannerConfig:
    """Return the settings for another number of candidates, elites and instant candidates in the published proportion."""
    return replace(config, candidates=candidates, elites=max(2, candidates // 10), instant=max(1, round(candidates * 10 / 64)))
