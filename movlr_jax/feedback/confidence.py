"""How sure it is that one motion is better than another, from the differences of their scores on the same seeds.

The same seed gives both motions the same start and the same noise (common random numbers), so that the differences of pairs tell more than
the scores apart. They are taken as draws of a normal distribution of unknown mean and spread. With a flat prior on the mean and a scaled
inverse chi-squared prior on the variance the mean has a Student t distribution (Gelman et al., Bayesian Data Analysis, third edition,
2013, section 3.3; there with a prior on the mean, too):

    mean | d  ~  t with nu = PRIOR_PAIRS + n - 1 degrees of freedom, about the mean of d, of scale s / sqrt(n),
    s^2 = (PRIOR_PAIRS * prior^2 + (n - 1) * variance of d) / nu

The prior weighs as much as one degree of freedom: it keeps two pairs that agree by chance from looking certain, and is soon outweighed.

In: differences, one a seed. Out: a probability; None of one seed, whose difference has no spread that could be seen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

# Degrees of freedom that the prior on the spread counts for.
PRIOR_PAIRS = 1.0
# The prior's spread of the differences, as a share of the score: in 72 recorded walks of two bodies, of 6 to 10 s and some 70 points, it
# was 4 to 8 points where nothing fell, and up to 23 where something did.
PRIOR_SPREAD = 0.1
# Scores whose difference is less than this share of them tie: the offline critic's point of 100.
TIE = 0.01


def better(differences: Sequence[float], scale: float) -> float | None:
    """Return the probability that the mean of the differences is above 0, 0 to 1; None of one pair, or none.

    Args:
        differences: score of the one less that of the other, one a seed.
        scale: how large the scores are.
    """
    n = len(differences)
    if n < 2:
        return None
    d, prior = np.asarray(differences, np.float64), PRIOR_SPREAD * abs(scale)
    freedom = PRIOR_PAIRS + n - 1
    spread = math.sqrt((PRIOR_PAIRS * prior**2 + (n - 1) * float(d.var(ddof=1))) / freedom)
    mean = float(d.mean())
    if not spread:
        return 0.5 if not mean else float(mean > 0)
    return round(float(stats.t.cdf(mean * math.sqrt(n) / spread, freedom)), 6)


def near(differences: Sequence[float], scale: float) -> bool:
    """Tell whether further seeds could change who is better: the mean difference is within the spread of the differences, or a tie.

    Of one pair, which has no spread, only a tie is near. Where there is no difference on any seed, further seeds are not worth their time:
    what moved alike so far is one motion.

    Args:
        differences, scale: as in `better`.
    """
    d = np.asarray(differences, np.float64)
    if not d.any():
        return False
    spread = float(d.std(ddof=1)) if len(d) > 1 else 0.0
    return abs(float(d.mean())) < max(spread, TIE * abs(scale))
