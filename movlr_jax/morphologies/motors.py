"""Motors: a body's actuators that are no muscles, made into what every engine, law and policy can drive beside its muscles.

A body's file says what becomes of them (`motors:`). With `posture` each motor holds its joint, or its tendon, at the planned posture: a
position servo stays the servo that it is, any other becomes one, as strong as its own limits of control and force. With `zero` their
control signal stays zero: a torque motor does nothing, a position servo holds its joint at zero.

A prepared motor is a MuJoCo actuator with an activation from 0 to 1, first order in its excitation, as a muscle's is; so act and ctrl have
one column an actuator, muscles before motors. What it pulls with is gain x activation + bias_0 + bias_1 x length + bias_2 x velocity.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np
from jaxtyping import Float

from movlr_jax.errors import MovlrError
from movlr_jax.morphologies import muscles

MODES: Mapping[str, str] = {
    "posture": "they hold their joints at the planned posture",
    "zero": "their control stays zero",
}
LAG = 0.01  # s, time constant of a motor that states none
_FULL_EFFORT = {mujoco.mjtJoint.mjJNT_HINGE: 0.25, mujoco.mjtJoint.mjJNT_SLIDE: 0.05}  # rad, m; the error at which a servo pulls its most
_STEP = 0.01  # s; the largest step at which a servo made here must be stable
_STIFFEST = 0.4  # largest frequency of a servo made here, times _STEP
_AT_JOINTS = (mujoco.mjtTrn.mjTRN_JOINT, mujoco.mjtTrn.mjTRN_JOINTINPARENT)
_FILTERS = (mujoco.mjtDyn.mjDYN_FILTER, mujoco.mjtDyn.mjDYN_FILTEREXACT)
_PLAIN_BIAS = (mujoco.mjtBias.mjBIAS_NONE, mujoco.mjtBias.mjBIAS_AFFINE)
_PLAIN_DYNAMICS = (mujoco.mjtDyn.mjDYN_NONE, mujoco.mjtDyn.mjDYN_INTEGRATOR, *_FILTERS)


@dataclass(frozen=True)
class MotorData:
    """The k motors of a prepared model; every array leads with the motor axis.

    Attributes:
        names: motor names.
        offset, scale: float[k], a motor pulls towards the length l at the activation offset + scale x l (scale in 1/rad or 1/m).
        strength: float[k], the most it can pull (N, or N m of a joint's).
    """

    names: tuple[str, ...]
    offset: np.ndarray
    scale: np.ndarray
    strength: np.ndarray

    @property
    def count(self) -> int:
        """k."""
        return len(self.names)

    def activation(self, length: Float[Any, "*batch k"]) -> Float[Any, "*batch k"]:
        """Return activations, 0 to 1, that pull motors to lengths (rad or m); numpy or jax.numpy."""
        return (self.offset + self.scale * length).clip(0.0, 1.0)


def is_muscle(actuator: Any) -> bool:
    """Whether an actuator of an MjSpec is a muscle: by its gain, bias and dynamics."""
    return (actuator.gaintype, actuator.biastype, actuator.dyntype) == muscles.MUSCLE


def faults(spec: mujoco.MjSpec, model: mujoco.MjModel, mode: str) -> list[str]:
    """Return what keeps a body's motors from doing as its file says, a sentence each.

    Args:
        spec: the body, unprepared.
        model: the same, compiled.
        mode: of `MODES`; "" where the file says nothing.
    """
    motors = {i: a for i, a in enumerate(spec.actuators) if not is_muscle(a)}
    if not motors:
        return [f"motors is {mode}, and the model has only muscles: leave it out."] if mode else []
    if not mode:
        names = [a.name or f"actuator {i}" for i, a in motors.items()]
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        ways = " or ".join(f"motors: {name} ({what})" for name, what in MODES.items())
        are = "is a motor, no muscle" if len(names) == 1 else "are motors, no muscles"
        return [f"{shown} {are}: say what becomes of {'it' if len(names) == 1 else 'them'}, {ways}."]
    moments = muscles.moments(model, _started(model))
    return [f"The motor {a.name or i} {why}." for i, a in motors.items() if (why := _unfit(model, i, moments[i], mode))]


def _unfit(model: mujoco.MjModel, i: int, moment: np.ndarray, mode: str) -> str:
    """Return why the motor i cannot be driven, "" where it can."""
    bias = mujoco.mjtBias(int(model.actuator_biastype[i]))
    if mode == "zero" and bias == mujoco.mjtBias.mjBIAS_NONE:
        return ""
    if mujoco.mjtGain(int(model.actuator_gaintype[i])) != mujoco.mjtGain.mjGAIN_FIXED or bias not in _PLAIN_BIAS:
        return "is of a kind that is not driven here: make it a <motor>, <position> or <general> with a fixed gain, or delete it"
    if mujoco.mjtDyn(int(model.actuator_dyntype[i])) not in _PLAIN_DYNAMICS:
        return "has dynamics that are neither a muscle's nor a filter's: take its dyntype out, or make it a <muscle>"
    transmission, target = mujoco.mjtTrn(int(model.actuator_trntype[i])), int(model.actuator_trnid[i, 0])
    if transmission in _AT_JOINTS:
        if mujoco.mjtJoint(int(model.jnt_type[target])) not in _FULL_EFFORT:
            return "turns a ball or free joint: delete it, or make its joint hinges"
    elif transmission != mujoco.mjtTrn.mjTRN_TENDON:
        return "acts on no joint and no tendon: delete it, or let it act on one"
    if mode == "posture" and not moment.any():
        return "moves nothing where the model starts: delete it, or let it act on a joint that moves"
    return ""


def _started(model: mujoco.MjModel) -> mujoco.MjData:
    """Return the data of a model where it starts."""
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    return data


def furnish(spec: mujoco.MjSpec, mode: str) -> None:
    """Change a spec's motors into what its body's file says of them, and put them after its muscles.

    Raises:
        MovlrError: the file says nothing of them, or one cannot be driven.
    """
    if all(is_muscle(a) for a in spec.actuators):
        return
    model = spec.compile()
    sentences = faults(spec, model, mode)
    if sentences:
        raise MovlrError(sentences[0])
    data = _started(model)
    moments = muscles.moments(model, data)
    for i, motor in enumerate(list(spec.actuators)):
        if is_muscle(motor):
            continue
        if mode == "zero" and mujoco.mjtBias(int(model.actuator_biastype[i])) == mujoco.mjtBias.mjBIAS_NONE:
            spec.delete(motor)
            continue
        settings = {
            "name": motor.name,
            "trntype": motor.trntype,
            "target": motor.target,
            "gear": list(motor.gear),
            "group": motor.group,
            "gaintype": mujoco.mjtGain.mjGAIN_FIXED,
            "biastype": mujoco.mjtBias.mjBIAS_AFFINE,
            "dyntype": mujoco.mjtDyn.mjDYN_FILTEREXACT,
            "dynprm": _parameters(model.actuator_dynprm[i, 0] if mujoco.mjtDyn(int(model.actuator_dyntype[i])) in _FILTERS else LAG),
            "ctrllimited": True,
            "ctrlrange": [0.0, 1.0],
            "forcelimited": bool(model.actuator_forcelimited[i]),
            "forcerange": list(model.actuator_forcerange[i]),
        }
        settings |= _held(model, i) if mode == "zero" else _servo(model, data, i, moments[i], spec)
        spec.delete(motor)
        spec.add_actuator(**settings)


def _parameters(*values: float) -> list[float]:
    return [*map(float, values), *[0.0] * (10 - len(values))]


def _control(model: mujoco.MjModel, i: int) -> tuple[float, float] | None:
    """Return the range of what a motor's gain multiplies, its control or the state that integrates it; None where it has none."""
    integrates = mujoco.mjtDyn(int(model.actuator_dyntype[i])) == mujoco.mjtDyn.mjDYN_INTEGRATOR
    limited, span = (
        (model.actuator_actlimited, model.actuator_actrange) if integrates else (model.actuator_ctrllimited, model.actuator_ctrlrange)
    )
    return (float(span[i, 0]), float(span[i, 1])) if limited[i] else None


def _held(model: mujoco.MjModel, i: int) -> dict[str, Any]:
    """Return a motor whose control stays as near to zero as its range lets it: its bias is all that pulls."""
    gain, (b0, b1, b2) = float(model.actuator_gainprm[i, 0]), model.actuator_biasprm[i, :3]
    return {"gainprm": _parameters(0.0), "biasprm": _parameters(b0 + gain * np.clip(0.0, *(_control(model, i) or (0.0, 0.0))), b1, b2)}


def _servo(model: mujoco.MjModel, data: mujoco.MjData, i: int, moment: np.ndarray, spec: mujoco.MjSpec) -> dict[str, Any]:
    """Return a motor as a position servo whose activation, from 0 to 1, is the length asked for within its range.

    A servo's own stiffness and limits are kept. Else it pulls its most at an error of `_FULL_EFFORT`, as far as it is stable, and is
    critically damped, by the joints that it moves: their damping is integrated implicitly.
    """
    gain, (b0, b1, b2), control = float(model.actuator_gainprm[i, 0]), map(float, model.actuator_biasprm[i, :3]), _control(model, i)
    low, high = _reach(model, data, i, moment)
    if b1 < 0.0 and gain != 0.0:
        first, last = control or sorted(((-b0 - b1 * low) / gain, (-b0 - b1 * high) / gain))
        return {"gainprm": _parameters(gain * (last - first)), "biasprm": _parameters(b0 + gain * first, b1, b2)}
    inverse = np.zeros((1, model.nv))
    mujoco.mj_solveM(model, data, inverse, moment[None])
    mass = 1.0 / float(moment @ inverse[0])  # what the motor feels of the body
    stiffness = mass * (_STIFFEST / _STEP) ** 2
    most = _most(model, i, gain, control)
    if most is not None:
        stiffness = min(stiffness, most / _error(model, moment))
    for dof in np.flatnonzero(moment):
        joint = model.joint(int(model.dof_jntid[dof]))
        if mujoco.mjtJoint(int(joint.type[0])) in _FULL_EFFORT:
            spec.joint(joint.name).damping[0] += 2.0 * float(np.sqrt(stiffness * mass)) * float(moment[dof]) ** 2
    bias = _parameters(stiffness * low, -stiffness, b2)
    settings: dict[str, Any] = {"gainprm": _parameters(stiffness * (high - low)), "biasprm": bias}
    if most is not None and not model.actuator_forcelimited[i]:
        settings |= {"forcelimited": True, "forcerange": [-most, most]}
    return settings


def _most(model: mujoco.MjModel, i: int, gain: float, control: tuple[float, float] | None) -> float | None:
    """Return the most that a motor can pull (N or N m), None where nothing limits it."""
    if model.actuator_forcelimited[i]:
        return float(np.abs(model.actuator_forcerange[i]).max())
    return None if control is None else abs(gain) * max(map(abs, control))


def _error(model: mujoco.MjModel, moment: np.ndarray) -> float:
    """Return the change of an actuator's length (rad or m) at which it pulls its most."""
    kinds = model.jnt_type[model.dof_jntid]
    return float(max(abs(moment[d]) * _FULL_EFFORT.get(mujoco.mjtJoint(int(kinds[d])), 0.25) for d in np.flatnonzero(moment)))


def _reach(model: mujoco.MjModel, data: mujoco.MjData, i: int, moment: np.ndarray) -> tuple[float, float]:
    """Return the least and the greatest length that an actuator is asked for (rad or m)."""
    low = high = float(data.actuator_length[i])
    for d in np.flatnonzero(moment):
        joint = int(model.dof_jntid[d])
        if mujoco.mjtJoint(int(model.jnt_type[joint])) not in _FULL_EFFORT:
            continue
        span = model.jnt_range[joint] if model.jnt_limited[joint] else np.array([-np.pi, np.pi])
        ends = moment[d] * (span - data.qpos[model.jnt_qposadr[joint]])
        low, high = low + float(ends.min()), high + float(ends.max())
    return low, high


def read(model: mujoco.MjModel, first: int) -> MotorData:
    """Read the motors of a prepared model: its actuators from `first` on."""
    gain, bias = model.actuator_gainprm[first:, 0], model.actuator_biasprm[first:]
    driven = gain != 0.0
    safe = np.where(driven, gain, 1.0)
    limits = np.abs(model.actuator_forcerange[first:]).max(axis=1)
    return MotorData(
        names=tuple(model.actuator(i).name for i in range(first, model.nu)),
        offset=np.where(driven, -bias[:, 0] / safe, 0.0),
        scale=np.where(driven, -bias[:, 1] / safe, 0.0),
        strength=np.where(model.actuator_forcelimited[first:], limits, np.maximum(np.abs(gain), 1e-9)),
    )


def limp(model: mujoco.MjModel, first: int) -> None:
    """Take the strength from a model's motors, its actuators from `first` on, in place: they pull nothing, whatever they are told."""
    model.actuator_gainprm[first:] = 0.0
    model.actuator_biasprm[first:] = 0.0
