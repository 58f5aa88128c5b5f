"""Muscle parameters read from a compiled model, as arrays over its muscles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import mujoco
import numpy as np
from jaxtyping import Bool, Float

# Gain, bias and dynamics of a muscle.
MUSCLE = (mujoco.mjtGain.mjGAIN_MUSCLE, mujoco.mjtBias.mjBIAS_MUSCLE, mujoco.mjtDyn.mjDYN_MUSCLE)
PEAK_FORCE = 2  # the column of a muscle's gainprm that holds it


@dataclass(frozen=True)
class MuscleData:
    """The m muscles of a model; every array leads with the muscle axis. Lengths in m, forces in N, times in s.

    In a prepared model they stand before its motors.

    Attributes:
        names: muscle names.
        range: float[m, 2], operating range in units of the optimal fibre length L0.
        length_range: float[m, 2], tendon-path lengths at the ends of the operating range.
        optimal_length: float[m], L0 = (length_range span) / (range span).
        peak_force: float[m].
        lmin, lmax, vmax, fpmax, fvmax: float[m], MuJoCo's muscle curve parameters (lengths in L0, speeds in L0/s).
        activation_time, deactivation_time: float[m].
        smoothing: float[m], width of the smooth switch between the two time constants (0: hard).
        groups: group name -> muscle indices, e.g. "right_hamstrings".
    """

    names: tuple[str, ...]
    range: np.ndarray
    length_range: np.ndarray
    optimal_length: np.ndarray
    peak_force: np.ndarray
    lmin: np.ndarray
    lmax: np.ndarray
    vmax: np.ndarray
    fpmax: np.ndarray
    fvmax: np.ndarray
    activation_time: np.ndarray
    deactivation_time: np.ndarray
    smoothing: np.ndarray
    groups: dict[str, tuple[int, ...]]

    @property
    def count(self) -> int:
        """m."""
        return len(self.names)


def muscular(model: mujoco.MjModel) -> Bool[np.ndarray, " nu"]:
    """Return which actuators are muscles, by their gain, bias and first-order muscle dynamics."""
    kinds = np.stack([model.actuator_gaintype, model.actuator_biastype, model.actuator_dyntype], axis=1)
    return np.asarray((kinds == [int(kind) for kind in MUSCLE]).all(axis=1))


def moments(model: mujoco.MjModel, data: mujoco.MjData) -> Float[np.ndarray, "nu nv"]:
    """Return the moment arms d length / d q (m, m/rad) of all actuators in the pose for which `data` is computed."""
    dense = np.zeros((model.nu, model.nv))
    mujoco.mju_sparse2dense(dense, data.actuator_moment, data.moment_rownnz, data.moment_rowadr, data.moment_colind)
    return dense


def read(model: mujoco.MjModel, groups: Mapping[str, tuple[str, ...]], unsided: str = "middle") -> MuscleData:
    """Read the muscles of a model; its other actuators are left out.

    Args:
        model: the compiled model.
        groups: group name -> patterns (BodyPlan.muscle_groups).
        unsided: side of muscles whose names carry none.
    """
    own = np.flatnonzero(muscular(model))
    prm, dyn = model.actuator_gainprm[own], model.actuator_dynprm[own]
    length_range = model.actuator_lengthrange[own]
    span = prm[:, 1] - prm[:, 0]
    acc0 = np.maximum(model.actuator_acc0[own], 1e-15)
    peak = np.where(prm[:, PEAK_FORCE] < 0, prm[:, 3] / acc0, prm[:, PEAK_FORCE])
    names = tuple(model.actuator(int(i)).name for i in own)
    return MuscleData(
        names=names,
        range=prm[:, 0:2].copy(),
        length_range=length_range,
        optimal_length=(length_range[:, 1] - length_range[:, 0]) / span,
        peak_force=peak,
        lmin=prm[:, 4].copy(),
        lmax=prm[:, 5].copy(),
        vmax=prm[:, 6].copy(),
        fpmax=prm[:, 7].copy(),
        fvmax=prm[:, 8].copy(),
        activation_time=dyn[:, 0].copy(),
        deactivation_time=dyn[:, 1].copy(),
        smoothing=dyn[:, 2].copy(),
        groups=_grouped(names, groups, unsided),
    )


def _side(name: str, unsided: str) -> str:
    if name.endswith(("_l", "_L")) or "_l-" in name or "_l_" in name or name.startswith("l_") or "_left" in name:
        return "left"
    if name.endswith(("_r", "_R")) or "_r-" in name or "_r_" in name or name.startswith("r_") or "_right" in name:
        return "right"
    return unsided


def _grouped(names: tuple[str, ...], groups: Mapping[str, tuple[str, ...]], unsided: str) -> dict[str, tuple[int, ...]]:
    """Sort muscles into "<side>_<group>" by the longest pattern that their names, less a leading side, start with; else "<side>_other"."""
    patterns = sorted(((p, g) for g, ps in groups.items() for p in ps), key=lambda pg: -len(pg[0]))
    out: dict[str, list[int]] = {f"{side}_{group}": [] for side in ("left", "right", "middle", unsided) for group in (*groups, "other")}
    for i, name in enumerate(names):
        group = next((g for p, g in patterns if name.removeprefix("l_").removeprefix("r_").startswith(p)), "other")
        out[f"{_side(name, unsided)}_{group}"].append(i)
    return {name: tuple(members) for name, members in out.items() if members}
