"""Quick rollouts: those that go on have the bits that they would have had in company, elites stay, and exact planners are as before."""

from dataclasses import dataclass, replace

import mujoco
import numpy as np
import pytest

from movlr_jax import tasks
from movlr_jax.control import episode
from movlr_jax.control.planners import CEM, MPPI
from movlr_jax.control.planners.screening import Screening, foretold
from movlr_jax.morphologies import prepare
from movlr_jax.rewards.features import feature_layout
from movlr_jax.rewards.reward import Reward, RewardBatch

SMALL = MPPI(quick=True, candidates=16, elites=2, horizon=0.12, instant=1)


@dataclass(frozen=True)
class Unscreened(MPPI):
    """Quick, and all go on."""

    @property
    def cuts(self):
        return ()


class Moved:
    """A body on its way: a state, a reward that wants it forward, and the noise of its next plan."""

    def __init__(self, body):
        task = tasks.get("walk_flat")
        self.body, self.frames = body, [task.frame(task.start(body, 0))]
        self.rewards = RewardBatch([Reward.trusted("human", task.rewards["human"], feature_layout(body))])
        runner = self.runner(replace(SMALL, quick=False))
        start = task.start(body, 0)
        self.state = runner.simulator.reset(start.qpos, start.act)
        self.plan, rng = runner.horizon.first(self.state), np.random.default_rng(3)
        for _ in range(3):
            self.noise = runner.horizon.draw([rng])
            self.plan, _ = runner.horizon.plan(self.state, self.plan, self.frames, self.rewards, self.noise)
            self.state, _, _ = runner.simulator.advance(self.state, runner.controller, self.plan.mean[:, :1], 10, self.frames)

    def runner(self, planner):
        return episode.EpisodeRunner.build(self.body, planner, "native", threads=1)

    def rolled(self, planner):
        """Return what one round of candidates gives, quick or not."""
        runner = self.runner(planner)
        noise = runner.horizon.draw([np.random.default_rng(5)])
        postures = planner.sample(self.body.posture, runner.horizon.first(self.state), self.body.posture.read(self.state.qpos), noise[0])
        screen = Screening(planner, self.rewards, None, postures.shape[:2])
        args = (self.state, runner.controller, postures, planner.steps, self.frames)
        return runner.simulator.screened_rollout(*args, screen) if planner.quick else runner.simulator.rollout(*args)

    def planned(self, planner):
        return self.runner(planner).horizon.plan(self.state, self.plan, self.frames, self.rewards, self.noise)


@pytest.fixture(scope="module")
def moved(myolegs):
    return Moved(myolegs)


def test_what_is_foretold_of_straight_lines():
    level, rising = np.full((1, 1, 6), 3.0), np.arange(1.0, 7.0)[None, None]
    assert foretold(level, 10) == pytest.approx(3.0)
    assert foretold(rising, 6) == pytest.approx(3.5)  # nothing is left
    assert foretold(rising, 10) == pytest.approx((21 + 4 * 6 + 0.5 * 10) / 10)  # rises on at half its pace
    assert foretold(rising[..., :1], 4) == pytest.approx(1.0)  # one step has no trend


def test_cuts_keep_more_than_the_elites():
    assert MPPI().cuts == ((28, 32), (34, 16)) and CEM(candidates=16, elites=6).cuts == ((34, 15),)
    assert MPPI(candidates=4, elites=2).cuts == () and SMALL.cuts == ((10, 10), (12, 5))


@pytest.mark.parametrize(("planner", "strengths"), [(SMALL, False), (replace(SMALL, knots=2), True)])
def test_those_that_go_on_do_so_to_the_same_bits(moved, planner, strengths):
    whole = Unscreened(**vars(planner))
    if strengths:
        moved = Moved(moved.body)
        moved.state = replace(moved.state, peak_force=0.7 * moved.body.muscles.peak_force[None])
    some, all_of_them = moved.rolled(planner), moved.rolled(whole)
    assert some.kept.shape == (1, 5) and list(some.kept[0]) == sorted(some.kept[0]) and all_of_them.kept.shape == (1, 16)
    assert np.array_equal(some.instants[0], all_of_them.instants[0, some.kept[0]])
    exact = moved.rolled(replace(planner, quick=False))
    assert exact.kept is None
    error = np.abs(exact.instants - all_of_them.instants).max(axis=(0, 1, 2))
    c = {name: slice(*span) for name, span in feature_layout(moved.body).blocks.items()}
    assert error[c["qpos"]].max() < 1e-5 and error[c["act"]].max() < 1e-5


def test_a_report_counts_the_steps_that_were_simulated(moved):
    steps = [moved.planned(planner)[1].simulated[0] for planner in (replace(SMALL, quick=False), SMALL)]
    assert steps == [16 * 15, 16 * 10 + 10 * 2 + 5 * 3]


def test_a_quick_plan_has_the_elites_of_an_exact_one(moved):
    (quick, report), (exact, reference) = moved.planned(SMALL), moved.planned(replace(SMALL, quick=False))
    assert np.array_equal(report.elites, reference.elites) and report.diverged[0] == 0
    assert np.abs(quick.mean - exact.mean).max() < 1e-6
    assert report.best_cost == pytest.approx(reference.best_cost, rel=1e-5)


def test_a_terminal_value_is_asked_on_the_way_too(moved):
    valued = replace(SMALL, value="capture", value_weight=5.0)
    (quick, report), (_, reference) = moved.planned(valued), moved.planned(replace(valued, quick=False))
    assert np.array_equal(report.elites[:, 0], reference.elites[:, 0])
    assert np.isfinite(quick.mean).all()


def test_what_diverged_does_not_go_on(moved):
    screen = Screening(SMALL, moved.rewards, None, (1, 16))
    instants = moved.rolled(replace(SMALL, quick=False)).instants
    going, none = np.arange(16)[None], np.zeros((1, 16), bool)
    best = screen(going, instants, none, 5)
    bad = none.copy()
    bad[0, best[0]] = True
    assert not set(screen(going, instants, bad, 5)[0]) & set(best[0])


def test_an_exact_planner_is_known_as_before():
    assert "quick" not in MPPI(quick=False).identity() and MPPI().identity()["quick"] is True
    assert not MPPI.published().quick


def test_welded_bodies_are_one_and_move_alike(myolegs):
    body, ended = myolegs, []
    assert body.fused.nbody < body.lean.nbody
    assert [body.fused.joint(j).name for j in range(body.fused.njnt)] == [body.lean.joint(j).name for j in range(body.lean.njnt)]
    for model in (body.lean, body.fused):
        rng, data = np.random.default_rng(0), mujoco.MjData(model)
        data.qpos[:], data.act[:] = body.standing_qpos, body.standing_act
        for _ in range(10):
            data.ctrl[:] = rng.random(model.nu)
            mujoco.mj_step(model, data)
        ended.append(np.concatenate([data.qpos, data.qvel, data.act, data.actuator_length, data.sensordata / 1e3]))
    np.testing.assert_allclose(*ended, atol=1e-8)


def test_bodies_stay_apart_where_a_touch_sensor_would_feel_more():
    xml = """<mujoco><worldbody><body name="foot"><freejoint/><geom size="0.1"/><site name="sole" size="0.3"/>
      <body name="toe" pos="0.1 0 0"><geom size="0.05"/></body></body></worldbody>
      <sensor>{}</sensor></mujoco>"""
    for sensor, bodies in (('<touch site="sole"/>', 3), ("", 2)):
        spec = mujoco.MjSpec.from_string(xml.format(sensor))
        lean, fuse = prepare.leaned(spec, spec.compile())
        fused = fuse()
        assert (lean.nbody, fused.nbody) == (3, bodies)
