"""What the tests of single bodies share: sensors by name, loads, mirror images, and standing with springs beside the muscles."""

from __future__ import annotations

import copy

import mujoco
import numpy as np

from movlr_jax.morphologies import Morphology


def sensor(body: Morphology, data: mujoco.MjData, name: str) -> np.ndarray:
    """Return a sensor's values."""
    start, length = body.sensors[name]
    return data.sensordata[start : start + length]


def foot_loads(body: Morphology, data: mujoco.MjData) -> np.ndarray:
    """Return the loads of the left and the right foot in body weights."""
    return np.array([sensor(body, data, f"touch/{side}").sum() for side in ("left", "right")]) / body.weight


def landmark_asymmetry(body: Morphology) -> float:
    """Return how far the left landmarks are from the mirror images of the right ones in the standing pose (m)."""
    data = body.data()
    apart = []
    for name in body.landmarks:
        if name.startswith("left."):
            left, right = (sensor(body, data, f"{side}.{name[5:]}/position") for side in ("left", "right"))
            apart.append(np.linalg.norm(left - right * [1.0, -1.0, 1.0]))
    assert apart
    return float(max(apart))


def muscle_asymmetry(body: Morphology, partner: dict[str, str]) -> tuple[float, float]:
    """Return the largest relative difference of length and of peak force between muscles (left -> right) in the standing pose."""
    length, force = body.data().actuator_length, body.muscles.peak_force
    index = {name: i for i, name in enumerate(body.muscles.names)}
    left, right = (np.array([index[n] for n in names]) for names in (partner.keys(), partner.values()))
    return float(np.abs(length[left] / length[right] - 1.0).max()), float(np.abs(force[left] / force[right] - 1.0).max())


def coupling_errors(body: Morphology, qpos: np.ndarray) -> np.ndarray:
    """Return the errors of all joint equalities of the model at qpos (rad or m)."""
    data = mujoco.MjData(body.model)
    data.qpos[:] = qpos
    mujoco.mj_forward(body.model, data)
    kinds = data.efc_type[: data.nefc] == int(mujoco.mjtConstraint.mjCNSTR_EQUALITY)
    assert kinds.sum() == body.model.neq
    return np.abs(data.efc_pos[: data.nefc][kinds])


def sprung(body: Morphology, act: np.ndarray, stiffness: float, seconds: float) -> tuple[mujoco.MjData, np.ndarray]:
    """Simulate the standing start with weak springs (N m/rad) on the planned joints beside muscles at constant activation.

    Returns:
        The data at the end, and how far each planned joint has moved (rad).
    """
    space = body.posture
    model = copy.copy(body.model)
    joints = model.dof_jntid[space.qvel_index]
    model.jnt_stiffness[joints] = stiffness
    model.qpos_spring[space.qpos_index] = body.standing_qpos[space.qpos_index]
    model.dof_damping[space.qvel_index] += 0.05 * stiffness
    data = mujoco.MjData(model)
    data.qpos[:] = body.standing_qpos
    data.act[:] = data.ctrl[:] = act
    for _ in range(round(seconds / model.opt.timestep)):
        mujoco.mj_step(model, data)
    return data, np.abs(data.qpos - body.standing_qpos)[space.qpos_index]
