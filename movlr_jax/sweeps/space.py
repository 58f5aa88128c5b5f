"""What one value of a configuration is drawn from: choices, a range, or a normal distribution.

    planner.noise: {low: 0.01, high: 0.2, log: true}      a range; log: evenly over its orders of magnitude; step: a raster
    planner.candidates: {low: 16, high: 128, step: 16}    of whole numbers, where the configuration's value is one
    goal_speed: {mean: 0.8, std: 0.1}                     normal; under random alone
    critic: [offline, gemini]                             choices, each as likely

Flows in: the raw value of a sweep's file, and a random generator or an Optuna trial. Flows out: a value of the configuration.
"""

from __future__ import annotations

import dataclasses
import json
import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from movlr_jax import typed_yaml
from movlr_jax.errors import MovlrError, did_you_mean
from movlr_jax.runs.config import RunConfig


@dataclass(frozen=True)
class Distribution:
    """What a value is drawn from.

    Attributes:
        kind: which of the others hold.
        choices: the values.
        low, high: the range, both included.
        log: whether orders of magnitude are equally likely.
        step: distance of the values that may come, or None.
        whole: whether it draws whole numbers.
        mean, std: of the normal distribution.
    """

    kind: Literal["choices", "range", "normal"]
    choices: tuple[Any, ...] = ()
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    step: float | None = None
    whole: bool = False
    mean: float = 0.0
    std: float = 0.0

    def draw(self, draw: random.Random) -> Any:
        """Return a value."""
        if self.kind == "choices":
            return draw.choice(self.choices)
        if self.kind == "normal":
            return _number(draw.gauss(self.mean, self.std), self.whole)
        if self.step is not None:
            return _number(self.low + self.step * draw.randint(0, math.floor((self.high - self.low) / self.step + 1e-9)), self.whole)
        if self.whole and not self.log:
            return draw.randint(int(self.low), int(self.high))
        low, high = (math.log(self.low), math.log(self.high)) if self.log else (self.low, self.high)
        value = draw.uniform(low, high)
        return _number(min(self.high, max(self.low, math.exp(value) if self.log else value)), self.whole)

    def propose(self, trial: Any, path: str) -> Any:
        """Return an Optuna trial's value; asked again, the same."""
        if self.kind == "choices":
            # Optuna keeps plain values alone; lists go by their text.
            texts = [json.dumps(choice) for choice in self.choices]
            return json.loads(trial.suggest_categorical(path, texts))
        if self.whole:
            return trial.suggest_int(path, int(self.low), int(self.high), log=self.log, step=int(self.step or 1))
        return trial.suggest_float(path, self.low, self.high, log=self.log, step=self.step)


def check_path(path: str, where: str) -> type:
    """Return the type of the configuration's value at a dotted path.

    Raises:
        MovlrError: there is no such value.
    """
    record: Any = RunConfig
    for depth, part in enumerate(path.split(".")):
        hints = typed_yaml.fields_of(record) if dataclasses.is_dataclass(record) else {}
        if part not in hints:
            above = ".".join(path.split(".")[:depth])
            known = f"{above} has no parts" if not hints else f"known {'of ' + above if above else 'values'} are {', '.join(hints)}"
            raise MovlrError(f"{where} has an unknown value {path}: {did_you_mean(part, hints)}{known}.")
        record = hints[part]
    if dataclasses.is_dataclass(record):
        raise MovlrError(
            f"{where}.{path} is a group of values: name one of them, such as {path}.{next(iter(typed_yaml.fields_of(record)))}."
        )
    return record


def distribution(path: str, raw: Any) -> Distribution:
    """Return the distribution that a sweep's file gives for a dotted path.

    Raises:
        MovlrError: it is none, or none for this value.
    """
    kind = check_path(path, "space")
    if isinstance(raw, list):
        if not raw:
            raise MovlrError(f"space.{path} is empty: give at least one value.")
        return Distribution("choices", choices=tuple(raw))
    if not isinstance(raw, Mapping):
        raise MovlrError(f"space.{path} is {raw!r}: give a list, {{low, high}} or {{mean, std}}.")
    if "mean" in raw or "std" in raw:
        values = _numbers(path, raw, ("mean", "std"), ())
        if values["std"] < 0:
            raise MovlrError(f"space.{path}.std is {values['std']:g}: give 0 or more.")
        return Distribution("normal", mean=values["mean"], std=values["std"], whole=kind is int)
    values = _numbers(path, raw, ("low", "high"), ("log", "step"))
    log, step = raw.get("log", False), values.get("step")
    if not isinstance(log, bool):
        raise MovlrError(f"space.{path}.log is {log!r}: give true or false.")
    whole = kind is int
    if values["low"] > values["high"]:
        raise MovlrError(f"space.{path}: low is {values['low']:g}, above high, {values['high']:g}.")
    if log and values["low"] <= 0:
        raise MovlrError(f"space.{path}: low is {values['low']:g}, and a logarithmic range begins above 0.")
    if step is not None and (log or step <= 0 or (whole and step != int(step))):
        why = "a logarithmic range has no steps" if log else "give a positive number, a whole one for whole numbers"
        raise MovlrError(f"space.{path}.step is {step:g}: {why}.")
    if whole and (values["low"] != int(values["low"]) or values["high"] != int(values["high"])):
        raise MovlrError(f"space.{path}: {path} is a whole number: give whole numbers as low and high.")
    return Distribution("range", low=values["low"], high=values["high"], log=log, step=step, whole=whole)


def _numbers(path: str, raw: Mapping[str, Any], needed: tuple[str, ...], more: tuple[str, ...]) -> dict[str, float]:
    unknown = [key for key in raw if key not in (*needed, *more)]
    missing = [key for key in needed if key not in raw]
    if unknown or missing:
        wrong = f"has an unknown value {unknown[0]}" if unknown else f"lacks {missing[0]}"
        raise MovlrError(f"space.{path} {wrong}: give {', '.join(needed)}" + (f" and perhaps {', '.join(more)}." if more else "."))
    numbers: dict[str, float] = {}
    for key in (*needed, *(k for k in more if k in raw and k != "log")):
        value = raw[key]
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise MovlrError(f"space.{path}.{key} is {value!r}: give a number (YAML reads 1e-3 as a word, and 1.0e-3 as one).")
        numbers[key] = float(value)
    return numbers


def _number(value: float, whole: bool) -> float | int:
    return round(value) if whole else value
