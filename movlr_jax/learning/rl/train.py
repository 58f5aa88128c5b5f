"""Training: updates, evaluations, checkpoints and curves of one training, in its folder.

    config.yaml, run.json       every value; versions, identifier, and for every muscle the action that it follows
    reward.py                   the reward's text
    distil.json                 how cloning went, where the policy was cloned first
    metrics.jsonl               one line every few updates: reward, terms, losses, evaluations
    checkpoints/UPDATE/         all of the training after that update, the newest few
    evaluations/UPDATE/         metrics.json, rollout.npz of the first seed, and now and then clip.mp4

A training that was killed goes on from its newest checkpoint; on a CPU it then computes what it would have computed anyway.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import jax
import numpy as np

from movlr_jax import atomic
from movlr_jax.control.episode import Rollout
from movlr_jax.errors import MovlrError
from movlr_jax.learning.rl import checkpoint, distil
from movlr_jax.learning.rl.actions import Actions
from movlr_jax.learning.rl.config import TrainConfig
from movlr_jax.learning.rl.environment import Environment
from movlr_jax.learning.rl.policy import Policy, mean_reward
from movlr_jax.learning.rl.ppo import Learner, Training
from movlr_jax.morphologies import Morphology
from movlr_jax.physics.mjx import MjxSimulator
from movlr_jax.physics.native import NativeSimulator
from movlr_jax.rewards.reward import Reward
from movlr_jax.tasks import Task, metrics
from movlr_jax.tracking import Tracker

LOG_EVERY = 5  # updates between two lines of metrics.jsonl
Films = Callable[[Rollout, Path], None]
Told = Callable[[int, dict[str, float]], None]


@dataclass(frozen=True)
class TrainingSetup:
    """What a training is about, found and compiled.

    Attributes:
        config: its values.
        task, morphology, reward: as they say.
        group_of: int[nu], for every muscle the action that it follows.
    """

    config: TrainConfig
    task: Task
    morphology: Morphology
    reward: Reward
    group_of: np.ndarray

    @property
    def seconds(self) -> float:
        """Length of an episode (s)."""
        return self.task.seconds

    @property
    def goal_speed(self) -> float:
        """Speed to aim for (m/s)."""
        return self.task.goal_speed


def learner(setup: TrainingSetup) -> Learner:
    """Return the learner of a training.

    Raises:
        MovlrError: Brax or the engine is not there, or the worlds do not fit.
    """
    config = setup.config
    hold = round(config.control_dt / config.sim_dt)
    room = dataclasses.replace(config.mjx, devices=1)
    simulator = MjxSimulator(
        setup.morphology, engine=config.engine, candidates=1, episodes=config.worlds, plan_dt=config.sim_dt, steps=hold, config=room
    )
    if simulator.episodes < config.worlds:
        raise MovlrError(f"{config.worlds} worlds do not fit: there is room for {simulator.episodes}. Lower --worlds.")
    env = Environment(
        setup.task,
        setup.reward,
        simulator,
        Actions(setup.group_of, setup.morphology.standing_act[setup.morphology.muscles.count :]),
        control_dt=config.control_dt,
        seconds=setup.seconds,
        goal_speed=setup.goal_speed,
        starts=config.starts,
        discount=config.ppo.discount,
    )
    return Learner(env, config.ppo)


class Evaluation:
    """Episodes of the policy as it is, on the native engine.

    Args:
        setup: what the training is about.
        found: its learner.
        folder: its folder.
        films: writes a clip; None: no clips.
    """

    def __init__(self, setup: TrainingSetup, found: Learner, folder: Path, films: Films | None):
        self._asked, self._folder, self._films = setup, folder, films
        self._policy = Policy(setup.morphology, found.env.actions, found.networks, setup.config.control_dt)
        self._simulator = NativeSimulator(setup.morphology, candidates=1, episodes=len(setup.config.eval_seeds))

    def __call__(self, training: Training, update: int, filmed: bool) -> tuple[dict[str, float], dict[str, Path]]:
        """Run and save the episodes; return the mean metrics by name, and the clip."""
        setup = self._asked
        rollouts = self._policy.episodes(
            training.params,
            training.observed,
            setup.task,
            setup.reward,
            self._simulator,
            setup.config.eval_seeds,
            seconds=setup.seconds,
            goal_speed=setup.goal_speed,
        )
        found = metrics.summarize([setup.task.measure(setup.morphology, r) | {"mean_reward": mean_reward(r)} for r in rollouts])
        place = self._folder / "evaluations" / f"{update:06d}"
        atomic.write_json(place / "metrics.json", found)
        atomic.write_npz(place / "rollout.npz", rollouts[0].arrays())
        videos = {}
        if filmed and self._films is not None:
            self._films(rollouts[0], place / "clip.mp4")
            videos = {"clip": place / "clip.mp4"}
        return {f"evaluation/{name}": float(value) for name, value in found["mean"].items() if value is not None}, videos


def train(setup: TrainingSetup, folder: Path, trackers: Sequence[Tracker], films: Films | None, told: Told) -> dict[str, float]:
    """Train until the updates are made, from the folder's newest checkpoint if there is one.

    Args:
        setup: what it is about.
        folder: its folder, which the caller has locked.
        trackers: are told of updates.
        films: writes the clip of an episode; None: no clips.
        told: is called after each update with its number and what was measured.

    Returns:
        what was measured last.

    Raises:
        MovlrError: something cannot be had, read or written.
        KeyboardInterrupt: interrupted; the last finished update is saved.
    """
    config = setup.config
    made = learner(setup)
    evaluation = Evaluation(setup, made, folder, films)
    scalars: dict[str, float] = {}
    with checkpoint.opened(folder, config.keep) as checkpoints:
        training = made.init(config.seed)
        done = checkpoints.latest()
        if done is not None:
            training = jax.device_put(checkpoints.restore(done, training), jax.devices()[0])
        else:
            if config.distil.rollouts:
                training, how = distil.clone(made, training, config.distil, config.seed)
                atomic.write_json(folder / "distil.json", how)
            done = 0
            scalars, _ = evaluation(training, 0, False)
            _log(trackers, 0, scalars | {"steps": 0.0}, {})
            checkpoints.save(0, training)
        try:
            for update in range(done + 1, config.updates + 1):
                began = time.monotonic()
                after, measured = made.update(training)
                scalars = {name: float(value) for name, value in jax.device_get(measured).items()}
                scalars |= {"steps": float(update * made.steps), "steps_per_s": made.steps / (time.monotonic() - began)}
                last = update == config.updates
                videos: dict[str, Path] = {}
                if last or update % config.eval_every == 0:
                    count = -(-update // config.eval_every)
                    means, videos = evaluation(after, update, bool(config.clip_every) and (last or count % config.clip_every == 0))
                    scalars |= means
                if last or update % LOG_EVERY == 0 or update % config.eval_every == 0:
                    _log(trackers, update, scalars, videos)
                training, done = after, update  # not before it is evaluated and logged: what is interrupted there is repeated
                if last or update % config.checkpoint_every == 0:
                    checkpoints.save(update, training)
                told(update, scalars)
        except KeyboardInterrupt:
            checkpoints.save(done, training)
            raise
    return scalars


def _log(trackers: Sequence[Tracker], update: int, scalars: dict[str, float], videos: dict[str, Path]) -> None:
    for tracker in trackers:
        tracker.log(update, scalars, {}, videos)
