"""Ground reaction over the cycle: forces that are people's, and forces that are partly unknown."""

import numpy as np
import pytest
from support.striding import STRIDE_S, striding

from movlr_jax.gait import force_curves, norms
from movlr_jax.gait.strides import strides
from movlr_jax.gait.trajectory import Trajectory
from movlr_jax.rewards.features import feature_layout

SPEED = 0.4


@pytest.fixture(scope="module")
def trajectory(myolegs):
    layout = feature_layout(myolegs)
    return Trajectory(striding(layout, {}), layout)


def peoples(time):
    """People's forces under both feet of the walk."""
    force = np.zeros((len(time), 2, 3))
    for f in range(2):
        phase = 100.0 * (((time - 0.3 * STRIDE_S) / STRIDE_S - 0.5 * f) % 1.0)
        for axis, name in ((0, "forward_force"), (2, "vertical_force")):
            force[:, f, axis] = np.interp(phase, np.linspace(0, 100, 101), norms.band(name, SPEED).mean)
    return force


def test_peoples_forces_are_like_peoples(trajectory):
    steady = [s for s in strides(trajectory) if s.steady]
    found = force_curves.measure(trajectory, peoples(trajectory.time), steady, SPEED)
    assert found.figures()["vertical_force_correlation"] > 0.99 and found.figures()["forward_force_correlation"] > 0.98
    left = next(c for c in found.curves if (c.side, c.force) == ("left", "vertical_force"))
    assert left.mean[30] == pytest.approx(norms.band("vertical_force", SPEED).mean[30], abs=0.03)
    assert force_curves.measure(trajectory, peoples(trajectory.time), steady).figures() == {}


def test_strides_whose_forces_are_unknown_are_left_out(trajectory):
    steady = [s for s in strides(trajectory) if s.steady]
    force = peoples(trajectory.time)
    force[steady[0].touchdown_row + 5, 0] = np.nan
    assert steady[0].side == "left"
    found = force_curves.measure(trajectory, force, steady, SPEED)
    counts = {side: len(next(c.cycles for c in found.curves if c.side == side)) for side in ("left", "right")}
    assert counts["left"] == sum(s.side == "left" for s in steady) - 1 and counts["right"] == sum(s.side == "right" for s in steady)
    assert force_curves.measure(trajectory, np.full_like(force, np.nan), steady, SPEED) is None
