"""PPO on a small arm: it learns, it goes on as if it had not been interrupted, and it starts from planned motions."""

from __future__ import annotations

import dataclasses
import json

import jax
import numpy as np
import pytest
from support import arm

from movlr_jax.control.episode import EpisodeRunner
from movlr_jax.control.planners import MPPI
from movlr_jax.errors import MovlrError
from movlr_jax.learning.rl import distil
from movlr_jax.learning.rl.config import DistilConfig, PpoConfig, TrainConfig
from movlr_jax.learning.rl.policy import mean_reward
from movlr_jax.learning.rl.train import TrainingSetup, learner, train
from movlr_jax.rewards.features import feature_layout
from movlr_jax.rewards.reward import Reward
from movlr_jax.tracking import LocalTracker

pytest.importorskip("warp", reason="warp-lang is not installed")
pytest.importorskip("brax", reason="brax is not installed")

WORLDS, UNROLL, UPDATES = 128, 10, 20
CONFIG = TrainConfig(
    task="bend",
    engine="warp",
    worlds=WORLDS,
    steps=UPDATES * WORLDS * UNROLL,
    sim_dt=0.008,
    control_dt=0.024,
    starts=16,
    eval_every=10,
    eval_seeds=(1000, 1001),
    checkpoint_every=5,
    keep=5,
    clip_every=0,
    ppo=PpoConfig(unroll=UNROLL, learning_rate=1e-3, discount=0.95, minibatches=4, policy_layers=(64, 64), value_layers=(64, 64)),
)


@pytest.fixture(scope="module")
def asked():
    body = arm.load()
    return TrainingSetup(CONFIG, arm.TASK, body, Reward.unguarded("start", arm.REWARD, feature_layout(body)), np.arange(body.model.nu))


@pytest.fixture(scope="module")
def planned(asked, tmp_path_factory):
    """Two episodes that MPC2 planned, and the folder that they are saved in."""
    config = MPPI(candidates=16, elites=4, instant=4, horizon=0.24, replan=0.024)
    runner = EpisodeRunner.build(asked.morphology, config, "native", threads=1)
    rollouts = arm.TASK.episodes(runner, [(asked.reward, seed) for seed in CONFIG.eval_seeds])
    folder = tmp_path_factory.mktemp("planned")
    for rollout in rollouts:
        rollout.save(folder / f"rollout_{rollout.seed}.npz")
    return rollouts, folder


@pytest.fixture(scope="module")
def made(asked):
    """The learner; its programs are compiled once for all tests."""
    return learner(asked)


@pytest.fixture
def once(made, monkeypatch):
    from movlr_jax.learning.rl import train as module

    monkeypatch.setattr(module, "learner", lambda asked: made)


def rows(folder):
    """Return the lines of metrics.jsonl without the clock's."""
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k != "steps_per_s"} for line in lines]


def leaves(folder, update, made):
    from movlr_jax.learning.rl import checkpoint

    with checkpoint.opened(folder) as checkpoints:
        return jax.tree.leaves(checkpoints.restore(update, made.init(0)))


class Killed(Exception):
    """In place of a signal."""


def test_it_learns_and_an_interruption_changes_nothing(asked, planned, made, once, tmp_path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    whole.mkdir(), cut.mkdir()
    train(asked, whole, [LocalTracker(whole)], None, lambda update, scalars: None)
    curve = {row["iteration"]: row["evaluation/mean_reward"] for row in rows(whole) if "evaluation/mean_reward" in row}
    reference = float(np.mean([mean_reward(rollout) for rollout in planned[0]]))
    assert list(curve) == [0, 10, 20] and reference > curve[0] + 2.0
    assert curve[UPDATES] > curve[0] + 0.5 * (reference - curve[0])

    def kill(update, scalars):
        if update == 6:
            raise Killed

    def interrupt(update, scalars):
        if update == 8:
            raise KeyboardInterrupt

    shorter = dataclasses.replace(asked, config=dataclasses.replace(CONFIG, steps=10 * WORLDS * UNROLL))
    for stop, stopped in ((kill, Killed), (interrupt, KeyboardInterrupt)):
        with pytest.raises(stopped):
            train(shorter, cut, [LocalTracker(cut)], None, stop)
    train(shorter, cut, [LocalTracker(cut)], None, lambda update, scalars: None)
    assert rows(cut) == [row for row in rows(whole) if row["iteration"] <= 10]
    found, want = leaves(cut, 10, made), leaves(whole, 10, made)
    assert len(found) == len(want) > 50 and all(np.array_equal(a, b) for a, b in zip(found, want, strict=True))


def test_an_end_is_charged_and_a_truncation_is_not(made, asked):
    env = made.env
    at = jax.jit(env.reset)(jax.random.PRNGKey(0))
    step = jax.jit(env.step)
    late = np.array(at.steps)
    late[:2] = env.length - 1, 3
    speed = np.array(at.state.qvel)
    speed[1] = np.nan
    at = dataclasses.replace(at, steps=jax.numpy.asarray(late), state=dataclasses.replace(at.state, qvel=jax.numpy.asarray(speed)))
    after = step(at, np.zeros((WORLDS, 6), np.float32))
    truncated, ended, done = (np.asarray(x) for x in (after.info["truncation"], after.info["ended"], after.done))
    assert truncated[:2].tolist() == [1.0, 0.0] and ended[:2].tolist() == [0.0, 1.0] and done[:2].tolist() == [1.0, 1.0]
    assert np.array_equal(done, truncated + ended) and ended.sum() == 1 and np.isfinite(np.asarray(after.obs)).all()
    rewards = np.asarray(after.info["terms"]) @ asked.reward.weights
    missed = env.length - 4  # control steps after the fourth, which broke
    stays = sum(0.95**i for i in range(missed + 1))
    assert np.asarray(after.reward)[[0, 1]] == pytest.approx([rewards[0], rewards[1] * stays], rel=1e-4)
    assert np.array_equal(np.asarray(after.steps)[done == 1.0], np.zeros(int(done.sum()))) and float(after.state.time[0]) == 0.0
    # The reward is the artifact's, of the last instant and of the one before.
    instant, before = np.asarray(after.instant)[2], np.asarray(at.instant)[2]
    assert done[2] == 0.0 and rewards[2] == pytest.approx(
        asked.reward.terms(np.concatenate([instant, before])[None])[0] @ asked.reward.weights
    )
    assert instant[env.simulator.columns["dt"][0]] == pytest.approx(CONFIG.control_dt)


def test_cloning_starts_from_what_was_planned(made, planned, tmp_path):
    rollouts, folder = planned
    config = DistilConfig(rollouts=(str(folder),), updates=200, batch=64)
    training, told = distil.clone(made, made.init(0), config, 0)
    assert told["instants"] == sum(len(rollout.time) for rollout in rollouts)
    assert told["last_loss"] < told["first_loss"] and told["error"] < 0.5 * told["untrained_error"]
    assert int(training.updates) == 0 and np.asarray(training.observed.mean).any()
    with pytest.raises(MovlrError, match="holds no episode"):
        distil.files([str(tmp_path)])
    with pytest.raises(MovlrError, match="of another body"):
        distil.recorded(distil.files([str(folder)]), 7)
    (tmp_path / "rollout.npz").write_bytes(b"no")
    with pytest.raises(MovlrError, match="is no recorded episode"):
        distil.recorded(distil.files([str(tmp_path)]), 7)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"engine": "native"}, "train on warp or jax"),
        ({"control_dt": 0.01, "sim_dt": 0.004}, "a whole number of steps"),
        ({"worlds": 10}, "cannot be cut into 8 minibatches"),
        ({"eval_seeds": ()}, "eval_seeds is empty: give at least one number"),
    ],
)
def test_settings_that_no_training_can_have(values, sentence):
    with pytest.raises(MovlrError, match=sentence):
        TrainConfig(**values)
