"""Motion: one instant of a moving body, in physical words and SI units. It is all that a reward program sees.

The task's frame has its origin on the ground below the start, x forward (the way the task goes), y left, z up; it does not move. Every
docstring of a public property below is part of the vocabulary that a writer is shown (`vocabulary`), so each says what the quantity is,
its shape and unit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from movlr_jax.rewards.layout import FeatureLayout
from movlr_jax.rewards.named import MotionError, Named, index_cure, kinds, public_names, undeclared_cure, unknown
from movlr_jax.rewards.places import CenterOfMass, Foot, Landmark, Side
from movlr_jax.rewards.rotation import angle_between

if TYPE_CHECKING:
    from jax import Array


__all__ = ["OBJECT", "Motion", "MotionError", "index_cure", "kinds", "public_names", "undeclared_cure"]

OBJECT = "object"  # the landmark that only a body with an object has


class Joint(Named):
    """One scalar joint."""

    def __init__(self, motion: Motion, name: str):
        self._motion = motion
        self._name = name
        self._written = f'm.joint("{name}")'

    @property
    def angle(self) -> Array:
        """Angle (rad), or displacement of a slide joint (m)."""
        return self._motion._block("qpos")[self._motion._layout.joints[self._name][0]]

    @property
    def velocity(self) -> Array:
        """Velocity (rad/s or m/s)."""
        return self._motion._block("qvel")[self._motion._layout.joints[self._name][1]]

    @property
    def lower(self) -> float:
        """Lower limit (rad or m)."""
        return self._motion._layout.joint_ranges[self._name][0]

    @property
    def upper(self) -> float:
        """Upper limit (rad or m)."""
        return self._motion._layout.joint_ranges[self._name][1]

    @property
    def standing(self) -> float:
        """Its angle in the standing pose (rad or m)."""
        return self._motion._layout.standing_angles[self._name]


class Joints(Named):
    """All planned joints together (legs, and trunk and arms where the body has them)."""

    _written = "m.joints"

    def __init__(self, motion: Motion):
        self._motion = motion

    def _gather(self, block: str, which: int) -> Array:
        layout = self._motion._layout
        values = self._motion._block(block)
        return jnp.stack([values[layout.joints[name][which]] for name in layout.planned_joints])

    @property
    def angle(self) -> Array:
        """Angles of the planned joints [planned] (rad)."""
        return self._gather("qpos", 0)

    @property
    def velocity(self) -> Array:
        """Velocities of the planned joints [planned] (rad/s)."""
        return self._gather("qvel", 1)

    @property
    def deviation(self) -> Array:
        """Angles minus those of the standing pose [planned] (rad)."""
        layout = self._motion._layout
        standing = [layout.standing_angles[name] for name in layout.planned_joints]
        return self.angle - jnp.array(standing, jnp.float32)


class Muscles(Named):
    """Muscles in the model's order: all of them, or one group."""

    _written = "m.muscles"

    def __init__(self, motion: Motion, indices: tuple[int, ...] | None = None):
        self._motion = motion
        self._indices = indices

    def _pick(self, block: str) -> Array:
        values = self._motion._block(block)
        count = len(self._motion._layout.muscles)
        if self._indices is None:
            return values[:count] if values.shape[0] > count else values  # motors stand after them
        return jnp.stack([values[i] for i in self._indices])

    @property
    def activation(self) -> Array:
        """Activation, 0 to 1 [muscles]."""
        return self._pick("act")

    @property
    def excitation(self) -> Array:
        """Excitation (the command), 0 to 1 [muscles]."""
        return self._pick("ctrl")

    @property
    def force(self) -> Array:
        """Tension, positive when pulling [muscles] (N)."""
        return self._pick("force")


class Standing(Named):
    """Heights of the settled standing pose, as constants (m): `<landmark>_height` and `com_height`."""

    _written = "m.standing"

    def __init__(self, motion: Motion):
        self._motion = motion

    def __getattr__(self, name: str) -> float:
        if name.startswith("_"):
            raise AttributeError(name)
        layout = self._motion._layout
        if name not in layout.standing:
            raise unknown("standing quantity", name, sorted(layout.standing), layout.morphology)
        return layout.standing[name]


class Parameters(Named):
    """The program's declared constants, by the names that its PARAMETERS give them."""

    _written = "m.parameters"

    def __init__(self, motion: Motion):
        self._motion = motion

    def __getattr__(self, name: str) -> Array:
        if name.startswith("_"):
            raise AttributeError(name)
        declared = self._motion._declared
        if name not in declared:
            raise MotionError(f"m.parameters has no '{name}': {undeclared_cure(name, declared)}.")
        return self._motion._features[2 * self._motion._layout.size + declared.index(name)]


class Goal(Named):
    """What the task asks for."""

    _written = "m.goal"

    def __init__(self, motion: Motion):
        self._motion = motion

    def _get(self, name: str) -> Array:
        return self._motion._block("goal")[self._motion._layout.goal[name]]

    @property
    def speed(self) -> Array:
        """Forward speed asked for (m/s)."""
        return self._get("speed")

    @property
    def heading_error(self) -> Array:
        """Heading of the pelvis minus the heading asked for, positive when turned too far left (rad, -pi to pi)."""
        error = self._motion.pelvis.yaw - self._get("heading")
        return jnp.arctan2(jnp.sin(error), jnp.cos(error))

    def _target(self, first: str, count: int) -> Array:
        start = self._motion._layout.goal[first]
        return self._motion._block("goal")[start : start + count]

    @property
    def object_position(self) -> Array:
        """Where the object is wanted: forward, left, up [3] (m)."""
        self._motion._landmark(OBJECT)
        return self._motion._place(self._target("object_x", 3))

    @property
    def object_position_error(self) -> Array:
        """Distance from the object to where it is wanted (m)."""
        away = self._motion.object.position - self.object_position
        return jnp.sqrt(jnp.sum(jnp.square(away)) + 1e-12)

    @property
    def object_orientation_error(self) -> Array:
        """Angle of the smallest turn that brings the object into the orientation wanted (rad, 0 to pi)."""
        now = self._motion._sensor(self._motion._landmark(OBJECT)._offsets["quat"], 4)
        return angle_between(now, self._target("object_qw", 4), jnp)


class Motion(Named):
    """One instant of motion; `terms(m)` gets it as `m`.

    Args:
        layout: where quantities stand.
        features: float32[2 * layout.size + p], the current instant followed by the previous one and by the parameters' values.
        declared: names of the program's p parameters.
    """

    def __init__(self, layout: FeatureLayout, features: Array, declared: tuple[str, ...] = (), *, _is_previous: bool = False):
        self._layout = layout
        self._declared = declared
        self._features = features
        self._is_previous = _is_previous
        self._instant = features[layout.size : 2 * layout.size] if _is_previous else features[: layout.size]

    def __getattr__(self, name: str) -> Any:
        """Return a landmark of the body's own that has no side; pelvis, trunk and head stand below."""
        if not name.startswith("_") and name in self._layout.landmarks:
            return self._landmark(name)
        return super().__getattr__(name)

    def _block(self, name: str) -> Array:
        start, stop = self._layout.blocks[name]
        return self._instant[start:stop]

    def _sensor(self, offset: int, count: int) -> Array:
        start = self._layout.blocks["sensor"][0] + offset
        return self._instant[start : start + count]

    def _turn(self, v: Array) -> Array:
        frame = self._block("frame")
        c, s = frame[2], frame[3]
        return jnp.stack([c * v[0] + s * v[1], c * v[1] - s * v[0], v[2]])

    def _place(self, p: Array) -> Array:
        frame = self._block("frame")
        return self._turn(jnp.stack([p[0] - frame[0], p[1] - frame[1], p[2]]))

    def _landmark(self, name: str) -> Landmark:
        if name not in self._layout.landmarks:
            raise unknown("landmark", name, sorted(self._layout.landmarks), self._layout.morphology)
        return Foot(self, name) if name.endswith(".foot") else Landmark(self, name)

    @property
    def time(self) -> Array:
        """Time since the start of the episode (s)."""
        return self._block("time")[0]

    @property
    def dt(self) -> Array:
        """Time between the previous instant and this one (s); never 0."""
        return self._block("dt")[0]

    @property
    def pelvis(self) -> Landmark:
        """The pelvis, a landmark."""
        return self._landmark("pelvis")

    @property
    def trunk(self) -> Landmark:
        """The chest, a landmark."""
        return self._landmark("trunk")

    @property
    def head(self) -> Landmark:
        """The head, a landmark."""
        return self._landmark("head")

    @property
    def object(self) -> Landmark:
        """The object that the hand works with, a landmark."""
        return self._landmark(OBJECT)

    @property
    def left(self) -> Side:
        """Landmarks of the left side, as far as the body has them: m.left.hip, .knee, .foot, .heel, .toe, .hand, ..."""
        return Side(self, "left")

    @property
    def right(self) -> Side:
        """Landmarks of the right side."""
        return Side(self, "right")

    @property
    def com(self) -> CenterOfMass:
        """The centre of mass."""
        return CenterOfMass(self)

    @property
    def joints(self) -> Joints:
        """All planned joints together."""
        return Joints(self)

    def joint(self, name: str) -> Joint:
        """One scalar joint by its name, e.g. m.joint("knee_angle_r")."""
        if name not in self._layout.joints:
            raise unknown("joint", str(name), sorted(self._layout.joints), self._layout.morphology)
        return Joint(self, name)

    @property
    def muscles(self) -> Muscles:
        """All muscles together."""
        return Muscles(self)

    def muscle_group(self, name: str) -> Muscles:
        """The muscles of one group, e.g. m.muscle_group("right_hamstrings")."""
        if name not in self._layout.muscle_groups:
            raise unknown("muscle group", str(name), sorted(self._layout.muscle_groups), self._layout.morphology)
        return Muscles(self, self._layout.muscle_groups[name])

    @property
    def standing(self) -> Standing:
        """Heights of the settled standing pose (constants): m.standing.head_height, m.standing.pelvis_height, ..."""
        return Standing(self)

    @property
    def parameters(self) -> Parameters:
        """The program's own declared constants, by name: m.parameters.period where PARAMETERS declares "period"."""
        return Parameters(self)

    @property
    def goal(self) -> Goal:
        """What the task asks for."""
        return Goal(self)

    @property
    def previous(self) -> Motion:
        """The instant one step earlier: divide differences by m.dt. At the start it equals the current one."""
        if self._is_previous:
            raise MotionError("m.previous.previous does not exist: a reward sees the current instant and one before it.")
        return Motion(self._layout, self._features, self._declared, _is_previous=True)
