"""PPO: one update as one compiled program, over Brax's networks, losses, acting and running statistics.

    Learner.init(seed) -> Training, all that a training is; Learner.update(Training) -> Training, what was measured.

Nothing that decides the next update stands outside Training: parameters, the optimiser's state, statistics, the environments, the source of
randomness. So a training that is saved and restored goes on as if it had not been interrupted. Rewards are divided by the running standard
deviation of the discounted return, since the terms of a reward have whatever scale their writer chose.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import optax

from movlr_jax.learning.rl import brax_compat
from movlr_jax.learning.rl.config import PpoConfig
from movlr_jax.learning.rl.environment import Environment, EnvState
from movlr_jax.physics.mjx import compiler_options

_EPSILON = 1e-6  # added to variances


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Training:
    """All of a training between two updates.

    Attributes:
        params: of the policy and the value function.
        optimizer: the optimiser's state.
        observed: running statistics of the observations, by which they are normalised.
        returns: running statistics of the discounted returns.
        earned: float32[W], discounted return of each world's episode so far.
        env: the worlds.
        key: the source of all that is drawn.
        updates: int32[], updates so far.
    """

    params: Any
    optimizer: Any
    observed: Any
    returns: Any
    earned: Any
    env: EnvState
    key: Any
    updates: Any


class Networks:
    """Policy and value function of one body and its statistics.

    Args:
        observation_size: numbers observed.
        action_size: numbers acted.
        config: widths of the layers.
    """

    def __init__(self, observation_size: int, action_size: int, config: PpoConfig):
        brax = brax_compat.parts()
        self.ppo = brax.networks.make_ppo_networks(
            observation_size,
            action_size,
            preprocess_observations_fn=brax.running_statistics.normalize,
            policy_hidden_layer_sizes=tuple(config.policy_layers),
            value_hidden_layer_sizes=tuple(config.value_layers),
        )
        self.acting = brax.networks.make_inference_fn(self.ppo)
        self._observation_size = observation_size

    def init(self, key: Any) -> tuple[Any, Any]:
        """Return untrained parameters and statistics of nothing."""
        brax = brax_compat.parts()
        policy, value = jax.random.split(key)
        params = brax.losses.PPONetworkParams(policy=self.ppo.policy_network.init(policy), value=self.ppo.value_network.init(value))
        spec = brax.specs.Array((self._observation_size,), jnp.dtype("float32"))
        return params, brax.running_statistics.init_state(spec, std_eps=_EPSILON)

    def mode(self, params: Any, observed: Any, observations: Any) -> Any:
        """Return the most likely actions[W, a] in (-1, 1)."""
        actions, _ = self.acting((observed, params.policy), deterministic=True)(observations, None)
        return actions


class Learner:
    """PPO in one environment.

    Args:
        env: the environment.
        config: PPO's settings.
    """

    def __init__(self, env: Environment, config: PpoConfig):
        self.env, self.config = env, config
        self.networks = Networks(env.observation_size, env.action_size, config)
        self.optimizer = optax.chain(optax.clip_by_global_norm(config.max_gradient), optax.adam(config.learning_rate))
        self._update = jax.jit(self._one_update, compiler_options=_options(env.simulator.name))
        self._init = jax.jit(self._first, compiler_options=_options(env.simulator.name))

    @property
    def steps(self) -> int:
        """Control steps of an update, over all worlds."""
        return self.config.unroll * self.env.worlds

    def init(self, seed: int) -> Training:
        """Return a training before its first update."""
        return jax.device_put(self._init(jax.random.PRNGKey(seed)), jax.devices()[0])

    def _first(self, key: Any) -> Training:
        brax = brax_compat.parts()
        key, networks, worlds = jax.random.split(key, 3)
        params, observed = self.networks.init(networks)
        returns = brax.running_statistics.init_state(brax.specs.Array((), jnp.dtype("float32")), std_eps=_EPSILON)
        earned, env = jnp.zeros(self.env.worlds), self.env.reset(worlds)
        return Training(params, self.optimizer.init(params), observed, returns, earned, env, key, jnp.zeros((), jnp.int32))

    def update(self, training: Training) -> tuple[Training, dict[str, Any]]:
        """Collect, learn, and return the training after it and what was measured, as arrays of the device.

        Raises:
            MovlrError: a buffer of the engine overflowed.
        """
        after, measured = self._update(training)
        self.env.simulator.watch(measured.pop("overflow"))
        self.env.simulator.check()
        return after, measured

    def _one_update(self, training: Training) -> tuple[Training, dict[str, Any]]:
        brax, config = brax_compat.parts(), self.config
        key, collect, learn = jax.random.split(training.key, 3)
        policy = self.networks.acting((training.observed, training.params.policy))
        extra = ("truncation", "ended", "diverged", "terms", "overflow")
        env, data = brax.acting.generate_unroll(self.env, training.env, policy, collect, config.unroll, extra_fields=extra)
        told = data.extras["state_extras"]
        observed = brax.running_statistics.update(training.observed, data.observation)
        earned, course = self._returns(training.earned, data.reward, data.discount)
        returns = brax.running_statistics.update(training.returns, course)
        extras = {"policy_extras": data.extras["policy_extras"], "state_extras": {"truncation": told["truncation"]}}
        by_world = jax.tree.map(lambda x: jnp.swapaxes(x, 0, 1), data._replace(extras=extras))
        # Learned under the statistics that it was acted under; the new ones hold from the next update on.
        params, optimizer, losses = self._learn(training.params, training.optimizer, training.observed, by_world, 1.0 / returns.std, learn)
        measured = {
            "reward": (told["terms"] @ jnp.asarray(self.env.reward.weights)).mean(),
            "ended": told["ended"].mean(),
            "diverged": told["diverged"].mean(),
            "reward_scale": 1.0 / returns.std,
            **{f"loss/{name}": value.mean() for name, value in losses.items()},
            **{f"term/{name}": told["terms"][..., i].mean() for i, name in enumerate(self.env.reward.term_names)},
            "overflow": jnp.bitwise_or.reduce(told["overflow"], axis=0),
        }
        return Training(params, optimizer, observed, returns, earned, env, key, training.updates + 1), measured

    def _returns(self, earned: Any, rewards: Any, going_on: Any) -> tuple[Any, Any]:
        """Return each world's discounted return after the steps [T, W], and on the way [T, W]; it begins anew with an episode."""

        def add(before: Any, step: tuple[Any, Any]) -> tuple[Any, Any]:
            reward, on = step
            now = self.config.discount * before + reward
            return now * on, now

        return jax.lax.scan(add, earned, (rewards, going_on))

    def _learn(self, params: Any, optimizer: Any, observed: Any, data: Any, scale: Any, key: Any) -> tuple[Any, Any, dict[str, Any]]:
        """Go over data[W, T, ...] in shuffled minibatches, several times; return parameters, optimiser, losses [epochs, minibatches]."""
        brax, config = brax_compat.parts(), self.config

        def loss(params: Any, batch: Any, key: Any) -> tuple[Any, Any]:
            return brax.losses.compute_ppo_loss(
                params,
                observed,
                batch,
                key,
                ppo_network=self.networks.ppo,
                entropy_cost=config.entropy,
                discounting=config.discount,
                reward_scaling=scale,
                gae_lambda=config.gae_lambda,
                clipping_epsilon=config.clip,
            )

        step = brax.gradients.gradient_update_fn(loss, self.optimizer, pmap_axis_name=None, has_aux=True)

        def minibatch(carry: tuple[Any, Any], part: tuple[Any, Any]) -> tuple[Any, Any]:
            params, optimizer = carry
            batch, key = part
            (_, losses), params, optimizer = step(params, batch, key, optimizer_state=optimizer)
            return (params, optimizer), losses

        def epoch(carry: tuple[Any, Any], key: Any) -> tuple[Any, Any]:
            shuffle, draw = jax.random.split(key)
            order = jax.random.permutation(shuffle, self.env.worlds)
            parts = jax.tree.map(lambda x: x[order].reshape(config.minibatches, -1, *x.shape[1:]), data)
            return jax.lax.scan(minibatch, carry, (parts, jax.random.split(draw, config.minibatches)))

        (params, optimizer), losses = jax.lax.scan(epoch, (params, optimizer), jax.random.split(key, config.epochs))
        return params, optimizer, losses


def _options(engine: str) -> dict[str, str | bool | int] | None:
    """Return XLA's options for the programs of a training: on a CPU, where one is for tests, LLVM's costly passes are left out."""
    if jax.default_backend() != "cpu":
        return None
    return compiler_options(engine) or {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
