"""Goal metrics: of made-up motions whose numbers are known, and that an episode's record, its facts and the critic tell the same."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from support.synthetic import DT, episode, lowered, walker

from movlr_jax import goals, tasks
from movlr_jax.critics.offline import OfflineCritic, score
from movlr_jax.evaluation import measures
from movlr_jax.facts import Facts
from movlr_jax.tasks import goal_metrics

FREE, WALK = tasks.get("free"), tasks.get("walk_flat")
COUNT = 150  # 3 s


def squat(to: float, reached_at: float = 1.0) -> np.ndarray:
    return 1.0 - (1.0 - to) * np.clip(np.arange(COUNT) * DT / reached_at, 0.0, 1.0)


def judged(task, myolegs, layout, instants, **more):
    rollout = episode(instants, len(layout.muscles), **more)
    record = task.measure(myolegs, rollout)
    told = Facts.read(json.loads(json.dumps(measures.described(task, myolegs, rollout).to_json())))
    return record, OfflineCritic().critique(None, told), score(told)


def test_a_squat_that_is_held(myolegs, layout):
    record, critique, points = judged(FREE.with_sentence("squat down slowly and stay there"), myolegs, layout, lowered(layout, squat(0.8)))
    assert record["goal_pelvis_height"] == pytest.approx(0.8, abs=1e-3) and record["goal_moving_mps"] < 0.01
    assert record["goal_feet_down"] == 1.0 and record["goal_held"] is True and record["goal_reached"] == 1.0
    assert critique.success and points > 85


@pytest.mark.parametrize(
    ("spoilt", "kind"),
    [
        ({"to": 0.85}, "squat_too_high"),
        ({"to": 0.6, "reached_at": 3.0}, "not_held"),  # still sinking
        ({"to": 0.8, "lifted": "left"}, "foot_off_ground"),
    ],
)
def test_a_squat_that_is_not_held_is_no_success(myolegs, layout, spoilt, kind):
    lifted = spoilt.pop("lifted", "")
    instants = lowered(layout, squat(**spoilt), lifted=lifted)
    record, critique, _ = judged(FREE.with_sentence("squat down slowly and stay there"), myolegs, layout, instants)
    assert record["goal_held"] is False and record["goal_reached"] < 1.0
    assert not critique.success and kind in [f.kind for f in critique.faults] and "goal is met" not in critique.summary


def test_what_was_reached_for_a_moment_is_not_what_was_to_stay(myolegs, layout):
    there_and_back = 1.0 - 0.25 * np.sin(np.pi * np.clip(np.arange(COUNT) * DT / 2.0, 0.0, 1.0))
    instants = lowered(layout, there_and_back)
    record, critique, _ = judged(FREE.with_sentence("squat"), myolegs, layout, instants)
    assert record["goal_reached"] == 1.0 and "goal_held" not in record and critique.success
    record, critique, _ = judged(FREE.with_sentence("squat and stay there"), myolegs, layout, instants)
    assert record["goal_reached"] < 0.1 and not critique.success
    record, critique, _ = judged(FREE.with_sentence("squat, then stand up"), myolegs, layout, instants)
    assert record["goal_reached"] == 1.0 and record["goal_standing_height"] == pytest.approx(1.0)


def test_an_episode_that_ended_early_held_nothing(myolegs, layout):
    task = FREE.with_sentence("squat and stay there")
    fell = episode(lowered(layout, squat(0.8))[:140], len(layout.muscles), seconds=3.0, ended="fell")
    record = task.measure(myolegs, fell)
    assert record["goal_held"] is False and record["goal_moving_mps"] is None and record["goal_reached"] <= 1.0
    early = task.measure(myolegs, dataclasses.replace(fell, instants=fell.instants[:50], time=fell.time[:50]))
    assert early["goal_pelvis_height"] is None and early["goal_reached"] == 0.0
    blown = dataclasses.replace(fell, instants=np.full_like(fell.instants, np.nan), ended="diverged")
    assert task.measure(myolegs, blown)["goal_reached"] == 0.0


@pytest.mark.parametrize("task", [FREE, WALK])
def test_a_sentence_that_nothing_measures_is_no_success(myolegs, layout, task):
    instants = walker(layout, seconds=3.0, speed=0.8) if task.walks else lowered(layout, np.ones(COUNT))
    record, critique, points = judged(task.with_sentence("play the violin"), myolegs, layout, instants, goal_speed=task.goal_speed)
    assert (record["goal_reached"] is None) if task is FREE else record["goal_reached"] == pytest.approx(0.5, abs=0.02)
    assert not critique.success and points <= (60.0 if task is FREE else 80.0)
    assert "unmeasured" in [f.kind for f in critique.faults] and "met" not in critique.summary
    assert task.with_sentence("play the violin").metric == task.metric


def test_a_walk_without_raising_the_knee(myolegs, layout):
    task = FREE.with_sentence("walk forward without raising the knee")
    low = walker(layout, seconds=3.0, speed=0.8)
    record, critique, _ = judged(task, myolegs, layout, low)
    assert record["goal_reached"] == 1.0 and not {"unwanted", "not_walking"} & {f.kind for f in critique.faults}
    high = low.copy()
    at = layout.column("sensor", layout.landmarks["left.knee"]["position"])
    high[50:60, at] += 0.4  # in front of the hip
    high[50:60, at + 2] = layout.standing["left_hip_height"]
    record, critique, _ = judged(task, myolegs, layout, high)
    assert record["goal_reached"] == 0.0 and not critique.success and "unwanted" in [f.kind for f in critique.faults]


def test_kneeling_lying_and_jumping_have_their_numbers(myolegs, layout):
    knee = layout.standing["left_knee_height"]
    kneeling = lowered(layout, squat(0.6), up={"left.knee": 0.2 * knee})
    assert judged(FREE.with_sentence("kneel on the left knee"), myolegs, layout, kneeling)[0]["goal_reached"] == 1.0
    lying = lowered(layout, squat(0.08))
    record, critique, _ = judged(FREE.with_sentence("lie down"), myolegs, layout, lying)
    assert record["goal_reached"] == 1.0 and record["goal_body_height"] < 0.2 and not record["fell"] and critique.success
    assert judged(FREE.with_sentence("jump"), myolegs, layout, kneeling)[0]["goal_reached"] == 0.0


def test_a_body_without_the_landmark_is_not_measured(layout):
    goal = goals.read("squat and raise the left knee")
    legless = dataclasses.replace(layout, landmarks={k: v for k, v in layout.landmarks.items() if not k.endswith("knee")})
    assert goal_metrics.lacking(goal, legless) == ("goal_left_knee_height",)
    assert "lacks the landmarks" in " ".join(goal.measures(goal_metrics.lacking(goal, legless)))
    record = goal_metrics.measure(goal, legless, episode(lowered(layout, squat(0.8)), len(layout.muscles)))
    assert record["goal_left_knee_height"] is None and record["goal_reached"] == 0.5


def test_named_tasks_with_a_way_to_go_keep_their_records(myolegs, layout):
    rollout = episode(walker(layout, seconds=1.0), len(layout.muscles))
    assert not [name for name in WALK.measure(myolegs, rollout) if name.startswith("goal_")]
    assert WALK.with_sentence(WALK.sentence) is WALK and WALK.with_sentence(" ") is WALK
