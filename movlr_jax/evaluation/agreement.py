"""Agreement: how often words agree with what is known, with intervals, and two critics with each other beyond chance.

In: counts, or the answers of two critics in the same order. Out: a `Share` with the score interval of Wilson (J. Am. Stat. Assoc. 22:209,
1927), and Cohen's kappa (Educ. Psychol. Meas. 20:37, 1960) with the interval of its large-sample standard error from that paper. Pairs
count as independent; those that are made of one motion are not quite, so the intervals are rather too narrow than too wide.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

Z = 1.959964  # of 95 %, two-sided


def wilson(hits: float, of: float) -> tuple[float, float]:
    """Return Wilson's interval of 95 % of a share; of none, everything is possible.

    Args:
        hits: how many; half a hit where one of the two answers to a pair is one.
        of: of how many.
    """
    if not of:
        return 0.0, 1.0
    share, spread = hits / of, Z * Z / of
    middle = (share + 0.5 * spread) / (1.0 + spread)
    reach = Z / (1.0 + spread) * math.sqrt(share * (1.0 - share) / of + 0.25 * spread / of)
    return max(0.0, middle - reach), min(1.0, middle + reach)


@dataclass(frozen=True)
class Share:
    """How many of how many."""

    hits: float = 0.0
    of: int = 0

    @staticmethod
    def counted(values: Iterable[float]) -> Share:
        """Return the share of what each of some is worth, 0 to 1."""
        numbers = [float(value) for value in values]
        return Share(sum(numbers), len(numbers))

    @property
    def share(self) -> float | None:
        """The share; None of none."""
        return self.hits / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's interval of 95 %."""
        return wilson(self.hits, self.of)

    def document(self) -> dict[str, Any]:
        """Return it for JSON."""
        share, (low, high) = self.share, self.interval
        return {
            "share": None if share is None else round(share, 4),
            "low": round(low, 4),
            "high": round(high, 4),
            "hits": self.hits,
            "of": self.of,
        }

    def words(self) -> str:
        """Write it in a cell: share and interval in per cent, and what of."""
        if self.share is None:
            return "-"
        low, high = self.interval
        return f"{100 * self.share:.0f} ({100 * low:.0f} to {100 * high:.0f}) of {self.of}"


@dataclass(frozen=True)
class Kappa:
    """How far two critics agree beyond what their habits alone would make them.

    Attributes:
        kappa: 1 is always, 0 as often as by chance; None where chance alone has them always agree, or nothing was judged.
        low, high: of 95 %.
        agreed: share of the pairs in which their words were the same; None of none.
        of: pairs that both judged.
    """

    kappa: float | None
    low: float | None
    high: float | None
    agreed: float | None
    of: int

    @staticmethod
    def between(first: Sequence[str], second: Sequence[str]) -> Kappa:
        """Return Cohen's kappa of two critics' words on the same pairs, in the same order."""
        of = len(first)
        if not of:
            return Kappa(None, None, None, None, 0)
        agreed = sum(a == b for a, b in zip(first, second, strict=True)) / of
        ours, theirs = Counter(first), Counter(second)
        chance = sum(ours[word] * theirs[word] for word in ours) / of**2
        if chance >= 1.0:
            return Kappa(None, None, None, agreed, of)
        kappa = (agreed - chance) / (1.0 - chance)
        reach = Z * math.sqrt(agreed * (1.0 - agreed) / of) / (1.0 - chance)
        return Kappa(kappa, max(-1.0, kappa - reach), min(1.0, kappa + reach), agreed, of)
