"""Motion: one instant of a moving body, in physical words and SI units. It is all that a reward program sees.

The task's frame has its origin on the ground below the start, x forward (the way the task goes), y left, z up; it does not move. Every
docstring of a public property below is part of the vocabulary that a writer is shown (`vocabulary`), so each says what the quantity is,
its shape and unit.
"""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from movlr_jax.errors import did_you_mean
from movlr_jax.rewards.layout import GAIT_FIELDS, SIDES, FeatureLayout
from movlr_jax.rewards.rotation import angle_between, quat_axis

if TYPE_CHECKING:
    from jax import Array


OBJECT = "object"  # the landmark that only a body with an object has


class MotionError(ValueError):
    """A program asked for something this body does not have; the sentence lists what it has."""


def _unknown(kind: str, name: str, known: list[str], morphology: str) -> MotionError:
    shown = ", ".join(known[:40]) + (", ..." if len(known) > 40 else "")
    return MotionError(f"{morphology} has no {kind} '{name}': {did_you_mean(name, known)}it has {shown}.")


class Named:
    """What a program asks for quantities by name; one that it lacks, or an index, is told with what there is."""

    _written = "m"  # how a program writes it

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise MotionError(f"{self._written} has no attribute '{name}': {_there_is(type(self).__name__, name)}.")

    def __getitem__(self, index: Any) -> Any:
        raise MotionError(f"{self._written} is not indexed: {index_cure(type(self).__name__, index)}.")


def _there_is(kind: str, name: str) -> str:
    """Return what a class offers, as the end of a sentence about a name that it lacks."""
    known = sorted(public_names()[kind])
    return f"{did_you_mean(name, known)}it has {', '.join(known)}"


def index_cure(kind: str, index: object) -> str:
    """Return what to write where a program indexes something that has names: m.joints["hip"], m.head[2].

    Args:
        kind: name of its class.
        index: what stands in the brackets; None: nothing that can be told.
    """
    word = index if isinstance(index, str) and len(index) <= 64 else None
    number = str(index) if isinstance(index, int) and not isinstance(index, bool) else "0"
    if kind == "Joints":
        return f'write m.joint("{word}").angle' if word else f"write m.joints.angle[{number}]"
    if kind == "Muscles":
        return f'write m.muscle_group("{word}").activation' if word else f"write m.muscles.activation[{number}]"
    if kind in ("Landmark", "Foot", "CenterOfMass") and not word:
        return f"write .position[{number}]"
    if kind == "Joint":
        return "write .angle"
    return f"write .{word}" if word and word in public_names()[kind] else f"name one of {', '.join(sorted(public_names()[kind]))}"


class Landmark(Named):
    """A named place on the body, with axes that were forward, left and up in the standing pose."""

    def __init__(self, motion: Motion, name: str):
        self._motion = motion
        self._name = name
        self._offsets = motion._layout.landmarks[name]
        self._written = f"m.{name}"

    def _rotation_column(self, axis: int) -> Array:
        w, x, y, z = (self._motion._sensor(self._offsets["quat"] + i, 1)[0] for i in range(4))
        return self._motion._turn(jnp.stack(quat_axis(w, x, y, z, axis)))

    @property
    def position(self) -> Array:
        """Position in the task's frame: forward, left, up [3] (m)."""
        return self._motion._place(self._motion._sensor(self._offsets["position"], 3))

    @property
    def height(self) -> Array:
        """Height above the ground under it (m)."""
        ground = self._motion._block("ground")[self._offsets["ground"]]
        return self._motion._sensor(self._offsets["position"] + 2, 1)[0] - ground

    @property
    def velocity(self) -> Array:
        """Linear velocity: forward, left, up [3] (m/s)."""
        return self._motion._turn(self._motion._sensor(self._offsets["velocity"], 3))

    @property
    def angular_velocity(self) -> Array:
        """Angular velocity about the forward, left and up axes [3] (rad/s)."""
        return self._motion._turn(self._motion._sensor(self._offsets["angular_velocity"], 3))

    @property
    def forward(self) -> Array:
        """Unit vector that pointed forward in the standing pose [3]; forward[0] is 1 when it faces the goal direction."""
        return self._rotation_column(0)

    @property
    def left(self) -> Array:
        """Unit vector that pointed left in the standing pose [3]."""
        return self._rotation_column(1)

    @property
    def up(self) -> Array:
        """Unit vector that pointed up in the standing pose [3]; up[2] is 1 when upright, 0 when lying."""
        return self._rotation_column(2)

    @property
    def pitch(self) -> Array:
        """Lean forward (positive) or backward (rad)."""
        up = self.up
        return jnp.arctan2(up[0], up[2])

    @property
    def roll(self) -> Array:
        """Lean to the right (positive) or to the left (rad)."""
        up = self.up
        return jnp.arctan2(-up[1], up[2])

    @property
    def yaw(self) -> Array:
        """Heading, positive to the left of the task's forward direction (rad)."""
        forward = self.forward
        return jnp.arctan2(forward[1], forward[0])


class Foot(Landmark):
    """A foot: a landmark with its contact and a memory of its last step. Only `left.foot` and `right.foot` are feet."""

    def _gait(self, field: str, count: int = 1) -> Array:
        start = SIDES.index(self._name.split(".")[0]) * len(GAIT_FIELDS) + GAIT_FIELDS.index(field)
        return self._motion._block("gait")[start : start + count]

    @property
    def in_contact(self) -> Array:
        """1 while the foot bears load, else 0."""
        return self._gait("in_contact")[0]

    @property
    def load(self) -> Array:
        """Contact force under the foot, in body weights."""
        return self._gait("load")[0]

    @property
    def time_since_touchdown(self) -> Array:
        """Time since this foot last touched down (s); 0 at the start of the episode."""
        return self._gait("time_since_touchdown")[0]

    @property
    def time_since_liftoff(self) -> Array:
        """Time since this foot last left the ground (s); 0 at the start of the episode."""
        return self._gait("time_since_liftoff")[0]

    @property
    def last_touchdown_position(self) -> Array:
        """Where this foot last touched down, in the task's frame [3] (m)."""
        return self._motion._place(self._gait("last_touchdown_x", 3))

    @property
    def ground_ahead(self) -> Array:
        """Highest ground up to 0.3 m ahead of the toes, above the ground under the foot (m): a step up."""
        return self._motion._block("ahead")[SIDES.index(self._name.split(".")[0])] - self._motion._block("ground")[self._offsets["ground"]]

    @property
    def step_length(self) -> Array:
        """Forward distance from the other foot to this one at its last touchdown (m); 0 before its first step."""
        return self._gait("step_length")[0]


class Side(Named):
    """The landmarks of one side of the body."""

    def __init__(self, motion: Motion, side: str):
        self._motion = motion
        self._side = side
        self._written = f"m.{side}"

    def __getattr__(self, name: str) -> Landmark:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._motion._landmark(f"{self._side}.{name}")


class CenterOfMass(Named):
    """The centre of mass of the whole body."""

    _written = "m.com"

    def __init__(self, motion: Motion):
        self._motion = motion

    @property
    def position(self) -> Array:
        """Position in the task's frame: forward, left, up [3] (m)."""
        return self._motion._place(self._motion._sensor(self._motion._layout.com["position"], 3))

    @property
    def height(self) -> Array:
        """Height above the ground under the pelvis (m)."""
        ground = self._motion._block("ground")[self._motion._layout.landmarks["pelvis"]["ground"]]
        return self._motion._sensor(self._motion._layout.com["position"] + 2, 1)[0] - ground

    @property
    def velocity(self) -> Array:
        """Velocity: forward, left, up [3] (m/s)."""
        return self._motion._turn(self._motion._sensor(self._motion._layout.com["velocity"], 3))

    @property
    def velocity_forward(self) -> Array:
        """Forward speed (m/s)."""
        return self.velocity[0]

    @property
    def velocity_left(self) -> Array:
        """Sideways speed, positive to the left (m/s)."""
        return self.velocity[1]


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
            raise _unknown("standing quantity", name, sorted(layout.standing), layout.morphology)
        return layout.standing[name]


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
        features: float32[2 * layout.size], the current instant followed by the previous one.
    """

    def __init__(self, layout: FeatureLayout, features: Array, *, _is_previous: bool = False):
        self._layout = layout
        self._features = features
        self._is_previous = _is_previous
        self._instant = features[layout.size :] if _is_previous else features[: layout.size]

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
            raise _unknown("landmark", name, sorted(self._layout.landmarks), self._layout.morphology)
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
            raise _unknown("joint", str(name), sorted(self._layout.joints), self._layout.morphology)
        return Joint(self, name)

    @property
    def muscles(self) -> Muscles:
        """All muscles together."""
        return Muscles(self)

    def muscle_group(self, name: str) -> Muscles:
        """The muscles of one group, e.g. m.muscle_group("right_hamstrings")."""
        if name not in self._layout.muscle_groups:
            raise _unknown("muscle group", str(name), sorted(self._layout.muscle_groups), self._layout.morphology)
        return Muscles(self, self._layout.muscle_groups[name])

    @property
    def standing(self) -> Standing:
        """Heights of the settled standing pose (constants): m.standing.head_height, m.standing.pelvis_height, ..."""
        return Standing(self)

    @property
    def goal(self) -> Goal:
        """What the task asks for."""
        return Goal(self)

    @property
    def previous(self) -> Motion:
        """The instant one step earlier: divide differences by m.dt. At the start it equals the current one."""
        if self._is_previous:
            raise MotionError("m.previous.previous does not exist: a reward sees the current instant and one before it.")
        return Motion(self._layout, self._features, _is_previous=True)


def _described(cls: type, prefix: str, without: str = "") -> list[str]:
    lines = []
    for name, member in vars(cls).items():
        if name.startswith("_") or (without and name.startswith(without)):
            continue
        if isinstance(member, property):
            lines.append(f"  {prefix}.{name}: {inspect.getdoc(member)}")
        elif inspect.isfunction(member):
            arguments = ", ".join(list(inspect.signature(member).parameters)[1:])
            lines.append(f"  {prefix}.{name}({arguments}): {inspect.getdoc(member)}")
    return lines


def public_names() -> dict[str, frozenset[str]]:
    """Return class name -> public attributes: every attribute that a reward program may name, for the static check."""
    return {c.__name__: frozenset(n for n in dir(c) if not n.startswith("_")) for c in _classes()}


def _classes() -> tuple[type[Named], ...]:
    return Motion, Side, Landmark, Foot, CenterOfMass, Joint, Joints, Muscles, Standing, Goal


@functools.cache
def kinds() -> dict[str, dict[str, str]]:
    """Return class name -> attribute -> what it is: a class name, "Array" (known when the body moves) or "float" (a constant)."""
    out: dict[str, dict[str, str]] = {}
    for c in _classes():
        members = {n: vars(part)[n] for part in c.__mro__[::-1] if issubclass(part, Named) for n in vars(part) if not n.startswith("_")}
        functions = {n: member.fget if isinstance(member, property) else member for n, member in members.items()}
        out[c.__name__] = {n: str(f.__annotations__["return"]) for n, f in functions.items()}
    return out


def vocabulary(layout: FeatureLayout) -> str:
    """Return the text that tells a writer all that `m` offers on this body, generated from the classes above."""
    landmarks = sorted(layout.landmarks)
    feet = any(name.endswith(".foot") for name in landmarks)
    without = "" if OBJECT in landmarks else OBJECT
    parts = [
        f"m is one instant of the motion of {layout.morphology}. SI units. "
        "Frame: x forward (the way the task goes), y left, z up, fixed at the start.",
        *_described(Motion, "m", without),
        "A landmark L (" + ", ".join(f"m.{n}" for n in landmarks) + ") has:",
        *_described(Landmark, "L"),
        *(["The feet m.left.foot and m.right.foot also have:", *_described(Foot, "foot")] if feet else []),
        "The centre of mass has:",
        *_described(CenterOfMass, "m.com"),
        "A joint J = m.joint(name) has:",
        *_described(Joint, "J"),
        "Joint names: " + ", ".join(layout.joints) + ".",
        "The planned joints together have:",
        *_described(Joints, "m.joints"),
        "Planned joints, in order: " + ", ".join(layout.planned_joints) + ".",
        "m.muscles and m.muscle_group(name) have:",
        *_described(Muscles, "m.muscles"),
        "Muscle groups: " + ", ".join(layout.muscle_groups) + ".",
        "The goal has:",
        *_described(Goal, "m.goal", without),
        "m.standing (m): " + ", ".join(f"{k} = {v:.3f}" for k, v in layout.standing.items()) + ".",
    ]
    return "\n".join(parts)
