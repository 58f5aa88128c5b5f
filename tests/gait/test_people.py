"""What people have of each figure, at the speed of a walk."""

import pytest

from movlr_jax.gait import people


def test_events_are_those_of_peoples_curve_at_the_speed():
    slow, usual = (people.fact("knee_swing_flexion_deg", speed, 0.9) for speed in (0.86, 1.27))
    assert slow.mean == pytest.approx(55.2, abs=0.5) and usual.mean == pytest.approx(59.1, abs=0.5)
    assert 5.0 < usual.sd < 8.0 and usual.speed_mps == pytest.approx(1.27, abs=0.01)
    assert people.fact("ankle_push_off_deg", 1.27, 0.9).mean == pytest.approx(19.8, abs=0.5)
    assert people.fact("knee_range_deg", 1.27, 0.9).sd is None


def test_forces_have_their_two_humps():
    first, valley, second = (people.fact(f"{name}_bw", 1.27, 0.9).mean for name in ("first_peak", "valley", "second_peak"))
    assert valley < first and valley < second and first == pytest.approx(1.06, abs=0.06)
    assert people.fact("braking_bw", 1.27, 0.9).mean < 0 < people.fact("propulsion_bw", 1.27, 0.9).mean


def test_adults_and_what_nobody_published():
    assert people.fact("cadence_spm", 1.24, None).mean == pytest.approx(114.7)
    assert people.fact("rmse_ratio", 1.0, 0.9).mean == 1.0
    assert people.fact("knee_swing_flexion_deg", 1.0, None) is None
    assert people.fact("toe_drag_share", 1.0, 0.9) is None
