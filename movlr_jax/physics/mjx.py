"""The MJX engines: `warp` (MuJoCo Warp, CUDA; the same code runs on a CPU) and `jax` (pure XLA, for a TPU).

A rollout of E x N worlds over the whole horizon, the muscle controller inside, is one compiled call: target lengths and moment arms
once a candidate, then a scan over the steps. The reward is not in it, so a new reward never compiles physics; `traces` counts how
often physics was traced. A diverged world is one whose state is not finite or beyond MuJoCo's own bound; nothing of it reaches its
neighbours.

Several devices share the candidates of every episode (shard_map over N); the few executed worlds are stepped by each device, so that
no state travels, and of a plan only its costs do.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import mujoco
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec, Sharding, SingleDeviceSharding

with contextlib.suppress(ImportError):
    import warp

    # Or it announces itself, and every kernel that it loads, on stdout.
    warp.config.log_level = warp.LOG_ERROR
from jaxtyping import Bool, Float, Float32, Int
from mujoco import mjx

from movlr_jax.errors import MovlrError
from movlr_jax.morphologies import Morphology
from movlr_jax.morphologies.muscles import PEAK_FORCE
from movlr_jax.morphologies.sources import cache_dir
from movlr_jax.physics import mjx_model, refine
from movlr_jax.physics.instant import Frame, Instants, blocks, rows
from movlr_jax.physics.mjx_config import Graphs, MjxConfig
from movlr_jax.physics.recycling import Recycling
from movlr_jax.physics.simulator import Controller, Rolled, Simulator, State
from movlr_jax.physics.sizes import Sizes

_BOUND = 1e10  # mjMAXVAL: beyond it C MuJoCo calls a state bad
# Bits of Warp's per-world overflow field -> what was too small. Solver iterations running out are not a matter of size.
_OVERFLOWS = {
    1 << 0: "constraint rows",  # nefc
    1 << 1: "constraint rows",  # non-zeros of the constraint Jacobian, whose room follows njmax
    1 << 2: "contacts",  # broad phase
    1 << 3: "contacts",  # narrow phase
    1 << 4: "contacts",  # convex pairs
    1 << 5: "contacts",  # height field
    1 << 7: "constraint rows",  # freedoms in islands
}
_OVERFLOW_MASK = functools.reduce(int.__or__, _OVERFLOWS)
_SHORT = 0.5  # share of a plan's candidates that may run out of room: with more, too few are left to choose among
_SHARE = 0.8  # of an accelerator's free memory; the rest is for XLA's temporary buffers and Warp's own
_AXIS = "worlds"


class Worlds:
    """One model on the device, as one engine steps it, and the data that a world starts from."""

    def __init__(self, model: mujoco.MjModel, engine: str, worlds: int, sizes: Sizes, graphs: Graphs = "auto"):
        self.dt = float(model.opt.timestep)
        self.engine = engine
        self.model, self.data = mjx_model.on_device(model, engine, sizes.contacts * worlds, sizes.constraints, graphs)
        self._step = refine.step if engine == "jax" and refine.refinable(model) else mjx.step

    def at(self, state: State) -> mjx.Data:
        """Return data of W worlds in a state[W]."""

        def one(time: Any, qpos: Any, qvel: Any, act: Any, ctrl: Any, warmstart: Any) -> mjx.Data:
            return self.data.replace(time=time, qpos=qpos, qvel=qvel, act=act, ctrl=ctrl, qacc_warmstart=warmstart)

        return jax.vmap(one)(state.time, state.qpos, state.qvel, state.act, state.ctrl, state.warmstart)

    def gains(self, peak_force: Float[Any, "world m"] | None) -> Float[Any, "world nu 10"] | None:
        """Return the actuators' gain parameters for peak forces (N); None, the model's own, for None."""
        if peak_force is None:
            return None
        return jax.vmap(self.model.actuator_gainprm.at[: peak_force.shape[1], PEAK_FORCE].set)(peak_force)

    def step(self, data: mjx.Data, gains: Float[Any, "world nu 10"] | None = None) -> mjx.Data:
        """Step worlds with the parameters of `gains`."""
        if gains is None:
            return jax.vmap(self._step, in_axes=(None, 0))(self.model, data)
        return jax.vmap(lambda data, gain: self._step(self.model.replace(actuator_gainprm=gain), data))(data, gains)

    def rows(self, data: mjx.Data) -> Int[Any, " world"]:
        """Return the constraint rows in use; `jax` has rows for all that might be and leaves those not in use empty."""
        return data._impl.nefc.reshape(-1) if self.engine == "warp" else (data._impl.efc_J != 0).any(axis=-1).sum(axis=-1)

    def overflow(self, data: mjx.Data) -> Int[Any, " world"]:
        """Return Warp's overflow bits; 0 where nothing can overflow."""
        return data._impl.overflow if self.engine == "warp" else jnp.zeros(len(data.time), jnp.int32)


class MjxSimulator(Simulator):
    """Many worlds of one body on JAX's devices.

    Args:
        morphology: the body.
        engine: "warp" or "jax".
        candidates: N, candidate worlds of each episode.
        episodes: E, executed worlds; fewer if config.worlds or the memory does not hold them.
        plan_dt: step of rollouts (s).
        steps: H, steps of a rollout that the memory must hold.
        config: room and devices.

    Raises:
        MovlrError: the body has muscles that MJX cannot give lengths of, one episode's candidates do not fit, or they cannot be
            shared among the devices.
    """

    def __init__(
        self,
        morphology: Morphology,
        *,
        engine: str,
        candidates: int,
        episodes: int = 1,
        plan_dt: float = 0.008,
        steps: int = 44,
        config: MjxConfig | None = None,
    ):
        config = config or MjxConfig()
        if engine == "jax":
            keep_compiled()
        self.name, self.xp, self.morphology = engine, jnp, morphology
        self.candidates, self.plan_dt = candidates, plan_dt
        self.sim_dt = float(morphology.model.opt.timestep)
        self.columns = blocks(morphology)
        self.traces = 0
        self.devices = _devices(config.devices)
        if candidates % len(self.devices):
            raise MovlrError(
                f"{candidates} candidates cannot be shared evenly among {len(self.devices)} devices: set --planner.candidates to a "
                f"multiple of {len(self.devices)}, or --mjx.devices to a divisor of {candidates}."
            )
        prepared = mjx_model.prepare(morphology, engine, plan_dt)
        self.sizes = Sizes(config.contacts or prepared.sizes.contacts, config.constraints or prepared.sizes.constraints)
        self._lengths = mjx_model.LengthMap(prepared.executed, engine)
        _, single = mjx_model.on_device(prepared.executed, engine, self.sizes.contacts, self.sizes.constraints)
        self.bytes_per_world = _nbytes(single) * 2 + self.columns["gait"][1] * (steps + 1) * 4 * 3
        self.episodes = self._fitting(config, episodes)
        planned = self.episodes * candidates // len(self.devices)
        self._rollouts = Worlds(prepared.planned, engine, planned, self.sizes, config.graphs)
        self._executed = Worlds(prepared.executed, engine, self.episodes, self.sizes, config.graphs)
        self._instants = Instants(morphology)
        self._overflowed: list[Any] = []  # of executed worlds, for the next check
        self._short_plans: list[Any] = []  # of candidates
        atexit.register(_settle, self._overflowed, self._short_plans)
        self._options = compiler_options(engine)
        # A CPU captures no graphs, and hands out views of its results that would change under their readers.
        self.recycles = config.recycle and self.devices[0].platform != "cpu"
        self._mesh = Mesh(np.array(self.devices), (_AXIS,)) if len(self.devices) > 1 else None
        self._whole: Sharding = NamedSharding(self._mesh, PartitionSpec()) if self._mesh else SingleDeviceSharding(self.devices[0])
        self._gather = jax.jit(lambda x: x, out_shardings=self._whole)
        self.roll = functools.lru_cache(maxsize=8)(self._compiled_roll)
        self._advance = functools.lru_cache(maxsize=8)(self._compiled_advance)

    def _fitting(self, config: MjxConfig, episodes: int) -> int:
        """Return how many episodes fit at once.

        Raises:
            MovlrError: not even one does.
        """
        room = len(self.devices) * _free_bytes(jax.local_devices()[0]) // self.bytes_per_world
        worlds = min(config.worlds, room) if config.worlds else room
        if worlds < self.candidates:
            raise MovlrError(
                f"The {self.candidates} candidate worlds of one plan do not fit: a world takes {self.bytes_per_world / 1e6:.1f} MB and "
                f"there is room for {worlds}. Lower --planner.candidates" + (" or raise --mjx.worlds." if worlds < room else ".")
            )
        return max(1, min(episodes, worlds // self.candidates))

    def _compiled_roll(self, controller: Controller, steps: int) -> Callable[..., Any]:
        """Return the compiled rollout of one controller and horizon: (state, postures, frames) -> instants, diverged, overflow."""

        def roll(state: State, postures: Any, frames: Any) -> tuple[Any, Any, Any]:
            episodes, candidates = postures.shape[:2]
            spread, frames = jax.tree.map(lambda x: jnp.repeat(x, candidates, axis=0), (state, frames))
            flat = postures.reshape(episodes * candidates, *postures.shape[2:])
            _, instants, diverged, overflow = self._steps(self._rollouts, controller, spread, flat, steps, frames, self.plan_dt)
            # A candidate that ran out of room moved as no body does: it is out, as one that diverged is.
            out = (jnp.concatenate([instants[:, :1], instants], axis=1), diverged | (overflow != 0), overflow)
            rolled, out_of_plan, bits = (x.reshape(episodes, candidates, *x.shape[1:]) for x in out)
            return rolled, out_of_plan, bits

        def shapes(state: State, postures: Any, frames: Any) -> Any:
            del state, frames
            worlds = postures.shape[:2]
            sizes = ((*worlds, steps + 1, self._instants.size), jnp.float32), (worlds, jnp.bool_), (worlds, jnp.int32)
            return tuple(jax.ShapeDtypeStruct(*size) for size in sizes)

        shared = PartitionSpec(None, _AXIS)
        # A plan is over before the next rollout begins.
        return self._compiled(roll, (PartitionSpec(), shared, PartitionSpec()), shared, shapes, kept=0)

    def _compiled_advance(self, controller: Controller, steps: int) -> Callable[..., Any]:
        """Return the compiled execution of one controller: (state, postures, frames) -> state, instant, diverged, overflow."""

        def advance(state: State, postures: Any, frames: Any) -> tuple[State, Any, Any, Any]:
            dt = steps * self.sim_dt
            after, instants, diverged, overflow = self._steps(self._executed, controller, state, postures, steps, frames, dt)
            return after, instants[:, 0], diverged, overflow

        def shapes(state: State, postures: Any, frames: Any) -> Any:
            del postures, frames
            worlds = len(state.time)
            sizes = ((worlds, self._instants.size), jnp.float32), ((worlds,), jnp.bool_), ((worlds,), jnp.int32)
            return state, *(jax.ShapeDtypeStruct(*size) for size in sizes)

        # The state that a call begins from is the result of the one before, and is read once more when the call is over.
        return self._compiled(advance, PartitionSpec(), PartitionSpec(), shapes, kept=1)

    def _compiled(
        self, program: Callable[..., Any], in_specs: Any, out_spec: PartitionSpec, shapes: Callable[..., Any], kept: int
    ) -> Callable[..., Any]:
        """Return a program compiled for one device, or for all with its arguments and results shared as the specifications say.

        Args:
            program: it.
            in_specs: of its arguments.
            out_spec: of all its results.
            shapes: arguments -> shapes of the results.
            kept: of how many earlier calls the results are still read.
        """
        if self._mesh is not None:
            program = jax.shard_map(program, mesh=self._mesh, in_specs=in_specs, out_specs=out_spec, check_vma=False)
        if not self.recycles:
            return jax.jit(program, compiler_options=self._options)
        where = NamedSharding(self._mesh, out_spec) if self._mesh is not None else self._whole
        return Recycling(program, shapes, kept, where, self._options)

    # --- state ---

    def put(self, array: np.ndarray) -> Any:
        """See Simulator."""
        # Committed to its device, as results are: a first state that was not would compile everything a second time.
        return jax.device_put(np.asarray(array, np.float32), self._whole)

    def gathered(self, array: Any) -> Any:
        """See Simulator."""
        return array if self._mesh is None else self._gather(array)

    def target_kinematics(self, qpos: Float[Any, "world nq"]) -> tuple[Float[Any, "world nu"], Float[Any, "world nu nv"]]:
        """See Simulator; traceable."""
        return self._lengths(qpos)

    # --- stepping ---

    def traced(self, state: State, controller: Controller, postures: Any, steps: int, frames: Any) -> tuple[State, Any, Any, Any]:
        """Step all E x N worlds as rollouts are stepped; traceable, for programs that hold the physics inside, as training does.

        Args:
            state: all worlds.
            controller: the muscle controller in the loop.
            postures: float[W, K, d], as `rollout` takes them.
            steps: steps of plan_dt.
            frames: float32[W, 4 + goals], rows of the worlds' frames.

        Returns:
            the new state; float32[W, steps, f], the instants, whose dt is that of all steps together; bool[W], which worlds diverged;
            int[W], the bits of buffers that overflowed, for `watch`.
        """
        self._refuse(controller)
        after, instants, diverged, overflow = self._steps(self._rollouts, controller, state, postures, steps, frames, steps * self.plan_dt)
        return after, instants, diverged, overflow

    def watch(self, overflow: Any) -> None:
        """Have the next `check` look at overflow bits that `traced` returned."""
        self._overflowed.append(overflow)

    def _steps(
        self, worlds: Worlds, controller: Controller, state: State, postures: Any, steps: int, frames: Any, dt: float
    ) -> tuple[State, Any, Any, Any]:
        """Step W worlds towards postures[W, K, d]; return their state, instants[W, T, f], bool[W] diverged and int[W] overflow bits."""
        self.traces += 1
        count = len(state.time)
        fixed = self._instants.fixed(dt, frames, jnp)
        gains = worlds.gains(state.peak_force)

        def step(targets: Any, carry: Any, _: None) -> tuple[Any, Any]:
            data, length, sound, overflow = carry
            data = data.replace(ctrl=controller.excitation(targets, data.qpos, data.act, length))
            before = self._instants.before(data, jnp)
            data = worlds.step(data, gains)
            row = self._instants.pack(fixed | before | self._instants.after(data) | self._instants.ground(data.sensordata, jnp), xp=jnp)
            sound &= (jnp.abs(data.qpos) < _BOUND).all(axis=1) & (jnp.abs(data.qvel) < _BOUND).all(axis=1)  # false for NaN too
            return (data, data.actuator_length, sound, overflow | worlds.overflow(data)), row

        carry = (worlds.at(state), state.length, jnp.ones(count, bool), jnp.zeros(count, jnp.int32))
        parts, knots = [], postures.shape[1]
        for k in range(knots):  # each posture is held for its share of the steps, as the native engine shares them out
            held = sum(i * knots // steps == k for i in range(steps))
            targets = controller.targets(self, postures[:, k], state.qpos, state.peak_force)
            carry, part = jax.lax.scan(functools.partial(step, targets), carry, None, length=held)
            parts.append(part)
        data, length, sound, overflow = carry
        recorded = jnp.concatenate(parts).swapaxes(0, 1)
        feet, memory = self._instants.feet(recorded[..., self._instants.columns["sensor"]], state.gait, frames, worlds.dt, jnp)
        instants = jnp.concatenate([recorded, self._instants.pack(feet, xp=jnp)], axis=-1)
        after = State(data.time, data.qpos, data.qvel, data.act, data.ctrl, data.qacc_warmstart, length, memory, state.peak_force)
        return after, instants, ~sound, jnp.where(sound, overflow & _OVERFLOW_MASK, 0)

    def rollout(
        self,
        state: State,
        controller: Controller,
        postures: Float[Any, "episode candidate knot d"],
        steps: int,
        frames: Sequence[Frame],
    ) -> Rolled:
        """See Simulator.

        Raises:
            MovlrError: the controller computes its targets at every step, which only the native engine does.
        """
        self._refuse(controller)
        instants, diverged, overflow = self.roll(controller, steps)(state, postures, self.put(rows(frames)))
        self._short_plans.append(overflow)
        return Rolled(instants, diverged)

    def advance(
        self,
        state: State,
        controller: Controller,
        postures: Float[Any, "episode 1 d"],
        steps: int,
        frames: Sequence[Frame],
    ) -> tuple[State, Float32[Any, "episode f"], Bool[Any, " episode"]]:
        """See Simulator."""
        self._refuse(controller)
        after, instant, diverged, overflow = self._advance(controller, steps)(state, postures, self.put(rows(frames)))
        self._overflowed.append(overflow)
        return after, instant, diverged

    def _refuse(self, controller: Controller) -> None:
        if controller.every_step:
            raise MovlrError(
                f"The law paper computes its targets at every step, which the engine {self.name} does not: use --planner.law paper-hoisted."
            )

    def check(self) -> None:
        """See Simulator."""
        executed, plans = _read(self._overflowed), _read(self._short_plans)
        flags = executed + [b for b in plans if (b != 0).mean() > _SHORT]
        bits = functools.reduce(int.__or__, (int(np.bitwise_or.reduce(b)) for b in flags), 0)
        if not bits:
            return
        worlds = sum(int((b != 0).sum()) for b in flags)
        what = sorted({name for bit, name in _OVERFLOWS.items() if bits & bit})
        cure = {
            "contacts": f"--mjx.contacts {2 * self.sizes.contacts}",
            "constraint rows": f"--mjx.constraints {2 * self.sizes.constraints}",
        }
        raise MovlrError(
            f"The engine {self.name} ran out of room for {' and '.join(what)} in {worlds} worlds (one has {self.sizes.contacts} contacts "
            f"and {self.sizes.constraints} constraint rows): set {' '.join(cure[name] for name in what)}."
        )

    def close(self) -> None:
        """See Simulator; waits for what is still being stepped."""
        _settle(self._overflowed, self._short_plans)


def _make(engine: str, morphology: Morphology, *, threads: int, mjx: MjxConfig, **sizes: Any) -> MjxSimulator:
    return MjxSimulator(morphology, engine=engine, config=mjx, **sizes)


# The engines as the registry has them.
make_warp, make_jax = functools.partial(_make, "warp"), functools.partial(_make, "jax")


def _read(overflowed: list[Any]) -> list[np.ndarray]:
    """Return overflow bits of programs that have run, those on this host's devices, and forget them."""
    flags = [np.concatenate([np.ravel(shard.data) for shard in bits.addressable_shards]) for bits in overflowed]
    overflowed.clear()
    return flags


def _settle(*overflowed: list[Any]) -> None:
    """Wait for programs in flight, and forget their overflow bits.

    Warp's kernels are launched by Python: a program that is still running when the interpreter ends never gets its lock again, and
    the process would wait for it for ever.
    """
    with contextlib.suppress(Exception):  # what failed has ended too
        jax.block_until_ready(overflowed)
    for bits in overflowed:
        bits.clear()


def compiler_options(engine: str) -> dict[str, str | bool | int] | None:
    """Return XLA's options for an engine's programs.

    On a CPU, XLA's fusion of pure MJX recomputes the kinematic chain again and again: without it, forward kinematics of MS-Human-700
    took 12 ms instead of 29 s. And LLVM's costly passes take longer than they save: a step of MyoLegs compiles in one minute without
    them and not in ten with them.
    """
    if engine != "jax" or jax.default_backend() != "cpu":
        return None
    return {"xla_disable_hlo_passes": "fusion", "xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}


def keep_compiled() -> None:
    """Keep XLA's programs between processes, unless the user has said where.

    For `jax` alone: a program of `warp` holds numbers of callbacks that mean something else in another process (and Warp keeps its
    own kernels).
    """
    if jax.config.values["jax_compilation_cache_dir"] is None:
        jax.config.update("jax_compilation_cache_dir", str(cache_dir() / "xla"))


def _devices(count: int) -> list[jax.Device]:
    """Return the devices to use, over all hosts.

    Raises:
        MovlrError: there are not that many.
    """
    devices = jax.devices()
    if count > len(devices):
        raise MovlrError(f"--mjx.devices {count} asks for more devices than JAX sees ({len(devices)}).")
    return devices[: count or None]


def _nbytes(tree: Any) -> int:
    return sum(leaf.nbytes for leaf in jax.tree.leaves(tree))


def _free_bytes(device: jax.Device) -> int:
    """Return the memory that worlds may fill on one device: most of what is free on an accelerator, half of what a computer has free.

    JAX's own limit is a share of the whole card, whatever other processes hold of it.
    """
    stats = device.memory_stats() or {}
    if "bytes_limit" in stats:
        used = stats.get("bytes_in_use", 0)
        left, card = stats["bytes_limit"] - used, _free_on_card(device)
        if card is not None:
            left = min(left, stats.get("pool_bytes", used) - used + card)
        return int(_SHARE * left)
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2


def _free_on_card(device: jax.Device) -> int | None:
    """Return what no process holds of a GPU's memory; None where that cannot be told."""
    if device.platform not in ("gpu", "cuda"):
        return None
    try:
        return int(warp.get_device(f"cuda:{device.local_hardware_id}").free_memory)
    except Exception:  # no Warp, or one that does not see the card
        return None
