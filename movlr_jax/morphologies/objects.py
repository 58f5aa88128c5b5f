"""Objects: what a hand takes hold of, and the table it works over.

An object is one free body named "object" in the scene, made of primitive shapes that every engine collides with, and a ghost of it
named "target", which collides with nothing and shows where a task wants it.
"""

from __future__ import annotations

import abc
from dataclasses import dataclass

import mujoco

BODY, TARGET = "object", "target"
Vector = tuple[float, float, float]
_GHOST = 0.3  # opacity
_BOTTLE = (0.25, 0.42, 0.75)
_CAP = (0.20, 0.20, 0.22)
_FACES = ((0.85, 0.20, 0.15), (0.95, 0.75, 0.10), (0.15, 0.45, 0.80))


@dataclass(frozen=True)
class Shape:
    """One visible part: a primitive, its half sizes (m), where it stands in the object (m) and its colour."""

    kind: mujoco.mjtGeom
    size: tuple[float, ...]
    position: Vector
    colour: Vector


class Object(abc.ABC):
    """An object. Subclasses are frozen dataclasses, so that equal objects are one key of a cache.

    Attributes:
        name: by which a body's plan names its grasp.
        position: where its middle starts (m, world axes), upright.
        mass: kg.
        stands: whether it starts standing on the table, else in the hand alone.
    """

    name: str
    position: Vector
    mass: float
    stands: bool

    @abc.abstractmethod
    def shapes(self) -> tuple[Shape, ...]:
        """Return what is seen of it."""

    @abc.abstractmethod
    def collide(self, body: mujoco.MjsBody) -> None:
        """Add the geoms that collide, which carry its mass, to its body."""

    def add(self, spec: mujoco.MjSpec) -> None:
        """Add the object and its ghost to a scene."""
        body = spec.worldbody.add_body(name=BODY, pos=self.position)
        body.add_freejoint(name=BODY)
        ghost = spec.worldbody.add_body(name=TARGET, pos=self.position)
        for target, alpha in ((body, 1.0), (ghost, _GHOST)):
            for shape in self.shapes():
                target.add_geom(
                    type=shape.kind,
                    size=[*shape.size, 0.0, 0.0][:3],
                    pos=shape.position,
                    rgba=[*shape.colour, alpha],
                    contype=0,
                    conaffinity=0,
                    mass=0.0,
                )
        self.collide(body)


@dataclass(frozen=True)
class Bottle(Object):
    """A bottle of half a litre, 18.4 cm high and 4.8 cm wide, as MS-Human-700's: a capsule to the hand, with four feet on the table."""

    position: Vector = (0.27, -0.28, 0.982)
    mass: float = 0.5
    name: str = "bottle"
    stands: bool = True
    radius: float = 0.024
    half_height: float = 0.092

    def shapes(self) -> tuple[Shape, ...]:
        """See Object."""
        cylinder = mujoco.mjtGeom.mjGEOM_CYLINDER
        return (
            Shape(cylinder, (self.radius, 0.068), (0.0, 0.0, -0.024), _BOTTLE),
            Shape(mujoco.mjtGeom.mjGEOM_ELLIPSOID, (self.radius, self.radius, 0.022), (0.0, 0.0, 0.044), _BOTTLE),
            Shape(cylinder, (0.013, 0.016), (0.0, 0.0, 0.076), _CAP),
        )

    def collide(self, body: mujoco.MjsBody) -> None:
        """See Object."""
        straight = self.half_height - self.radius
        body.add_geom(type=mujoco.mjtGeom.mjGEOM_CAPSULE, size=[self.radius, straight, 0], mass=self.mass, group=4, condim=4)
        foot = 0.004
        place = self.radius - foot
        for x, y in ((place, 0.0), (-place, 0.0), (0.0, place), (0.0, -place)):
            pos = [x, y, foot - self.half_height]
            # They meet what has their bit in its affinity: tables and the ground, not fingers.
            body.add_geom(type=mujoco.mjtGeom.mjGEOM_SPHERE, size=[foot, 0, 0], pos=pos, mass=0.0, group=4, contype=2, conaffinity=0)


@dataclass(frozen=True)
class Cube(Object):
    """A cube with an edge of 4 cm whose faces tell its directions: dark side ahead, yellow to the left, blue above."""

    position: Vector = (0.25, -0.2, 1.1)
    mass: float = 0.1
    name: str = "cube"
    stands: bool = False
    half: float = 0.02

    def shapes(self) -> tuple[Shape, ...]:
        """See Object."""
        box, h, thin = mujoco.mjtGeom.mjGEOM_BOX, self.half, 0.0008
        plates = []
        for axis, colour in enumerate(_FACES):
            size = [0.8 * h, 0.8 * h, 0.8 * h]
            place = [0.0, 0.0, 0.0]
            size[axis], place[axis] = thin, h
            plates.append(Shape(box, tuple(size), (place[0], place[1], place[2]), colour))
        return (Shape(box, (h, h, h), (0.0, 0.0, 0.0), (0.85, 0.84, 0.80)), *plates)

    def collide(self, body: mujoco.MjsBody) -> None:
        """See Object."""
        h = self.half
        body.add_geom(type=mujoco.mjtGeom.mjGEOM_BOX, size=[h, h, h], mass=self.mass, group=4, condim=4)


@dataclass(frozen=True)
class Table:
    """A table that collides.

    Attributes:
        height: of its top (m).
        centre: x, y of its middle (m).
        half: half its length and width (m).
    """

    height: float = 0.89
    centre: tuple[float, float] = (0.45, 0.0)
    half: tuple[float, float] = (0.4, 0.5)

    def add(self, spec: mujoco.MjSpec) -> None:
        """Add it to a scene."""
        thick, leg = 0.02, 0.03
        body = spec.worldbody.add_body(name="table", pos=[*self.centre, 0.0])
        look = {"rgba": [0.62, 0.52, 0.42, 1.0]}
        size = [*self.half, thick]
        body.add_geom(name="table", type=mujoco.mjtGeom.mjGEOM_BOX, size=size, pos=[0, 0, self.height - thick], conaffinity=3, **look)
        rise = (self.height - 2 * thick) / 2
        for x in (-1, 1):
            for y in (-1, 1):
                pos = [x * (self.half[0] - 2 * leg), y * (self.half[1] - 2 * leg), rise]
                body.add_geom(type=mujoco.mjtGeom.mjGEOM_BOX, size=[leg, leg, rise], pos=pos, contype=0, conaffinity=0, **look)
