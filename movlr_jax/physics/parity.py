"""Parity audit of an MJX engine against native C MuJoCo: what differs, by how much, and where most.

Everything is compared for the model as the engine steps it (`mjx_model.prepare`), so that what preparation changed is not counted twice.
Random excitation is chaotic in single precision, on C too: its drift is therefore given as a ratio to that of C itself started from
the same states rounded to float32. And a contact or a joint limit that is just being touched may count a step earlier or later: worlds
in which one did are left out of the trajectories' differences, counted, and may be few.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import mujoco
import numpy as np

from movlr_jax.morphologies import Morphology, muscles
from movlr_jax.physics import mjx_model
from movlr_jax.physics.feet import Feet
from movlr_jax.physics.mjx import Worlds, compiler_options, keep_compiled
from movlr_jax.physics.simulator import State

POSES, STEPS = 64, 20
_Run = Callable[[State, jax.Array], tuple[jax.Array, ...]]


@dataclass(frozen=True)
class Walk:
    """States of a walk and the excitations that followed: qpos[W, nq], qvel[W, nv], act[W, na], ctrl[STEPS, W, nu]."""

    qpos: np.ndarray
    qvel: np.ndarray
    act: np.ndarray
    ctrl: np.ndarray


@dataclass(frozen=True)
class Line:
    """One comparison: what, the largest difference, its tolerance (None: reported only), its unit, and where it is largest."""

    what: str
    largest: float
    tolerance: float | None
    unit: str
    where: str

    @property
    def fine(self) -> bool:
        """Whether the difference is within its tolerance."""
        return self.tolerance is None or self.largest <= self.tolerance


# After 20 steps of a walk; pure MJX solves its constraints in another order, and light helper bodies (the patella) drift first.
_JOINTS = {"warp": 2e-5, "jax": 1e-4}
_LANDMARKS = {"warp": 1e-5, "jax": 1e-4}


def audit(morphology: Morphology, engine: str, walk: Walk) -> list[Line]:
    """Compare an engine with C.

    Args:
        morphology: the body.
        engine: "warp" or "jax".
        walk: states and excitations of a walk of it.
    """
    if engine == "jax":
        keep_compiled()
    prepared = mjx_model.prepare(morphology, engine, morphology.model.opt.timestep)
    lines = _kinematics(morphology, prepared.executed, engine)
    rng = np.random.default_rng(7)
    worlds = Worlds(prepared.executed, engine, len(walk.qpos), prepared.sizes)
    random = Walk(walk.qpos, walk.qvel, walk.act, np.repeat(rng.random((1, *walk.ctrl.shape[1:])), STEPS, axis=0))
    # One shape and one compiled program for both.
    run = jax.jit(lambda state, ctrl: _run(worlds, state, ctrl), compiler_options=compiler_options(engine))
    lines += _trajectory(morphology, prepared.executed, engine, run, walk)
    lines += _random(morphology, prepared.executed, run, random)
    return lines


def effect(morphology: Morphology, engine: str, walk: Walk) -> list[Line]:
    """Compare, on C, the body's model with the one prepared for an engine: how much what was changed matters.

    Args:
        morphology: the body.
        engine: "warp" or "jax".
        walk: states and excitations of a walk of it.
    """
    prepared = mjx_model.prepare(morphology, engine, morphology.model.opt.timestep)
    qpos, sensors, *_ = _on_c(prepared.executed, walk)
    want_qpos, want_sensors, *_ = _on_c(morphology.model, walk)
    space = morphology.posture
    joints = np.abs(qpos - want_qpos)[-1][:, space.qpos_index].max(axis=0)
    lines = [_line("planned joints, 20 steps of a walk", joints, None, "rad", space.names)]
    if (feet := Feet(morphology)).sides:
        load = np.abs(feet.load(sensors - want_sensors)).mean(axis=(0, 1))
        lines.append(_line("foot loads, 20 steps of a walk, mean", load, None, "body weights", feet.sides))
    return lines


def _kinematics(morphology: Morphology, model: mujoco.MjModel, engine: str) -> list[Line]:
    rng = np.random.default_rng(3)
    space = morphology.posture
    qpos = space.complete(space.lower + rng.random((POSES, space.size)) * space.range, morphology.standing_qpos)
    length, moment = map(
        np.asarray, jax.jit(mjx_model.LengthMap(model, engine), compiler_options=compiler_options(engine))(jnp.asarray(qpos, jnp.float32))
    )
    data = mujoco.MjData(model)
    want_length, want_moment = np.zeros(length.shape), np.zeros(moment.shape)
    for w in range(POSES):
        data.qpos[:] = qpos[w].astype(np.float32)
        mujoco.mj_fwdPosition(model, data)
        want_length[w] = data.actuator_length
        want_moment[w] = muscles.moments(model, data)
    names = morphology.actuators
    return [
        _line("muscle lengths, 64 random poses", np.abs(length - want_length).max(axis=0), 1e-5, "m", names),
        _line("moment arms, 64 random poses", np.abs(moment - want_moment).max(axis=(0, 2)), 1e-4, "m", names),
    ]


def _line(what: str, worst: np.ndarray, tolerance: float | None, unit: str, names: Sequence[str]) -> Line:
    at = int(np.argmax(np.nan_to_num(worst, nan=np.inf)))
    return Line(what, float(worst[at]), tolerance, unit, names[at])


def _run(worlds: Worlds, state: State, ctrl: jax.Array) -> tuple[jax.Array, ...]:
    def step(data: object, u: jax.Array) -> tuple[object, tuple[jax.Array, ...]]:
        data = worlds.step(data.replace(ctrl=u))  # type: ignore[attr-defined]
        rows = worlds.rows(data)  # type: ignore[arg-type]
        return data, (data.qpos, data.sensordata, data.actuator_force, data.qfrc_constraint, rows)  # type: ignore[attr-defined]

    return jax.lax.scan(step, worlds.at(state), ctrl)[1]


def _single(walk: Walk) -> Walk:
    """Return the walk as float32 holds it."""
    return Walk(*(np.asarray(value, np.float32).astype(np.float64) for value in vars(walk).values()))


def _on_engine(run: _Run, walk: Walk) -> tuple[np.ndarray, ...]:
    count, nv, nu = len(walk.qpos), walk.qvel.shape[1], walk.ctrl.shape[2]
    zero = np.zeros((count, nv))
    state = State(np.zeros(count), walk.qpos, walk.qvel, walk.act, walk.ctrl[0], zero, np.zeros((count, nu)), zero)
    single = jax.tree.map(lambda x: jnp.asarray(x, jnp.float32), state)
    return tuple(map(np.asarray, run(single, jnp.asarray(walk.ctrl, jnp.float32))))


def _on_c(model: mujoco.MjModel, walk: Walk) -> tuple[np.ndarray, ...]:
    count = len(walk.qpos)
    out = [np.zeros((STEPS, count, *n)) for n in ((model.nq,), (model.nsensordata,), (model.nu,), (model.nv,), ())]
    for w in range(count):
        data = mujoco.MjData(model)
        data.qpos[:], data.qvel[:], data.act[:] = walk.qpos[w], walk.qvel[w], walk.act[w]
        for k in range(STEPS):
            data.ctrl[:] = walk.ctrl[k, w]
            mujoco.mj_step(model, data)
            values = (data.qpos, data.sensordata, data.actuator_force, data.qfrc_constraint, data.nefc)
            for into, value in zip(out, values, strict=True):
                into[k, w] = value
    return tuple(out)


def _trajectory(morphology: Morphology, model: mujoco.MjModel, engine: str, run: _Run, walk: Walk) -> list[Line]:
    walk = _single(walk)
    qpos, sensors, force, constraint, rows = _on_engine(run, walk)
    want_qpos, want_sensors, want_force, want_constraint, want_rows = _on_c(model, walk)
    space = morphology.posture
    same = (rows == want_rows).all(axis=0)
    joints = np.abs(qpos - want_qpos)[-1][same][:, space.qpos_index].max(axis=0, initial=0.0)
    apart = []
    for name in morphology.landmarks:
        at = morphology.sensors[f"{name}/position"][0]
        apart.append(np.linalg.norm((sensors - want_sensors)[-1, same, at : at + 3], axis=-1).max(initial=0.0))
    scale = np.maximum(np.abs(want_constraint[0]).max(axis=0), 1.0)
    freedoms = [model.joint(int(j)).name for j in model.dof_jntid]
    peak = np.append(morphology.muscles.peak_force, morphology.motors.strength)
    lines = [
        _line("planned joints, 20 steps of a walk", joints, _JOINTS[engine], "rad", space.names),
        _line("landmarks, 20 steps of a walk", np.array(apart), _LANDMARKS[engine], "m", morphology.landmarks),
        Line("worlds whose contacts or limits switched a step apart", float((~same).sum()), len(same) // 4, "of 16", "all"),
        _line("muscle forces, 1 step", np.abs(force - want_force)[0].max(axis=0) / peak, 1e-4, "of peak", morphology.actuators),
        _line("constraint forces, 1 step", np.abs(constraint - want_constraint)[0].max(axis=0) / scale, None, "of largest", freedoms),
    ]
    if (feet := Feet(morphology)).sides:
        load = np.abs(feet.load(sensors - want_sensors)[0]).max(axis=0)
        lines.append(_line("foot loads, 1 step", load, None, "body weights", feet.sides))
    return lines


def _random(morphology: Morphology, model: mujoco.MjModel, run: _Run, walk: Walk) -> list[Line]:
    rounded = _single(walk)
    got = _on_engine(run, walk)[0]
    exact, single = _on_c(model, walk)[0], _on_c(model, rounded)[0]
    space = morphology.posture
    first = np.abs(got - single)[0][:, space.qpos_index].max(axis=0)
    drift, own = (np.abs(a - exact)[-1][:, space.qpos_index].max() for a in (got, single))
    return [
        _line("planned joints, 1 step of random excitation", first, 1e-6, "rad", space.names),
        Line("planned joints, 20 steps of random excitation", float(drift), None, "rad", "all"),
        Line("the same, over C's own from float32 states", float(drift / max(own, 1e-12)), None, "times", "all"),
    ]
