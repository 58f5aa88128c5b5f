"""Means with their spread, over strides and by side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Spread:
    """A mean over strides.

    Attributes:
        mean: the mean.
        sd: the standard deviation (n - 1); None of a single one.
        count: n.
    """

    mean: float
    sd: float | None
    count: int

    @staticmethod
    def of(values: Iterable[float | None]) -> Spread | None:
        """Return the mean of the numbers among values; None where there is none."""
        numbers = np.array([v for v in values if v is not None and np.isfinite(v)], np.float64)
        if not numbers.size:
            return None
        return Spread(float(numbers.mean()), float(numbers.std(ddof=1)) if numbers.size > 1 else None, int(numbers.size))


@dataclass(frozen=True)
class Sided:
    """A quantity of strides by side, and over those of both."""

    left: Spread | None
    right: Spread | None
    both: Spread | None

    @staticmethod
    def of(left: Iterable[float | None], right: Iterable[float | None]) -> Sided:
        """Return the means of each side's numbers and of all."""
        left, right = list(left), list(right)
        return Sided(Spread.of(left), Spread.of(right), Spread.of([*left, *right]))

    @property
    def mean(self) -> float | None:
        """The mean over the strides of both sides."""
        return None if self.both is None else self.both.mean

    @property
    def sd(self) -> float | None:
        """The standard deviation over the strides of both sides."""
        return None if self.both is None else self.both.sd

    @property
    def symmetry(self) -> float | None:
        """1 - |left - right| / (|left| + |right|) of the means of the sides: 1 where they are alike, 0 where they are opposite or one is
        nothing; None where either is not known."""
        if self.left is None or self.right is None:
            return None
        size = abs(self.left.mean) + abs(self.right.mean)
        return 1.0 - abs(self.left.mean - self.right.mean) / size if size > 1e-9 else None
