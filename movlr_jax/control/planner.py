"""The posture planner of MPC2: MPPI with elites over one constant target posture per horizon (arXiv 2505.08238, Algorithm 1).

Candidates z ~ N(mu, (sigma range)^2) are simulated with the muscle controller in the loop; the elites' weights are
w_n = exp(-(C_n - C_min) / lambda), mu <- sum w z / sum w, and sigma <- the elites' weighted spread, floored. Some candidates are
"instant": they hold the body's current posture, so that the plan reacts when the warm start is stale, as in a fall.

Two things differ from the paper unless `PlannerConfig.published` is asked for. lambda is in units of how far the elites lie above the
best: the published 0.1 is that of one reward's scale, and of most it leaves the best candidate alone, with all its noise. And one
candidate is instant; the released controller simulates ten that are the same.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np

from movlr_jax.control import muscle_law
from movlr_jax.errors import MovlrError
from movlr_jax.morphologies.posture import PostureSpace
from movlr_jax.physics.instant import Frame
from movlr_jax.physics.simulator import Controller, Simulator, State
from movlr_jax.rewards.reward import RewardBatch

# Beyond these no machine makes a plan; they keep a slip of the finger from filling its memory.
MOST_CANDIDATES = 1_000_000
MOST_SECONDS = 60.0
MOST_STEPS = 10_000


@dataclass(frozen=True)
class PlannerConfig:
    """Settings of the planner; where nothing else is said, the defaults are the published ones."""

    candidates: int = 64
    """Candidate postures per plan."""
    elites: int = 6
    """Best candidates that make the new plan."""
    temperature: float = 0.5
    """lambda of the elites' weights; published is 0.1, in units of cost."""
    relative: bool = True
    """Whether the temperature is a share of how far the elites' costs lie above the best (root mean square), so that the scale of a reward
    does not matter."""
    instant: int = 1
    """Candidates around the current posture; the first of them is exactly it. Published are ten."""
    instant_noise: bool = True
    """Whether the other instant candidates are spread around the current posture, as the paper says, or copies, as released."""
    mean_candidate: bool = False
    """Whether the un-noised plan is itself a candidate."""
    noise: float | None = None
    """Initial noise and its floor, as a share of each joint's range; the body's own if not given: 0.05, as published, 0.03 of a hand."""
    knots: int = 1
    """Target postures in a horizon, held one after the other; published is one."""
    iterations: int = 1
    """Rounds of sampling and updating in a plan, each with all the candidates; published is one."""
    anneal: float = 1.0
    """Factor on the noise from one round of a plan to the next; below 1 the rounds search ever nearer (annealing, as in DIAL-MPC)."""
    covariance: float = 0.0
    """Rate at which the noise learns the elites' full covariance (CMA-style, rank-mu); 0 keeps it diagonal, as published."""
    colour: float = 0.0
    """Exponent of the noise's power spectrum 1/f^colour over the knots of a horizon; 0 is white."""
    keep: int = 0
    """Elites of the plan before that are candidates again, as in iCEM."""
    horizon: float = 0.35
    """Time looked ahead (s); published are 0.30 to 0.35."""
    plan_dt: float = 0.008
    """Step of the rollouts (s)."""
    replan: float = 0.02
    """Time executed between plans (s). The released controller plans as fast as it can beside a slowed simulation."""
    law: str = "auto"
    """Muscle law: auto (the one that measured best on the body), fibre-strain, posture-weighted, paper or paper-hoisted."""
    gain: float | None = None
    """Gain of the muscle law; the body's calibrated one if not given."""

    def __post_init__(self) -> None:
        """Refuse settings with which no plan can be made."""
        muscle_law.require_known(self.law)
        above = ("candidates", "elites", "temperature", "knots", "iterations", "anneal", "horizon", "plan_dt", "replan")
        for name in (*above, "noise", "gain"):
            if (value := getattr(self, name)) is not None and not 0 < value < math.inf:
                raise MovlrError(f"planner.{name} is {value}: give a finite number above 0.")
        for name in ("instant", "covariance", "colour", "keep"):
            if not 0 <= (value := getattr(self, name)) < math.inf:
                raise MovlrError(f"planner.{name} is {value}: give 0 or more.")
        count, length = MOST_CANDIDATES, MOST_SECONDS
        for name, most in (("candidates", count), ("iterations", count), ("horizon", length), ("replan", length)):
            if getattr(self, name) > most:
                raise MovlrError(f"planner.{name} is {getattr(self, name):g}: give at most {most:g}.")
        if self.horizon / self.plan_dt > MOST_STEPS:
            raise MovlrError(f"planner.plan_dt is {self.plan_dt:g} s: give at least {self.horizon / MOST_STEPS:g} s for this horizon.")
        if self.covariance > 1:
            raise MovlrError(f"planner.covariance is {self.covariance}: give at most 1.")
        if self.knots > self.steps:
            raise MovlrError(f"planner.knots is {self.knots}: give at most the {self.steps} steps of a horizon of {self.horizon:g} s.")
        room = self.candidates - min(self.candidates, self.instant + self.mean_candidate)
        if self.keep > min(self.elites, room):
            raise MovlrError(
                f"planner.keep is {self.keep}: there are {self.elites} elites, and room for {room} candidates beside the mean and the "
                f"instant ones; give at most the lesser number."
            )

    @property
    def steps(self) -> int:
        """Planning steps in a horizon: 38 for 0.30 s of 8 ms, 44 for 0.35 s."""
        return max(2, round(self.horizon / self.plan_dt))

    def around(self, space: PostureSpace) -> float:
        """Return the noise in a body's posture space, as a share of the ranges."""
        return space.noise if self.noise is None else self.noise

    @staticmethod
    def published() -> PlannerConfig:
        """Return the settings of the released controller, with its copies for instant rollouts and its published law."""
        return PlannerConfig(temperature=0.1, relative=False, instant=10, instant_noise=False, noise=0.05, law="paper")


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class PlanState:
    """What a plan hands to the next.

    mean: postures float[E, K, d] (rad) of K knots. sigma: noise float[E, K, d] (share of joint range). covariance: of the noise,
    float[E, K, d, d] (share of joint range, squared), None where the noise is diagonal. kept: elites float[E, keep, K, d] (rad), None
    where none are.
    """

    mean: Any
    sigma: Any
    covariance: Any = None
    kept: Any = None


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class PlanReport:
    """What happened in one plan: cost of the best candidate float[E], candidates that diverged int[E], elites' indices int[E, m]
    (best first, -1 where fewer than m candidates stayed finite)."""

    best_cost: Any
    diverged: Any
    elites: Any


def initial(space: PostureSpace, config: PlannerConfig, posture: Any) -> PlanState:
    """Return the first plan: the given postures[E, d], clipped to the joint ranges, at every knot."""
    xp = posture.__array_namespace__()
    mean = xp.repeat(xp.clip(posture, space.lower, space.upper)[:, None], config.knots, axis=1)
    noise = config.around(space)
    isotropic = noise**2 * xp.broadcast_to(xp.eye(space.size, dtype=mean.dtype), (*mean.shape, space.size))
    return PlanState(
        mean,
        xp.full_like(mean, noise),
        isotropic if config.covariance else None,
        xp.repeat(mean[:, None], config.keep, axis=1) if config.keep else None,
    )


def draw(space: PostureSpace, config: PlannerConfig, rngs: Sequence[np.random.Generator]) -> np.ndarray:
    """Return the noise of one plan, float[rounds, E, N, K, d] standard normals: each episode's from its own source, on the host."""
    shape = (config.iterations, config.candidates, config.knots, space.size)
    return _coloured(np.stack([rng.standard_normal(shape) for rng in rngs], axis=1), config.colour)


def _coloured(noise: np.ndarray, exponent: float) -> np.ndarray:
    """Return normals[..., K, d] whose power falls as 1/f^exponent over the knots, each still of unit variance.

    The lowest frequency is kept at the power of the first harmonic, as in Timmer and Koenig (Astron. Astrophys. 300, 1995).
    """
    knots = noise.shape[-2]
    if not exponent or knots == 1:
        return noise
    frequency = np.maximum(np.arange(knots // 2 + 1), 1.0)
    gain = frequency ** (-exponent / 2)
    # By Parseval, white noise keeps its variance through gains of unit mean square over the two-sided spectrum.
    sides = np.full(len(gain), 2.0)
    sides[0] = 1.0
    if knots % 2 == 0:
        sides[-1] = 1.0
    gain /= np.sqrt((sides * gain**2).sum() / knots)
    return np.fft.irfft(np.fft.rfft(noise, axis=-2) * gain[:, None], n=knots, axis=-2)


def shifted(config: PlannerConfig, plan: PlanState) -> PlanState:
    """Return the plan as it stands one replanning interval later: knots move towards the present, the last stays."""
    if config.knots == 1:
        return plan
    share = config.replan * config.knots / config.horizon

    def move(x: Any) -> Any:
        xp = x.__array_namespace__()
        later = xp.concatenate([x[:, 1:], x[:, -1:]], axis=1)
        return x + share * (later - x)

    return replace(plan, mean=move(plan.mean), sigma=move(plan.sigma))


def sample(space: PostureSpace, config: PlannerConfig, plan: PlanState, current: Any, noise: Any) -> Any:
    """Return candidate postures float[E, N, K, d] around the plan.

    Order: the mean (if it is a candidate), the instant candidates, the kept elites, then the mean with noise.

    Args:
        space: the posture space.
        config: the settings.
        plan: the plan before.
        current: float[E, d], the body's posture.
        noise: float[E, N, K, d], normals of this round's width.
    """
    xp = noise.__array_namespace__()
    if plan.covariance is None:
        noise = noise * (xp.maximum(plan.sigma, config.around(space)) * space.range)[:, None]
    else:
        noise = xp.einsum("ekij,enkj->enki", xp.linalg.cholesky(plan.covariance), noise) * space.range
    first = int(config.mean_candidate)
    stop = min(first + config.instant, config.candidates)
    mean, now = xp.broadcast_to(plan.mean[:, None], noise.shape), xp.broadcast_to(current[:, None, None], noise.shape)
    parts = [mean[:, :first], now[:, first : min(first + 1, stop)]]
    parts += [now[:, first + 1 : stop] + noise[:, first + 1 : stop] if config.instant_noise else now[:, first + 1 : stop]]
    if plan.kept is not None:
        parts.append(plan.kept)
        stop += config.keep
    parts.append(mean[:, stop:] + noise[:, stop:])
    return xp.clip(xp.concatenate(parts, axis=1), space.lower, space.upper)


def update(space: PostureSpace, config: PlannerConfig, plan: PlanState, candidates: Any, costs: Any) -> tuple[PlanState, Any]:
    """Return the plan after one MPPI update, and the elites' indices int[E, m] (best first, -1 for none).

    Args:
        space: the posture space.
        config: the settings.
        plan: the plan before.
        candidates: float[E, N, K, d].
        costs: float[E, N]; inf for a diverged candidate, which is never an elite. Where all diverged, the plan stays as it was.
    """
    xp = costs.__array_namespace__()
    order = xp.argsort(costs, axis=1, stable=True)[:, : config.elites]
    chosen = xp.take_along_axis(costs, order, axis=1)
    sound = xp.isfinite(chosen)
    chosen = xp.where(sound, chosen, 0.0)
    above = xp.where(sound, chosen - chosen[:, :1], 0.0)
    temperature = config.temperature
    if config.relative:
        temperature = xp.maximum(temperature * xp.sqrt(xp.square(above).mean(axis=1, keepdims=True)), 1e-30)
    weights = xp.where(sound, xp.exp(-above / temperature), 0.0)
    weights = (weights / xp.maximum(weights.sum(axis=1, keepdims=True), 1e-30))[..., None, None]
    z = xp.take_along_axis(candidates, order[..., None, None], axis=1)
    mean = (weights * z).sum(axis=1)
    spread = xp.sqrt((weights * xp.square((z - mean[:, None]) / space.range)).sum(axis=1))
    any_sound, floor = sound[:, :1, None], config.around(space)
    new = PlanState(
        xp.where(any_sound, mean, plan.mean),
        xp.where(any_sound, xp.maximum(spread, floor), plan.sigma),
        plan.covariance
        if plan.covariance is None
        else _learnt(config, floor, plan.covariance, (z - plan.mean[:, None]) / space.range, weights),
        plan.kept if plan.kept is None else xp.where(any_sound[..., None], z[:, : config.keep], plan.kept),
    )
    return new, xp.where(sound, order, -1)


def _learnt(config: PlannerConfig, floor: float, covariance: Any, moves: Any, weights: Any) -> Any:
    """Return the covariance float[E, K, d, d] after a rank-mu update by the elites' moves[E, m, K, d] (share of joint range).

    Its mean variance is floored at the configured noise, so that the search never goes to sleep; a tenth of it stays isotropic, so
    that no direction is given up.
    """
    xp = covariance.__array_namespace__()
    size = covariance.shape[-1]
    learnt = (1 - config.covariance) * covariance + config.covariance * xp.einsum("emki,emkj->ekij", weights * moves, moves)
    variance = xp.trace(learnt, axis1=-2, axis2=-1)[..., None, None] / size
    learnt = 0.9 * learnt + 0.1 * variance * xp.eye(size, dtype=learnt.dtype)
    return learnt * xp.maximum(1.0, floor**2 / variance)


def _sampled(space: PostureSpace, config: PlannerConfig, plan: PlanState, qpos: Any, noise: Any) -> Any:
    return sample(space, config, plan, space.read(qpos), noise)


def _updated(
    space: PostureSpace, config: PlannerConfig, plan: PlanState, candidates: Any, reward: Any, diverged: Any
) -> tuple[PlanState, PlanReport]:
    xp = candidates.__array_namespace__()
    reward = xp.asarray(reward, candidates.dtype)
    costs = xp.where(diverged | ~xp.isfinite(reward), xp.inf, -reward)
    new, elites = update(space, config, plan, candidates, costs)
    return new, PlanReport(costs.min(axis=1), diverged.sum(axis=1), elites)


class Planner:
    """Plans E episodes of one body at the same time.

    Args:
        simulator: the engine; its candidate worlds must be config.candidates.
        controller: the muscle controller in the loop.
        config: the settings.
    """

    def __init__(self, simulator: Simulator, controller: Controller, config: PlannerConfig):
        self._simulator, self._controller, self._config = simulator, controller, config
        # Functions of this module, not bound methods: a cycle through the planner would keep its simulator's worlds alive.
        space, compiled = simulator.morphology.posture, (lambda f: f) if simulator.xp is np else jax.jit
        self._before = compiled(functools.partial(_sampled, space, config))
        self._after = compiled(functools.partial(_updated, space, config))
        self._shift = compiled(functools.partial(shifted, config))

    def plan(
        self, state: State, plan: PlanState, frames: Sequence[Frame], rewards: RewardBatch, noise: np.ndarray
    ) -> tuple[PlanState, PlanReport]:
        """Make one plan from the state of E worlds.

        Args:
            state: E worlds.
            plan: the plan before (warm start).
            frames: frame and goal of each episode.
            rewards: each episode's reward; its weighted mean over the horizon is maximised.
            noise: float[rounds, E, N, K, d], standard normals (`draw`).
        """
        simulator, config = self._simulator, self._config
        plan = self._shift(plan)
        for i in range(config.iterations):
            candidates = self._before(plan, state.qpos, simulator.put(config.anneal**i * noise[i]))
            rolled = simulator.rollout(state, self._controller, candidates, config.steps, frames)
            reward, diverged = simulator.gathered(rewards.mean_reward(rolled.instants)), simulator.gathered(rolled.diverged)
            plan, report = self._after(plan, candidates, reward, diverged)
        return plan, report


def with_candidates(config: PlannerConfig, candidates: int) -> PlannerConfig:
    """Return the settings for another number of candidates, with elites and instant candidates in proportion."""
    instant = max(1, round(candidates * config.instant / config.candidates))
    return replace(config, candidates=candidates, elites=max(2, candidates // 10), instant=instant)
