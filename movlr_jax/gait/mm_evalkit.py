"""Export for mm-evalkit: recorded episodes as the rollout archive that its gait workflow reads, which has human data to put beside them.

In: episodes of one body. Out: an .npz of its layout (version 0.1.0): 10 ms between rows; angles of MyoFullBody's joints (rad) after seven
columns of the root, activations of its muscles, contact of each foot. Legs go by their anatomy, muscles by their names. What the body lacks
is 0 and named under "absent_joints" and "absent_muscles"; without a joint or a muscle that is compared there is no export. These motions
follow no reference: what stands for one is the motion itself, so comparisons with a reference say nothing.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from movlr_jax import atomic
from movlr_jax.errors import MovlrError
from movlr_jax.gait.strides import Contact
from movlr_jax.gait.trajectory import Trajectory
from movlr_jax.morphologies.anatomy import usual
from movlr_jax.rewards.layout import SIDES, FeatureLayout

DT = 0.01  # s between rows
_ROOT = 7  # columns: place (m) and quaternion
# What it compares with people: hips, knees and ankles of both legs, and muscles of the right one with electrodes.
_COMPARED_MUSCLES = ("vaslat", "recfem", "vasmed", "tibant", "bflh", "semiten", "gasmed", "gaslat", "soleus", "perlong", "perbrev")
_OTHER_NAMES = {"elbow_flex_r": "elbow_flexion_r", "elbow_flex_l": "elbow_flexion_l"}


@functools.cache
def _channels() -> dict[str, list[str]]:
    text = resources.files("movlr_jax.gait").joinpath("mm_evalkit_channels.json").read_text(encoding="utf-8")
    return {name: list(values) for name, values in json.loads(text).items() if name != "reader"}


def archive(episodes: Sequence[tuple[Trajectory, Mapping[str, Sequence[Contact]]]]) -> dict[str, Any]:
    """Return the archive's arrays by name.

    Args:
        episodes: (trajectory, contacts of each side) of episodes of one body.

    Raises:
        MovlrError: the body lacks what is compared.
    """
    layout = episodes[0][0].layout
    joints, muscles = _joints(layout), _muscles(layout)
    arrays: dict[str, Any] = {
        "n_episodes": np.array(len(episodes)),
        "dt": np.array(DT),
        "joint_names": np.array(_channels()["joints"]),
        "activation_sample_phase": np.array("pre_step"),
        "absent_joints": np.array([name for name in _channels()["joints"][1:] if name not in joints], np.str_),
        "absent_muscles": np.array([name for name in _channels()["muscles"] if name not in muscles], np.str_),
    }
    for n, (trajectory, contacts) in enumerate(episodes):
        time = trajectory.time
        at = time[0] + DT * np.arange(int(np.floor((time[-1] - time[0]) / DT + 1e-6)) + 1)
        positions = np.zeros((len(at), _ROOT + len(_channels()["joints"]) - 1))
        positions[:, :_ROOT] = _root(trajectory, at)
        for name, (joint, sign) in joints.items():
            positions[:, _ROOT - 1 + _channels()["joints"].index(name)] = np.interp(at, time, sign * trajectory.joint(joint))
        activations = np.zeros((len(at), len(_channels()["muscles"])))
        act = trajectory.muscles("act")
        for name, i in muscles.items():
            activations[:, _channels()["muscles"].index(name)] = np.interp(at, time, act[:, i])
        touch = np.zeros((len(at), 4))  # the right foot's two sensors, then the left's: the first of each tells
        for column, side in ((0, "right"), (2, "left")):
            for contact in contacts.get(side, ()):
                touch[(at >= contact.from_s - 1e-6) & (at < contact.to_s - 1e-6), column] = 1.0
        values = {"traj_id": np.array(n), "traj_length": np.array(len(at)), "joint_positions": positions, "traj_qpos": positions}
        values |= {"muscle_activations": activations, "touch_observations": touch}
        arrays |= {f"episode_{n}_{name}": value for name, value in values.items()}
    return arrays


def export(path: Path, episodes: Sequence[tuple[Trajectory, Mapping[str, Sequence[Contact]]]]) -> Path:
    """Write the archive and return its path; see `archive`."""
    atomic.write_npz(path, archive(episodes))
    return path


def _root(trajectory: Trajectory, at: Float[np.ndarray, " row"]) -> Float[np.ndarray, "row 7"]:
    """Return place (m) and attitude of the pelvis, the attitude that of the nearest recorded instant."""
    time, start = trajectory.time, trajectory.layout.landmarks["pelvis"]["quat"]
    place = np.stack([np.interp(at, time, axis) for axis in trajectory.position("pelvis").T], axis=1)
    nearest = np.clip(np.searchsorted(time, at - trajectory.dt / 2), 0, len(time) - 1)
    return np.concatenate([place, trajectory.block("sensor")[nearest, start : start + 4]], axis=1)


def _joints(layout: FeatureLayout) -> dict[str, tuple[str, float]]:
    """Return its joint -> (the body's, sign).

    Raises:
        MovlrError: a leg lacks one that is compared.
    """
    legs = {usual(function): joint for function, joint in layout.anatomy.items()}
    needed = [usual(f"{s}.{f}") for s in SIDES for f in ("hip_flexion", "hip_adduction", "hip_rotation", "knee_flexion", "ankle_flexion")]
    missing = [name for name in needed if name not in legs]
    if missing:
        raise MovlrError(f"{layout.morphology} has no {missing[0]}, which mm-evalkit compares: export the motion of a human body.")
    found = {name: (_OTHER_NAMES.get(name, name), 1.0) for name in _channels()["joints"]}
    return {name: joint for name, joint in found.items() if joint[0] in layout.joints} | legs


def _muscles(layout: FeatureLayout) -> dict[str, int]:
    """Return its muscle -> the body's.

    Raises:
        MovlrError: one that is compared is missing.
    """
    own = {name: i for i, name in enumerate(layout.muscles)}
    out: dict[str, int] = {}
    for name in _channels()["muscles"]:
        arm = f"{name.removesuffix('_left')}_l" if name.endswith("_left") else f"{name}_r"  # those of arms stand without a side, or "left"
        if (i := own.get(name, own.get(arm))) is not None:
            out[name] = i
    missing = [f"{name}_r" for name in _COMPARED_MUSCLES if f"{name}_r" not in out]
    if missing:
        raise MovlrError(f"{layout.morphology} has no muscle {missing[0]}, which mm-evalkit compares: export the motion of a human body.")
    return out
