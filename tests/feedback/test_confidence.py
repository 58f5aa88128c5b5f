"""How sure it is that one motion is better: the posterior's own arithmetic against integration, its limits, and what is near."""

from __future__ import annotations

import numpy as np
import pytest

from movlr_jax.feedback import confidence


def integrated(d: list[float], scale: float) -> float:
    """Return the probability by brute force: the posterior on a grid of mean and spread."""
    mean = np.linspace(-400.0, 400.0, 8001)[:, None]
    log_spread = np.linspace(np.log(0.05), np.log(3000.0), 2000)[None]
    spread = np.exp(log_spread)
    log_likelihood = sum(-log_spread - 0.5 * ((x - mean) / spread) ** 2 for x in d)
    # Scaled inverse chi-squared of the variance, over the logarithm of the spread.
    prior = -confidence.PRIOR_PAIRS * log_spread - 0.5 * confidence.PRIOR_PAIRS * (confidence.PRIOR_SPREAD * scale / spread) ** 2
    weight = np.exp(log_likelihood + prior - np.max(log_likelihood + prior))
    return float(weight[mean[:, 0] > 0].sum() / weight.sum())


@pytest.mark.parametrize("d", [[5.0, 9.0, -2.0], [1.0, 3.0, 2.5, 4.0, -1.0], [-12.0, -3.0, -5.0, 1.0]])
def test_it_is_the_posterior(d: list[float]) -> None:
    found = confidence.better(d, 70.0)
    assert found == pytest.approx(integrated(d, 70.0), abs=0.01)


def test_what_it_says() -> None:
    assert confidence.better([], 70.0) is None and confidence.better([30.0], 70.0) is None, "one seed states nothing"
    assert confidence.better([2.0, -2.0], 70.0) == 0.5
    one, other = confidence.better([4.0, 7.0, 6.0], 70.0), confidence.better([-4.0, -7.0, -6.0], 70.0)
    assert one is not None and other is not None and one + other == pytest.approx(1.0) and one > 0.9
    # More pairs of the same kind make surer; two that agree by chance are not certain.
    more = confidence.better([4.0, 7.0, 6.0] * 3, 70.0)
    two = confidence.better([3.0, 3.0], 70.0)
    assert more is not None and more > one and two is not None and 0.6 < two < 0.9
    assert confidence.better([0.0, 0.0], 0.0) == 0.5 and confidence.better([1.0, 1.0], 0.0) == 1.0


def test_near() -> None:
    assert confidence.near([5.0, -3.0, 4.0], 70.0) and not confidence.near([20.0, 22.0, 25.0], 70.0)
    assert confidence.near([0.3], 70.0) and not confidence.near([3.0], 70.0), "one pair is near where it ties"
    assert confidence.near([0.3, 0.3], 70.0)
    assert not confidence.near([0.0, 0.0], 70.0), "what moved alike so far is one motion"
