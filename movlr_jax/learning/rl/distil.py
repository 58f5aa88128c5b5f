"""Distillation: a policy cloned from motions that MPC2 planned, to start PPO from.

In: recorded episodes; an instant holds what a policy observes and the excitation that the muscle law chose there. Out: a Training whose
policy gives that excitation the highest likelihood, and whose observations are normalised by what was seen. Targets are jittered, so that
the policy keeps something to explore with.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from movlr_jax.control.episode import Rollout
from movlr_jax.errors import MovlrError
from movlr_jax.learning.rl import brax_compat
from movlr_jax.learning.rl.config import DistilConfig
from movlr_jax.learning.rl.ppo import Learner, Training

_JITTER = 0.3  # standard deviation, before the tanh; PPO's own starts at about 0.7


def files(named: Sequence[str]) -> list[Path]:
    """Return the episodes that words stand for: files, and the episodes of folders, of a run those of its best.

    Raises:
        MovlrError: a word stands for nothing.
    """
    found: list[Path] = []
    for word in named:
        path = Path(word)
        if path.is_dir():
            folder = path / "best" if (path / "best").exists() else path
            inside = sorted(folder.glob("rollout*.npz"))
            if not inside:
                raise MovlrError(f"{word} holds no episode (no rollout.npz): name a run's folder, or save one with movlr rollout --out.")
            found += inside
        elif path.is_file():
            found.append(path)
        else:
            raise MovlrError(f"There is no episode {word}: name a rollout.npz, or a folder that holds some.")
    return found


def recorded(paths: Sequence[Path], width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return instants float32[N, f] of all episodes, those that are finite, and bool[N], which are of the last second before an early end.

    Args:
        paths: the episodes' files.
        width: f, numbers of an instant of the body that is to learn.

    Raises:
        MovlrError: a file is no episode, or one of another body.
    """
    parts, late = [], []
    for path in paths:
        try:
            rollout = Rollout.load(path)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise MovlrError(f"{path} is no recorded episode ({' '.join(str(error).split())[:100]}): name a rollout.npz.") from None
        if rollout.instants.shape[1] != width:
            raise MovlrError(
                f"{path} is of another body (an instant has {rollout.instants.shape[1]} numbers, not {width}): name motions of the body "
                "that learns."
            )
        sound = np.isfinite(rollout.instants).all(1)
        parts.append(rollout.instants[sound])
        late.append(rollout.time[sound] > rollout.time[-1] - 1.0 if rollout.ended != "time" else np.zeros(sound.sum(), bool))
    return np.concatenate(parts), np.concatenate(late)


def clone(learner: Learner, training: Training, config: DistilConfig, seed: int) -> tuple[Training, dict[str, Any]]:
    """Return the training with a cloned policy, and how cloning went.

    Args:
        learner: of the body that learns.
        training: before its first update.
        config: the episodes and the gradient steps.
        seed: of the batches.

    Returns:
        the training; {"instants", "first_loss", "last_loss" (means of the first and last tenth of the gradient steps), "error": the mean
        squared error of the excitations afterwards, "untrained_error"}.

    Raises:
        MovlrError: as `recorded`, or nothing is left to clone.
    """
    layout = learner.env.simulator.columns
    instants, late = recorded(files(config.rollouts), layout["gait"][1])
    instants = instants[~late]  # the last second before a fall teaches falling
    if not len(instants):
        raise MovlrError("The episodes to clone hold nothing but falls: name longer ones.")
    excited = instants[:, slice(*layout["ctrl"])]
    observed = jax.jit(learner.env.observation)(instants)
    statistics = brax_compat.parts().running_statistics.update(training.observed, observed)
    targets = jnp.asarray(learner.env.actions.raw(excited))
    networks, optimizer = learner.networks, optax.adam(config.learning_rate)

    def loss(policy: Any, rows: Any, key: Any) -> Any:
        logits = networks.ppo.policy_network.apply(statistics, policy, observed[rows])
        wanted = targets[rows] + _JITTER * jax.random.normal(key, (len(rows), targets.shape[1]))
        return -networks.ppo.parametric_action_distribution.log_prob(logits, wanted).mean() / targets.shape[1]

    def step(carry: tuple[Any, Any], key: Any) -> tuple[Any, Any]:
        policy, state = carry
        pick, noise = jax.random.split(key)
        value, gradient = jax.value_and_grad(loss)(policy, jax.random.randint(pick, (config.batch,), 0, len(observed)), noise)
        change, state = optimizer.update(gradient, state)
        return (optax.apply_updates(policy, change), state), value

    def error(policy: Any) -> float:
        params = dataclasses.replace(training.params, policy=policy)
        mode = jax.jit(networks.mode)(params, statistics, observed)
        return float(jnp.square(learner.env.actions.excitation(mode) - excited).mean())

    keys = jax.random.split(jax.random.PRNGKey(seed), config.updates)
    before = training.params.policy
    (policy, _), losses = jax.jit(lambda carry, keys: jax.lax.scan(step, carry, keys))((before, optimizer.init(before)), keys)
    tenth = max(1, config.updates // 10)
    told = {
        "instants": len(instants),
        "first_loss": float(losses[:tenth].mean()),
        "last_loss": float(losses[-tenth:].mean()),
        "untrained_error": error(before),
        "error": error(policy),
    }
    params = dataclasses.replace(training.params, policy=policy)
    return jax.device_put(dataclasses.replace(training, params=params, observed=statistics), jax.devices()[0]), told
