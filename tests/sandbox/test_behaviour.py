"""The behaviour motions are what they say, and the judgement of them tells bad rewards from good."""

import numpy as np
import pytest

from movlr_jax.sandbox import behaviour, behaviour_motions
from movlr_jax.sandbox.behaviour_motions import COLLAPSES, EXTREMES, LYING, NAMES, STANDING, STEPPING, BehaviourMotions


def column(layout, name, axis):
    return layout.column("sensor", layout.landmarks[name]["position"] + axis)


def test_motions_are_what_they_say(layout, motions):
    assert set(motions.features) == set(NAMES)
    for rows in motions.features.values():
        assert rows.dtype == np.float32 and rows.shape[1] == 2 * layout.size and np.isfinite(rows).all()
    x, y, z = (column(layout, "pelvis", axis) for axis in range(3))
    tall = layout.standing["pelvis_height"]
    standing = motions.features[STANDING]
    np.testing.assert_allclose(standing[:, z], tall, atol=0.02)
    assert np.ptp(standing[:, : layout.size][:, layout.columns("qpos")], axis=0).max() == 0.0
    for name, axis, sign in zip(COLLAPSES, (x, x, y, y), (1, -1, 1, -1), strict=True):
        fall = motions.features[name]
        assert fall[-1, z] < 0.5 * tall and sign * (fall[-1, axis] - fall[0, axis]) > 0.2
    lying = motions.features[LYING]
    assert lying[:, z].max() < 0.5 * tall
    assert np.abs(lying[:, layout.columns("qvel")]).max() == 0.0
    stepping = motions.features[STEPPING]
    assert stepping[-1, x] - stepping[0, x] == pytest.approx(0.8 * 49 * 0.02, rel=0.02)
    knee = layout.column("qpos", layout.joints["knee_angle_l"][0])
    assert np.ptp(stepping[:, knee]) > 0.5
    # The previous instant is the one before; at the start, and among extremes, it may be the same.
    np.testing.assert_array_equal(stepping[1:, layout.size :], stepping[:-1, : layout.size])
    np.testing.assert_array_equal(motions.features[EXTREMES][0, layout.size :], motions.features[EXTREMES][0, : layout.size])


def test_motions_are_made_once(myolegs):
    assert behaviour_motions.generate(myolegs) is behaviour_motions.generate(myolegs)
    other = behaviour_motions.generate(myolegs, goal_speed=0.5)
    np.testing.assert_array_equal(
        np.delete(other.features[COLLAPSES[0]], [6, 6 + other.features[STANDING].shape[1] // 2], axis=1),
        np.delete(behaviour_motions.generate(myolegs).features[COLLAPSES[0]], [6, 6 + other.features[STANDING].shape[1] // 2], axis=1),
    )


def test_missing_motions_are_named():
    with pytest.raises(ValueError, match="lying still"):
        BehaviourMotions({STANDING: np.zeros((1, 2))})


def judged(motions, *columns, weights=None, archived=()):
    """Judge a reward whose terms are columns of the features."""
    names = [f"t{i}" for i in range(len(columns))]
    evaluate = lambda rows: np.stack([c(rows) if callable(c) else rows[:, c] for c in columns], axis=1)
    given = BehaviourMotions(motions.features, tuple(archived))
    return behaviour.judge(evaluate, dict(zip(names, weights or [1.0] * len(columns), strict=True)), given)


def test_a_reward_for_lying_may_reward_lying(layout, motions):
    low = lambda rows: -rows[:, column(layout, "pelvis", 2)]
    evaluate = lambda rows: low(rows)[:, None]
    refused = behaviour.judge(evaluate, {"low": 1.0}, motions)
    assert "Lying still earns" in refused.refusal
    asked = behaviour.judge(evaluate, {"low": 1.0}, motions, lying=True)
    assert not asked.refusal and asked.checks["standing beats lying"].startswith("not asked")
    # All else stays a fault.
    assert behaviour.judge(lambda rows: np.full((len(rows), 1), np.nan), {"low": 1.0}, motions, lying=True).refusal
    assert behaviour.judge(lambda rows: np.ones((len(rows), 1)), {"low": 1.0}, motions, lying=True).refusal


def test_good_and_bad(layout, motions):
    height = column(layout, "head", 2)
    good = judged(motions, height)
    assert good.refusal == "" and set(good.checks.values()) == {"passed"} and not good.warnings
    assert good.rewards[STANDING] > good.rewards[LYING]
    bad = judged(motions, height, weights=[-1.0])
    assert "Lying still earns" in bad.refusal and "term t0" in bad.refusal and bad.term == "t0"
    flat = judged(motions, lambda rows: np.zeros(len(rows)))
    assert "same on every motion" in flat.refusal
    part = judged(motions, height, lambda rows: np.ones(len(rows)))
    assert part.refusal == "" and any("t1 is the same" in w for w in part.warnings)
    huge = judged(motions, lambda rows: 1e7 * rows[:, height])
    assert "t0 reaches" in huge.refusal
    rare = judged(motions, lambda rows: np.where(rows[:, height] < 0.3, np.nan, rows[:, height]))
    assert "not a number on" in rare.refusal


def test_the_blame_is_on_the_term_that_earns_it(layout, motions):
    height = column(layout, "head", 2)
    bad = judged(motions, height, height, weights=[1.0, -5.0])
    assert bad.term == "t1"


def test_the_archive_only_warns(layout, motions):
    height = column(layout, "head", 2)
    archived = [(score, motions.features[name]) for score, name in enumerate((STANDING, STEPPING, COLLAPSES[0], LYING))]
    against = judged(motions, height, archived=archived)
    assert against.refusal == "" and any("pairs of earlier motions" in w for w in against.warnings)
    archived = [(-score, rows) for score, rows in archived]
    assert not judged(motions, height, archived=archived).warnings
