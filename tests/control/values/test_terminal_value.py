"""Terminal values in the planner: a plan goes where the value is higher, no weight changes no bit, and a reward's scale does not matter."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from movlr_jax import tasks
from movlr_jax.control import episode, values
from movlr_jax.control.planners import CEM, MPPI
from movlr_jax.control.values.base import valued
from movlr_jax.errors import MovlrError
from movlr_jax.physics.instant import Frame
from movlr_jax.rewards.features import feature_layout
from movlr_jax.rewards.reward import Reward, RewardBatch

SMALL = {"horizon": 0.12, "candidates": 16, "elites": 4}


class BentKnee(values.TerminalValue):
    """0 at a right knee bent by a radian, -1 at a straight one."""

    name = "bent-knee"

    def __init__(self, layout):
        self._at = layout.column("qpos", layout.joints["knee_angle_r"][0])

    def __call__(self, instants):
        xp = instants.__array_namespace__()
        return xp.clip(instants[..., self._at], 0.0, 1.0) - 1.0


@pytest.fixture
def bent_knee(monkeypatch):
    monkeypatch.setitem(values.VALUES._objects, BentKnee.name, BentKnee)


def plans(body, planner, count=3):
    """Return the postures of a few plans from the standing start, and the report of the last."""
    task = tasks.get("stand")
    runner = episode.EpisodeRunner.build(body, planner, "native", threads=2)
    reward = RewardBatch([Reward.trusted("human", task.rewards["human"], feature_layout(body))])
    start, rng = task.start(body, 0), np.random.default_rng(0)
    state = runner.simulator.reset(start.qpos, start.act)
    plan = runner.horizon.first(state)
    for _ in range(count):
        plan, report = runner.horizon.plan(state, plan, [Frame()], reward, runner.horizon.draw([rng]))
    return plan.mean[0, 0], report


def test_a_plan_goes_where_the_value_is_higher(myolegs, bent_knee):
    knee = myolegs.posture.names.index("knee_angle_r")
    (without, _), (light, _), (heavy, report) = (
        plans(myolegs, MPPI(**SMALL, value=name, value_weight=weight))
        for name, weight in ((None, 1.0), ("bent-knee", 1.0), ("bent-knee", 1e5))
    )
    assert heavy[knee] > without[knee] + 0.05 and heavy[knee] > light[knee]
    assert np.isfinite(report.best_cost).all()


def test_a_weight_of_0_plans_the_same_bits(myolegs, bent_knee):
    (without, _), (none, _) = (plans(myolegs, MPPI(**SMALL, **more)) for more in ({}, {"value": "bent-knee", "value_weight": 0.0}))
    assert np.array_equal(without, none)


def test_a_value_weighs_the_same_whatever_the_scale_of_the_reward():
    rng = np.random.default_rng(0)
    costs, value = rng.uniform(-3, 3, (2, 40)), -rng.uniform(0, 1, (2, 40))
    costs[1, :30] = np.inf
    small, large = (valued(scale * costs, value, 2.0) / scale for scale in (1e-4, 1e4))
    np.testing.assert_allclose(small, large)
    assert np.isinf(small[1, :30]).all() and np.isfinite(small[1, 30:]).all()
    sound = np.sort(costs[1, 30:])
    np.testing.assert_allclose(valued(costs, value, 2.0)[1, 30:], costs[1, 30:] - 2.0 * (sound[6] - sound[2]) * value[1, 30:])


def test_a_value_orders_candidates_only_as_far_as_their_danger_differs():
    costs = np.random.default_rng(0).uniform(0, 1, (1, 20))
    assert np.array_equal(np.argsort(valued(costs, np.full((1, 20), -0.7), 10.0)), np.argsort(costs))
    falls = np.where(np.arange(20) == np.argmin(costs), -1.0, 0.0)[None]
    assert np.argmax(valued(costs, falls, 10.0)) == np.argmin(costs)


def test_candidates_that_diverge_or_have_no_value_are_never_best_and_jax_agrees():
    costs = np.array([[1.0, np.inf, 2.0, 3.0], [np.inf] * 4, [5.0] * 4])
    value = np.array([[np.nan, 0.0, -0.5, 0.0], [-1.0] * 4, [0.0, -1.0, -0.5, -0.2]])
    out = valued(costs, value, 2.0)
    assert np.isinf(out[0, :2]).all() and np.isfinite(out[0, 2:]).all() and np.isinf(out[1]).all()
    assert list(np.argsort(out[2])) == [0, 3, 2, 1]  # which all earn the same
    np.testing.assert_allclose(jax.jit(lambda c, v: valued(c, v, 2.0))(jnp.asarray(costs), jnp.asarray(value)), out, rtol=1e-6)


def test_episodes_without_a_value_keep_the_keys_that_they_have():
    assert not {"value", "value_weight"} & MPPI().identity().keys() and not {"value", "value_weight"} & CEM().identity().keys()
    known = MPPI(value="capture", value_weight=3.0).identity()
    assert (known["value"], known["value_weight"]) == ("capture", 3.0) and known.keys() - MPPI().identity().keys() == {
        "value",
        "value_weight",
    }


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"value": "capturee"}, "There is no terminal value 'capturee': did you mean"),
        ({"value": "capture", "value_weight": -1.0}, "planner.value_weight is -1.0: give 0 or more"),
        ({"value": "capture", "value_weight": float("nan")}, "planner.value_weight is nan"),
    ],
)
def test_settings_of_no_value_are_refused_in_one_sentence(settings, sentence):
    with pytest.raises(MovlrError, match=sentence):
        MPPI(**settings)
