"""Facts are measured right: on made-up motions every number has a known answer."""

from __future__ import annotations

import json

import numpy as np
import pytest
from support.synthetic import walker

from movlr_jax.critics import facts_text
from movlr_jax.errors import MovlrError
from movlr_jax.facts import Facts
from movlr_jax.tasks import facts


def tell(layout, instants, **more):
    return facts.describe(instants, layout, task="walk_flat", goal="Walk.", goal_speed_mps=0.8, **more).to_json()


def test_an_even_walk(layout):
    told = tell(layout, walker(layout, speed=0.8, step_s=0.5))
    assert told["fall"] is None
    assert [p["name"] for p in told["phases"]] == ["start", "middle", "end"]
    assert all(p["speed_mps"] == pytest.approx(0.8, abs=1e-3) for p in told["phases"])
    gait = told["gait"]
    assert gait["steps"] == 8
    assert gait["left_steps"] == gait["right_steps"] == 4
    assert gait["mean_step_length_m"] == pytest.approx(0.4, abs=0.05)  # speed times step time
    assert gait["step_length_asymmetry"] < 0.05
    assert gait["mean_swing_clearance_m"] == pytest.approx(0.05, abs=0.005)
    assert gait["stance_width_m"]["mean"] == pytest.approx(0.2, abs=1e-3)
    assert gait["crossed_feet_fraction"] == 0.0
    assert gait["flight_fraction"] == 0.0
    assert gait["foot_slip_mps"] < 0.2
    assert told["posture"]["pelvis_height_ratio"]["mean"] == pytest.approx(1.0, abs=1e-3)


def test_critics_are_told_what_the_gait_laboratory_measured(layout):
    rows = walker(layout)
    first, second = ({"seed": n, "fell": False, "stride_time_s": 1.0 + 0.1 * n, "ankle_push_off_deg": None} for n in (0, 1))
    gait = tell(layout, rows, metrics={"stride_time_s": 1.05}, episodes=[first, second])["gait"]
    assert gait["stride_time_s"] == 1.0 and "ankle_push_off_deg" not in gait  # of the episode that is described
    assert "stride_time_s" not in tell(layout, rows)["gait"]
    said = facts_text.facts(Facts.read({"seconds": 1.0, "metrics": first, "episodes": [first, second], "gait": gait}))
    assert said.count("stride time") == 1 and "stride time 1 s" in said


def test_frame_and_origin_do_not_change_the_story(layout):
    straight = tell(layout, walker(layout, drift=0.1))
    turned = tell(layout, walker(layout, drift=0.1, yaw=2.0, origin=(3.0, -4.0)))
    for key in ("steps", "mean_step_length_m", "mean_swing_clearance_m", "crossed_feet_fraction", "foot_slip_mps"):
        assert turned["gait"][key] == pytest.approx(straight["gait"][key], abs=2e-3)
    for a, b in zip(straight["phases"], turned["phases"], strict=True):
        assert a["speed_mps"] == pytest.approx(b["speed_mps"], abs=1e-3)
        assert a["lateral_m"] == pytest.approx(b["lateral_m"], abs=2e-3)
    assert straight["phases"][-1]["lateral_m"] > 0.2  # to the left


@pytest.mark.parametrize(("pitch", "direction"), [(1.2, "forward"), (-1.2, "backward")])
def test_a_fall_has_a_time_a_direction_and_a_first_sign(layout, pitch, direction):
    told = tell(layout, walker(layout, speed=0.0, drop_from=1.5, fall_pitch=pitch))
    fall = told["fall"]
    assert fall["direction"] == direction
    assert 1.7 < fall["time_s"] < 1.95  # the pelvis passes 0.6 two thirds of the way down
    assert fall["first_sign"] in ("trunk_pitch_rad", "pelvis_height_ratio")
    assert 1.5 <= fall["first_sign_s"] < fall["time_s"]
    # Means are those of the time upright, so the lying body does not count.
    assert told["posture"]["pelvis_height_ratio"]["min"] > 0.55
    assert told["phases"][-1]["to_s"] <= fall["time_s"]


def test_lean_is_signed_and_timed(layout):
    assert tell(layout, walker(layout, pitch=0.3))["posture"]["trunk_pitch_rad"]["mean"] == pytest.approx(0.3, abs=1e-3)
    assert tell(layout, walker(layout, pitch=-0.3))["posture"]["trunk_pitch_rad"]["max"] == pytest.approx(-0.3, abs=1e-3)


def test_crossed_feet(layout):
    gait = tell(layout, walker(layout, width=-0.05))["gait"]
    assert gait["crossed_feet_fraction"] == 1.0
    assert gait["stance_width_m"]["min"] == pytest.approx(-0.05, abs=1e-3)


def test_term_statistics_share_the_spread(layout):
    values = np.stack([np.linspace(-1, 0, 50), np.full(50, -0.3)], axis=1)
    stats = facts.term_statistics(values, ["head_height", "mine"], [200.0, 5.0])
    assert stats["head_height"].term_class == "stability"
    assert stats["mine"].term_class == "custom"
    assert stats["head_height"].share_of_spread == pytest.approx(1.0)
    assert stats["mine"].std == 0.0
    assert stats["head_height"].min == -1.0
    # An episode of an earlier version does not tell what set candidates apart.
    assert stats["mine"].share_among_candidates is None and (stats["mine"].share, stats["mine"].shared) == (0.0, "over time")
    assert "share 100 % over time" in facts_text.statistics(stats)


def test_term_statistics_tell_what_decided(layout):
    values, names, weights = np.zeros((3, 2)), ["head_height", "mine"], [200.0, 5.0]
    spread = np.array([[1.0, 3.0], [1.0, 1.0], [0.0, 0.0]])  # of the last plan all candidates were alike
    stats = facts.term_statistics(values, names, weights, spread=spread)
    assert [stats[name].share for name in names] == pytest.approx([0.375, 0.625]) and stats["mine"].shared == "among candidates"
    assert "share 38 % among candidates" in facts_text.statistics(stats)
    assert facts.term_statistics(values, names, weights, spread=0.0 * spread)["mine"].share_among_candidates is None


def test_what_decided_is_told_before_any_sign_of_a_fall(layout):
    rows = walker(layout, speed=0.0, drop_from=1.5)
    terms, spread = np.zeros((len(rows), 2)), np.tile([3.0, 1.0], (len(rows), 1))
    spread[75:] = [0.0, 100.0]  # from 1.5 s on
    told = tell(layout, rows, terms=terms, term_names=["a", "b"], weights=[1.0, 1.0], spread=spread)
    assert told["fall"]["first_sign_s"] >= 1.5 and told["terms"]["a"]["share_among_candidates"] == pytest.approx(0.75, abs=0.08)
    whole = tell(layout, walker(layout, speed=0.0), terms=terms, term_names=["a", "b"], weights=[1.0, 1.0], spread=spread)
    assert whole["terms"]["a"]["share_among_candidates"] == pytest.approx(0.75 * 75 / 200)


def test_angles_are_those_of_anatomy_at_moments_that_matter(layout):
    rows, swinging = walker(layout, seconds=4.0), 0.4 * np.sin(2 * np.pi * np.arange(200) * 0.02)
    for function, values in (("left.knee_flexion", 0.5 + swinging), ("left.hip_adduction", np.full(200, -0.1))):
        joint, sign = layout.anatomy[function]
        rows[:, layout.column("qpos", layout.joints[joint][0])] = sign * values
    angles = tell(layout, rows)["angles"]
    knee = angles["left_knee_flexion_deg"]
    assert (knee["mean"], knee["min"], knee["max"]) == pytest.approx(tuple(np.degrees([0.5, 0.1, 0.9])), abs=0.1)
    assert knee["max_at_s"] % 1.0 == pytest.approx(0.25, abs=0.03) and knee["min_at_s"] % 1.0 == pytest.approx(0.75, abs=0.03)
    assert set(knee["at"]) == {"start", "end", "touchdown", "toe_off"}
    # Its foot touches down 0.475 s after the start and then every second, where the sine passes zero on its way down.
    assert knee["at"]["touchdown"] == pytest.approx(np.degrees(0.5 + 0.4 * np.sin(2 * np.pi * 0.475)), abs=4.0)
    assert angles["left_hip_abduction_deg"]["mean"] == pytest.approx(np.degrees(0.1), abs=0.1)
    assert "right_ankle_dorsiflexion_deg" in angles and len(angles) == 8
    still = tell(layout, walker(layout, speed=0.0, drop_from=1.5))["angles"]["left_knee_flexion_deg"]
    assert set(still["at"]) == {"start", "end", "pelvis_lowest", "first_sign_of_fall"}
    said = facts_text.facts(Facts.read(tell(layout, rows)))
    assert "left knee flexion (mean 28.6 deg" in said and "touchdown" in said


def test_the_extrapolated_centre_of_mass_and_its_margin(layout):
    posture = tell(layout, walker(layout, speed=0.0))["posture"]
    # At rest in the middle between two feet 0.2 m apart: behind it 0.09 m to the heels and half a sole.
    assert posture["extrapolated_com_margin_m"]["mean"] == pytest.approx(0.13, abs=1e-3)
    assert posture["extrapolated_com_ahead_of_feet_m"]["mean"] == pytest.approx(0.0, abs=1e-3)
    assert posture["left_load_bw"]["mean"] == pytest.approx(0.5, abs=1e-3)
    assert posture["left_knee_height_m"]["mean"] == pytest.approx(layout.standing["left_knee_height"], abs=1e-3)
    assert "left_knee_height_ratio" not in posture
    moving = walker(layout, speed=0.0)
    velocity = layout.column("sensor", layout.com["velocity"])
    moving[:, velocity] = 0.5
    length = layout.standing["com_height"] - layout.standing["left_foot_height"]
    ahead, toes = 0.5 * np.sqrt(length / 9.81), 0.12 + 0.04
    posture = tell(layout, moving)["posture"]
    assert posture["extrapolated_com_ahead_of_feet_m"]["mean"] == pytest.approx(ahead, abs=1e-3)
    assert posture["extrapolated_com_margin_m"]["mean"] == pytest.approx(toes - ahead, abs=5e-3)
    moving[:, velocity], moving[:, velocity + 1] = 0.0, 1.0  # over the left foot and beyond, by a way that is a straight line
    assert tell(layout, moving)["posture"]["extrapolated_com_margin_m"]["mean"] == pytest.approx(0.14 - 2 * ahead, abs=5e-3)
    one = moving.copy()
    one[:, velocity + 1] = 0.0
    one[:, layout.columns("gait").start] = 0.0  # the left foot is off the ground: the body is 0.1 m beside the right one
    assert tell(layout, one)["posture"]["extrapolated_com_margin_m"]["mean"] == pytest.approx(0.04 - 0.1, abs=1e-3)


def test_facts_are_json_even_after_a_divergence(layout):
    instants = walker(layout)
    instants[100:] = np.nan
    told = tell(layout, instants, terms=np.full((200, 1), np.nan), term_names=["balance"], weights=[1.0])
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert told["phases"][-1]["to_s"] < 2.01


def test_wrong_width_is_refused(layout):
    with pytest.raises(ValueError, match="shape"):
        facts.describe(np.zeros((5, 3)), layout, task="t", goal="g")


def test_a_metric_of_a_task_that_is_no_number_is_told(layout):
    with pytest.raises(MovlrError, match="The task walk_flat measures colour as 'red': a metric is a number"):
        tell(layout, walker(layout), metrics={"seconds": 1.0, "colour": "red"})
    told = tell(layout, walker(layout), metrics={"seconds": np.float32(1.0), "fell": np.bool_(True), "best": np.nan})
    assert told["metrics"] == {"seconds": 1.0, "fell": True, "best": None}


def test_a_single_instant_is_enough(layout):
    assert tell(layout, walker(layout)[:1])["gait"]["steps"] == 0
