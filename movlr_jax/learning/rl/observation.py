"""Observation: what a policy sees of an instant, as one row of numbers of order one.

In: instants float32[W, f] of any engine. Out: float32[W, size]; `blocks` names the columns. Places are relative to the pelvis, directions
in the task's frame, so that a policy does not depend on where on the ground it is. No excitation is seen: a recorded instant, which holds
the excitation that followed, is observed as the policy would have met it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from movlr_jax.morphologies import Morphology, root
from movlr_jax.morphologies.objects import BODY
from movlr_jax.physics.gait import GAIT_FIELDS
from movlr_jax.rewards.features import feature_layout
from movlr_jax.rewards.layout import FeatureLayout
from movlr_jax.rewards.rotation import quat_axis
from movlr_jax.sides import SIDES

_LONGEST = 2.0  # s; gait memory older than this tells nothing more
_SPEED = 0.1  # per rad/s or m/s, for joints
_PERIODS = (0.6, 1.2, 2.4, 4.8)  # s; a reward may be led by a clock, which a policy must be able to read


class Observation:
    """The observation of one body.

    Args:
        morphology: the body.

    Attributes:
        size: how many numbers.
        blocks: name -> (start, stop) of the columns: height, landmarks (place, velocity), axes (up and forward), com (place, velocity),
            joints (angle in its range, velocity), muscles and motors (activation, force), goal, time; of a body with feet gait; with an
            object object (its target's place and both orientations).
    """

    def __init__(self, morphology: Morphology):
        self._layout = feature_layout(morphology)
        self._feet = () if morphology.fixed else SIDES
        self._thing = BODY in morphology.landmarks
        self._peak = np.append(morphology.muscles.peak_force, morphology.motors.strength).astype(np.float32)
        model = morphology.model
        # Where the body as a whole is comes from its landmarks, never from the coordinates of its root.
        whole = () if morphology.fixed else {model.joint(j).name for j in root.root_joints(model, morphology.top)}
        names = [name for name in self._layout.joints if name not in whole]
        self._qpos = np.array([self._layout.joints[name][0] for name in names], int)
        self._qvel = np.array([self._layout.joints[name][1] for name in names], int)
        ranges = np.array([self._layout.joint_ranges[name] for name in names], np.float32).reshape(-1, 2)
        limited = ranges[:, 1] > ranges[:, 0]
        self._middle = np.where(limited, ranges.mean(1), 0.0).astype(np.float32)
        self._half = np.where(limited, 0.5 * (ranges[:, 1] - ranges[:, 0]), 1.0).astype(np.float32)
        self._landmarks = [name for name in self._layout.landmarks if name != "pelvis"]
        self._told: dict[str, Callable[[Any], Any]] = {
            "height": self._height,
            "landmarks": self._places,
            "axes": self._axes,
            "com": self._com,
            "joints": self._joints,
            "muscles": self._muscles,
            "goal": self._goal,
            "time": _clock,
        }
        if self._feet:
            self._told["gait"] = self._gait
        if self._thing:
            self._told["object"] = self._object
        self.blocks: dict[str, tuple[int, int]] = {}
        at = 0
        sample = jax.ShapeDtypeStruct((1, self._layout.size), np.float32)
        for name, part in self._told.items():
            width = jax.eval_shape(lambda row, part=part: part(_Instants(row, self._layout)), sample).shape[1]
            self.blocks[name] = (at, at + width)
            at += width
        self.size = at

    def __call__(self, instants: Any) -> Any:
        """Return observations float32[W, size] of instants[W, f]; traceable."""
        seen = _Instants(instants, self._layout)
        return jnp.concatenate([part(seen) for part in self._told.values()], axis=1)

    def _height(self, seen: _Instants) -> Any:
        ground = seen.block("ground")
        heights = [seen.position(name)[:, 2:] - ground[:, offsets["ground"], None] for name, offsets in self._layout.landmarks.items()]
        return jnp.concatenate(heights, axis=1)

    def _places(self, seen: _Instants) -> Any:
        pelvis = seen.position("pelvis")
        places = [seen.turned(seen.position(name) - pelvis) for name in self._landmarks]
        speeds = [seen.turned(seen.velocity(name)) for name in self._layout.landmarks]
        return jnp.concatenate([*places, *speeds, seen.place(pelvis)[:, 1:2]], axis=1)

    def _axes(self, seen: _Instants) -> Any:
        return jnp.concatenate([seen.axis(name, axis) for name in self._layout.landmarks for axis in (0, 2)], axis=1)

    def _com(self, seen: _Instants) -> Any:
        place, speed = (seen.sensor(self._layout.com[name]) for name in ("position", "velocity"))
        return jnp.concatenate([seen.turned(place - seen.position("pelvis")), seen.turned(speed)], axis=1)

    def _joints(self, seen: _Instants) -> Any:
        angle = (seen.block("qpos")[:, self._qpos] - self._middle) / self._half
        return jnp.concatenate([angle, _SPEED * seen.block("qvel")[:, self._qvel]], axis=1)

    def _muscles(self, seen: _Instants) -> Any:
        return jnp.concatenate([seen.block("act"), seen.block("force") / self._peak], axis=1)

    def _goal(self, seen: _Instants) -> Any:
        goal = seen.block("goal")
        speed, heading = (goal[:, self._layout.goal[name]] for name in ("speed", "heading"))
        return jnp.stack([speed, jnp.cos(heading), jnp.sin(heading)], axis=1)

    def _gait(self, seen: _Instants) -> Any:
        memory = seen.block("gait").reshape(-1, len(SIDES), len(GAIT_FIELDS))
        pelvis, ground, columns = seen.position("pelvis"), seen.block("ground"), []
        for i, side in enumerate(SIDES):
            field = {name: memory[:, i, k] for k, name in enumerate(GAIT_FIELDS)}
            since = [jnp.minimum(field[name], _LONGEST) for name in ("time_since_touchdown", "time_since_liftoff")]
            ahead = seen.block("ahead")[:, i] - ground[:, self._layout.landmarks[f"{side}.foot"]["ground"]]
            scalars = jnp.stack([field["in_contact"], field["load"], *since, field["step_length"], ahead], axis=1)
            landed = jnp.stack([field[f"last_touchdown_{axis}"] for axis in "xyz"], axis=1)
            columns += [scalars, seen.turned(landed - pelvis)]
        return jnp.concatenate(columns, axis=1)

    def _object(self, seen: _Instants) -> Any:
        goal, first = seen.block("goal"), self._layout.goal
        away = goal[:, first["object_x"] : first["object_x"] + 3] - seen.position(BODY)
        wanted = goal[:, first["object_qw"] : first["object_qw"] + 4]
        axes = [seen.along(wanted, axis) for axis in (0, 2)]
        return jnp.concatenate([seen.turned(away), *axes], axis=1)


class _Instants:
    """Named views of instants[W, f], over jax.numpy."""

    def __init__(self, instants: Any, layout: FeatureLayout):
        self._instants, self._layout = instants, layout

    def block(self, name: str) -> Any:
        return self._instants[:, self._layout.columns(name)]

    def sensor(self, offset: int, count: int = 3) -> Any:
        start = self._layout.column("sensor", offset)
        return self._instants[:, start : start + count]

    def position(self, landmark: str) -> Any:
        return self.sensor(self._layout.landmarks[landmark]["position"])

    def velocity(self, landmark: str) -> Any:
        return self.sensor(self._layout.landmarks[landmark]["velocity"])

    def axis(self, landmark: str, axis: int) -> Any:
        return self.along(self.sensor(self._layout.landmarks[landmark]["quat"], 4), axis)

    def along(self, quat: Any, axis: int) -> Any:
        """Return an axis of orientations[W, 4] in the task's frame."""
        w, x, y, z = quat.T
        return self.turned(jnp.stack(quat_axis(w, x, y, z, axis), axis=1))

    def turned(self, v: Any) -> Any:
        """Return world vectors [W, 3] in the task's frame."""
        c, s = self.block("frame")[:, 2], self.block("frame")[:, 3]
        return jnp.stack([c * v[:, 0] + s * v[:, 1], c * v[:, 1] - s * v[:, 0], v[:, 2]], axis=1)

    def place(self, p: Any) -> Any:
        """Return world points [W, 3] in the task's frame (m)."""
        origin = self.block("frame")[:, :2]
        return self.turned(jnp.concatenate([p[:, :2] - origin, p[:, 2:]], axis=1))


def _clock(seen: _Instants) -> Any:
    time = seen.block("time")
    turns = [2.0 * np.pi * time / period for period in _PERIODS]
    return jnp.concatenate([time / (1.0 + time), *(wave(turn) for turn in turns for wave in (jnp.sin, jnp.cos))], axis=1)
