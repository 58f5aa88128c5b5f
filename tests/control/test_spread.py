"""Spread: what sets candidates apart, and that an episode keeps it."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from movlr_jax.control.planners import spread


@pytest.mark.parametrize("xp", [np, jnp])
def test_a_weighted_term_spreads_over_the_sound_candidates(xp):
    terms = np.zeros((2, 5, 3), np.float32)
    terms[:, :, 0] = [[0.0, 1.0, 2.0, 3.0, 100.0], [5.0, 5.0, 5.0, 5.0, 9.0]]
    terms[:, :, 1] = 7.0  # large, and the same for all: it decides nothing
    terms[1, 0, 2] = np.nan
    sound = np.array([[True, True, True, True, False]] * 2)
    weights = np.array([[-2.0, 50.0, 1.0], [1.0, 1.0, 1.0]], np.float32)
    got = np.asarray(spread.among(xp.asarray(terms), xp.asarray(weights), xp.asarray(sound)))
    assert got == pytest.approx(np.array([[2.0 * np.std([0, 1, 2, 3]), 0.0, 0.0], [0.0, 0.0, 0.0]]), abs=1e-6)
    assert not np.asarray(spread.among(xp.asarray(terms), xp.asarray(weights), xp.asarray(~sound & False))).any()
