"""Reward: a trusted, compiled reward function with its weights outside.

The artifact is exported StableHLO that maps features float32[b, F] to terms float32[b, n]; trusted code multiplies by the weights
(r = w . r, MoVLR), so a changed weight compiles nothing, and a changed term compiles the reward alone, never the physics. Behind the terms
stand the nominal angles of k joints, where the program has a nominal posture: only `posture` reads those. Where a program declares p
parameters, a row of features ends with their values: those are as outside as the weights are.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import inspect
import weakref
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, export
from jax.sharding import AbstractMesh, Mesh, NamedSharding, PartitionSpec
from jaxtyping import Float, Float32

from movlr_jax import jax_environment, reference_cycles
from movlr_jax.errors import MovlrError
from movlr_jax.rewards import packaged, parameters, program
from movlr_jax.rewards.layout import FeatureLayout
from movlr_jax.rewards.parameters import Parameter

if TYPE_CHECKING:
    from movlr_jax.morphologies import Morphology


@dataclass(frozen=True, eq=False)
class Reward:
    """A compiled reward.

    Attributes:
        name: where it came from, for people.
        source: its text.
        term_names: the n terms, in the artifact's order.
        weights: float32[n].
        artifact: serialised jax.export of features float32[b, F + p] -> terms, then nominal angles, float32[b, n + k].
        layout_fingerprint: the FeatureLayout it belongs to.
        posture_joints: the k joints that have a nominal posture; none where the program gives none.
        parameters: the p declared constants by name, as they are now; none where the program declares none.
    """

    name: str
    source: str
    term_names: tuple[str, ...]
    weights: np.ndarray
    artifact: bytes
    layout_fingerprint: str
    _compiled: _Compiled
    posture_joints: tuple[str, ...] = ()
    parameters: Mapping[str, Parameter] = field(default_factory=dict)

    @staticmethod
    def trusted(name: str, source: str, layout: FeatureLayout) -> Reward:
        """Compile one of this package's own texts in this process, where the same was not compiled lately.

        Raises:
            MovlrError: the text is not one of this package's, letter by letter (whatever a file or a caller says of it), or asks for
                what the body lacks.
        """
        if not packaged.is_own(source):
            raise MovlrError(f"The reward {name} is no text of this package: it goes through the sandbox, as `movlr check` does.")
        return _trusted(name, source, _Layout(layout.fingerprint(), layout))

    @staticmethod
    def unguarded(name: str, source: str, layout: FeatureLayout) -> Reward:
        """Run and compile a text in this process, with all the rights of its caller: only for code that the caller wrote.

        Nothing in this package calls it on a text that came from a file, a model or a person.

        Raises:
            MovlrError: the text breaks the contract or asks for what the body lacks.
        """
        jax_environment.require_devices()
        try:
            ran = program.execute(source)
            fn, _ = program.batched(ran, layout)
            artifact = program.export_terms(fn, layout, platforms=("cpu", "cuda", "tpu"), declared=ran.parameters)
        except program.ProgramError as error:
            raise MovlrError(f"The reward {name} does not fit: {error}") from error
        return Reward.from_artifact(name, source, ran.weights, artifact, layout, ran.joints, ran.parameters)

    @staticmethod
    def from_function(
        terms: Callable[[Any], Mapping[str, Any]],
        weights: Mapping[str, float],
        body: Morphology,
        *,
        name: str = "",
        posture: Callable[[Any], Mapping[str, Any]] | None = None,
        joints: Sequence[str] | None = None,
        parameters: Mapping[str, tuple[float, float, float]] | None = None,
    ) -> Reward:
        """Compile a Python function that the caller wrote; it runs in this process, with all the caller's rights.

        Args:
            terms: Motion -> term name -> scalar.
            weights: term name -> weight.
            body: the body.
            name: for people; the function's own if left out.
            posture: Motion -> joint -> nominal angle (rad), which target postures move along with; none if left out.
            joints: the planned joints that it is of.
            parameters: name -> (value, lowest, highest) of the constants that the function reads as m.parameters.NAME; none if left out.

        Raises:
            MovlrError: the function breaks the contract, or asks for what the body lacks.
        """
        from movlr_jax.rewards.features import feature_layout  # the jail loads this file, and no physics engine

        jax_environment.require_devices()
        name, layout = name or getattr(terms, "__name__", "reward"), feature_layout(body)
        try:
            source = inspect.getsource(terms)
        except (OSError, TypeError):  # typed into an interpreter
            source = ""
        try:
            named, own_posture = program.nominal(None if joints is None else list(joints), posture)
            posed = None if own_posture is None else lambda m: dict(own_posture(m))
            checked = program.checked_weights(dict(weights))
            declared = {} if parameters is None else program.checked_parameters(dict(parameters), checked)
            own_program = program.Program(checked, lambda m: dict(terms(m)), source, named, posed, declared)
            fn, _ = program.batched(own_program, layout)
            artifact = program.export_terms(fn, layout, declared=declared)
        except program.ProgramError as error:
            raise MovlrError(f"The reward {name} does not fit: {error}") from error
        return Reward.from_artifact(name, source, checked, artifact, layout, named, declared)

    @staticmethod
    def from_artifact(
        name: str,
        source: str,
        weights: dict[str, float],
        artifact: bytes,
        layout: FeatureLayout,
        joints: Sequence[str] = (),
        parameters: Mapping[str, Parameter] | None = None,
    ) -> Reward:
        """Load an artifact that the caller has inspected, of a program with these weights, JOINTS and PARAMETERS."""
        values, declared = np.array(list(weights.values()), np.float32), dict(parameters or {})
        compiled = _loaded(artifact, len(weights) if joints else None, len(declared), tuple(joints))
        return Reward(name, source, tuple(weights), values, artifact, layout.fingerprint(), compiled, tuple(joints), declared)

    def with_weights(self, weights: dict[str, float]) -> Reward:
        """Return the same reward under other weights; nothing is compiled.

        Raises:
            MovlrError: a name is not a term of this reward.
        """
        unknown = sorted(set(weights) - set(self.term_names))
        if unknown:
            raise MovlrError(f"No term named {', '.join(unknown)}: this reward has {', '.join(self.term_names)}.")
        new = [weights.get(n, float(w)) for n, w in zip(self.term_names, self.weights, strict=True)]
        return dataclasses.replace(self, weights=np.array(new, np.float32))

    def with_parameters(self, values: Mapping[str, float]) -> Reward:
        """Return the same reward with other values of some parameters; nothing is compiled.

        Raises:
            MovlrError: a name is not a parameter of this reward, or a value is outside its range.
        """
        return dataclasses.replace(self, parameters=parameters.moved(self.parameters, values))

    def parameter_of(self) -> dict[str, float]:
        """Return parameter -> value."""
        return parameters.values_of(self.parameters)

    @functools.cached_property
    def parameter_values(self) -> np.ndarray:
        """The parameters' values, float32[p], as the artifact takes them."""
        return np.array(list(self.parameter_of().values()), np.float32)

    def weight_of(self) -> dict[str, float]:
        """Return term name -> weight."""
        return {n: float(w) for n, w in zip(self.term_names, self.weights, strict=True)}

    def terms(self, features: Float[np.ndarray, "*batch F"]) -> Float32[np.ndarray, "*batch n"]:
        """Evaluate the terms.

        Args:
            features: current then previous instant.
        """
        return self.columns(features)[..., : len(self.term_names)]

    def posture(self, features: Float[np.ndarray, "*batch F"]) -> Float32[np.ndarray, "*batch k"]:
        """Evaluate the nominal angles of `posture_joints` (rad); k is 0 where there are none.

        Args:
            features: current then previous instant.
        """
        return self.columns(features)[..., len(self.term_names) :]

    def columns(self, features: Float[np.ndarray, "*batch F"]) -> Float32[np.ndarray, "*batch m"]:
        """Evaluate all columns of the artifact: the terms, then the nominal angles (rad).

        Args:
            features: current then previous instant.
        """
        features = np.asarray(features, np.float32)
        flat = features.reshape(-1, features.shape[-1])
        columns = np.asarray(self._compiled.call(flat, self.parameter_values))
        return columns.reshape(*features.shape[:-1], columns.shape[-1])

    def traced(self, features: Float[Array, "b F"]) -> Float[Array, "b n"]:
        """Return the terms of features, for use inside a program that is being traced."""
        return self._compiled.traced(features, self.parameter_values)

    def terms_over_time(self, instants: Float[np.ndarray, "world time f"]) -> Float32[np.ndarray, "world time-1 n"]:
        """Evaluate the terms along trajectories; each instant's predecessor is the one before it.

        Args:
            instants: row 0 is the predecessor of the first evaluated instant.
        """
        values = np.broadcast_to(self.parameter_values, (len(instants), len(self.parameters)))
        return np.asarray(self._compiled.over_time_on_host(np.asarray(instants, np.float32), values))


class RewardBatch:
    """Rewards of E episodes; those that share an artifact are evaluated in one call, each under its own weights (r = w . r) and parameters.

    Args:
        rewards: one an episode.
    """

    def __init__(self, rewards: Sequence[Reward]):
        groups: dict[_Compiled, list[int]] = {}
        for i, reward in enumerate(rewards):
            groups.setdefault(reward._compiled, []).append(i)
        self._groups = [
            _Group(
                compiled,
                np.array(rows),
                np.stack([rewards[i].weights for i in rows]),
                np.stack([rewards[i].parameter_values for i in rows]),
            )
            for compiled, rows in groups.items()
        ]
        self._back = np.argsort(np.concatenate([group.rows for group in self._groups]))
        self._joints = [rewards[group.rows[0]].posture_joints for group in self._groups]

    @property
    def posture_joints(self) -> tuple[str, ...]:
        """The joints that have a nominal posture in any of the rewards."""
        return tuple(dict.fromkeys(name for joints in self._joints for name in joints))

    def posture(self, features: Float[Any, "episode time F"], joints: Sequence[str]) -> Float[Any, "episode time d"]:
        """Return the nominal angles of joints (rad), on the arrays' own device; 0 of a joint that an episode's reward does not name.

        Args:
            features: of each episode, for its own reward; each current then previous instant.
            joints: the d joints.
        """
        xp, parts = features.__array_namespace__(), []
        for group, named in zip(self._groups, self._joints, strict=True):
            chosen = features if len(self._groups) == 1 else features[group.rows]
            values = np.repeat(group.parameters, chosen.shape[1], axis=0)
            columns = xp.asarray(group.compiled.call(chosen.reshape(-1, chosen.shape[-1]), values))
            zero = xp.zeros_like(columns[:, :1])  # what a joint that is not named reads
            angles = xp.concatenate([columns[:, group.weights.shape[1] :], zero], axis=1)
            index = np.array([named.index(joint) if joint in named else len(named) for joint in joints])
            parts.append(angles[:, index].reshape(*chosen.shape[:2], len(joints)))
        return parts[0] if len(parts) == 1 else xp.concatenate(parts)[self._back]

    @functools.cached_property
    def weights(self) -> Float32[np.ndarray, "episode n"]:
        """The weights of each episode's terms; 0 behind those of an episode that has fewer than another."""
        width = max(group.weights.shape[1] for group in self._groups)
        rows = [np.pad(group.weights, ((0, 0), (0, width - group.weights.shape[1]))) for group in self._groups]
        return np.concatenate(rows)[self._back]

    def mean_reward(self, instants: Float[Any, "episode candidate time f"]) -> Float[Array, "episode candidate"]:
        """Return the weighted rewards averaged over time, on the arrays' own device.

        Args:
            instants: row 0 is the predecessor of the first evaluated instant.
        """
        return self.means(instants)[0]

    def means(
        self, instants: Float[Any, "episode candidate time f"]
    ) -> tuple[Float[Array, "episode candidate"], Float[Array, "episode candidate n"]]:
        """Return the weighted rewards and their terms, without weights, averaged over time, on the arrays' own device.

        Args:
            instants: row 0 is the predecessor of the first evaluated instant.
        """
        sharding = getattr(instants, "sharding", None)
        mesh = sharding.mesh if isinstance(sharding, NamedSharding) and sharding.mesh.size > 1 else None
        if len(self._groups) == 1:
            (group,) = self._groups
            return group.compiled.means(mesh)(instants, group.weights, group.parameters)

        def means(group: _Group) -> tuple[Array, Array]:
            return group.compiled.means(mesh)(instants[group.rows], group.weights, group.parameters)

        # The first call of each compiles, for seconds on a GPU, and the compiler needs no lock of Python's.
        with ThreadPoolExecutor(len(self._groups)) as pool:
            parts = list(pool.map(means, self._groups))
        width = self.weights.shape[1]
        terms = [jnp.pad(part, ((0, 0), (0, 0), (0, width - part.shape[2]))) for _, part in parts]
        return jnp.concatenate([reward for reward, _ in parts])[self._back], jnp.concatenate(terms)[self._back]

    def over_time(self, instants: Float[Any, "episode candidate time f"]) -> Float32[np.ndarray, "episode candidate time-1"]:
        """Return the weighted rewards of every instant but the first, which is the predecessor of the second."""
        parts = []
        for group in self._groups:
            chosen = instants[group.rows]
            values = np.repeat(group.parameters, chosen.shape[1], axis=0)
            terms = np.asarray(group.compiled.over_time(chosen.reshape(-1, *chosen.shape[2:]), values))
            parts.append(np.einsum("ectn,en->ect", terms.reshape(*chosen.shape[:2], -1, terms.shape[-1]), group.weights))
        return np.concatenate(parts)[self._back]


@dataclass(frozen=True)
class _Group:
    """The episodes of a batch that share an artifact: their rows in it, weights float32[e, n] and parameters float32[e, p]."""

    compiled: _Compiled
    rows: np.ndarray
    weights: np.ndarray
    parameters: np.ndarray


@dataclass(frozen=True)
class _Layout:
    """A layout as a key."""

    fingerprint: str
    layout: FeatureLayout = field(compare=False)


# Entry points by what decides them, for as long as any reward has them: a text that differs from another in weights or in the values of its
# parameters alone has the same artifact, and compiles nothing.
_LOADED: weakref.WeakValueDictionary[tuple[Any, ...], _Compiled] = weakref.WeakValueDictionary()


def _loaded(artifact: bytes, terms: int | None, parameters: int, joints: tuple[str, ...]) -> _Compiled:
    """Return the entry points of an artifact."""
    key = (hashlib.sha256(artifact).digest(), terms, parameters, joints)
    compiled = _LOADED.get(key)
    if compiled is None:
        compiled = _LOADED[key] = _Compiled(artifact, terms, parameters)
    return compiled


@functools.lru_cache(maxsize=8)
def _trusted(name: str, source: str, key: _Layout) -> Reward:
    return Reward.unguarded(name, source, key.layout)


def _options() -> dict[str, bool | int] | None:
    """Return compiler options for a program that is compiled once and run for seconds: on the CPU, LLVM's costly passes take longer
    than they ever save."""
    return _cpu_options() if jax.default_backend() == "cpu" else None


@functools.cache
def _host() -> jax.Device | None:
    """Return the CPU as a device; None where JAX was told to leave it out."""
    try:
        return jax.local_devices(backend="cpu")[0]
    except RuntimeError:
        return None


@functools.cache
def _cpu_options() -> dict[str, bool | int]:
    quick: dict[str, bool | int] = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
    older: dict[str, bool | int] = {**quick, "xla_cpu_use_fusion_emitters": False}
    try:
        jax.jit(lambda x: x, compiler_options=older).lower(0.0).compile()
    except jax.errors.JaxRuntimeError:  # JAX 0.12 no longer has the option
        return quick
    return older


class _Compiled:
    """The artifact's compiled entry points, shared by every copy with other weights or parameters.

    Args:
        artifact: it.
        terms: n, where columns that are no terms stand behind them; None: all are terms.
        parameters: p.
    """

    def __init__(self, artifact: bytes, terms: int | None = None, parameters: int = 0):
        with reference_cycles.freed():
            self._call = export.deserialize(bytearray(artifact)).call
        self._terms, self._parameters = terms, parameters
        self._means: dict[Mesh | AbstractMesh | None, Callable[[Any, np.ndarray, np.ndarray], tuple[Array, Array]]] = {}

    def _columns(self, features: Any, parameters: Any) -> Array:
        """Return all columns of features [b, F], under parameters [p] or [b, p]."""
        if self._parameters:
            values = jnp.broadcast_to(jnp.asarray(parameters, jnp.float32), (features.shape[0], self._parameters))
            features = jnp.concatenate([features, values], axis=-1)
        columns: Array = self._call(features)
        return columns

    def traced(self, features: Any, parameters: Any) -> Array:
        """Return the terms of features [b, F], under parameters [p] or [b, p]."""
        columns = self._columns(features, parameters)
        return columns if self._terms is None else columns[:, : self._terms]

    @functools.cached_property
    def call(self) -> Callable[[Any, np.ndarray], Array]:
        """The compiled call of features [b, F] and parameters [p] or [b, p], which returns all columns."""
        return jax.jit(self._columns, compiler_options=_options())

    def _over_time(self, instants: Array, parameters: Array) -> Array:
        n, t, f = instants.shape
        # Current and previous are two views of one flat array, so that XLA reads only the columns the terms use and copies nothing; the
        # rows where one world's first instant meets the end of the world before are dropped.
        flat = instants.reshape(n * t, f)
        values = jnp.repeat(parameters, t, axis=0)[1:]
        terms = self.traced(jnp.concatenate([flat[1:], flat[:-1]], axis=-1), values)
        return jnp.concatenate([terms[:1], terms]).reshape(n, t, -1)[:, 1:]

    @functools.cached_property
    def over_time(self) -> Callable[[np.ndarray, np.ndarray], Array]:
        return jax.jit(self._over_time, compiler_options=_options())

    @functools.cached_property
    def over_time_on_host(self) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
        """The same on the CPU, whatever the default device is: it compiles there in a tenth of the seconds, and runs once an episode."""
        host = _host()
        if host is None or host == jax.devices()[0]:
            return lambda instants, parameters: np.asarray(self.over_time(instants, parameters))
        with jax.default_device(host):
            program = jax.jit(self._over_time, compiler_options=_cpu_options())

        def over_time(instants: np.ndarray, parameters: np.ndarray) -> np.ndarray:
            return np.asarray(program(*jax.device_put((instants, parameters), host)))

        return over_time

    def means(self, mesh: Mesh | AbstractMesh | None) -> Callable[[Any, np.ndarray, np.ndarray], tuple[Array, Array]]:
        """Return the compiled mean reward and terms; where a mesh shares the candidates (axis 1), each device evaluates its own."""
        if mesh in self._means:
            return self._means[mesh]

        def mean(instants: Array, weights: Array, parameters: Array) -> tuple[Array, Array]:
            episodes, candidates = instants.shape[:2]
            values = jnp.repeat(parameters, candidates, axis=0)
            terms = self._over_time(instants.reshape(episodes * candidates, *instants.shape[2:]), values)
            terms = terms.mean(axis=1).reshape(episodes, candidates, -1)
            return jnp.einsum("etn,en->et", terms, weights), terms

        if mesh is None:
            return self._means.setdefault(mesh, jax.jit(mean, compiler_options=_options()))
        shared = PartitionSpec(None, mesh.axis_names[0])
        split = jax.shard_map(mean, mesh=mesh, in_specs=(shared, PartitionSpec(), PartitionSpec()), out_specs=shared, check_vma=False)
        return self._means.setdefault(mesh, jax.jit(split, compiler_options=_options()))
