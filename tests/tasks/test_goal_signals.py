"""Goal signals: what the words mean reaches the goal, and what merely makes its number does not."""

from __future__ import annotations

import numpy as np
import pytest
from support.synthetic import DT, episode, lowered, quat_pitch, walker

from movlr_jax import goals
from movlr_jax.tasks import goal_metrics

COUNT = 60
LYING = quat_pitch(1.4)


def posed(layout, pelvis=1.0, **places):
    """Return instants of a body on the spot: its heights at a share of standing's, and landmark -> way ahead and left, height (m), or None:
    as it is; `lean`: the trunk's quaternion."""
    rows = lowered(layout, np.full(COUNT, pelvis)).astype(np.float64)
    for name, moved in places.items():
        offsets = layout.landmarks["trunk" if name == "lean" else name.replace("_", ".", 1)]
        if name == "lean":
            rows[:, layout.column("sensor", offsets["quat"]) : layout.column("sensor", offsets["quat"]) + 4] = moved
            continue
        at = layout.column("sensor", offsets["position"])
        ahead, left, height = moved
        rows[:, at] += ahead
        rows[:, at + 1] += left
        rows[:, at + 2] = rows[:, at + 2] if height is None else height
    return rows.astype(np.float32)


def reached(layout, sentence, instants, **more):
    return goal_metrics.measure(goals.read(sentence), layout, episode(instants, len(layout.muscles), **more))[goals.REACHED]


def foot(layout, side, lift, *, tiptoe=False):
    """Return the places of a foot that is lifted by so much (m), or of its heel and middle alone."""
    parts = ("foot", "heel") if tiptoe else ("foot", "heel", "toe")
    return {f"{side}_{part}": (0.0, 0.0, layout.standing[f"{side}_{part}_height"] + lift) for part in parts}


@pytest.mark.parametrize(
    ("ahead", "left", "least", "most"),
    [
        (0.4, 0.0, 1.0, 1.0),
        (0.3, 0.2, 1.0, 1.0),  # a little out
        (-0.4, 0.0, 0.0, 0.05),  # behind
        (0.0, 0.4, 0.0, 0.05),  # to the side
    ],
)
def test_a_raised_knee_is_in_front(layout, ahead, left, least, most):
    hip = layout.standing["left_hip_height"]
    high = posed(layout, left_knee=(ahead, left, 0.85 * hip))
    assert least <= reached(layout, "raise the left knee", high) <= most
    assert least <= reached(layout, "lift a knee", high) <= most
    # Where it faces makes no difference.
    turned = walker(layout, seconds=COUNT * DT, speed=0.0, yaw=2.0).astype(np.float64)
    at = layout.column("sensor", layout.landmarks["left.knee"]["position"])
    turned[:, at : at + 2] += [ahead * np.cos(2.0) - left * np.sin(2.0), ahead * np.sin(2.0) + left * np.cos(2.0)]
    turned[:, at + 2] = 0.85 * hip
    assert least <= reached(layout, "raise the left knee", turned.astype(np.float32)) <= most


def test_a_lifted_foot_leaves_the_ground_alone(layout):
    assert reached(layout, "lift the left foot", posed(layout, **foot(layout, "left", 0.1))) == 1.0
    assert reached(layout, "lift the left foot", posed(layout, **foot(layout, "left", 0.1, tiptoe=True))) == 0.0
    both = foot(layout, "left", 0.1) | foot(layout, "right", 0.1)
    assert reached(layout, "lift the left foot", posed(layout, **both)) == 0.0
    assert reached(layout, "jump", posed(layout, **both)) == 1.0
    assert reached(layout, "jump", posed(layout, pelvis=0.2, **both)) == 0.0  # sitting with the feet up
    tiptoe = foot(layout, "left", 0.1, tiptoe=True) | foot(layout, "right", 0.1, tiptoe=True)
    assert reached(layout, "jump", posed(layout, **tiptoe)) == 0.0


def test_squatting_kneeling_and_sitting_are_told_apart(layout):
    knees = {f"{side}_knee": (0.0, 0.0, 0.2 * layout.standing[f"{side}_knee_height"]) for side in ("left", "right")}
    bent = {f"{side}_knee": (0.2, 0.0, 0.9 * layout.standing[f"{side}_knee_height"]) for side in ("left", "right")}
    squat, kneel, seat = (posed(layout, 0.6, **bent), posed(layout, 0.5, **knees), posed(layout, 0.12, **knees))
    said = {words: [reached(layout, words, motion) for motion in (squat, kneel, seat)] for words in ("squat", "kneel", "sit")}
    assert said["squat"] == [1.0, 0.0, 0.0] and said["kneel"][1:] == [1.0, 0.0] and said["kneel"][0] < 0.2
    assert said["sit"][0] < 0.6 and said["sit"][2] == 1.0
    assert reached(layout, "sit", posed(layout, 0.12, lean=LYING, **knees)) == 0.0  # that is lying


def test_who_stands_is_not_folded_over(layout):
    assert reached(layout, "stand upright", posed(layout)) == 1.0
    assert reached(layout, "stand upright", posed(layout, lean=LYING)) <= 0.5  # at rest, on its feet, and no more
    assert reached(layout, "stand upright", posed(layout, lean=quat_pitch(0.4))) == 1.0


@pytest.mark.parametrize("sentence", ["walk", "run", "lean forward"])
def test_what_is_asked_for_all_the_time_is_not_done_by_a_lunge(layout, sentence):
    lunge = walker(layout, seconds=0.5, speed=2.5, pitch=0.6)
    whole, short = (reached(layout, sentence, lunge, seconds=asked, ended=end) for asked, end in ((0.5, "time"), (3.0, "fell")))
    assert whole == 1.0 and short < 0.75


def test_a_pose_counts_for_as_long_as_it_was_held(layout):
    """Of an episode that fell shortly before its end, most of the last third is there; of one that fell earlier little is."""
    pose = posed(layout, left_knee=(0.4, 0.0, 0.85 * layout.standing["left_hip_height"]))
    goal, shares = goals.read("hold the left knee up"), []
    for count, end in ((COUNT, "time"), (54, "fell"), (44, "fell")):
        cut = episode(pose[:count], len(layout.muscles), seconds=COUNT * DT, ended=end)
        shares.append(goal_metrics.measure(goal, layout, cut))
    whole, late, early = (share[goals.REACHED] for share in shares)
    assert whole == 1.0 and 0.6 < late < 0.9 and early < 0.3
    assert [share[goals.HELD] for share in shares] == [True, False, False]
