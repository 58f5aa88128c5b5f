"""The instant: what every engine reports of one moment, as one float32 row.

Instant k holds qpos, qvel and act before step k, the excitation of step k, and the forces and sensordata that step k computed, so all of it
belongs to one and the same state, on every engine, from plain steps. `blocks` names the columns; `Instants` packs them, for the engines,
for training and for motions that are made without an engine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np
from jaxtyping import Float, Float32

from movlr_jax.morphologies import Morphology
from movlr_jax.physics.feet import Feet
from movlr_jax.physics.gait import GAIT_FIELDS
from movlr_jax.sides import SIDES

TARGET_FIELDS: tuple[str, ...] = ("object_x", "object_y", "object_z", "object_qw", "object_qx", "object_qy", "object_qz")
GOAL_FIELDS: tuple[str, ...] = ("speed", "heading", *TARGET_FIELDS)
NO_TARGET: tuple[float, ...] = (0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Frame:
    """A task's frame and goal, constant over an episode.

    Attributes:
        origin: x, y of the start on the ground (m, world).
        heading: direction of forward, counter-clockwise from +x (rad).
        goal: speed (m/s) and heading asked for, relative to forward (rad).
        target: where an object is wanted: its position (m) and orientation (unit quaternion, w first), both in world axes.
    """

    origin: tuple[float, float] = (0.0, 0.0)
    heading: float = 0.0
    goal: tuple[float, ...] = (0.0, 0.0)
    target: tuple[float, ...] = NO_TARGET

    @property
    def forward(self) -> Float[np.ndarray, " 2"]:
        """The unit vector of forward in the ground plane."""
        return np.array([np.cos(self.heading), np.sin(self.heading)])

    def row(self) -> Float32[np.ndarray, " columns"]:
        """Origin, cosine, sine, goal (`GOAL_FIELDS`)."""
        return np.array([*self.origin, *self.forward, *self.goal, *self.target], np.float32)


def rows(frames: Sequence[Frame]) -> Float32[np.ndarray, "episode columns"]:
    """Return the rows of episodes' frames."""
    return np.stack([frame.row() for frame in frames])


def blocks(morphology: Morphology) -> dict[str, tuple[int, int]]:
    """Return block name -> (start, stop) of an instant's columns."""
    model = morphology.model
    sizes = {
        "time": 1,
        "dt": 1,
        "frame": 4,
        "goal": len(GOAL_FIELDS),
        "qpos": model.nq,
        "qvel": model.nv,
        "act": model.na,
        "ctrl": model.nu,
        "force": model.nu,
        "sensor": model.nsensordata,
        "ground": len(morphology.landmarks),
        "ahead": len(SIDES),
        "gait": len(SIDES) * len(GAIT_FIELDS),
    }
    out, at = {}, 0
    for name, size in sizes.items():
        out[name] = (at, at + size)
        at += size
    return out


class Instants:
    """Packs the instants of one body, over an array namespace: into float32 rows of numpy, or into new arrays of jax.numpy.

    Args:
        morphology: the body.

    Attributes:
        columns: block name -> its columns.
        size: f, the columns of one instant.
    """

    def __init__(self, morphology: Morphology):
        self.columns = {name: slice(*span) for name, span in blocks(morphology).items()}
        self.size = self.columns["gait"].stop
        self._places = np.array([morphology.sensors[f"{name}/position"][0] + np.arange(2) for name in morphology.landmarks])
        self._model, self._terrain, self._feet = morphology.model, morphology.terrain, Feet(morphology)

    def pack(self, values: Mapping[str, Any], out: Any = None, xp: Any = np) -> Any:
        """Return instants[..., f] of blocks that follow each other.

        Args:
            values: block name -> [..., width], or what broadcasts to that.
            out: rows of numpy to be written in place; None: a new array, for which values must not need to be broadcast.
            xp: numpy or jax.numpy.
        """
        if out is None:
            return xp.concatenate([values[name] for name in self.columns if name in values], axis=-1)
        for name, value in values.items():
            out[..., self.columns[name]] = value
        return out

    @staticmethod
    def fixed(dt: float, frames: Any, xp: Any = np) -> dict[str, Any]:
        """Return the blocks that do not change over an episode: of dt (s) and frames [..., 4 + goals]."""
        return {"dt": xp.full((*frames.shape[:-1], 1), dt), "frame": frames[..., :4], "goal": frames[..., 4:]}

    @staticmethod
    def before(data: Any, xp: Any = np) -> dict[str, Any]:
        """Return the blocks of the state before a step and of its excitation, of data with MuJoCo's field names."""
        return {
            "time": xp.asarray(data.time)[..., None],
            "qpos": data.qpos,
            "qvel": data.qvel,
            "act": data.act,
            "ctrl": data.ctrl,
        }

    @staticmethod
    def after(data: Any) -> dict[str, Any]:
        """Return the blocks that a step, or a forward computation, found for the state before it."""
        return {"force": -data.actuator_force, "sensor": data.sensordata}

    def ground(self, sensors: Float[Any, "*batch n"], xp: Any = np) -> dict[str, Any]:
        """Return the block of the ground's height under each landmark, of sensordata."""
        return {"ground": self._terrain.height(sensors[..., self._places], xp)}

    def feet(
        self,
        sensors: Float[Any, "world time n"],
        memory: Float[Any, "world 2 8"],
        frames: Float[Any, "world columns"],
        dt: float,
        xp: Any = np,
    ) -> tuple[dict[str, Any], Float[Any, "world 2 8"]]:
        """Return the blocks of the feet over the instants, and the gait memory after the last.

        Args:
            sensors: sensordata.
            memory: before the first instant.
            frames: rows of the frames.
            dt: time between instants (s).
            xp: numpy or jax.numpy.
        """
        ahead, wide = self._feet.ahead(sensors, frames[:, 2:4], xp), np.float64 if xp is np else sensors.dtype
        after = self._feet.over_time(memory, sensors.astype(wide), frames[:, 2:4].astype(wide), dt, xp)
        return {"ahead": ahead, "gait": after.reshape(*after.shape[:2], -1)}, after[:, -1]

    def at_rest(
        self, qpos: Float[np.ndarray, " nq"], act: Float[np.ndarray, " na"], frame: Float[np.ndarray, " columns"], dt: float
    ) -> Float32[np.ndarray, " f"]:
        """Return the instant, as C MuJoCo computes it, of the body at rest at the start of an episode.

        Args:
            qpos: the pose.
            act: activations, which also are the excitations.
            frame: the frame's row.
            dt: what the instant says is the time since the one before (s).
        """
        data = mujoco.MjData(self._model)
        data.qpos[:], data.act[:], data.ctrl[:] = qpos, act, act
        mujoco.mj_forward(self._model, data)
        sensors = np.array(data.sensordata)
        feet = {"ahead": self._feet.ahead(sensors[None, None], frame[None, 2:4])[0, 0], "gait": self._feet.initial(sensors).ravel()}
        values = self.fixed(dt, frame) | self.before(data) | self.after(data) | self.ground(sensors) | feet
        return np.asarray(self.pack(values, np.zeros(self.size, np.float32)))
