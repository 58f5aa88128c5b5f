"""Walks against the norm: people themselves, people late, stiff and mirrored ones."""

import numpy as np
import pytest
from support.striding import SPEED, people

from movlr_jax.gait import comparison, norms
from movlr_jax.gait.curves import JointCurve


def compared(curves, leg, speed=SPEED):
    made = [JointCurve(side, joint, curve[None], np.array([0.6])) for side in ("left", "right") for joint, curve in curves.items()]
    return comparison.measure(made, speed, leg)


def test_people_are_like_people(layout):
    found = compared(people(layout), norms.leg_length(layout))
    figures = found.figures()
    assert figures["knee_correlation"] == pytest.approx(1.0) and figures["gait_profile_score_deg"] == pytest.approx(0.0, abs=1e-9)
    assert figures["within_sd_share"] == 1.0 and found.shift_percent == {"left": 0, "right": 0} and found.matched
    assert 5.0 < found.human_gait_profile_score_deg < 7.5


def test_one_sd_away_is_a_ratio_of_one(layout):
    leg = norms.leg_length(layout)
    bands = {j: norms.band(j, norms.dimensionless(SPEED, leg)) for j in norms.JOINTS}
    found = compared({j: band.mean + band.sd for j, band in bands.items()}, leg)
    knee = found.joints[1]
    assert found.shift_percent["left"] == 0
    assert knee.rmse_ratio == pytest.approx(1.0) and knee.offset_deg == pytest.approx(bands["knee_flexion"].sd.mean())
    assert found.gait_profile_score_deg == pytest.approx(found.human_gait_profile_score_deg)
    assert compared({j: band.mean + 1.01 * band.sd for j, band in bands.items()}, leg).figures()["within_sd_share"] == 0.0


def test_a_late_walk_is_shifted_and_told(layout):
    early = {joint: comparison.shifted(curve, -6) for joint, curve in people(layout).items()}
    found = compared(early, norms.leg_length(layout))
    assert found.shift_percent == {"left": 6, "right": 6}
    knee = found.joints[1]
    assert knee.correlation > 0.999 and knee.unshifted < 0.95


def test_another_motion_is_not_made_alike_by_its_shift(layout):
    curves = {joint: -curve for joint, curve in people(layout).items()}
    found = compared(curves, norms.leg_length(layout))
    assert all(abs(s) <= comparison.LARGEST_SHIFT for s in found.shift_percent.values())
    assert found.figures()["hip_correlation"] < -0.5
    flat = compared({joint: np.full(101, 3.0) for joint in curves}, norms.leg_length(layout))
    assert flat.figures()["knee_correlation"] == 0.0


def test_amplitudes_are_marked_where_no_norm_has_the_speed(layout):
    assert not compared(people(layout), norms.leg_length(layout), speed=3.0).matched
