"""Trained policies: a training's folder or one of its checkpoints becomes a policy, and its episodes.

In: a path. Out: what the policy was trained on, and executed episodes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from movlr_jax.control.episode import Rollout
from movlr_jax.control.episode_config import EpisodeSettings
from movlr_jax.errors import MovlrError
from movlr_jax.learning.rl import brax_compat, checkpoint, training_folder
from movlr_jax.learning.rl.actions import Actions
from movlr_jax.learning.rl.observation import Observation
from movlr_jax.learning.rl.policy import Policy
from movlr_jax.learning.rl.ppo import Networks
from movlr_jax.media import next_steps
from movlr_jax.morphologies import Morphology
from movlr_jax.physics.native import NativeSimulator
from movlr_jax.rewards.reward import Reward
from movlr_jax.tasks import Task


@dataclass(frozen=True)
class Trained:
    """A policy and what it was trained on.

    Attributes:
        policy, params, observed: the policy with its parameters and statistics.
        task, morphology, reward, goal_speed: what it was trained on, or what was asked for in their place.
        named: the word that its reward was asked for by.
    """

    policy: Policy
    params: Any
    observed: Any
    task: Task
    morphology: Morphology
    reward: Reward
    goal_speed: float
    named: str


def load(path: Path, task: str | None = None, morphology: str | None = None, injury: tuple[str, ...] = ()) -> Trained:
    """Return the policy of a training's newest checkpoint, or of the checkpoint named.

    Args:
        path: the training's folder, or checkpoints/UPDATE in it.
        task, morphology, injury: in place of the training's own; the body must have the same muscles and joints.

    Raises:
        MovlrError: there is no policy, or it is one for another body.
    """
    brax_compat.parts()
    update = int(path.name) if path.parent.name == checkpoint.FOLDER and path.name.isdigit() else None
    folder = path if update is None else path.parent.parent
    config = training_folder.found(folder)
    changed = {
        "task": task or config.task,
        "morphology": morphology or config.morphology,
        "injury": injury or config.injury,
    }
    setup = training_folder.of_folder(folder, dataclasses.replace(config, **changed))  # type: ignore[arg-type]
    body = setup.morphology
    if len(setup.group_of) != body.model.nu:
        raise MovlrError(f"The policy excites {len(setup.group_of)} muscles, and {body.name} has {body.model.nu}.")
    actions, observation = Actions(setup.group_of, body.standing_act[body.muscles.count :]), Observation(body)
    networks = Networks(observation.size, actions.size, config.ppo)
    if not (folder / checkpoint.FOLDER).is_dir():
        raise MovlrError(f"{folder} holds no checkpoint yet: let the training save one, or go on with {next_steps.train(folder)}.")
    with checkpoint.opened(folder, read_only=True) as checkpoints:
        wanted = checkpoints.latest() if update is None else update
        if wanted is None:
            raise MovlrError(f"{folder} holds no checkpoint yet: let the training save one, or go on with {next_steps.train(folder)}.")
        params, observed = checkpoints.policy(wanted, networks.init)
    policy = Policy(setup.morphology, actions, networks, config.control_dt)
    return Trained(policy, params, observed, setup.task, setup.morphology, setup.reward, setup.goal_speed, config.reward)


def episodes(trained: Trained, settings: EpisodeSettings, engine: str, reward: Reward, progress: Callable[[float], None]) -> list[Rollout]:
    """Run an episode a seed, side by side.

    Raises:
        MovlrError: the engine refuses the body, or has no room for the seeds.
    """
    count = len(settings.seeds)
    if engine == "native":
        simulator: Any = NativeSimulator(trained.morphology, candidates=1, episodes=count, threads=settings.threads)
    else:
        from movlr_jax.physics.mjx import MjxSimulator

        room = dataclasses.replace(settings.mjx, devices=1)
        simulator = MjxSimulator(trained.morphology, engine=engine, candidates=1, episodes=count, config=room)
        if simulator.episodes < count:
            raise MovlrError(f"{count} seeds do not fit: there is room for {simulator.episodes}. Give fewer --seeds.")
    return trained.policy.episodes(
        trained.params,
        trained.observed,
        trained.task,
        reward,
        simulator,
        settings.seeds,
        seconds=trained.task.seconds,
        goal_speed=trained.task.goal_speed,
        progress=progress,
    )
