"""The offline critic finds what is wrong, in the order stability, progress, coordination, and ranks motions as a person would."""

from __future__ import annotations

import itertools
import json

import pytest
from support.critic_cases import SOUND
from support.critic_records import WALK, evidence, fall, score, walk

from movlr_jax.critics.base import settle
from movlr_jax.critics.critique import STAGES, Critique
from movlr_jax.critics.offline import OfflineCritic
from movlr_jax.facts import Facts

CRITIC = OfflineCritic()


def judge(facts) -> Critique:
    critique = CRITIC.critique(None, Facts.read(json.loads(json.dumps(facts))))
    order = [STAGES.index(f.stage) for f in critique.faults]
    assert order == sorted(order), "stability comes first, finesse last"
    assert len({s.term for s in critique.suggestions}) == len(critique.suggestions)
    return critique


def test_a_sound_walk_is_a_success():
    critique = judge(walk())
    assert critique.success
    assert critique.faults == ()


@pytest.mark.parametrize("direction", ["forward", "backward", "left", "right"])
def test_a_fall_is_named_by_its_direction_and_suppresses_finesse(direction):
    critique = judge(fall(direction, gait__crossed_feet_fraction=0.5, smoothness__jerk=900.0))
    assert not critique.success
    assert critique.faults[0].kind == f"fall_{direction}"
    assert critique.faults[0].phase == "fall"
    stages = {f.kind: f.stage for f in critique.faults}
    assert all(stages[s.addresses] == "stability" for s in critique.suggestions)
    assert critique.suggestions[0].term == "head_height"
    assert critique.suggestions[0].action == "add"


def test_forward_and_sideways_falls_get_different_remedies():
    forward, aside = judge(fall("forward")), judge(fall("left", sign="trunk_roll_rad"))
    assert [s.term for s in forward.suggestions[:2]] != [s.term for s in aside.suggestions[:2]]
    assert "feet_apart" in [s.term for s in aside.suggestions[:2]]


def test_a_collapse_without_lean_is_told_apart():
    facts = fall(sign="pelvis_height_ratio")
    facts["fall"]["lean_m"] = 0.05
    assert judge(facts).faults[0].kind == "collapse"


def test_falls_of_other_episodes_count():
    episodes = [{"fell": False, "fall_time_s": None, "seconds": 4.0}, {"fell": True, "fall_time_s": 2.0, "seconds": 2.0}]
    critique = judge(walk(episodes=episodes))
    assert not critique.success
    assert critique.faults[0].kind.startswith("fall_")
    assert score(walk(episodes=episodes)) < score(walk())


def test_a_late_fall_of_one_episode_of_three_costs_more_than_style():
    whole = {"fell": False, "fall_time_s": None, "seconds": 4.0}
    episodes = [whole, whole, {"fell": True, "fall_time_s": 3.98, "seconds": 3.98}]
    assert score(walk()) - 12.0 < score(walk(episodes=episodes)) < score(walk()) - 7.0


def test_a_way_that_is_gone_sideways_loses_to_a_shorter_one_that_is_gone_ahead():
    turned = {"metrics__heading_error_rad": 0.66, "posture__heading_rad__mean": 0.66}
    assert score(walk(metrics__distance_m=3.1, **turned)) < score(walk(metrics__distance_m=1.8))


@pytest.mark.parametrize(
    ("changes", "kind", "term"),
    [
        ({"metrics__distance_m": 1.6}, "too_slow", "forward_speed"),
        ({"metrics__distance_m": 0.1}, "not_moving", "forward_speed"),
        ({"metrics__distance_m": -1.0}, "backward", None),
        ({"metrics__distance_m": 6.0}, "too_fast", "speed_match"),
        ({"metrics__lateral_drift_m": 1.2}, "drift", "lateral_position"),
        ({"metrics__heading_error_rad": 0.6}, "veer", "heading"),
        ({"posture__trunk_pitch_rad__mean": 0.4}, "lean_forward", "upright"),
        ({"posture__trunk_pitch_rad__mean": -0.4}, "lean_backward", "upright"),
        ({"posture__trunk_roll_rad__mean": 0.3}, "lean_sideways", "upright"),
        ({"posture__pelvis_height_ratio__mean": 0.8}, "crouch", "head_height"),
        ({"posture__com_ahead_of_feet_m__mean": 0.3}, "com_ahead", "balance"),
        ({"gait__crossed_feet_fraction": 0.3}, "crossed_feet", "feet_apart"),
        ({"gait__stance_width_m__mean": 0.45}, "wide_stance", "feet_not_wide"),
        ({"gait__mean_step_length_m": 0.05}, "shuffle", "step_length"),
        ({"gait__steps": 0}, "no_steps", "alternation"),
        ({"gait__mean_swing_clearance_m": 0.005}, "low_clearance", "foot_clearance"),
        ({"gait__step_length_asymmetry": 0.9}, "asymmetry", "step_symmetry"),
        ({"gait__max_knee_flexion_rad": {"left": 0.9, "right": 0.1}}, "stiff_knee", "swing_knee"),
        ({"gait__foot_slip_mps": 0.9}, "foot_slip", "foot_slip"),
        ({"gait__flight_fraction": 0.4}, "flight", "ground_contact"),
        ({"effort__mean_squared_activation": 0.3}, "effort", "effort"),
        ({"smoothness__jerk": 900.0}, "jerk", "joint_velocity"),
    ],
)
def test_one_fault_is_found_and_answered(changes, kind, term):
    critique = judge(walk(**changes))
    assert [f.kind for f in critique.faults] == [kind]
    if term is not None:
        assert critique.suggestions[0].term == term
        assert critique.suggestions[0].action == ("reweigh" if term == "forward_speed" else "add")


@pytest.mark.parametrize(
    ("figure", "kind", "term"),
    [
        ({"knee_swing_flexion_deg": 25.0}, "stiff_knee", "swing_knee"),
        ({"ankle_push_off_deg": -2.0}, "no_push_off", "push_off"),
        ({"foot_strike_deg": -5.0}, "flat_footed", "heel_strike"),
        ({"stance_share": 0.45}, "short_stance", "stance_time"),
        ({"step_time_symmetry": 0.7}, "limp", "even_steps"),
        ({"stance_symmetry": 0.7}, "limp", "even_steps"),
        ({"touchdowns_per_stride": 3.0}, "chatter", "swing_time"),
        ({"toe_drag_share": 0.3}, "toe_drag", "toe_lift"),
    ],
)
def test_faults_of_gait_are_found_and_answered(figure, kind, term):
    assert judge(walk(gait=WALK["gait"] | SOUND)).faults == ()
    critique = judge(walk(gait=WALK["gait"] | SOUND | figure))
    assert [f.kind for f in critique.faults] == [kind] and critique.suggestions[0].term == term
    assert critique.success
    # A body that is not asked to walk is not measured by how it walks, nor a bird's joints by a human's.
    assert judge(walk(gait=WALK["gait"] | SOUND | figure, goal="Stand still.", goal_speed_mps=None)).faults != critique.faults
    bird = judge(walk(gait={k: v for k, v in (WALK["gait"] | SOUND | figure).items() if k != "knee_correlation"}))
    assert (bird.faults == ()) == (kind in ("stiff_knee", "no_push_off", "flat_footed"))


def test_the_stiff_knee_is_named_by_its_side():
    critique = judge(walk(gait__max_knee_flexion_rad={"left": 0.9, "right": 0.1}))
    assert critique.faults[0].body_part == "right knee"


def test_a_term_at_its_cap_is_not_raised_again():
    facts = walk(metrics__distance_m=1.6)
    facts["terms"]["forward_speed"]["weight"] = 20.0
    assert all(s.term != "forward_speed" for s in judge(facts).suggestions)


def test_an_idle_term_is_dropped_last_and_only_when_stable():
    facts = walk(metrics__distance_m=1.6)
    facts["terms"]["rest"] = {"weight": 5.0, "class": "custom", "mean": -0.3, "std": 0.0, "min": -0.3, "max": -0.3}
    last = judge(facts).suggestions[-1]
    assert (last.action, last.term) == ("remove", "rest")
    facts["fall"] = fall()["fall"]
    assert all(s.action != "remove" for s in judge(facts).suggestions)


def test_score_orders_motions():
    motions = [
        fall(time_s=0.5),
        fall(time_s=2.5),
        walk(metrics__distance_m=0.0),
        walk(metrics__distance_m=1.6, metrics__lateral_drift_m=0.9),
        walk(metrics__distance_m=1.6),
        walk(),
    ]
    scores = [score(m) for m in motions]
    assert scores == sorted(scores)
    assert scores[-1] > 98
    for worse, better in itertools.pairwise(motions):
        preference = settle(CRITIC, evidence(better), evidence(worse))
        assert preference.winner == "a", preference.reason


def test_gates_cannot_be_outvoted():
    far_but_fell = fall(time_s=3.9)
    far_but_fell["metrics"]["distance_m"] = 3.2
    slow = walk(metrics__distance_m=0.7, metrics__lateral_drift_m=0.6, smoothness__jerk=900.0)
    assert settle(CRITIC, evidence(far_but_fell), evidence(slow)).winner == "b"
    assert settle(CRITIC, evidence(walk(metrics__diverged=True)), evidence(slow)).winner == "b"


def test_like_motions_tie():
    assert settle(CRITIC, evidence(walk()), evidence(walk(metrics__distance_m=3.19))).winner == "tie"


def stand(goal, **changes):
    base = {
        "goal": goal,
        "task": "free",
        "goal_speed_mps": 0.0,
        "metrics__distance_m": 0.02,
        "metrics__mean_speed_mps": 0.0,
        "gait__steps": 0,
        "gait__mean_step_length_m": 0.0,
        "gait__mean_swing_clearance_m": 0.0,
        "gait__max_knee_flexion_rad": {"left": 0.1, "right": 0.1},
    }
    return walk(**(base | changes))


def test_standing_has_no_progress_faults():
    critique = judge(stand("Stand upright and still."))
    assert critique.success
    assert critique.faults == ()
    away = judge(stand("Stand upright and still.", metrics__distance_m=0.8))
    assert [f.kind for f in away.faults] == ["wander"]
    assert {"stay_in_place", "stillness"} & {s.term for s in away.suggestions}


@pytest.mark.parametrize(
    ("goal", "kind", "term", "done"),
    [
        ("Squat.", "squat_too_high", "squat_depth", {"posture__pelvis_height_ratio__min": 0.75, "posture__pelvis_height_ratio__mean": 0.8}),
        ("Raise the left knee.", "left_knee_low", "left_knee_up", {"posture__left_knee_height_ratio__max": 0.85}),
        ("lift your right knee high", "right_knee_low", "right_knee_up", {"posture__right_knee_height_ratio__max": 0.85}),
        ("Stand on the left leg", "right_foot_down", "right_foot_up", {"posture__right_foot_lift_m__mean": 0.09}),
        ("Stand on the right foot", "left_foot_down", "left_foot_up", {"posture__left_foot_lift_m__mean": 0.09}),
        ("Balance on one leg", "right_foot_down", "right_foot_up", {"posture__right_foot_lift_m__mean": 0.09}),
        ("Lean forward", "not_leaning_forward", "bow_forward", {"posture__trunk_pitch_rad__mean": 0.35}),
        ("walk to the door", "not_walking", "walking_speed", {"metrics__mean_speed_mps": 0.8, "gait__steps": 8}),
        ("Run!", "not_running", "running_speed", {"metrics__mean_speed_mps": 2.4, "gait__steps": 8}),
    ],
)
def test_words_of_a_free_goal_are_understood(goal, kind, term, done):
    before = judge(stand(goal))
    assert kind in [f.kind for f in before.faults]
    assert not before.success
    assert term in [s.term for s in before.suggestions]
    after = judge(stand(goal, **done))
    assert kind not in [f.kind for f in after.faults]
    assert score(stand(goal, **done)) > score(stand(goal)) + 20


def test_a_squat_is_not_told_to_stand_tall():
    low = stand("Squat", posture__pelvis_height_ratio__mean=0.8, posture__head_height_ratio__mean=0.8)
    critique = judge(low)
    assert "crouch" not in [f.kind for f in critique.faults]
    assert not {"head_height", "pelvis_height", "posture"} & {s.term for s in critique.suggestions}
    assert not {"head_height", "pelvis_height"} & {s.term for s in judge(fall(goal="Squat", goal_speed_mps=0.0)).suggestions}


def test_it_says_so_when_it_does_not_understand():
    critique = judge(stand("Juggle three apples."))
    assert not critique.success
    assert "stability alone" in critique.summary


def test_missing_facts_do_no_harm():
    critique = judge({"goal": "Walk.", "goal_speed_mps": 0.8, "seconds": 4.0, "metrics": {"distance_m": 1.0}})
    assert "too_slow" in [f.kind for f in critique.faults]
