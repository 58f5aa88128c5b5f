"""Shares with Wilson's interval, and Cohen's kappa, against SciPy and a worked example."""

import pytest
from scipy import stats

from movlr_jax.evaluation.agreement import Kappa, Share, wilson


@pytest.mark.parametrize(("hits", "of"), [(0, 5), (5, 5), (4, 10), (17, 20), (1, 200)])
def test_wilsons_interval_is_scipys(hits, of):
    expected = stats.binomtest(hits, of).proportion_ci(method="wilson")
    assert wilson(hits, of) == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_of_nothing_everything_is_possible():
    assert wilson(0, 0) == (0.0, 1.0) and Share().share is None and Share().words() == "-"


def test_halves_count():
    share = Share.counted([1.0, 0.5, 0.0, 0.5])
    assert (share.hits, share.of, share.share) == (2.0, 4, 0.5)
    assert share.words() == "50 (15 to 85) of 4" and share.document()["low"] == pytest.approx(0.15, abs=0.01)


def test_kappa_of_a_worked_example():
    # 50 applications, two readers: both yes 20, both no 15, yes and no 5, no and yes 10; agreement 0.7, by chance 0.5.
    first = ["a"] * 20 + ["b"] * 15 + ["a"] * 5 + ["b"] * 10
    second = ["a"] * 20 + ["b"] * 15 + ["b"] * 5 + ["a"] * 10
    kappa = Kappa.between(first, second)
    assert (kappa.kappa, kappa.agreed, kappa.of) == (pytest.approx(0.4), 0.7, 50)
    assert (kappa.low, kappa.high) == (pytest.approx(0.4 - 0.2541, abs=1e-3), pytest.approx(0.4 + 0.2541, abs=1e-3))


def test_kappa_where_there_is_none():
    assert Kappa.between([], []).kappa is None
    alike = Kappa.between(["a", "a"], ["a", "a"])  # chance alone has them agree
    assert alike.kappa is None and alike.agreed == 1.0
    assert Kappa.between(["a", "b"], ["a", "b"]).kappa == 1.0 and Kappa.between(["a", "b"], ["b", "a"]).kappa == -1.0
