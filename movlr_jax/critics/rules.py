"""What is wrong with a motion, as a table: a rule says which number is read, from where on it is a fault, how bad, and in which words.

In: a table of rules and the reading of a motion that they speak of (`body_reading`, `handling`). Out: faults, in the table's order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from movlr_jax.critics.critique import FAULTS, Fault, Phase

Reading = TypeVar("Reading")


def ramp(value: float, low: float, high: float) -> float:
    """Return 0 at low, 1 at high, linear between; low may exceed high."""
    return min(max((value - low) / (high - low), 0.0), 1.0)


@dataclass(frozen=True)
class Rule(Generic[Reading]):
    """One fault that may be found.

    Attributes:
        kind: its name in `critique.FAULTS`.
        measure: the number of a reading; None where the rule does not apply.
        begins: beyond it, in the direction of `full`, it is a fault.
        full: where the severity ends to grow.
        words: what is wrong; `{value}` is the number, `{m}` the reading.
        body_part: where; likewise.
        phase: when; likewise.
        least: severity where it begins.
        span: how much the severity grows.
        unless: kinds that, found before by the same table, leave nothing to say of this one.
    """

    kind: str
    measure: Callable[[Reading], float | None]
    begins: float
    full: float
    words: str
    body_part: str
    phase: str = "throughout"
    least: float = 0.2
    span: float = 0.3
    unless: tuple[str, ...] = ()

    def broken(self, value: float) -> bool:
        """Tell whether a number is a fault."""
        return value > self.begins if self.full > self.begins else value < self.begins


def named(kind: str, what: str, body_part: str, phase: str, severity: float) -> Fault:
    """Return a fault of a known kind."""
    return Fault(kind=kind, what=what, body_part=body_part, phase=cast(Phase, phase), severity=round(severity, 3), stage=FAULTS[kind][0])


def faults(rules: Sequence[Rule[Reading]], reading: Reading) -> list[Fault]:
    """Return the faults that a table finds in a motion."""
    found: list[Fault] = []
    for rule in rules:
        value = rule.measure(reading)
        if value is None or not rule.broken(value) or any(fault.kind in rule.unless for fault in found):
            continue
        words: dict[str, Any] = {"value": value, "m": reading}
        what, body_part, phase = (text.format(**words) for text in (rule.words, rule.body_part, rule.phase))
        found.append(named(rule.kind, what, body_part, phase, rule.least + rule.span * ramp(value, rule.begins, rule.full)))
    return found
