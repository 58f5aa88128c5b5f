"""What a change did to a metric: two rows of an evaluation compared over their seeds.

In: two rows, the name of a metric. Out: means and spreads, the difference in the metric's own unit, and in units of the spread over seeds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from movlr_jax.evaluation.work_items import Row
from movlr_jax.tasks import gates
from movlr_jax.tasks.metric_registry import metric as named

FALLS = "falls"  # the share of episodes that fell, beside the metrics of their records


@dataclass(frozen=True)
class Difference:
    """One metric of a variant beside that of the unchanged reward, at one place.

    Attributes:
        unchanged, unchanged_std: mean and standard deviation over seeds of the unchanged reward (None without values).
        mean, std: the same of the variant.
        raw: difference of the means, variant less unchanged.
        raw_std: standard deviation over seeds of the difference between episodes of one seed; None for fewer than two.
        effect: raw in units of the pooled standard deviation over seeds (Cohen's d); None for fewer than two seeds, or where none
            spread and yet differ.
        gain: effect, or without one the difference as a share of the unchanged mean, signed so that better is positive; None without.
    """

    unchanged: float | None
    unchanged_std: float | None
    mean: float | None
    std: float | None
    raw: float | None
    raw_std: float | None
    effect: float | None
    gain: float | None


def values(row: Row, metric: str) -> dict[int, float]:
    """Return a metric of a row's episodes by seed; those that have none are left out."""
    if metric == FALLS:
        return {int(e["seed"]): float(gates.fell(e)) for e in row.episodes}
    raw = {int(e["seed"]): e.get(metric) for e in row.episodes}
    return {seed: float(value) for seed, value in raw.items() if value is not None and math.isfinite(float(value))}


def difference(unchanged: Row, variant: Row, metric: str) -> Difference:
    """Compare one metric of two rows."""
    before, after = values(unchanged, metric), values(variant, metric)
    a, b = np.array(list(before.values())), np.array(list(after.values()))
    a_mean, a_std = (float(a.mean()), float(a.std())) if len(a) else (None, None)
    b_mean, b_std = (float(b.mean()), float(b.std())) if len(b) else (None, None)
    if a_mean is None or b_mean is None:
        return Difference(a_mean, a_std, b_mean, b_std, None, None, None, None)
    raw = b_mean - a_mean
    paired = np.array([after[seed] - before[seed] for seed in before if seed in after])
    effect: float | None = None
    if len(a) > 1 and len(b) > 1:
        pooled = math.sqrt(0.5 * (float(a.var(ddof=1)) + float(b.var(ddof=1))))
        if pooled > 1e-9 * max(abs(a_mean), abs(b_mean)):
            effect = raw / pooled
        elif raw == 0.0:
            effect = 0.0
        gain = None if effect is None else effect * named(metric).sign
    else:
        gain = named(metric).sign * share(raw, a_mean)
    return Difference(a_mean, a_std, b_mean, b_std, raw, float(paired.std()) if len(paired) > 1 else None, effect, gain)


def share(raw: float, of: float) -> float:
    """Return a difference as a share of a size; of nothing, any difference is all."""
    return raw / abs(of) if of else math.copysign(1.0, raw) if raw else 0.0
