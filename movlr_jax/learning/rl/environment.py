"""Environment: the task as PPO sees it, W worlds at once, on an MJX engine.

A step holds an action for `control_dt` (several simulation steps) and is rewarded by the task's reward, the same artifact that MPC2 plans
with, at the last instant of that time, with the last instant of the step before as its predecessor. Nothing is mapped over worlds: the
artifact and the simulator take all of them at once. The state holds the simulator's arrays. An episode begins at one of the task's seeded
starts, drawn from a pool made on the host; it ends when the task says so (a fall, a drop), when its world diverges, or when its time is
up, which is a truncation and no end of the motion. An episode that ends early is charged for the time it missed as if its last reward had
stayed: rewards of motions are costs as a rule, and to fall would otherwise be the way to stop paying.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from movlr_jax.learning.rl.actions import Actions
from movlr_jax.learning.rl.observation import Observation
from movlr_jax.physics.held import Held
from movlr_jax.physics.instant import Instants, rows
from movlr_jax.physics.mjx import MjxSimulator
from movlr_jax.physics.simulator import State
from movlr_jax.rewards.reward import Reward
from movlr_jax.tasks import Task


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Starts:
    """Starts of P episodes.

    Attributes:
        state: P worlds.
        frame: float32[P, 4 + goals], rows of their frames.
        instant: float32[P, f], the first instants.
    """

    state: State
    frame: Any
    instant: Any


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class EnvState:
    """State of W worlds between two steps.

    Attributes:
        state: the simulator's arrays.
        frame: float32[W, 4 + goals].
        instant: float32[W, f], the last instant, which the next reward has as its predecessor.
        steps: int32[W], control steps since the episode began.
        key: the source of the next starts.
        obs: float32[W, o].
        reward, done: float32[W], of the step that led here; done is 1 where an episode ended, for whatever reason.
        info: of that step: truncation [W] (1 where only the time was up), ended [W] (fell, dropped or diverged), diverged [W],
            terms [W, n], overflow int[W].
    """

    state: State
    frame: Any
    instant: Any
    steps: Any
    key: Any
    obs: Any
    reward: Any
    done: Any
    info: dict[str, Any]


class Environment:
    """W worlds of one body doing one task.

    Args:
        task: the task.
        reward: its reward.
        simulator: an MJX engine whose candidate worlds are the W.
        actions: what actions mean.
        control_dt: time that an action is held (s); a multiple of the simulator's plan_dt.
        seconds: length of an episode (s).
        goal_speed: speed asked for (m/s); None: the task's own.
        starts: P, seeded starts in the pool.
        discount: of a reward one step later; it sums what an early end missed.
    """

    def __init__(
        self,
        task: Task,
        reward: Reward,
        simulator: MjxSimulator,
        actions: Actions,
        *,
        control_dt: float,
        seconds: float,
        goal_speed: float | None = None,
        starts: int = 64,
        discount: float = 0.99,
    ):
        morphology = simulator.morphology
        self.simulator, self.actions, self.reward = simulator, actions, reward
        self.worlds = simulator.episodes * simulator.candidates
        self.hold = max(1, round(control_dt / simulator.plan_dt))
        self.length = max(1, round(seconds / (self.hold * simulator.plan_dt)))
        self.observation = Observation(morphology)
        self.observation_size, self.action_size = self.observation.size, actions.size
        self._over = task.over(morphology)
        self._weights = np.asarray(reward.weights)
        self._discount = discount
        self.starts = pool(task, simulator, starts, goal_speed, self.hold * simulator.plan_dt)

    def _begin(self, key: Any) -> Starts:
        """Return W starts drawn from the pool."""
        pick = jax.random.randint(key, (self.worlds,), 0, len(self.starts.frame))
        return jax.tree.map(lambda x: x[pick], self.starts)

    def reset(self, key: Any) -> EnvState:
        """Return W worlds at drawn starts; their times of truncation are spread, so that updates see all of an episode."""
        key, first, spread = jax.random.split(key, 3)
        begun = self._begin(first)
        zero = jnp.zeros(self.worlds)
        info = {"truncation": zero, "ended": zero, "diverged": zero, "terms": jnp.zeros((self.worlds, len(self._weights)))}
        info["overflow"] = jnp.zeros(self.worlds, jnp.int32)
        steps = jax.random.randint(spread, (self.worlds,), 0, self.length)
        return EnvState(begun.state, begun.frame, begun.instant, steps, key, self.observation(begun.instant), zero, zero, info)

    def step(self, at: EnvState, action: Any) -> EnvState:
        """Return the state after an action[W, a] in (-1, 1) was held for a control step."""
        excitation = self.actions.excitation(action)
        state, instants, diverged, overflow = self.simulator.traced(at.state, Held(), excitation[:, None], self.hold, at.frame)
        diverged |= ~jnp.isfinite(instants[:, -1]).all(axis=1)
        instant = jnp.where(diverged[:, None], at.instant, instants[:, -1])  # nothing of a broken world is rewarded or observed
        terms = self.reward.traced(jnp.concatenate([instant, at.instant], axis=1))
        steps = at.steps + 1
        ended = diverged | self._over(instant)
        truncated = ~ended & (steps >= self.length)
        reward = terms @ self._weights
        missed = jnp.maximum(self.length - steps, 0).astype(jnp.float32)
        reward *= jnp.where(ended, (1.0 - self._discount ** (missed + 1.0)) / (1.0 - self._discount), 1.0)
        done = ended | truncated
        key, draw = jax.random.split(at.key)
        begun = self._begin(draw)
        after = jax.tree.map(functools.partial(_where, done), begun, Starts(state, at.frame, instant))
        info = {"truncation": truncated, "ended": ended, "diverged": diverged}
        info = {name: value.astype(jnp.float32) for name, value in info.items()} | {"terms": terms, "overflow": overflow}
        return EnvState(
            after.state,
            after.frame,
            after.instant,
            jnp.where(done, 0, steps),
            key,
            self.observation(after.instant),
            reward,
            done.astype(jnp.float32),
            info,
        )


def _where(chosen: Any, a: Any, b: Any) -> Any:
    """Return a where chosen[W], else b; both lead with W."""
    return jnp.where(chosen.reshape(-1, *[1] * (a.ndim - 1)), a, b)


def pool(task: Task, simulator: MjxSimulator, count: int, goal_speed: float | None, dt: float) -> Starts:
    """Return the starts of seeds 0 to count - 1, with the instants that C MuJoCo computes there.

    Args:
        task: the task.
        simulator: the engine that they are for.
        count: how many.
        goal_speed: speed asked for (m/s); None: the task's own.
        dt: what their instants say is the time since the one before (s).
    """
    body = simulator.morphology
    begun = [task.start(body, seed) for seed in range(count)]
    frames = rows([task.frame(start, goal_speed, seed) for seed, start in enumerate(begun)])
    state = simulator.reset(np.stack([start.qpos for start in begun]), np.stack([start.act for start in begun]))
    packed = Instants(body)
    instants = np.stack([packed.at_rest(start.qpos, start.act, frame, dt) for start, frame in zip(begun, frames, strict=True)])
    return Starts(state, simulator.put(frames), simulator.put(instants))
