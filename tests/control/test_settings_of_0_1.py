"""Settings of the version in which one configuration held every algorithm: the same planners, the same numbers, the same episodes' keys.

`planners-of-0.1.npz` holds what that version's functions gave for these settings, on these costs.
"""

from pathlib import Path

import numpy as np
import pytest

from movlr_jax.control.planners import CMA, ICEM, MPPI, Planner
from movlr_jax.morphologies.posture import PostureSpace
from movlr_jax.runs.config import RunConfig

RECORDED = Path(__file__).resolve().parents[1] / "data" / "planners-of-0.1.npz"
INDEX, LOWER, UPPER = np.arange(3), np.array([-1.0, -0.5, 0.0]), np.array([1.0, 0.7, 2.0])
SPACE = PostureSpace(("a", "b", "c"), INDEX, INDEX, LOWER, UPPER, coupled=(), noise=0.03)
SETTINGS = {
    "default": (MPPI, {}),
    "published": (MPPI, {"temperature": 0.1, "relative": False, "instant": 10, "instant_noise": False, "noise": 0.05, "law": "paper"}),
    "mean": (MPPI, {"temperature": 0.1, "relative": False, "instant": 10, "mean_candidate": True}),
    "knots": (MPPI, {"candidates": 12, "elites": 4, "knots": 3, "iterations": 2, "anneal": 0.5}),
    "covariance": (CMA, {"candidates": 12, "elites": 4, "covariance": 0.3, "instant": 0, "knots": 2}),
    "colour": (ICEM, {"candidates": 12, "elites": 4, "knots": 4, "colour": 2.0}),
    "keep": (ICEM, {"candidates": 12, "elites": 4, "keep": 3}),
    "colour_keep": (ICEM, {"candidates": 12, "elites": 4, "keep": 2, "knots": 3, "colour": 1.0, "mean_candidate": True}),
    "covariance_keep_colour": (CMA, {"candidates": 12, "elites": 4, "keep": 2, "knots": 3, "colour": 1.0, "covariance": 0.2}),
    "soft": (MPPI, {"temperature": 1e3, "relative": False, "candidates": 12}),
}
# Every value of that version's configuration, as its run folders have them.
WHOLE = {
    "candidates": 64, "elites": 6, "temperature": 0.5, "relative": True, "instant": 1, "instant_noise": True, "mean_candidate": False,
    "noise": None, "knots": 1, "iterations": 1, "anneal": 1.0, "covariance": 0.0, "colour": 0.0, "keep": 0, "horizon": 0.35,
    "plan_dt": 0.008, "replan": 0.02, "law": "auto", "gain": None,
}  # fmt: skip


def planner(values):
    return RunConfig.from_values({"planner": values}).planner


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_without_a_name_plan_as_they_did(name):
    kind, values = SETTINGS[name]
    made = planner(WHOLE | values)
    assert type(made) is kind and (made.value, made.quick) == (None, False)
    recorded = np.load(RECORDED)
    rngs = [np.random.default_rng(seed) for seed in (1, 2)]
    current = np.array([[0.1, 0.2, 0.5], [-0.4, 0.0, 1.5]])
    plan = made.init(SPACE, current)
    for k in range(3):
        noise, plan = made.draw(SPACE, rngs), made.shift(plan)
        for i in range(made.iterations):
            z = made.sample(SPACE, plan, current, made.anneal**i * noise[i])
            costs = 3 * np.square(z - 0.3).sum(axis=(2, 3))
            costs[0, 3] = np.inf
            if k == 1:
                costs[1] = np.inf  # all diverged
            plan, elites = made.update(SPACE, plan, z, costs)
    fields = {"mean": plan.mean, "sigma": plan.sigma, "covariance": getattr(plan, "covariance", None), "kept": getattr(plan, "kept", None)}
    there = {field: value for field, value in fields.items() if value is not None}
    assert set(there) == {n.rpartition("_")[2] for n in recorded.files if n.startswith(f"{name}_last_{i}_")} - {"elites"}
    for field, value in there.items():
        np.testing.assert_allclose(value, recorded[f"{name}_last_{i}_{field}"], rtol=1e-9, err_msg=field)
    assert np.array_equal(elites, recorded[f"{name}_last_{i}_elites"])


@pytest.mark.parametrize("name", SETTINGS)
def test_episodes_keep_the_keys_that_they_have(name):
    values = WHOLE | SETTINGS[name][1]
    assert planner(values).identity() == values


def test_a_plan_of_a_named_planner_is_known_by_its_name():
    kind, values = Planner.of_values({"name": "cem", "candidates": 8})
    assert kind(**values).identity()["name"] == "cem"


def test_a_run_s_configuration_goes_through_yaml():
    for kind, values in SETTINGS.values():
        config = RunConfig(planner=planner(values))
        assert RunConfig.from_yaml(config.to_yaml()) == config and isinstance(config.planner, kind)
