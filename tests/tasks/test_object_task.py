"""Object tasks: seeded goals, starts that carry the object along, drops, and errors whose values are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from movlr_jax import tasks
from movlr_jax.control.episode import EpisodeRunner, Rollout
from movlr_jax.control.planners import MPPI
from movlr_jax.physics.gait import GAIT_FIELDS
from movlr_jax.physics.instant import Instants
from movlr_jax.rewards.features import feature_layout
from movlr_jax.rewards.motion import Motion, MotionError
from movlr_jax.rewards.reward import Reward
from movlr_jax.rewards.rotation import angle_between
from movlr_jax.rewards.vocabulary import vocabulary
from movlr_jax.tasks import object_task
from movlr_jax.tasks.gates import Gates


def test_the_angle_between_rotations_is_the_smallest_turn():
    rng = np.random.default_rng(0)
    a, b = (Rotation.random(50, random_state=rng) for _ in range(2))
    first, second = (r.as_quat(scalar_first=True) for r in (a, b))
    want = (a.inv() * b).magnitude()
    np.testing.assert_allclose(angle_between(first, second, np), want, atol=1e-5)
    np.testing.assert_allclose(angle_between(first, -second, np), want, atol=1e-5)  # two quaternions, one rotation
    np.testing.assert_allclose(angle_between(first, first, np), 0.0, atol=1e-5)


def posed(body, frame, shift=(0.0, 0.0, 0.0), turn=None):
    """One instant of the settled hand with its object moved and turned: float32[f]."""
    qpos, at = body.standing_qpos.copy(), int(body.model.joint("object").qposadr[0])
    qpos[at : at + 3] += shift
    if turn is not None:
        qpos[at + 3 : at + 7] = turn
    return Instants(body).at_rest(qpos, np.zeros(body.model.na), frame.row(), 0.02)


@pytest.mark.models
def test_goals_and_starts_follow_the_seed(bottle_hand, cube_hand):
    for name, body in (("bottle_pour", bottle_hand), ("cube_rotate", cube_hand)):
        task = tasks.get(name)
        assert task.target(3) == task.target(3) != task.target(4)
        assert np.linalg.norm(task.target(3)[3:]) == pytest.approx(1.0)
        a, b = (task.start(body, seed).qpos for seed in (0, 1))
        at = int(body.model.joint("object").qposadr[0])
        moved = np.abs(a - b)[at : at + 3]
        assert 0.0 < moved.max() < 0.05
        assert bool(moved[2] == 0.0) is body.thing.stands  # what stands on the table is moved along it
        assert task.frame(task.start(body, 0), seed=0).row()[6:13] == pytest.approx(task.target(0), abs=1e-6)


@pytest.mark.models
def test_errors_are_those_of_the_motion_and_of_the_record(cube_hand):
    body, layout, task = cube_hand, feature_layout(cube_hand), tasks.get("cube_rotate")
    frame = task.frame(task.start(body, 5), seed=5)
    wanted = np.array(task.target(5))
    here = body.standing_qpos[int(body.model.joint("object").qposadr[0]) :][:3]
    there = posed(body, frame, shift=wanted[:3] - here, turn=wanted[3:])
    away = posed(body, frame, shift=wanted[:3] - here + [0.0, 0.03, 0.04], turn=[1.0, 0.0, 0.0, 0.0])
    angle = Rotation.from_quat(wanted[3:], scalar_first=True).magnitude()
    for instant, distance, turn in ((there, 0.0, 0.0), (away, 0.05, angle)):
        goal = Motion(layout, np.concatenate([instant, instant])).goal
        assert float(goal.object_position_error) == pytest.approx(distance, abs=1e-4)
        assert float(goal.object_orientation_error) == pytest.approx(turn, abs=2e-3)
    instants, empty = np.stack([there, away]), np.zeros((2, 1))
    rollout = Rollout(
        5, 1.0, 0.2, "dropped", np.array([0.0, 0.2]), empty, empty, empty, instants, empty, ("t",), np.ones(1), empty, empty[:, 0],
        np.zeros(2, int), 0.0,
    )  # fmt: skip
    record = task.measure(body, rollout)
    assert record["position_error_m"] == pytest.approx(0.025, abs=1e-4)
    assert record["final_position_error_m"] == pytest.approx(0.05, abs=1e-4)
    assert record["final_orientation_error_rad"] == pytest.approx(angle, abs=2e-3)
    assert record["dropped"] and not record["fell"]
    assert task.gates({"mean": {}, "episodes": [record] + [record | {"dropped": False}] * 1}) == Gates(diverged=False, fell=0.5)


@pytest.mark.models
@pytest.mark.parametrize(("shift", "dropped"), [((0, 0, 0), False), ((0.1, 0, -0.1), False), ((0, 0, -0.16), True), ((0.3, 0, 0), True)])
def test_a_drop_is_the_object_far_below_or_out_of_reach(cube_hand, shift, dropped):
    task = tasks.get("cube_rotate")
    instant = posed(cube_hand, task.frame(task.start(cube_hand, 0)), shift=shift)
    assert bool(object_task.dropped(feature_layout(cube_hand), instant)) is dropped
    assert task.fallen(cube_hand)(instant) is dropped


@pytest.mark.models
def test_an_episode_of_the_hand_runs_and_keeps_no_gait(bottle_hand):
    task, layout = tasks.get("bottle_pour"), feature_layout(bottle_hand)
    runner = EpisodeRunner.build(bottle_hand, MPPI(candidates=4, elites=2, instant=1, horizon=0.08, replan=0.02), "native", threads=1)
    rollout = task.episode(runner, Reward.trusted("human", task.rewards["human"], layout), 1, seconds=0.06)
    assert rollout.ended == "time" and np.isfinite(rollout.terms).all()
    assert not rollout.instants[:, layout.columns("gait")].any() and layout.blocks["gait"][1] - layout.blocks["gait"][0] == 2 * len(
        GAIT_FIELDS
    )
    record = task.measure(bottle_hand, rollout)
    assert "distance_m" not in record and not record["dropped"] and record["drop_time_s"] is None


@pytest.mark.models
def test_what_a_body_lacks_is_refused_and_not_offered(bottle_hand, layout):
    hand = feature_layout(bottle_hand)
    offered = vocabulary(hand)
    assert "m.goal.object_position_error" in offered and "foot.in_contact" not in offered
    assert "object" not in vocabulary(layout).replace("no object", "")
    walking = Motion(layout, np.zeros(2 * layout.size, np.float32))
    for ask in (lambda: walking.object, lambda: walking.goal.object_orientation_error):
        with pytest.raises(MotionError, match="myolegs has no landmark 'object'"):
            ask()
    with pytest.raises(MotionError, match=r"has no landmark 'left\.foot'"):
        _ = Motion(hand, np.zeros(2 * hand.size, np.float32)).left.foot
