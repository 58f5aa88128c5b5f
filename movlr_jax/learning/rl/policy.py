"""Policy: a trained policy as one moves a body with it, and the episodes it makes.

In: networks, parameters, statistics. Out: excitations of instants, and executed episodes in the same record that MPC2's have, so that the
task's metrics, clips and reports read both. An episode runs on any engine, by default in C: what measures MPC2 measures the policy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from movlr_jax.control.episode import Rollout
from movlr_jax.learning.rl.actions import Actions
from movlr_jax.learning.rl.observation import Observation
from movlr_jax.learning.rl.ppo import Networks
from movlr_jax.morphologies import Morphology
from movlr_jax.physics.held import Held
from movlr_jax.physics.instant import Instants, rows
from movlr_jax.physics.simulator import Simulator
from movlr_jax.rewards.reward import Reward
from movlr_jax.tasks import Task


class Policy:
    """The most likely action of a policy, as excitations.

    Args:
        morphology: the body it was trained for.
        actions: what its actions mean.
        networks: its networks.
        control_dt: time that an action is held (s).
    """

    def __init__(self, morphology: Morphology, actions: Actions, networks: Networks, control_dt: float):
        self.control_dt = control_dt
        observation = Observation(morphology)
        self._excite = jax.jit(
            lambda params, observed, instants: actions.excitation(networks.mode(params, observed, observation(instants)))
        )

    def excitation(self, params: Any, observed: Any, instants: np.ndarray) -> np.ndarray:
        """Return excitations[W, nu] at instants[W, f]."""
        return np.asarray(self._excite(params, observed, instants), np.float64)

    def episodes(
        self,
        params: Any,
        observed: Any,
        task: Task,
        reward: Reward,
        simulator: Simulator,
        seeds: Sequence[int],
        *,
        seconds: float,
        goal_speed: float | None = None,
        progress: Callable[[float], None] | None = None,
    ) -> list[Rollout]:
        """Run an episode a seed, side by side, from the task's starts.

        Args:
            params, observed: parameters and statistics of the policy.
            task: the task.
            reward: what is recorded of each instant; it decides nothing.
            simulator: an engine with one executed world a seed.
            seeds: the seeds.
            seconds: length (s).
            goal_speed: speed asked for (m/s); None: the task's own.
            progress: called after each control step with the simulated time (s).

        Raises:
            ValueError: the simulator has another number of worlds.
        """
        if simulator.episodes != len(seeds):
            raise ValueError(f"{len(seeds)} seeds for {simulator.episodes} worlds.")
        body, hold = simulator.morphology, max(1, round(self.control_dt / simulator.sim_dt))
        dt = hold * simulator.sim_dt
        starts = [task.start(body, seed) for seed in seeds]
        frames = [task.frame(start, goal_speed, seed) for start, seed in zip(starts, seeds, strict=True)]
        packed = Instants(body)
        seen = np.stack([packed.at_rest(s.qpos, s.act, row, dt) for s, row in zip(starts, rows(frames), strict=True)])
        state = simulator.reset(np.stack([s.qpos for s in starts]), np.stack([s.act for s in starts]))
        fallen, record, since = task.fallen(body), [], slice(*simulator.columns["dt"])
        ended, length = ["time"] * len(seeds), [0] * len(seeds)
        for k in range(max(1, round(seconds / dt))):
            held = simulator.put(self.excitation(params, observed, seen)[:, None])
            row = {name: np.array(getattr(state, name)) for name in ("time", "qpos", "qvel", "act")}
            # The first instant is recorded, as of a planned episode; the last is what the policy sees next.
            broken = np.zeros(len(seeds), bool)
            parts = []
            for steps in (hold - 1, 1) if hold > 1 else (1,):
                state, instant, diverged = simulator.advance(state, Held(), held, steps, frames)
                instant = np.array(instant)
                instant[:, since] = dt
                parts.append(instant)
                broken |= np.asarray(diverged)
            simulator.check()
            seen = np.nan_to_num(parts[-1])
            record.append(row | {"instants": parts[0]})
            for e in range(len(seeds)):
                if ended[e] == "time":
                    length[e] = k + 1
                    ended[e] = "diverged" if broken[e] else task.ends_as if fallen(parts[0][e]) else "time"
            if progress is not None:
                progress((k + 1) * dt)
            if "time" not in ended:
                break
        whole = {name: np.stack([row[name] for row in record], axis=1) for name in record[0]}
        return [
            _rollout(
                body, reward, seed, {name: value[e, : length[e]] for name, value in whole.items()}, seconds, dt, ended[e], frames[e].goal[0]
            )
            for e, seed in enumerate(seeds)
        ]


def _rollout(
    body: Morphology, reward: Reward, seed: int, arrays: dict[str, np.ndarray], seconds: float, dt: float, ended: str, goal_speed: float
) -> Rollout:
    instants = arrays["instants"]
    return Rollout(
        seed=seed,
        seconds=seconds,
        dt=dt,
        ended=ended,
        terms=reward.terms_over_time(np.concatenate([instants[:1], instants])[None])[0],
        term_names=reward.term_names,
        weights=reward.weights,
        targets=body.posture.read(arrays["qpos"]),  # a policy has no posture in mind: the one it is in
        costs=np.zeros(len(instants)),
        diverged=np.zeros(len(instants), int),
        goal_speed=float(goal_speed),
        parameter_names=tuple(reward.parameters) or None,
        parameters=reward.parameter_values if reward.parameters else None,
        **arrays,
    )


def mean_reward(rollout: Rollout) -> float:
    """Return the reward w . r averaged over the time asked for; an end before its time is charged as if its last instant had lasted."""
    rewards = rollout.terms @ rollout.weights
    wanted = max(len(rewards), round(rollout.seconds / rollout.dt))
    return float((rewards.sum() + (wanted - len(rewards)) * rewards[-1]) / wanted)
