"""Knots: what lies between them, how a plan moves on, and that it is simulated so."""

import numpy as np
import pytest

from movlr_jax.control.planners import MPPI
from movlr_jax.control.planners.knots import Knots
from movlr_jax.errors import MovlrError


def test_held_knots_are_what_is_simulated_and_executed():
    knots, postures = Knots("hold", 3, 0.3), np.arange(3.0).reshape(1, 1, 3, 1)
    assert knots.held(postures) is postures and not knots.smooth
    assert np.allclose(knots.times, [0.05, 0.15, 0.25])
    assert knots.first(0.02, postures[0]).ravel() == [0.0]


def test_lines_and_splines_go_through_the_knots_and_move_on_along_themselves():
    rng = np.random.default_rng(0)
    values = rng.standard_normal((2, 4, 5))
    for interpolation in ("linear", "cubic"):
        knots = Knots(interpolation, 4, 0.3)
        assert np.allclose(knots.later(values, 0.0), values)
        # Two short moves are one long one as far as the knots go, of a line within its first segment.
        moved = knots.later(values, 0.1)
        assert np.allclose(moved[:, :3], values[:, 1:]) and np.allclose(moved[:, 3], values[:, 3])
        straight = np.linspace(0.0, 3.0, 4)[None, :, None]
        inside = np.array([0.11, 0.15, 0.19])
        assert np.allclose(knots.weights(inside) @ straight[0, :, 0], 10 * inside)
        assert np.allclose(knots.weights(np.linspace(0, 0.3, 31)).sum(axis=1), 1.0)
        held = knots.held(straight[:, None])
        assert held.shape == (1, 1, 5, 1)
        assert held[0, 0, 2, 0] == pytest.approx(1.5)  # a section is looked at in its middle
        assert np.allclose(knots.first(0.02, straight)[0, 0, 0], knots.weights(np.array([0.01])) @ straight[0, :, 0])
    bump = np.array([0.0, 1.0, 1.0, 0.0])
    middle = {i: float((Knots(i, 4, 0.3).weights(np.array([0.15])) @ bump)[0]) for i in ("linear", "cubic")}
    assert middle["linear"] == pytest.approx(1.0) and middle["cubic"] == pytest.approx(1.125)


def test_an_unknown_interpolation_is_refused():
    with pytest.raises(MovlrError, match=r"planner\.interpolation is bezier: give one of hold, linear, cubic"):
        MPPI(interpolation="bezier")


def test_settings_that_came_later_change_no_key_unless_they_are_used():
    plain = MPPI(knots=2)
    assert "interpolation" not in plain.identity() and "proposed" not in MPPI(proposed=4).identity()
    assert MPPI(knots=2, interpolation="cubic").identity() == plain.identity() | {"interpolation": "cubic"}
    proposing = MPPI(proposals="capture-step", proposed=4).identity()
    assert proposing == MPPI().identity() | {"proposals": "capture-step", "proposed": 4}
