"""A sweep's plan: which trials there are, each with what it changes; the file by which every process knows them.

Flows in: a sweep's file. Flows out: `OUT/plan.json`, written before anything runs, and the RunConfig of each trial. Trials of a grid and
drawn ones are all in it from the start; proposed ones are added as they are proposed. A trial keeps its number and its folder
for ever, so that no result can come twice.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from movlr_jax import atomic, folders
from movlr_jax.errors import MovlrError
from movlr_jax.processes import alone
from movlr_jax.runs import methods, permissions, records
from movlr_jax.runs.config import RunConfig
from movlr_jax.seeds import derive
from movlr_jax.sweeps.definition import SweepFile, put

PLAN = "plan.json"
_LOCK = ".lock"
_LONGEST = 60  # characters of a folder's name that say the values
# How a run ended that no resume would carry on.
ENDED = ("iterations", "patience", "exhausted", "budget")


@dataclass(frozen=True)
class Trial:
    """One run of a sweep.

    Attributes:
        number: its place, from 0.
        values: dotted path -> value; what it changes.
    """

    number: int
    values: Mapping[str, Any]

    @property
    def label(self) -> str:
        """What it changes, in words."""
        return ", ".join(f"{path.rpartition('.')[2]} {_short(value)}" for path, value in self.values.items())

    @property
    def name(self) -> str:
        """Its folder's name."""
        words = "-".join(f"{path.rpartition('.')[2]}-{_short(value)}" for path, value in self.values.items())
        plain = re.sub(r"[^A-Za-z0-9._=-]+", "-", words)[:_LONGEST].strip("-.")
        return f"{self.number:03d}-{plain}" if plain else f"{self.number:03d}"


@dataclass(frozen=True)
class Plan:
    """All trials of a sweep so far.

    Attributes:
        out: the sweep's folder.
        name: its name.
        base: values of `movlr run` that all trials share, nested.
        paths: what varies.
        threads: threads of a trial that names no other number.
        trials: the trials.
    """

    out: Path
    name: str
    base: Mapping[str, Any]
    paths: tuple[str, ...]
    threads: int
    trials: tuple[Trial, ...]

    def folder(self, trial: Trial) -> Path:
        """Return the folder of a trial's run."""
        return self.out / "trials" / trial.name

    def config(self, trial: Trial) -> RunConfig:
        """Return the configuration of a trial.

        Raises:
            MovlrError: no run can have it.
        """
        values: dict[str, Any] = json.loads(json.dumps(self.base))
        where = f"trial {trial.number} ({trial.label})"
        for path, value in sorted(trial.values.items(), key=lambda item: not item[0].endswith(".name")):  # settings after their kind
            put(values, path, value, where)
        values["threads"] = values.get("threads") or self.threads
        named = {"out": str(self.folder(trial)), "name": f"{self.name}-{trial.name}", "group": self.name, "ask": False}
        try:
            return RunConfig.from_values({**values, **named}, where)
        except MovlrError as error:
            raise MovlrError(str(error) if str(error).startswith(where) else f"{where}: {error}") from None

    def ended(self, trial: Trial) -> bool:
        """Return whether a trial's run has come to its end."""
        return summary(self.folder(trial)).get("stopped") in ENDED

    def save(self) -> Plan:
        """Write the plan's file, whole or not at all."""
        try:
            atomic.write_json(self.out / PLAN, self._document())
        except OSError as error:
            raise MovlrError(f"Cannot write {self.out} ({error.strerror}): nothing is lost, the same command goes on.") from None
        return self

    def _document(self) -> dict[str, Any]:
        trials = [{"number": t.number, "name": t.name, "values": dict(t.values)} for t in self.trials]
        return {
            "version": 1,
            "name": self.name,
            "base": dict(self.base),
            "paths": list(self.paths),
            "threads": self.threads,
            "trials": trials,
        }

    @staticmethod
    def load(out: Path) -> Plan:
        """Return the plan of a sweep's folder.

        Raises:
            MovlrError: there is none, or it cannot be read.
        """
        try:
            folders.admit(out)
            raw = records.read(out / PLAN)
            trials = tuple(Trial(t["number"], t["values"]) for t in raw["trials"])
            return Plan(out, raw["name"], raw["base"], tuple(raw["paths"]), raw["threads"], trials)
        except FileNotFoundError:
            raise MovlrError(f"{out} holds no sweep (no {PLAN}) as this machine sees it: give a folder that all machines share.") from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise MovlrError(f"{out / PLAN} cannot be read ({error}): restore it, or move the folder away and start anew.") from None


def summary(folder: Path) -> dict[str, Any]:
    """Return what a run says of itself so far; {} where it has not begun."""
    try:
        return dict(records.read(folder / "summary.json"))
    except (OSError, ValueError):
        return {}


def make(sweep: SweepFile) -> Plan:
    """Return the plan that a sweep's file asks for: of proposed trials, none yet. Nothing is written.

    Raises:
        MovlrError: a trial has a configuration that no run can have.
    """
    base = dict(sweep.base)
    values: Iterator[dict[str, Any]] = iter(())
    if sweep.grid:
        values = (dict(zip(sweep.grid, chosen, strict=True)) for chosen in itertools.product(*sweep.grid.values()))
    elif sweep.random is not None:
        space = sweep.space
        draws = (random.Random(derive(sweep.random.seed, "sweep", n)) for n in range(sweep.random.trials))
        values = ({path: of.draw(draw) for path, of in space.items()} for draw in draws)
    trials = tuple(Trial(number, changes) for number, changes in enumerate(values))
    plan = Plan(sweep.folder.absolute(), sweep.name, atomic.plain(base), sweep.paths, sweep.resources.threads, trials)
    for trial in trials:
        check(plan, trial)
    numbers: dict[str, int] = {}
    for trial in trials if sweep.grid else ():
        earlier = numbers.setdefault(json.dumps(atomic.plain(trial.values), sort_keys=True), trial.number)
        if earlier != trial.number:
            raise MovlrError(f"grid: trials {earlier} and {trial.number} are the same ({trial.label}): give each value once.")
    return plan


def check(plan: Plan, trial: Trial) -> None:
    """Refuse a trial that would be refused when it starts, as far as that can be known without starting it.

    Raises:
        MovlrError: why, with the trial.
    """
    try:
        config = plan.config(trial)
        permissions.task(methods.settled(config).task, "The sweep")
    except MovlrError as error:
        where = f"trial {trial.number} ({trial.label})"
        raise MovlrError(str(error) if str(error).startswith(where) else f"{where}: {error}") from None


def settle(plan: Plan) -> Plan:
    """Return the plan to work by, saved: the one in the folder, with the new one's trials beyond its. The caller holds the folder.

    Raises:
        MovlrError: the folder holds another sweep, or something else.
    """
    if not (plan.out / PLAN).exists():
        try:
            strange = [p for p in plan.out.iterdir() if p.name != _LOCK and not p.name.startswith(atomic.TEMPORARY_PREFIX)]
        except OSError as error:
            raise MovlrError(f"Cannot read {plan.out} ({error.strerror}): choose another out.") from None
        if strange:
            raise MovlrError(f"{plan.out} exists and is not empty: choose another out.")
        return plan.save()
    saved = Plan.load(plan.out)
    values = [atomic.plain(dict(t.values)) for t in plan.trials]
    common = min(len(values), len(saved.trials))
    differs = [
        what
        for what, same in (
            ("name", saved.name == plan.name),
            ("base", saved.base == plan.base),
            ("what varies", saved.paths == plan.paths),
            ("its first trials", [dict(t.values) for t in saved.trials[:common]] == values[:common]),
        )
        if not same
    ]
    if differs:
        raise MovlrError(f"{plan.out} holds a sweep that differs in {' and '.join(differs)}: choose another out, or put the file back.")
    return replace(plan, trials=saved.trials + plan.trials[common:] if values else saved.trials).save()


@contextlib.contextmanager
def locked(out: Path) -> Iterator[None]:
    """Hold a sweep's folder against other drivers; the system lets go when this process ends, however it ends.

    Raises:
        MovlrError: another process holds it, or it cannot be made.
    """
    with contextlib.ExitStack() as stack:
        try:
            out.mkdir(parents=True, exist_ok=True)
            folders.admit(out)
            stack.enter_context(alone(out / _LOCK, f"Another process drives the sweep in {out}: wait for it, or end it first."))
        except OSError as error:
            raise MovlrError(f"Cannot write {out} ({error.strerror}): choose another out.") from None
        yield


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return "+".join(map(_short, value))
    return Path(value).name if isinstance(value, str) and "/" in value else str(value)
