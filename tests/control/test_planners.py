"""The planner: sampling, the MPPI update against plain numpy, diverged candidates, repeatability, and that it plans at all."""

import gc
import weakref
from dataclasses import replace
from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import signal

from movlr_jax import tasks
from movlr_jax.control import episode
from movlr_jax.control.planners import CEM, CMA, ICEM, LPMPPI, MPPI, PLANNERS, Planner, PlanState, RecedingHorizon
from movlr_jax.errors import MovlrError
from movlr_jax.physics.instant import Frame
from movlr_jax.physics.native import NativeSimulator
from movlr_jax.rewards.features import feature_layout
from movlr_jax.rewards.reward import Reward


@pytest.fixture(scope="module")
def space(myolegs):
    return myolegs.posture


def noise(space, config, *seeds):
    return config.draw(space, [np.random.default_rng(seed) for seed in seeds])[0]


def test_candidates_keep_their_roles_and_the_limits(space):
    config = MPPI(instant=10, mean_candidate=True)
    plan = PlanState(np.stack([0.5 * (space.lower + space.upper)] * 2)[:, None], np.full((2, 1, space.size), 0.05))
    current = np.stack([space.lower, space.upper])
    draws = noise(space, config, 0, 1)
    z = config.sample(space, plan, current, draws)
    assert z.shape == (2, config.candidates, 1, space.size)
    assert (z >= space.lower).all() and (z <= space.upper).all()
    assert np.array_equal(z[:, 0], plan.mean) and np.array_equal(z[:, 1, 0], current)
    assert not np.array_equal(z[:, 2, 0], current)
    spread = (z[:, 1 + config.instant :] - plan.mean[:, None]) / space.range
    assert spread.std() == pytest.approx(0.05, rel=0.15)
    published = MPPI.published()
    released = published.sample(space, plan, current, noise(space, published, 0, 1))
    assert (released[:, :10] == current[:, None, None]).all() and not np.array_equal(released[:, 10], plan.mean)
    # An episode's candidates are its own seed's, whoever its neighbours are.
    alone = config.sample(space, PlanState(plan.mean[1:], plan.sigma[1:]), current[1:], noise(space, config, 1))
    assert np.array_equal(alone[0], z[1])


def test_noise_is_the_body_s_own_unless_asked_for(space):
    calm, middle = replace(space, noise=0.03), 0.5 * (space.lower + space.upper)
    plan = PlanState(middle[None, None], np.zeros((1, 1, space.size)))
    for body, config, wanted in (
        (space, MPPI(), 0.05),
        (calm, MPPI(), 0.03),
        (calm, MPPI(noise=0.08), 0.08),
        (calm, MPPI.published(), 0.05),
    ):
        z = config.sample(body, plan, plan.mean[:, 0], noise(body, config, 0))[:, config.instant :]
        assert ((z - plan.mean) / space.range).std() == pytest.approx(wanted, rel=0.05)
        assert (config.init(body, plan.mean[:, 0]).sigma == wanted).all()


def test_update_is_mppi_over_elites(space):
    config = MPPI(candidates=20, elites=4, temperature=0.5, relative=False)
    rng = np.random.default_rng(1)
    z, costs = rng.uniform(space.lower, space.upper, (3, 20, 1, space.size)), rng.uniform(0, 3, (3, 20))
    plan = PlanState(z[:, 0], np.full((3, 1, space.size), 0.05))
    new, elites = config.update(space, plan, z, costs)
    for e in range(3):
        best = np.argsort(costs[e])[:4]
        weights = np.exp(-(costs[e, best] - costs[e].min()) / 0.5)
        mean = (weights[:, None] * z[e, best, 0]).sum(0) / weights.sum()
        sigma = np.sqrt((weights[:, None] * ((z[e, best, 0] - mean) / space.range) ** 2).sum(0) / weights.sum())
        assert list(elites[e]) == list(best)
        assert np.allclose(new.mean[e, 0], mean) and np.allclose(new.sigma[e, 0], np.maximum(sigma, 0.05))


def test_a_relative_temperature_weighs_the_same_whatever_the_scale_of_the_reward(space):
    config = MPPI(candidates=20, elites=4, temperature=0.5)
    rng = np.random.default_rng(1)
    z, costs = rng.uniform(space.lower, space.upper, (1, 20, 1, space.size)), rng.uniform(0, 3, (1, 20))
    plan = PlanState(z[:, 0], np.full((1, 1, space.size), 0.05))
    means = [config.update(space, plan, z, scale * costs)[0].mean for scale in (1.0, 1e-4, 1e4)]
    assert np.allclose(means[0], means[1]) and np.allclose(means[0], means[2])
    best = np.argsort(costs[0])[:4]
    above = costs[0, best] - costs.min()
    weights = np.exp(-above / (0.5 * np.sqrt(np.square(above).mean())))
    assert np.allclose(means[0][0, 0], (weights[:, None] * z[0, best, 0]).sum(0) / weights.sum())
    same = config.update(space, plan, z, np.full((1, 20), 3.0))[0].mean
    assert np.allclose(same[0, 0], z[0, :4, 0].mean(0))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"candidates": 0}, "planner.candidates is 0: give a finite number above 0"),
        ({"temperature": float("nan")}, "planner.temperature is nan"),
        ({"noise": -0.1}, "planner.noise is -0.1"),
        ({"horizon": float("inf")}, "planner.horizon is inf: give a finite"),
        ({"gain": 0.0}, "planner.gain is 0.0"),
        ({"instant": -1}, "planner.instant is -1: give 0 or more"),
        ({"covariance": 1.5}, "planner.covariance is 1.5: give at most 1"),
        ({"name": "cma", "covariance": 0.0}, "planner.covariance is 0.0: give a finite number above 0"),
        ({"knots": 45}, "the 44 steps of a horizon of 0.35 s"),
        ({"keep": 7}, "there are 6 elites"),
        ({"candidates": 2, "keep": 2}, "room for 1 candidates"),
        ({"name": "cme"}, "There is no planner 'cme': did you mean"),
    ],
)
def test_settings_that_make_no_plan_are_refused_in_one_sentence(settings, sentence):
    with pytest.raises(MovlrError, match=sentence):
        made(settings)


def made(values):
    kind, settings = Planner.of_values(values)
    return kind(**settings)


def test_diverged_candidates_are_never_elites(space):
    config = MPPI(candidates=8, elites=6)
    z = np.random.default_rng(2).uniform(space.lower, space.upper, (2, 8, 1, space.size))
    plan = PlanState(z[:, 0], np.full((2, 1, space.size), 0.07))
    costs = np.full((2, 8), np.inf)
    costs[0, [1, 3]] = 3.0, 1.0
    new, elites = config.update(space, plan, z, costs)
    assert list(elites[0]) == [3, 1, -1, -1, -1, -1] and np.isfinite(new.mean).all()
    assert (elites[1] == -1).all()
    assert np.array_equal(new.mean[1], plan.mean[1]) and np.array_equal(new.sigma[1], plan.sigma[1])


@pytest.fixture(scope="module")
def runner(myolegs):
    config = MPPI(horizon=0.2).with_candidates(16)
    return episode.EpisodeRunner.build(myolegs, config, "native", threads=2)


def run(runner, body, seconds, seed, compiled=Reward.trusted):
    task = tasks.get("stand")
    reward = compiled("human", task.rewards["human"], feature_layout(body))
    return task.episode(runner, reward, seed, seconds=seconds)


def test_same_seed_same_bits_and_the_file_too(runner, myolegs, tmp_path):
    first, second, other = (run(runner, myolegs, 0.12, seed) for seed in (3, 3, 4))
    for name, value in first.arrays().items():
        assert np.array_equal(value, second.arrays()[name]), name
    assert not np.array_equal(first.qpos[-1], other.qpos[-1])
    first.save(tmp_path / "a.npz")
    second.save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    loaded = episode.Rollout.load(tmp_path / "a.npz")
    assert np.array_equal(loaded.instants, first.instants) and loaded.term_names == first.term_names


def test_thread_count_does_not_change_a_bit(runner, myolegs):
    single = NativeSimulator(myolegs, candidates=16, plan_dt=0.008, threads=1)
    other = episode.EpisodeRunner(single, runner.controller, runner.planner)
    assert np.array_equal(run(runner, myolegs, 0.06, 1).qpos, run(other, myolegs, 0.06, 1).qpos)


def test_planning_stands_where_holding_still_falls(runner, myolegs):
    rollout = run(runner, myolegs, 1.0, 0)
    height = rollout.instants[:, feature_layout(myolegs).column("sensor", feature_layout(myolegs).landmarks["pelvis"]["position"] + 2)]
    assert rollout.ended == "time" and height[-1] > 0.9 * height[0]  # the held activations alone are below 0.6 by then


def test_knots_move_towards_the_present_and_rounds_search_ever_nearer(myolegs, space):
    config = MPPI(knots=3, replan=0.035, horizon=0.35)  # a third of a knot's length
    mean = np.arange(3.0)[None, :, None] * np.ones((1, 3, space.size))
    later = config.shift(PlanState(mean, np.ones_like(mean)))
    assert np.allclose(later.mean[0, :, 0], [0.3, 1.3, 2.0]) and (later.sigma == 1.0).all()
    assert MPPI().shift(PlanState(mean, mean)).mean is mean


def test_a_plan_of_knots_and_rounds_moves_a_body(myolegs):
    settings = MPPI(horizon=0.16, knots=2, iterations=2, anneal=0.5, replan=0.02)
    runner = episode.EpisodeRunner.build(myolegs, settings.with_candidates(8), "native", threads=2)
    rollout = run(runner, myolegs, 0.1, 0)
    assert rollout.targets.shape == (5, myolegs.posture.size) and np.isfinite(rollout.costs).all()
    # The second posture is held in the second half of a rollout alone.
    start = tasks.get("stand").start(myolegs, 0)
    state = runner.simulator.reset(start.qpos, start.act)
    one = np.repeat(myolegs.posture.read(state.qpos)[:, None, None], 8, axis=1)
    bent = one + 0.2
    still, moved = (
        runner.simulator.rollout(state, runner.controller, np.concatenate([one, second], axis=2), 20, [Frame()]).instants.copy()
        for second in (one, bent)
    )
    assert np.array_equal(still[:, :, :11], moved[:, :, :11]) and not np.allclose(still[:, :, 14:], moved[:, :, 14:])


def test_coloured_noise_keeps_its_variance_and_moves_slowly_over_the_knots(space):
    config = ICEM(candidates=4000, knots=6, colour=2.0)
    z = noise(space, config, 0)[0]
    assert z.std(axis=0).mean() == pytest.approx(1.0, abs=0.02)
    apart = [(z[:, 0] * z[:, k]).mean() for k in range(1, 4)]
    assert apart[0] > 0.3 > apart[1] > apart[2]
    white = noise(space, MPPI(candidates=4000, knots=6), 0)[0]
    assert abs((white[:, 0] * white[:, 1]).mean()) < 0.02


def test_noise_over_knots_is_what_a_butterworth_filter_leaves(space):
    planner = LPMPPI(candidates=3000, knots=6, horizon=0.25, cutoff=3.0)
    z = noise(space, planner, 0)[0]
    assert z.std(axis=0).mean() == pytest.approx(1.0, abs=0.02)
    step = 0.001
    white = np.random.default_rng(0).standard_normal(400_000)
    low = signal.sosfilt(signal.butter(2, planner.cutoff, fs=1 / step, output="sos"), white)[2000:]
    for k in range(1, 6):
        apart = round(planner.between.times[k] / step)
        wanted = np.corrcoef(low[:-apart], low[apart:])[0, 1]
        assert (z[:, 0] * z[:, k]).mean() == pytest.approx(wanted, abs=0.05)
    with pytest.raises(MovlrError, match=r"planner\.knots is 1: noise is smooth over two or more"):
        LPMPPI(knots=1)


def test_covariance_learns_the_direction_in_which_the_elites_lie(space):
    config = CMA(candidates=400, elites=40, covariance=0.3, temperature=1e3, relative=False, instant=0)
    rng = np.random.default_rng(0)
    plan = config.init(space, 0.5 * (space.lower + space.upper)[None])
    valley = np.zeros(space.size)
    valley[:2] = 1.0, -1.0
    valley /= np.linalg.norm(valley)
    for _ in range(30):
        z = config.sample(space, plan, plan.mean[:, 0], config.draw(space, [rng])[0])
        away = (z - plan.mean[:, None])[:, :, 0] / space.range
        along = away @ valley
        plan, _ = config.update(space, plan, z, np.square(away - along[..., None] * valley).sum(axis=-1))
    values, vectors = np.linalg.eigh(plan.covariance[0, 0])
    assert abs(vectors[:, -1] @ valley) > 0.9 and values[-1] > 3 * values[-2]
    assert np.trace(plan.covariance[0, 0]) / space.size >= 0.99 * space.noise**2


def test_elites_of_a_plan_are_candidates_of_the_next(space):
    config = ICEM(candidates=30, elites=6, keep=3, knots=1)
    plan = config.init(space, space.lower[None])
    z = config.sample(space, plan, space.lower[None], noise(space, config, 0))
    costs = np.arange(30.0)[None]
    plan, _ = config.update(space, plan, z, costs)
    again = config.sample(space, plan, space.lower[None], noise(space, config, 1))
    assert z.shape == again.shape and np.array_equal(again[:, config.instant : config.instant + 3], z[:, :3])


def test_every_planner_plans_and_keeps_its_name(myolegs):
    for name, kind in PLANNERS.items():
        planner = kind(horizon=0.08).with_candidates(8)
        assert planner.name == name and made({"name": name}) == kind()
        rollout = run(episode.EpisodeRunner.build(myolegs, planner, "native", threads=1), myolegs, 0.04, 0)
        assert len(rollout.costs) == 2 and np.isfinite(rollout.costs).all()
    with pytest.raises(MovlrError, match=r"planner.name is cem, and these are the settings of mppi: name the planner alone"):
        MPPI(name="cem")


class Bowl:
    """A simulator and its rewards in one: the nearer a candidate's last posture is to the target, the better; candidate 2 diverges."""

    def __init__(self, space, target, xp):
        self.morphology, self.xp, self.target, self.posture_joints = SimpleNamespace(posture=space), xp, target, ()
        self.weights = np.ones((2, 2), np.float32)

    def put(self, array):
        return self.xp.asarray(array, None if self.xp is np else np.float32)

    def gathered(self, array):
        return array

    def rollout(self, state, controller, candidates, steps, frames):
        away = (candidates - self.target) / self.morphology.posture.range
        diverged = self.xp.arange(candidates.shape[1])[None] == 2
        return SimpleNamespace(instants=-(away**2).sum(axis=(2, 3)), diverged=self.xp.repeat(diverged, len(candidates), axis=0), kept=None)

    def means(self, instants):
        return instants, self.xp.stack([instants, 0.0 * instants], axis=2)


@pytest.mark.parametrize("name", ["mppi", "cem", "icem", "cma", "lp-mppi"])
def test_every_planner_finds_a_bowl_s_bottom_in_either_namespace(space, name):
    planner, target = PLANNERS[name](iterations=2, quick=False), 0.2 * space.lower + 0.8 * space.upper
    qpos = np.zeros((2, space.qpos_index.max() + 1))
    qpos[:, space.qpos_index] = 0.5 * (space.lower + space.upper)
    firsts = []
    for xp in (np, jnp):
        bowl = Bowl(space, target, xp)
        horizon = RecedingHorizon(bowl, None, planner)
        state, rngs = SimpleNamespace(qpos=bowl.put(qpos)), [np.random.default_rng(seed) for seed in (0, 1)]
        plan, reports = horizon.first(state), []
        for _ in range(40 if xp is np else 1):
            plan, report = horizon.plan(state, plan, [], bowl, horizon.draw(rngs))
            reports.append((plan.mean, report))
        firsts.append(np.asarray(reports[0][0]))
        assert all((np.asarray(report.diverged) == 1).all() and 2 not in np.asarray(report.elites) for _, report in reports)
        assert all((np.asarray(report.spread) > 0).tolist() == [[True, False]] * 2 for _, report in reports)
        if xp is np:
            away = np.square((plan.mean - target) / space.range).mean(axis=(1, 2)) ** 0.5
            assert (away < 0.05).all()  # as near as the floor of the noise lets it, from 0.3
    assert np.allclose(*firsts, atol=1e-4) and firsts[1].dtype == np.float32


def test_a_planner_of_another_kind_takes_over_what_was_set():
    planner = MPPI(candidates=32, temperature=0.3, law="paper").as_kind("icem")
    assert planner == ICEM(candidates=32, temperature=0.3, law="paper")
    assert planner.as_kind("cem") == CEM(candidates=32, law="paper") and planner.as_kind("icem") is planner


def test_a_runner_that_is_dropped_frees_its_worlds_at_once(myolegs):
    """Worlds are memory of C's that Python's collector does not see, so nothing may wait for it: it is off all the while."""
    gc.disable()
    try:
        runner = episode.EpisodeRunner.build(myolegs, MPPI().with_candidates(8), "native", threads=1)
        run(runner, myolegs, 0.02, 0, Reward.unguarded)  # compiled anew, which is what once held them
        worlds = weakref.ref(runner.simulator)
        del runner
        assert worlds() is None
    finally:
        gc.enable()
