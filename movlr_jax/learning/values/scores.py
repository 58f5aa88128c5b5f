"""How well a score foretells: area under the receiver operating characteristic, and calibration."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from scipy.stats import rankdata

_BINS = 5


def auc(score: Float[np.ndarray, " n"], positive: Bool[np.ndarray, " n"]) -> float | None:
    """Return the probability that a positive scores higher than a negative (ties count half); None where one kind is missing."""
    count = int(positive.sum())
    if count in (0, len(positive)):
        return None
    above = rankdata(score)[positive].sum() - count * (count + 1) / 2
    return float(above / (count * (len(positive) - count)))


def calibration(probability: Float[np.ndarray, " n"], positive: Bool[np.ndarray, " n"], weights: Float[np.ndarray, " n"]) -> dict[str, Any]:
    """Return what came of each fifth of the range of probabilities.

    Returns:
        {"said", "came", "weight" (lists over the fifths that occur: mean probability, share that was positive, share of the weight),
        "error" (mean distance between said and came, by weight)}.
    """
    which = np.minimum((probability * _BINS).astype(int), _BINS - 1)
    rows = []
    for k in range(_BINS):
        some = which == k
        if some.any():
            total = weights[some].sum()
            said, came = (float((weights[some] * x[some]).sum() / total) for x in (probability, positive.astype(float)))
            rows.append((said, came, float(total / weights.sum())))
    columns = dict(zip(("said", "came", "weight"), map(list, zip(*rows, strict=True)), strict=True))
    return {**columns, "error": sum(share * abs(expected - seen) for expected, seen, share in rows)}
