"""Goals: what a sentence asks for, forbids and has held, what nothing measures, and that the number told is the number applied."""

from __future__ import annotations

import pytest

from movlr_jax import goals


def kinds(parts):
    return [part.target.kind for part in parts]


@pytest.mark.parametrize(
    ("sentence", "asked"),
    [
        ("Squat.", ["squat_too_high"]),
        ("kneel on the floor", ["not_kneeling"]),
        ("sit down", ["not_sitting"]),
        ("Lie down on your back", ["not_lying"]),
        ("jump", ["not_jumping"]),
        ("Raise a knee", ["knee_low"]),
        ("lift your left and right knee", ["left_knee_low", "right_knee_low"]),
        ("Stand on the left leg", ["right_foot_down"]),
        ("Stay upright.", ["not_standing"]),
        ("Walk forward in a straight line with an upright posture.", ["not_walking"]),
        ("lie still, then get up", ["not_lying", "not_standing"]),
        ("stand in a squat", ["squat_too_high"]),  # to stand is no more than how it squats
    ],
)
def test_what_a_sentence_asks_for(sentence, asked):
    goal = goals.read(sentence)
    assert kinds(goal.asked) == asked and not goal.avoided and not goal.unread


@pytest.mark.parametrize(
    ("sentence", "asked", "avoided"),
    [
        ("Walk forward without raising the knee", ["not_walking"], ["knee_low"]),
        ("don't raise the left knee", [], ["left_knee_low"]),
        ("Squat, and do not lean forward.", ["squat_too_high"], ["not_leaning_forward"]),
        ("stand up instead of lying down", ["not_standing"], ["not_lying"]),
        ("Walk, never run", ["not_walking"], ["not_running"]),
        ("walk without falling", ["not_walking"], []),  # the fall rule sees to that
        ("stand without moving", ["not_standing"], []),
    ],
)
def test_negations_forbid(sentence, asked, avoided):
    goal = goals.read(sentence)
    assert (kinds(goal.asked), kinds(goal.avoided)) == (asked, avoided) and not goal.unread


@pytest.mark.parametrize(
    ("sentence", "unread"),
    [
        ("play the violin", ("play the violin",)),
        ("Squat and play the violin.", ("play the violin",)),
        ("squat without lifting the heels", ("without lifting the heels",)),
        ("squat and keep your back straight", ("keep your back straight",)),
        ("raise your hands and keep the left knee straight", ("raise your hands", "keep the left knee straight")),
        ("squat down slowly and stay there", ()),
        ("Raise the left knee as high as the hip and keep your balance.", ()),
    ],
)
def test_what_nothing_measures_is_named(sentence, unread):
    goal = goals.read(sentence)
    assert goal.unread == unread
    assert all(text in " ".join(goal.measures()).lower() for text in unread)
    assert bool(goal.unread and not goal.parts) == (f"no score is above {goals.UNMEASURED_SCORE:g}" in " ".join(goal.measures()))


def test_how_and_in_which_order_is_not_measured_and_said_so():
    assert "How is not measured: slowly." in goals.read("squat down slowly").measures()
    said = " ".join(goals.read("first squat, then stand").measures())
    assert "after the other is not measured" in said
    first, last = goals.read("first squat, then stand").asked
    assert first.statistic == "min" and last.statistic == "last" and last.holds


@pytest.mark.parametrize(
    ("sentence", "held", "planted"),
    [
        ("squat", False, ""),
        ("squat down slowly and stay there", True, "both"),
        ("stay in a squat", True, "both"),
        ("squat for 3 seconds", True, "both"),
        ("squat and do not move", True, "both"),
        ("hold the left knee up", True, "right"),
        ("Stand on the right foot", True, "right"),
        ("kneel and stay there", True, ""),
        ("hold a knee up", True, "one"),
        ("walk and hold it", False, ""),
    ],
)
def test_what_is_held_and_on_which_feet(sentence, held, planted):
    goal = goals.read(sentence)
    assert (goal.holds, goal.planted) == (held, planted)


def test_a_word_of_level_moves_the_number():
    (half,), (plain,), (deep,) = (goals.read(f"{word} squat").asked for word in ("half", "a", "a deep"))
    assert half.goal > plain.goal > deep.goal
    assert f"{deep.goal:.2f}" in deep.words()


@pytest.mark.parametrize("sentence", ["squat", "raise the left knee", "walk", "don't raise the left knee", "do not squat", "lie down"])
def test_the_number_told_is_the_number_applied(sentence):
    (part,) = goals.read(sentence).parts
    told, wrong = f"{part.limit:.2f}", 2.0 * part.goal - part.target.rest if part.avoid else part.target.rest
    assert told in part.words() and told in part.fault(wrong)
    better = 1 if part.target.up != part.avoid else -1
    assert part.done(float(told)) and part.done(part.limit + 0.01 * better) and not part.done(part.limit - 0.01 * better)
    assert part.level(part.limit) == pytest.approx(1.0)


def test_a_squat_that_is_still_sinking_on_one_foot_is_not_held():
    goal = goals.read("squat down slowly and stay there")
    held = {"goal_pelvis_height": 0.8, goals.MOVING: 0.05, goals.SINKING: 0.01, goals.FEET: 1.0}
    assert goal.held(held) and goal.reached(held) == 1.0
    wrong = ({"goal_pelvis_height": 0.85}, {goals.MOVING: 0.3}, {goals.SINKING: 0.1}, {goals.FEET: 0.5}, {"goal_pelvis_height": None})
    for spoilt in wrong:
        assert not goal.held(held | spoilt) and goal.reached(held | spoilt) < 1.0
    assert goal.reached({"goal_pelvis_height": 0.85, goals.MOVING: 0.6, goals.FEET: 0.0}) < 0.5


def test_what_nothing_measures_counts_as_not_done():
    assert goals.read("play the violin").reached({}) is None
    half = goals.read("squat and play the violin")
    assert half.reached({"goal_pelvis_height": 0.7}) == 0.5
    walk = goals.read("Walk forward without raising the knee")
    assert walk.reached({"goal_walking_speed_mps": 0.8, "goal_knee_height": 0.55}) == 1.0
    assert walk.reached({"goal_walking_speed_mps": 0.8, "goal_knee_height": 0.8}) == 0.0
