"""Study limits: when episodes cannot tell one variant of a reward from another, whatever their numbers are. Nothing is recommended then.

In: metric records of variants, the metric that judges. Out: the reason, in a sentence, or "".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from movlr_jax.media import tables
from movlr_jax.tasks import gates
from movlr_jax.tasks.metric_registry import metric as named

ONE_SEED = "One seed tells no difference from luck: give more, for example --seeds 0 1 2."
_EQUAL = 1e-9  # relative

Record = Mapping[str, Any]


def saturated(episodes: Sequence[Record], metric: str) -> bool:
    """Tell whether a metric is at its best in every episode."""
    if metric == "seconds":
        return bool(episodes) and not any(map(gates.ended_early, episodes))
    best = named(metric).best
    values = [e.get(metric) for e in episodes]
    return best is not None and bool(values) and all(v is not None and equal(float(v), best) for v in values)


def unmoved(variants: Sequence[Sequence[Record]], metric: str) -> bool:
    """Tell whether all variants have the same metric, the same falls and drops, episode by episode."""
    first, *others = variants
    return all(len(other) == len(first) and all(map(_same, first, other, [metric] * len(first))) for other in others)


def _same(a: Record, b: Record, metric: str) -> bool:
    ends = ("fell", "dropped", "diverged")
    x, y = a.get(metric), b.get(metric)
    if any(bool(a.get(name)) != bool(b.get(name)) for name in ends) or (x is None) != (y is None):
        return False
    return x is None or y is None or equal(float(x), float(y))


def equal(a: float, b: float) -> bool:
    """Tell whether two numbers are the same but for rounding."""
    return abs(a - b) <= _EQUAL * max(abs(a), abs(b), 1.0)


def reason(variants: Sequence[Sequence[Record]], metric: str) -> str:
    """Say why variants cannot be told apart by a metric; "" where they can. The first is the unchanged one.

    Args:
        variants: metric records of each, one a seed.
        metric: what judges.
    """
    name = tables.heading(metric)
    if len(variants[0]) < 2:
        return ONE_SEED
    if unmoved(variants, metric):
        return f"Nothing that was changed moved the metric '{name}': judge by another, or over longer episodes."
    if saturated(variants[0], metric):
        return (
            f"The metric '{name}' is at its best in every episode of the unchanged reward: "
            "that it stays there shows nothing. Judge by another, or by a harder task."
        )
    return ""
