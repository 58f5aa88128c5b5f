"""What physics rules out of a sound walk, of falls, and of motions on the limits."""

import pytest
from support.critic_cases import SOUND
from support.critic_records import WALK, fall, walk

from movlr_jax.critics.critique import FAULTS
from movlr_jax.critics.offline import OfflineCritic
from movlr_jax.evaluation import ruled_out
from movlr_jax.facts import Facts

FALLS = {"fall_forward", "fall_backward", "fall_left", "fall_right", "collapse"}


def kinds(record):
    return ruled_out.kinds(Facts.read(record))


def test_a_sound_walk_rules_out_the_gross_faults():
    sound = kinds(walk(gait=WALK["gait"] | SOUND))
    assert FALLS | {"backward", "not_moving", "no_steps", "crossed_feet", "limp", "chatter", "toe_drag", "diverged"} <= sound
    assert {"too_slow", "too_fast"} - sound == {"too_slow", "too_fast"}  # at the speed asked for a critic may say either


def test_a_fall_rules_out_its_opposite_alone():
    forward = kinds(fall("forward"))
    assert FALLS & forward == {"fall_backward"} and "too_fast" not in forward
    near = fall("left")
    near["fall"]["lean_m"] = 0.1
    assert not FALLS & kinds(near)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"metrics__distance_m": -1.0}, "backward"),
        ({"metrics__distance_m": 0.4}, "not_moving"),
        ({"metrics__distance_m": 5.0}, "too_fast"),
        ({"metrics__lateral_drift_m": 0.5}, "drift"),
        ({"metrics__heading_error_rad": 0.3}, "veer"),
        ({"posture__trunk_pitch_rad__max": 0.3}, "lean_forward"),
        ({"posture__pelvis_height_ratio__min": 0.8}, "crouch"),
        ({"gait__steps": 1}, "no_steps"),
        ({"gait__flight_fraction": 0.2}, "flight"),
        ({"gait__stance_width_m__min": 0.0}, "crossed_feet"),
    ],
)
def test_a_motion_with_a_fault_does_not_rule_it_out(change, kind):
    assert kind not in kinds(walk(**change))


def test_every_kind_is_one_that_critics_are_told_of():
    assert set(ruled_out.RULES) <= set(FAULTS)


@pytest.mark.parametrize("record", [walk(), fall("backward"), walk(metrics__distance_m=-1.0), walk(gait__steps=0)])
def test_the_offline_critic_which_reads_the_same_names_nothing_of_it(record):
    named = {fault.kind for fault in OfflineCritic().critique(None, Facts.read(record)).faults}
    assert not named & kinds(record)
