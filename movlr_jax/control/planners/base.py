"""A planner: settings and three pure functions, from which `RecedingHorizon` makes plans; one file an algorithm, one subclass each.

A planner is a frozen dataclass. Its fields are its settings: flags and YAML are read into it, and those of the base are every planner's.
Its methods are the algorithm, written over the namespace of the arrays that they are given (numpy or jax.numpy):

    plan = init(space, posture)                             the first plan
    candidates = sample(space, plan, current, noise)        what is simulated
    plan, elites = update(space, plan, candidates, costs)   what follows from it

All that evolves goes in and comes out as a PlanState. Shapes: E episodes, N candidates, K knots in a horizon, d planned joints.
"""

from __future__ import annotations

import abc
import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

import jax
import numpy as np
from jaxtyping import Float, Int

from movlr_jax.control import laws, values
from movlr_jax.control.planners import danger
from movlr_jax.control.planners.knots import INTERPOLATIONS, Knots
from movlr_jax.control.proposals import PROPOSALS
from movlr_jax.errors import MovlrError
from movlr_jax.morphologies.posture import PostureSpace
from movlr_jax.registry import Registry, rule

DEFAULT = "mppi"
# Beyond these no machine makes a plan; they keep a slip of the finger from filling its memory.
MOST_CANDIDATES = 1_000_000
MOST_SECONDS = 60.0
MOST_STEPS = 10_000
AUTO = "auto"
# Settings that came later: the value by which each is off, and what matters only where it is on. Episodes planned without them keep the
# keys that they had, and a record that does not know them was planned without them.
_LATER: dict[str, tuple[Any, tuple[str, ...]]] = {
    "interpolation": ("hold", ("interpolation",)),
    "value": (None, ("value", "value_weight")),
    "proposals": (None, ("proposals", "proposed")),
    "danger_candidates": (None, ("danger_candidates", "danger_cost")),
    "quick": (False, ("quick",)),
}
# What all records of a planner say, and nobody who asks for one.
_RECORDED = frozenset({"candidates", "knots", "iterations", "anneal", "noise", "horizon", "plan_dt", "replan", "law", "gain"})


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class PlanState:
    """What a plan hands to the next; a planner that hands on more has a subclass.

    mean: postures float[E, K, d] (rad), of which the first is executed. sigma: noise float[E, K, d] (share of joint range). costs: what
    the best candidates have cost lately, float[E, 4], of `movlr_jax.control.planners.danger`; None where it does not matter.
    """

    mean: Any
    sigma: Any
    costs: Any = field(default=None, kw_only=True)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class PlanReport:
    """What happened in one plan: cost of the best candidate float[E], candidates that diverged int[E], elites' indices int[E, m]
    (best first, -1 where fewer than m candidates stayed finite), the steps of all candidates of all rounds, int[E], the postures that are
    executed until the next plan, float[E, 1, d] (rad), and how far each term of the reward set the candidates apart, float[E, n]
    (`movlr_jax.control.planners.spread`)."""

    best_cost: Any
    diverged: Any
    elites: Any
    simulated: Any
    target: Any = None
    spread: Any = None


@dataclass(frozen=True)
class Planner(abc.ABC):
    """The settings of every planner, and the interface of the algorithms."""

    name: str = ""
    """The algorithm: mppi, cem, icem, cma or lp-mppi, or one that another package adds; --help beside it lists its settings."""
    candidates: int = 64
    """Candidate postures per plan."""
    knots: int = 1
    """Target postures in a horizon; published is one."""
    interpolation: str = "hold"
    """Between knots: hold (one after the other, each for its share), linear, or cubic (Catmull-Rom). From linear on the first knot is now,
    the last where the horizon ends."""
    iterations: int = 1
    """Rounds of sampling and updating in a plan, each with all the candidates; published is one."""
    anneal: float = 1.0
    """Factor on the noise from one round of a plan to the next; below 1 the rounds search ever nearer (annealing, as in DIAL-MPC)."""
    noise: float | None = None
    """Initial noise and its floor, as a share of each joint's range; the body's own if not given: 0.05, as published, 0.03 of a hand."""
    horizon: float = 0.35
    """Time looked ahead (s); published are 0.30 to 0.35."""
    plan_dt: float = 0.008
    """Step of the rollouts (s)."""
    quick: bool = True
    """Whether rollouts save what hardly ever changes a plan: bodies that are welded to each other are simulated as one, and candidates that
    lag behind are not simulated to the horizon's end. Only the native engine gains by it."""
    replan: float = 0.02
    """Time executed between plans (s). The released controller plans as fast as it can beside a slowed simulation."""
    law: str = "auto"
    """Muscle law: auto (the one that measured best on the body), fibre-strain, posture-weighted, paper or paper-hoisted."""
    gain: float | None = None
    """Gain of the muscle law; the body's calibrated one if not given."""
    value: str | None = AUTO
    """Terminal value, which tells of falls that begin where the horizon ends: capture, a file of movlr learn value, or auto: capture where
    a task asks a body with feet to walk, and none elsewhere."""
    value_weight: float = 10.0
    """What a certain fall after the horizon costs, in interquartile ranges of the candidates' mean rewards."""
    proposals: str | None = None
    """Candidates from elsewhere in place of the planner's last: capture-step, or what another package adds; none if not given."""
    proposed: int = 8
    """How many they are."""
    danger_candidates: int | None = None
    """Candidates of a plan in danger, more than in calm; none if not given. Native engine only."""
    danger_cost: float = 2.0
    """Danger: the plan before cost more than lately, by as many standard deviations of what plans cost in the last second."""

    def __post_init__(self) -> None:
        """Refuse settings with which no plan can be made."""
        if self.name != type(self).name:
            raise MovlrError(f"planner.name is {self.name}, and these are the settings of {type(self).name}: name the planner alone.")
        laws.require_known(self.law)
        if self.interpolation not in INTERPOLATIONS:
            raise MovlrError(f"planner.interpolation is {self.interpolation}: give one of {', '.join(INTERPOLATIONS)}.")
        if self.proposals is not None:
            PROPOSALS.require(self.proposals)
        if self.value not in (None, AUTO):
            values.require_known(str(self.value))
        words = ("name", "law", "interpolation", "value", "proposals")
        self._require_above(*(f.name for f in fields(Planner) if f.name not in (*words, "value_weight", "quick")))
        self._require_above("value_weight", least=0)
        count, length = MOST_CANDIDATES, MOST_SECONDS
        for name, most in (("candidates", count), ("iterations", count), ("horizon", length), ("replan", length)):
            if getattr(self, name) > most:
                raise MovlrError(f"planner.{name} is {getattr(self, name):g}: give at most {most:g}.")
        if self.horizon / self.plan_dt > MOST_STEPS:
            raise MovlrError(f"planner.plan_dt is {self.plan_dt:g} s: give at least {self.horizon / MOST_STEPS:g} s for this horizon.")
        if self.knots > self.steps:
            raise MovlrError(f"planner.knots is {self.knots}: give at most the {self.steps} steps of a horizon of {self.horizon:g} s.")

        if self.danger_candidates is not None and not self.candidates <= self.danger_candidates <= count:
            raise MovlrError(f"planner.danger_candidates is {self.danger_candidates}: give from {self.candidates} to {count:g}.")
        if self.proposals is not None and self.proposed > self._own():
            raise MovlrError(f"planner.proposed is {self.proposed}: of {self.candidates} candidates {self._own()} can be given away.")

    def _own(self) -> int:
        """Return how many of the last candidates are the planner's own guesses, whose places proposals may take."""
        return self.candidates

    def _require_above(self, *names: str, least: float | None = None) -> None:
        """Refuse settings that are given and not finite, or not above 0; with a least value, below that."""
        for name in names:
            value = getattr(self, name)
            if value is not None and not (value < math.inf and (value > 0 if least is None else value >= least)):
                rule = "a finite number above 0" if least is None else f"{least:g} or more"
                raise MovlrError(f"planner.{name} is {value}: give {rule}.")

    @property
    def steps(self) -> int:
        """H, planning steps in a horizon: 38 for 0.30 s of 8 ms, 44 for 0.35 s."""
        return max(2, round(self.horizon / self.plan_dt))

    def words(self) -> str:
        """Return how the planner uses a reward, for who writes one, in one line."""
        ends = " What happens after that it does not see" + (
            "." if self.terminal_value is None else ", but for a value that tells of falls."
        )
        return (
            f"The planner looks {self.horizon:g} s ahead in {self.steps} steps of {1000 * self.plan_dt:g} ms, compares {self.candidates} "
            f"motions by the reward over all these steps, and plans anew every {self.replan:g} s.{ends}"
        )

    def around(self, space: PostureSpace) -> float:
        """Return the noise in a body's posture space, as a share of the ranges."""
        return space.noise if self.noise is None else self.noise

    def with_candidates(self, candidates: int) -> Self:
        """Return the settings for another number of candidates, and all that is in proportion to it."""
        return replace(self, candidates=candidates, danger_candidates=self._danger_of(candidates))

    def _danger_of(self, candidates: int) -> int | None:
        """Return the candidates of a plan in danger, in proportion to those in calm."""
        return None if self.danger_candidates is None else max(candidates, round(self.danger_candidates * candidates / self.candidates))

    def identity(self) -> dict[str, Any]:
        """Return all that decides a plan, as plain values: the records of episodes are known by it."""
        value = None if self.terminal_value is None else values.identity(self.terminal_value)
        own = {f.name: getattr(self, f.name) for f in fields(self)} | {"value": value}
        unused = {name for switch, (off, names) in _LATER.items() if own[switch] == off for name in names}
        return {name: setting for name, setting in own.items() if name not in unused}

    @property
    def terminal_value(self) -> str | None:
        """The terminal value that is used: none where it was left to a task, and no task has settled it."""
        return None if self.value == AUTO else self.value

    def for_walking(self, walks: bool) -> Self:
        """Return the settings with what is left to the task settled.

        Args:
            walks: whether the task asks to walk, and the body has feet.
        """
        return replace(self, value="capture" if walks else None) if self.value == AUTO else self

    @functools.cached_property
    def between(self) -> Knots:
        """How postures follow from the knots, and when each of these counts."""
        return Knots(self.interpolation, self.knots, self.horizon)

    @property
    def cuts(self) -> tuple[tuple[int, int], ...]:
        """When how many candidates of a quick rollout go on, as (step, candidates): all do but in planners that say otherwise."""
        return ()

    def init(self, space: PostureSpace, posture: Float[Any, "episode d"]) -> PlanState:
        """Return the first plan: the given postures (rad), clipped to the joint ranges, at every knot."""
        xp = posture.__array_namespace__()
        mean = xp.repeat(xp.clip(posture, space.lower, space.upper)[:, None], self.knots, axis=1)
        lately = None if self.danger_candidates is None else danger.first(mean)
        return PlanState(mean, xp.full_like(mean, self.around(space)), costs=lately)

    def draw(self, space: PostureSpace, rngs: Sequence[np.random.Generator]) -> Float[np.ndarray, "round episode candidate knot d"]:
        """Return the noise of one plan, standard normals: each episode's from its own source, on the host; for as many candidates as there
        may be, so that an episode's later noise does not depend on its dangers."""
        shape = (self.iterations, self.danger_candidates or self.candidates, self.knots, space.size)
        return np.stack([rng.standard_normal(shape) for rng in rngs], axis=1)

    def shift(self, plan: PlanState) -> PlanState:
        """Return the plan as it stands one replanning interval later: knots move towards the present, the last stays."""
        if self.knots == 1:
            return plan
        return replace(plan, mean=self.between.later(plan.mean, self.replan), sigma=self.between.later(plan.sigma, self.replan))

    def moved(self, space: PostureSpace, plan: Any, by: Float[Any, "episode 1 d"]) -> Any:
        """Return the plan with all its postures moved by so much (rad), within the joint ranges."""
        return replace(plan, mean=space.moved(plan.mean, by))

    @abc.abstractmethod
    def sample(
        self,
        space: PostureSpace,
        plan: Any,
        current: Float[Any, "episode d"],
        noise: Float[Any, "episode candidate knot d"],
    ) -> Float[Any, "episode candidate knot d"]:
        """Return candidate postures (rad), within the joint ranges.

        Args:
            space: the posture space.
            plan: the plan before.
            current: the body's posture (rad).
            noise: normals of this round's width, as `draw` made them.
        """

    @abc.abstractmethod
    def update(
        self,
        space: PostureSpace,
        plan: Any,
        candidates: Float[Any, "episode candidate knot d"],
        costs: Float[Any, "episode candidate"],
    ) -> tuple[Any, Int[Any, "episode m"]]:
        """Return the plan after one round, and the elites' indices (best first, -1 for none).

        Args:
            space: the posture space.
            plan: the plan before.
            candidates: their postures (rad).
            costs: inf for a diverged candidate. Where all diverged, the plan stays as it was.
        """

    @classmethod
    def of_values(cls, values: Mapping[str, Any]) -> tuple[type[Planner], dict[str, Any]]:
        """Return the planner that plain values name, and its own settings among them.

        Values without a name are MPPI's. Where they are from a version in which one configuration held every algorithm, what they ask for
        is found by the settings that switched it on. A record that does not know a later setting was planned without it.

        Raises:
            UnknownName: there is no planner of that name.
        """
        rest = dict(values)
        if rest.keys() >= _RECORDED:
            rest = {switch: off for switch, (off, _) in _LATER.items()} | rest
        if "name" in rest:
            return PLANNERS[str(rest["name"])], rest
        learns, returns = rest.get("covariance", 0), {k: rest[k] for k in ("keep", "colour") if rest.get(k, 0)}
        name = "cma" if learns else "icem" if returns else DEFAULT
        for key in ("covariance", "keep", "colour"):
            if rest.get(key) == 0:
                del rest[key]
        plain = {"knots": 1, "keep": 0, "colour": 0.0} if name != DEFAULT else {}
        return PLANNERS[name], {**plain, **rest}

    @classmethod
    def kinds(cls) -> list[type[Planner]]:
        """Return all planners."""
        return list(PLANNERS.values())

    def as_kind(self, name: str) -> Planner:
        """Return the planner of a name, with what is set otherwise than by default here where it has the same setting.

        Raises:
            UnknownName: there is no planner of that name.
        """
        kind = PLANNERS[name]
        if isinstance(self, kind) and self.name == name:
            return self
        known = {f.name for f in fields(kind)} - {"name"}
        changed = {f.name: getattr(self, f.name) for f in fields(self) if f.name in known and getattr(self, f.name) != f.default}
        return kind(**changed)


PLANNERS: Registry[type[Planner]] = Registry(
    "planner",
    "movlr_jax.planners",
    {
        **{name: f"movlr_jax.control.planners.{name}:{name.upper()}" for name in ("mppi", "cem", "icem", "cma")},
        "lp-mppi": "movlr_jax.control.planners.lp_mppi:LPMPPI",
    },
    rule("subclass of movlr_jax.control.planners.Planner", lambda thing: isinstance(thing, type) and issubclass(thing, Planner)),
)
