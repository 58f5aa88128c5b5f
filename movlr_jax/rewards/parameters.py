"""Parameters: a program's declared constants, each with the range that a tuner may move it in.

In: `PARAMETERS = {"period": (1.0, 0.8, 1.3)}`, a value, the lowest and the highest. Out: Parameters that are used, or what is wrong with
one as a cause and a cure. A program reads them as `m.parameters.period`. They are inputs of the compiled artifact, as weights are: where
an artifact has p of them, a row of features is followed by their p values, and another value compiles nothing.
"""

from __future__ import annotations

import keyword
import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from movlr_jax.errors import MovlrError, did_you_mean

MAX_PARAMETERS = 16
LARGEST = 1e6  # of a number, in size
NONE_SUCH = 'write PARAMETERS = {"period": (1.0, 0.8, 1.3)}, each a value, its lowest and its highest'
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


@dataclass(frozen=True)
class Parameter:
    """A declared constant, in the unit that its program gives it.

    Attributes:
        value: it.
        lowest, highest: its range, ends included.
    """

    value: float
    lowest: float
    highest: float

    def within(self, value: float) -> float:
        """Return a drawn value to a ten-thousandth of the range, inside of it."""
        digits = 4 - math.floor(math.log10(self.highest - self.lowest))
        return min(max(round(float(value), digits), self.lowest), self.highest)

    def stepped(self, share: float) -> float:
        """Return the value moved by a share of the range, upwards or with a minus downwards, inside of it."""
        return self.within(self.value + share * (self.highest - self.lowest))

    def triple(self) -> tuple[float, float, float]:
        """Return value, lowest and highest, as a program declares them."""
        return self.value, self.lowest, self.highest

    def __str__(self) -> str:
        return f"{self.value:g} ({self.lowest:g} to {self.highest:g})"


def fault(name: object, entry: object, terms: Collection[str] = ()) -> tuple[str, str] | None:
    """Return what is wrong with an entry of PARAMETERS as cause and cure; None where nothing is.

    Args:
        name: its key.
        entry: its value.
        terms: names that are taken.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name) or keyword.iskeyword(name):
        return f"the parameter name {str(name)[:40]!r} is not a plain word", "use letters, digits and _"
    if name in terms:
        return f"the parameter {name} is called as a term is", "give it a name of its own"
    if not isinstance(entry, tuple | list) or len(entry) != 3 or not all(map(_is_number, entry)):
        return f"the parameter {name} is not (value, lowest, highest) in literal numbers", f'write "{name}": (1.0, 0.8, 1.3)'
    if not all(abs(number) <= LARGEST for number in entry):  # NaN compares false
        return f"a number of the parameter {name} is not finite and within {LARGEST:g}", "write a smaller number"
    value, lowest, highest = map(float, entry)
    if not lowest < highest:
        return f"the lowest of the parameter {name}, {lowest:g}, is not below its highest, {highest:g}", "write (value, lowest, highest)"
    if not lowest <= value <= highest:
        cure = "move the value into it, or widen it"
        return f"the value of the parameter {name}, {value:g}, is outside its range, {lowest:g} to {highest:g}", cure
    return None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def of_entries(entries: Mapping[str, tuple[float, float, float]]) -> dict[str, Parameter]:
    """Return the parameters of entries that have no fault."""
    return {name: Parameter(*map(float, entry)) for name, entry in entries.items()}


def moved(parameters: Mapping[str, Parameter], values: Mapping[str, float]) -> dict[str, Parameter]:
    """Return parameters with other values of some.

    Raises:
        MovlrError: there is no such parameter, or a value is outside its range.
    """
    for name, value in values.items():
        if name not in parameters:
            known = ", ".join(parameters) or "none"
            raise MovlrError(f"No parameter named {name}: {did_you_mean(name, list(parameters))}this reward has {known}.")
        lowest, highest = parameters[name].lowest, parameters[name].highest
        if not lowest <= value <= highest:
            raise MovlrError(
                f"The parameter {name} cannot be {value:g}, outside its range, {lowest:g} to {highest:g}: give a value within it, or "
                "widen it in PARAMETERS."
            )
    return {name: replace(p, value=float(values[name])) if name in values else p for name, p in parameters.items()}


def values_of(parameters: Mapping[str, Parameter]) -> dict[str, float]:
    """Return name -> value."""
    return {name: parameter.value for name, parameter in parameters.items()}


def listed(parameters: Mapping[str, Parameter]) -> str:
    """Return parameters in a line for people: "period 1 (0.8 to 1.3), lift 0.1 (0 to 0.2)"."""
    return ", ".join(f"{name} {parameter}" for name, parameter in parameters.items())
