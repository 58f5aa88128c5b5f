"""A sweep's file: what all trials share, what varies and how, what each trial may use.

    name: methods                       # also the W&B group; the file's name if left out
    out: runs/sweeps/methods
    config: configs/walk_flat.yaml      # values of `movlr run`, relative to this file
    base: {iterations: 4, tracking: offline}      # more of them, over those of the file
    grid: {method: [movlr, eureka], seed: [0, 1, 2]}                     # every combination, or
    random: {trials: 20, seed: 0, space: {planner.noise: {low: 0.01, high: 0.2, log: true}}}    # drawn, or
    optuna: {trials: 40, parallel: 4, sampler: tpe, objective: score, space: {...}}             # proposed
    resources: {cpus: 2, gpus: 0.5}

Flows in: a YAML file. Flows out: a frozen record whose every value has been checked against RunConfig.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from movlr_jax import code_names, typed_yaml
from movlr_jax.errors import MovlrError, UnknownName
from movlr_jax.morphologies import custom
from movlr_jax.runs.config import RunConfig
from movlr_jax.sweeps.space import Distribution, check_path, distribution
from movlr_jax.tasks.metric_registry import metric

# What a sweep decides itself, or what a run that nobody sits at cannot have.
_NOT_SWEPT = {
    "out": "the sweep gives every trial a folder",
    "name": "the sweep names its trials",
    "group": "the sweep's name is the group",
    "ask": "nobody sits at a trial",
    "mjx.hosts": "a trial runs on one host",
}
_SEPARATE = "run each as a sweep of its own"


@dataclass(frozen=True)
class Resources:
    """What one trial may use; trials run side by side as far as the machines have it."""

    cpus: float = 1.0
    """Cores. A trial is held to them; below 1, several trials share one."""
    gpus: float = 0.0
    """GPUs; a fraction lets several trials share one, each with its share of the memory."""
    more: dict[str, float] = field(default_factory=dict)
    """Further resources by Ray's names, for example {TPU: 4}."""
    retries: int = 3
    """Times that a trial whose process died goes on, on whatever worker is free."""

    def __post_init__(self) -> None:
        """Refuse amounts that no machine has."""
        if self.cpus <= 0 or (self.cpus > 1 and self.cpus != int(self.cpus)):
            raise MovlrError(f"resources.cpus is {self.cpus:g}: give a fraction of one, or a whole number.")
        if self.gpus < 0 or (self.gpus > 1 and self.gpus != int(self.gpus)):
            raise MovlrError(f"resources.gpus is {self.gpus:g}: give 0, a fraction of one, or a whole number.")
        if self.retries < 0:
            raise MovlrError(f"resources.retries is {self.retries}: give 0 or more.")

    @property
    def threads(self) -> int:
        """Threads of a trial: its cores, at least one."""
        return max(1, int(self.cpus))


@dataclass(frozen=True)
class Drawn:
    """Trials drawn at random, each from a key of its own: more trials leave the first ones as they are."""

    trials: int
    """How many."""
    space: dict[str, Any]
    """What varies: dotted path -> distribution."""
    seed: int = 0
    """Key of the draws."""


@dataclass(frozen=True)
class Proposed:
    """Trials proposed by Optuna from the results so far."""

    trials: int
    """How many."""
    space: dict[str, Any]
    """What varies: dotted path -> distribution."""
    seed: int = 0
    """Key of the proposals."""
    sampler: Literal["tpe", "cmaes", "qmc", "random"] = "tpe"
    """Optuna's sampler; cmaes moves numbers alone."""
    parallel: int = 1
    """Trials under way at a time. It is part of what the sweep means: a proposal knows the results of all but the last so many."""
    objective: str = "score"
    """What counts: the best iteration's score, or metrics.NAME."""
    direction: Literal["maximize", "minimize", ""] = ""
    """Whether more is better; what the registry of metrics says if left out."""


@dataclass(frozen=True)
class Slurm:
    """What `--on slurm` asks of the site."""

    partition: str = ""
    """Partition; the site's default if empty."""
    account: str = ""
    """Account to charge."""
    qos: str = ""
    """Quality of service."""
    constraint: str = ""
    """Features that the nodes must have."""
    minutes: int = 720
    """Time of a job; a trial that needs longer is queued again, and goes on."""
    memory_gb: float = 0.0
    """Memory of a job [GB]; the site's default if 0."""
    at_once: int = 0
    """Jobs of the array that may run at the same time; 0: as many as the site lets."""
    setup: tuple[str, ...] = ()
    """Lines of shell before a trial starts, for example `module load cuda`."""


@dataclass(frozen=True)
class SweepFile:
    """A sweep as its file says it."""

    name: str = ""
    """The sweep's name, and the W&B group of its runs; the file's name if left out."""
    out: Path | None = None
    """The sweep's folder; runs/sweeps/NAME if left out."""
    config: Path | None = None
    """A file with values of `movlr run` that all trials share, relative to the sweep's file."""
    base: dict[str, Any] = field(default_factory=dict)
    """Values of `movlr run` that all trials share, nested or by dotted path."""
    grid: dict[str, list[Any]] = field(default_factory=dict)
    """Every combination: dotted path -> list of values."""
    random: Drawn | None = None
    """Drawn trials."""
    optuna: Proposed | None = None
    """Proposed trials."""
    resources: Resources = field(default_factory=Resources)
    """What one trial may use."""
    slurm: Slurm = field(default_factory=Slurm)
    """What `--on slurm` asks of the site."""

    @property
    def folder(self) -> Path:
        """The sweep's folder."""
        return self.out if self.out is not None else Path("runs") / "sweeps" / self.name

    @property
    def paths(self) -> tuple[str, ...]:
        """What varies, in the file's order."""
        chosen = self.random or self.optuna
        return tuple(chosen.space if chosen else self.grid)

    @property
    def space(self) -> dict[str, Distribution]:
        """What random and Optuna draw from."""
        chosen = self.random or self.optuna
        return {path: distribution(path, raw) for path, raw in (chosen.space if chosen else {}).items()}

    @property
    def most(self) -> int | None:
        """How many trials may be under way at the same time; None: as many as the machines have room for."""
        return self.optuna.parallel if self.optuna else None


def read(path: Path) -> SweepFile:
    """Return the sweep in a file; `base` holds the values of `config` too, nested.

    Raises:
        MovlrError: the file cannot be read, or something in it can be no sweep's; the sentence names the place.
    """
    raw = typed_yaml.values(typed_yaml.read(path, "sweep"), str(path))
    try:
        sweep = typed_yaml.validated(_settled(raw), SweepFile, str(path))
        return replace(_checked(sweep, path), name=sweep.name or path.stem)
    except MovlrError as error:
        sentence = str(error)
        raise MovlrError(sentence if sentence.startswith(str(path)) else f"{path}: {sentence}") from None


def _settled(value: Any, path: Any = None) -> Any:
    """Return values whose own bodies and tasks are named by absolute path: trials run in other folders, and on other machines."""
    settle = {"morphology": custom.settled, "task": code_names.settled}
    if isinstance(value, dict):
        return {key: _settled(one, path if path in settle else key) for key, one in value.items()}
    if isinstance(value, list):
        return [_settled(one, path) for one in value]
    return settle[path](value) if path in settle and isinstance(value, str) else value


def _checked(sweep: SweepFile, path: Path) -> SweepFile:
    """Return the sweep with its base complete, once all of it has been looked at."""
    ways = [way for way in ("grid", "random", "optuna") if getattr(sweep, way)]
    if len(ways) != 1:
        wrong = f"it has {' and '.join(ways)}: {_SEPARATE}" if ways else "it has none of them"
        raise MovlrError(f"a sweep has one of grid, random and optuna, and {wrong}.")
    if sweep.name and (Path(sweep.name).name != sweep.name or sweep.name.startswith(".")):
        raise MovlrError(f"name is {sweep.name!r}: give a plain word, it names a folder.")
    values = RunConfig.load(path.parent / sweep.config).to_values() if sweep.config is not None else {}
    for name, value in sweep.base.items():
        _refuse_reserved(name, "base")
        put(values, name, value, "base")
    _refuse_reserved_within(values if sweep.config is None else sweep.base, "base")
    RunConfig.from_values(values, "base")
    for name in sweep.paths:
        _refuse_reserved(name, ways[0])
        check_path(name, ways[0])
    for name, listed in sweep.grid.items():
        if not listed:
            raise MovlrError(f"grid.{name} is empty: give at least one value.")
    for plural in (sweep.random, sweep.optuna):
        if plural is not None and (plural.trials < 1 or not plural.space):
            what = "trials" if plural.trials < 1 else "space"
            raise MovlrError(f"{ways[0]}.{what} is {getattr(plural, what)!r}: give at least one.")
    drawn = sweep.space  # reads every distribution
    proposed = None if sweep.optuna is None else _checked_proposed(sweep.optuna, drawn)
    return replace(sweep, base=_settled(values), optuna=proposed)


def _checked_proposed(proposed: Proposed, space: Mapping[str, Distribution]) -> Proposed:
    """Return it with its direction."""
    if proposed.parallel < 1:
        raise MovlrError(f"optuna.parallel is {proposed.parallel}: give 1 or more.")
    if proposed.objective != "score" and not proposed.objective.startswith("metrics."):
        raise MovlrError(f"optuna.objective is {proposed.objective!r}: give score, or metrics.NAME (metrics.distance_m).")
    for path, drawn in space.items():
        if drawn.kind == "normal":
            raise MovlrError(f"optuna.space.{path} is a normal distribution, which Optuna does not propose from: give low and high.")
        if drawn.kind == "choices" and proposed.sampler == "cmaes":
            raise MovlrError(f"optuna.space.{path} is a list of choices, and cmaes moves numbers alone: use the sampler tpe.")
    higher = metric(proposed.objective.removeprefix("metrics.")).better == "higher"
    return replace(proposed, direction=proposed.direction or ("maximize" if higher else "minimize"))


def _refuse_reserved(path: str, where: str) -> None:
    if path in _NOT_SWEPT:
        raise MovlrError(f"{where}.{path} cannot be given in a sweep: {_NOT_SWEPT[path]}.")


def _refuse_reserved_within(values: Mapping[str, Any], where: str, prefix: str = "") -> None:
    for key, value in values.items():
        _refuse_reserved(prefix + key, where)
        if isinstance(value, Mapping):
            _refuse_reserved_within(value, where, f"{prefix}{key}.")


def put(values: dict[str, Any], path: str, value: Any, where: str) -> None:
    """Set a value by its dotted path in nested values, in place; a mapping is laid over what is there.

    Where it names the kind of a record (planner.name), of what is there the settings that both kinds have stay.

    Raises:
        MovlrError: the path leads through a value that has no parts, or names no kind.
    """
    field, _, part = path.partition(".")
    name = value if part == "name" else value.get("name") if not part and isinstance(value, dict) else None
    hint: Any = typed_yaml.fields_of(RunConfig).get(field)
    if name is not None and isinstance(values.get(field), dict) and hasattr(hint, "as_kind"):
        kind, settings = hint.of_values(values[field])
        try:
            values[field] = typed_yaml.plain(typed_yaml.validated(settings, kind, where, f"{field}.").as_kind(str(name)))
        except UnknownName as error:
            raise MovlrError(f"{where}: {path}: {error}") from None
    *above, last = path.split(".")
    at = values
    for part in above:
        at = at.setdefault(part, {})
        if not isinstance(at, dict):
            raise MovlrError(f"{where}.{path}: {part} is {at!r}, which has no parts.")
    if isinstance(value, dict) and isinstance(at.get(last), dict):
        for key, inner in value.items():
            put(at[last], key, inner, where)
    else:
        at[last] = copy.deepcopy(value)
