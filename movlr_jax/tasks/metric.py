"""A metric: what a number of an episode's record is called, its unit, how it is written, and which way is better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from movlr_jax import units


@dataclass(frozen=True)
class Metric:
    """A metric.

    Attributes:
        name: its key in an episode's record.
        heading: what a column of it is called, without the unit.
        format: how its numbers are written, as a format specification.
        better: which way.
        best: the number that it cannot be better than: at it in every episode, it tells no reward from another. None: there is none.
        shown: whether tables of any task have it where it was measured; else only those that are about it.
        detail: whether it is one of the many that a laboratory wants: tables leave it out, and tell it where they are asked for it.
        unit: of its numbers; left out, what the ending of its name says (`movlr_jax.units`).
    """

    name: str
    heading: str
    format: str = ".2f"
    better: Literal["higher", "lower"] = "higher"
    best: float | None = None
    shown: bool = True
    detail: bool = False
    unit: str = ""

    def __post_init__(self) -> None:
        """Read the unit from the name."""
        object.__setattr__(self, "unit", self.unit or units.of(self.name))

    @property
    def label(self) -> str:
        """The heading with the unit: "distance [m]"."""
        return self.heading + (f" [{self.unit}]" if self.unit else "")

    @property
    def sign(self) -> int:
        """1 where more is better, -1 where less is."""
        return 1 if self.better == "higher" else -1
