"""Weights as an optimiser draws them: one Optuna study over the weights and parameters of one reward, its terms left as they are.

In: the weights of a text, how far they may go, its parameters with their ranges, and what came of each set that was tried. Out: the next
set. A weight is multiplied by a factor between 1/span and span, drawn on a logarithmic scale, and a weight of 0 stays 0; a parameter is
drawn from its range on a linear scale. Trial 0 is the reward as it is. The sampler is
seeded anew for each trial from a key of the trial's number, so that a study that is read or made again draws what it would have drawn.

Gates are constraints: by their one order (`movlr_jax.tasks.gates`) a trial is better than another, whatever their metrics. TPE and GP are
told the penalty by Optuna's own constraints; CMA-ES and random search, which know none, see the value of an unfit trial below every fit
one's, in the order of the penalty.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from movlr_jax import typed_yaml
from movlr_jax.rewards.parameters import Parameter, values_of
from movlr_jax.tasks import gates
from movlr_jax.tasks.gates import Gates
from movlr_jax.tuning.optuna_study import cmaes, need, optuna

_UNFIT = 1e6  # beyond any metric
_CONSTRAINED = ("tpe", "gp")


@dataclass(frozen=True)
class Drawn:
    """One set of weights and parameters.

    Attributes:
        weights: of every term.
        parameters: the values of those that are varied; none where none is.
    """

    weights: dict[str, float]
    parameters: dict[str, float] = field(default_factory=dict)

    def document(self) -> dict[str, dict[str, float]]:
        """Return it for JSON; parameters only where there are any."""
        return {"weights": dict(self.weights), **({"parameters": dict(self.parameters)} if self.parameters else {})}

    @staticmethod
    def of(record: Mapping[str, Any]) -> Drawn:
        """Return what a record holds of it."""
        return Drawn(dict(record["weights"]), dict(record.get("parameters", {})))


@dataclass(frozen=True)
class WeightTrial:
    """One set of weights and parameters, measured.

    Attributes:
        number: 0 is the reward as it is.
        weights: of every term.
        value: mean of the objective over the seeds; None where no episode has it.
        unfit: how far each gate is from being passed; 0 is passed (`Gates.amounts`).
        falls: episodes that fell; episodes: of how many.
        reason: why it has that value, where a critic gave it.
        parameters: the values of those that are varied; none where none is.
    """

    number: int
    weights: dict[str, float]
    value: float | None
    unfit: dict[str, float]
    falls: int
    episodes: int
    reason: str = ""
    parameters: dict[str, float] = field(default_factory=dict)

    @property
    def drawn(self) -> Drawn:
        """What was measured."""
        return Drawn(self.weights, self.parameters)

    @property
    def fit(self) -> bool:
        """Whether it passes all gates."""
        return self.value is not None and self.gates.passed

    @property
    def gates(self) -> Gates:
        """Its gates."""
        return gates.of_amounts(self.unfit)


def better(trial: WeightTrial, sign: int) -> tuple[tuple[float, ...], float]:
    """Return what trials are compared by, the larger the better: gates first, then the objective."""
    return gates.rank(trial.gates), -math.inf if trial.value is None else sign * trial.value


class WeightStudy:
    """Draws weights and parameters, and is told what came of them.

    Args:
        own: the weights as they are, term -> weight.
        sampler: cmaes, tpe, gp or random.
        span: how far a weight may go.
        key: trial's number -> seed of its draw.
        study: the Optuna study; a new one in memory if left out.
        parameters: those that are varied beside the weights; none of them is called as a term is.

    Raises:
        MovlrError: a package that the sampler needs is not installed.
    """

    def __init__(
        self,
        own: Mapping[str, float],
        sampler: str,
        span: float,
        key: Callable[[int], int],
        study: Any = None,
        parameters: Mapping[str, Parameter] | None = None,
    ):
        require(sampler)
        self.own, self.sampler, self.span = dict(own), sampler, span
        self.terms = [term for term, weight in self.own.items() if weight != 0.0]
        self.parameters = dict(parameters or {})
        self._key = key
        self.study = optuna().create_study(direction="maximize") if study is None else study

    def begin(self) -> None:
        """Make the reward as it is the first trial; of a new study only."""
        self.study.enqueue_trial({**{term: abs(self.own[term]) for term in self.terms}, **values_of(self.parameters)})

    def ask(self, number: int) -> tuple[Any, Drawn]:
        """Return the next trial, whose number this is, and what it draws."""
        self.study.sampler = self._seeded(number)
        trial = self.study.ask()
        return trial, self._drawn(trial)

    def again(self, number: int, identity: int) -> tuple[Any, Drawn]:
        """Return a trial that was asked for by a process that did not live to tell it, and what it draws."""
        self.study.sampler = self._seeded(number)
        trial = optuna().trial.Trial(self.study, identity)
        return trial, self._drawn(trial)

    def tell(self, trial: Any, measured: WeightTrial, sign: int) -> None:
        """Say what came of a trial.

        Args:
            trial: what `ask` or `again` gave.
            measured: its measurement.
            sign: 1 where more of the objective is better, else -1.
        """
        constrained = self.sampler in _CONSTRAINED
        for gate, part in measured.gates.penalties().items() if constrained else ():
            if gate not in trial.constraints:
                trial.set_constraint(gate, part)
        if measured.value is None:
            self.study.tell(trial, state=optuna().trial.TrialState.FAIL)
        else:
            self.study.tell(trial, sign * measured.value - (0.0 if constrained else _UNFIT * measured.gates.penalty))

    def _drawn(self, trial: Any) -> Drawn:
        """Return a trial's weights, to four digits, and parameters, to a ten-thousandth of their range, as they will stand in the text."""
        weights = dict(self.own)
        for term in self.terms:
            size = abs(self.own[term])
            drawn = trial.suggest_float(term, size / self.span, min(size * self.span, 1e6), log=True)
            weights[term] = self.own[term] if trial.number == 0 else math.copysign(float(f"{drawn:.4g}"), self.own[term])
        parameters = {}
        for name, parameter in self.parameters.items():
            value = trial.suggest_float(name, parameter.lowest, parameter.highest)
            parameters[name] = parameter.value if trial.number == 0 else parameter.within(value)
        return Drawn(weights, parameters)

    def _seeded(self, number: int) -> Any:
        samplers, seed = optuna().samplers, self._key(number) % 2**31
        if self.sampler == "cmaes":
            return cmaes(seed)
        if self.sampler == "tpe":
            return samplers.TPESampler(seed=seed, multivariate=True)
        if self.sampler == "gp":
            return samplers.GPSampler(seed=seed, deterministic_objective=True)
        return samplers.RandomSampler(seed=seed)


def record(trial: WeightTrial) -> dict[str, Any]:
    """Return a trial for JSON, its parameters only where there are any; `recorded` reads it."""
    return {name: value for name, value in dataclasses.asdict(trial).items() if name != "parameters" or value}


def recorded(raw: Any, where: str) -> WeightTrial:
    """Return a trial from its record.

    Args:
        raw: what `record` gave.
        where: what holds it, for people.

    Raises:
        MovlrError: it is no trial's.
    """
    return typed_yaml.validated(raw, WeightTrial, where)


def require(sampler: str) -> None:
    """Raise MovlrError, in one sentence, if a package that a sampler needs is not installed."""
    optuna()
    if sampler == "cmaes":
        need("cmaes", "The sampler cmaes needs the package cmaes: pip install 'movlr-jax[tune]', or use the sampler tpe.")
    if sampler == "gp":
        need("torch", "The sampler gp needs torch: pip install torch, or use the sampler tpe.")
