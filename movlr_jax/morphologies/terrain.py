"""Terrain: the ground that a body walks on, as geoms of the scene and as a height at every place.

Both describe one and the same surface: `add` gives it to the simulation, `height` to rewards and metrics, over numpy or jax.numpy, so that
heights and foot clearance are measured against the ground under the foot on every engine. Every terrain is flat and at height 0 around
the origin, where bodies are settled, except for the rough one, on whose relief the seed chooses a start.
"""

from __future__ import annotations

import abc
import functools
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np
from jaxtyping import Float, Float64
from scipy import ndimage

from movlr_jax.errors import MovlrError

FLOOR = "floor"
_MATERIAL = "ground"
_LIGHT, _DARK = (0.80, 0.82, 0.84), (0.70, 0.72, 0.75)  # a checker of half metres, which shows relief and speed


class Terrain(abc.ABC):
    """A ground. Subclasses are frozen dataclasses, so that equal terrains are one key of a cache."""

    height_field = False
    """Whether it is made of a height field, which not all engines collide with."""

    @abc.abstractmethod
    def add(self, spec: mujoco.MjSpec) -> None:
        """Add its geoms to a scene that has a plane named "floor" at z = 0."""

    @abc.abstractmethod
    def height(self, places: Float[Any, "*batch 2"], xp: Any = np) -> Float[Any, "*batch"]:
        """Return the height of the ground (m) at world places (m)."""

    def highest(self, places: Float[Any, "*batch n 2"], xp: Any = np) -> Float[Any, "*batch"]:
        """Return the greatest height of the ground (m) at several world places (m) each."""
        return self.height(places, xp).max(axis=-1)

    def start(self, rng: np.random.Generator) -> tuple[float, float]:
        """Return where an episode starts (x, y; m); the origin unless the terrain varies from place to place."""
        del rng
        return 0.0, 0.0


@dataclass(frozen=True)
class Flat(Terrain):
    """The plane z = 0."""

    def add(self, spec: mujoco.MjSpec) -> None:
        """See Terrain."""

    def height(self, places: Float[Any, "*batch 2"], xp: Any = np) -> Float[Any, "*batch"]:
        """See Terrain."""
        return xp.zeros(places.shape[:-1], places.dtype)

    def highest(self, places: Float[Any, "*batch n 2"], xp: Any = np) -> Float[Any, "*batch"]:
        """See Terrain; in its final shape, because XLA folds a maximum over zeros while it compiles, for seconds."""
        return xp.zeros(places.shape[:-2], places.dtype)


@dataclass(frozen=True)
class Slope(Terrain):
    """Flat, then an even rise: the upper envelope of two planes, which every engine collides with.

    Attributes:
        rise: m per m; the reference's height field rises 1 m over 10 m.
        begin: where the rise begins (m ahead of the origin).
    """

    rise: float = 0.1
    begin: float = 1.0

    def add(self, spec: mujoco.MjSpec) -> None:
        """See Terrain."""
        angle = np.arctan(self.rise)
        spec.worldbody.add_geom(
            name="slope",
            type=mujoco.mjtGeom.mjGEOM_PLANE,
            pos=[self.begin, 0.0, 0.0],
            quat=[np.cos(angle / 2), 0.0, -np.sin(angle / 2), 0.0],
            **_surface(spec),
            size=[0, 0, 1],
        )

    def height(self, places: Float[Any, "*batch 2"], xp: Any = np) -> Float[Any, "*batch"]:
        """See Terrain."""
        return xp.maximum(0.0, self.rise * (places[..., 0] - self.begin))


@dataclass(frozen=True)
class Stairs(Terrain):
    """Blocks across the path, one after the other.

    Attributes:
        tops: heights (m); the reference's stairs.
        begin: where the first block begins (m ahead of the origin).
        depth: depth of a block (m).
        half_width: half its width (m); beyond it the ground is flat.
    """

    tops: tuple[float, ...] = (0.1, 0.2, 0.3, 0.2, 0.1)
    begin: float = 0.7
    depth: float = 1.0
    half_width: float = 2.0

    def add(self, spec: mujoco.MjSpec) -> None:
        """See Terrain."""
        for i, top in enumerate(self.tops):
            spec.worldbody.add_geom(
                name=f"stair_{i}",
                type=mujoco.mjtGeom.mjGEOM_BOX,
                pos=[self.begin + (i + 0.5) * self.depth, 0.0, top / 2],
                size=[self.depth / 2, self.half_width, top / 2],
                **_surface(spec),
            )

    def height(self, places: Float[Any, "*batch 2"], xp: Any = np) -> Float[Any, "*batch"]:
        """See Terrain."""
        tops = xp.asarray((0.0, *self.tops, 0.0), places.dtype)
        block = xp.floor((places[..., 0] - self.begin) / self.depth).astype(int) + 1
        return xp.where(xp.abs(places[..., 1]) <= self.half_width, tops[xp.clip(block, 0, len(self.tops) + 1)], 0.0)


@dataclass(frozen=True)
class Rough(Terrain):
    """A random relief.

    Attributes:
        relief: height between its lowest and its highest point (m).
        half: half the length of its sides (m).
        cell: distance between its points (m).
        seed: of the relief. An episode's own seed moves its start on it.
    """

    relief: float = 0.08
    half: float = 30.0
    cell: float = 0.2
    seed: int = 0

    height_field = True

    @functools.cached_property
    def points(self) -> Float64[np.ndarray, "y x"]:
        """Heights of its points (m), with rounded hills: white noise, each point averaged with its
        neighbours. As the simulation stores them: single precision, scaled to [0, 1] and back."""
        count = round(2 * self.half / self.cell) + 1
        smooth = ndimage.uniform_filter(np.random.default_rng(self.seed).random((count, count)), 3, mode="wrap")
        smooth = (smooth - smooth.min()) / (smooth.max() - smooth.min())
        return self.relief * smooth.astype(np.float32).astype(np.float64)

    def add(self, spec: mujoco.MjSpec) -> None:
        """See Terrain."""
        points = self.points
        spec.add_hfield(
            name="relief",
            nrow=points.shape[0],
            ncol=points.shape[1],
            size=[self.half, self.half, self.relief, 0.1],
            userdata=(points / self.relief).astype(np.float32).ravel(),
        )
        spec.worldbody.add_geom(name="relief", type=mujoco.mjtGeom.mjGEOM_HFIELD, hfieldname="relief", **_surface(spec))
        spec.geom(FLOOR).pos = [0.0, 0.0, -0.05]  # below the relief; what falls off its edge still lands

    def height(self, places: Float[Any, "*batch 2"], xp: Any = np) -> Float[Any, "*batch"]:
        """See Terrain. Within a cell, the two triangles that MuJoCo collides with."""
        points = xp.asarray(self.points, places.dtype)
        last = len(self.points) - 1
        at = xp.clip((places + self.half) / self.cell, 0.0, last - 1e-3)
        cell = xp.floor(at).astype(int)
        u, v = (at[..., i] - cell[..., i] for i in range(2))
        i, j = cell[..., 1], cell[..., 0]
        a, b, c, d = points[i, j], points[i, j + 1], points[i + 1, j], points[i + 1, j + 1]
        lower = a + u * (b - a) + v * (d - b)
        upper = a + v * (c - a) + u * (d - c)
        return xp.where(u > v, lower, upper)

    def start(self, rng: np.random.Generator) -> tuple[float, float]:
        """See Terrain: somewhere from which 12 m can be walked in any direction."""
        x, y = rng.uniform(-(self.half - 12.0), self.half - 12.0, 2)
        return float(x), float(y)


def _surface(spec: mujoco.MjSpec) -> dict[str, Any]:
    """Return the contact properties of the floor, which other ground shares.

    Raises:
        MovlrError: there is no floor.
    """
    floor = spec.geom(FLOOR)
    if floor is None:
        raise MovlrError(f"The scene has no plane named {FLOOR}, beside which terrain could be put: name its ground plane so.")
    names = ("contype", "conaffinity", "condim", "priority", "friction", "solmix", "solref", "solimp", "margin", "gap")
    if spec.material(_MATERIAL) is None:
        spec.add_texture(
            name=_MATERIAL,
            type=mujoco.mjtTexture.mjTEXTURE_2D,
            builtin=mujoco.mjtBuiltin.mjBUILTIN_CHECKER,
            rgb1=_LIGHT,
            rgb2=_DARK,
            width=64,
            height=64,
        )
        material = spec.add_material(name=_MATERIAL, texrepeat=[1.0, 1.0], texuniform=True)
        material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = _MATERIAL
    return {name: getattr(floor, name) for name in names} | {"material": _MATERIAL}
