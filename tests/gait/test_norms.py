"""Published figures: what the sources print, and how they are read between speeds."""

import dataclasses

import numpy as np
import pytest

from movlr_jax.gait import norms
from movlr_jax.rewards.features import feature_layout


def test_the_curves_say_what_the_source_prints():
    free = norms.band("knee_flexion", 0.429)
    assert (free.mean[0], free.sd[0]) == (5.6, 5.7)  # 5.55 (5.66) deg at 0 % of free speed
    assert free.mean.max() == pytest.approx(59.2, abs=0.3) and np.argmax(free.mean) == pytest.approx(72, abs=2)
    assert norms.band("ankle_flexion", 0.429).mean.min() == pytest.approx(-19.8, abs=0.3)
    assert norms.band("vertical_force", 0.429).mean[[10, 30]] == pytest.approx([0.989, 0.80], abs=0.01)
    assert norms.band("forward_force", 0.429).mean[10] < 0 < norms.band("forward_force", 0.429).mean[50]


def test_the_hip_is_told_from_an_upright_pelvis():
    hip = norms.band("hip_flexion", 0.429)
    assert hip.mean.max() == pytest.approx(25.1, abs=0.3) and hip.mean.min() == pytest.approx(-17.4, abs=0.3)


def test_between_groups_a_band_is_interpolated_and_beyond_them_it_is_the_last():
    slow, free = norms.band("knee_flexion", 0.290), norms.band("knee_flexion", 0.429)
    between = norms.band("knee_flexion", 0.3595)
    assert between.mean == pytest.approx(0.5 * (slow.mean + free.mean)) and between.sd == pytest.approx(0.5 * (slow.sd + free.sd))
    assert norms.band("knee_flexion", 2.0).speed == norms.speeds()[1] and norms.band("knee_flexion", 0.0).speed == norms.speeds()[0]


def test_adults_are_read_at_a_speed():
    at = norms.adults("cadence_spm", 1.09)
    assert at is not None and at.mean == pytest.approx((97.9 + 114.7) / 2) and at.sd == pytest.approx(6.05)
    assert norms.adults("cadence_spm", 0.5).speed_mps == 0.94
    assert norms.adults("step_width_m", 2.0).mean == 0.10
    assert norms.adults("beauty", 1.0) is None


def test_on_times_are_on_where_they_say():
    on = norms.on(norms.ON_TIMES["tibialis anterior"])
    assert on[[0, 13, 56, 100]].tolist() == [1, 1, 1, 1] and on[[14, 55]].tolist() == [0, 0]


def test_only_straight_legs_are_compared_with_people(myolegs):
    layout = feature_layout(myolegs)
    assert norms.comparable(layout) and norms.leg_length(layout) == pytest.approx(0.864, abs=0.01)
    knee = layout.anatomy["left.knee_flexion"][0]
    assert not norms.comparable(dataclasses.replace(layout, standing_angles={**layout.standing_angles, knee: 1.3}))
    assert not norms.comparable(dataclasses.replace(layout, anatomy={}))
