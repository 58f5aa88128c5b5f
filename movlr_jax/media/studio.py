"""Studio: one body in front of a camera, drawn as fast as a software renderer can.

Flows in: a prepared model (floor at z = 0, body facing +x) and poses (qpos, act). Flows out: images, uint8[h, w, 3].

On Mesa's software renderer a frame of a musculoskeletal body costs what its tessellation costs. MuJoCo draws every tendon segment as a
capsule of 28 slices and 16 stacks; 700 muscles are some 2,500 segments, and such a frame took 3 s. Here tendons are six-sided, there are no
shadows, reflections or samples, wrapping surfaces, sites and collision shapes stay hidden, and the floor is a dozen quadrilaterals with a
line of light and dark per metre. What is seen is the same for every body: right limbs light, left limbs dark, muscles from blue-grey
(relaxed) to red (fully active).
"""

from __future__ import annotations

import atexit
import copy
import itertools
import re
import weakref
from dataclasses import dataclass

import mujoco
import numpy as np

from movlr_jax.errors import MovlrError
from movlr_jax.media.gl import CURE, open_context

# All colours are 0 to 1. Bones are warm and muscles at rest cold, so that both are told apart at 480 pixels.
BONE_MIDDLE = (0.84, 0.80, 0.72)
BONE_RIGHT = (0.93, 0.89, 0.81)
BONE_LEFT = (0.58, 0.53, 0.47)
RELAXED = np.array([0.36, 0.45, 0.58])
ACTIVE = np.array([0.90, 0.07, 0.05])
SKY = (0.93, 0.95, 0.97)
BAND = ((0.78, 0.80, 0.82), (0.70, 0.72, 0.745))
LINE = (0.55, 0.57, 0.60)
START = (0.16, 0.42, 0.70)
FOVY = 30.0  # degrees; a long lens, so that lengths near and far compare
_SIDE = re.compile(r"(?:^|[_.\-/])(?:(l|left)|(r|right))(?:$|[_.\-/])", re.IGNORECASE)
_VISIBLE_GROUPS = 3  # groups 0, 1, 2 are what a model's author shows; collision shapes and wrapping surfaces are in higher ones


def activation_colour(activation: np.ndarray) -> np.ndarray:
    """Return the colours, float[n, 3] in 0 to 1, of muscles with these activations, float[n]."""
    share = np.clip(np.asarray(activation, float), 0.0, 1.0)[:, None]
    return RELAXED + (ACTIVE - RELAXED) * share**0.7  # walking rarely passes 0.5: the lower half gets more of the scale


@dataclass(frozen=True)
class Camera:
    """Where the camera looks from.

    Attributes:
        x, y, z: point that it looks at (m).
        distance: to that point (m).
        azimuth: degrees; 90 looks along +y, with the walking direction to the right.
        elevation: degrees; negative looks down.
    """

    x: float
    y: float
    z: float
    distance: float
    azimuth: float
    elevation: float


class Studio:
    """A renderer for one model and one size. Use it from the thread that made it.

    Args:
        model: prepared model; it is copied, never changed.
        width: pixels.
        height: pixels.
        samples: samples a pixel against jagged edges; 0 is fastest, 4 costs twice the time.

    Raises:
        MovlrError: no OpenGL works here.
    """

    def __init__(self, model: mujoco.MjModel, width: int, height: int, samples: int = 0):
        self.width, self.height, self._samples = width, height, samples
        self.model = copy.copy(model)
        self.data = mujoco.MjData(self.model)
        self.root = _root(self.model)
        self._own = self.model.body_rootid[self.model.geom_bodyid] == self.root
        self._muscles = _muscle_tendons(self.model)
        self._flat = not bool((self.model.geom_type == mujoco.mjtGeom.mjGEOM_HFIELD).any())
        self._dress()
        self._option = mujoco.MjvOption()
        self._option.geomgroup[:] = [1] * _VISIBLE_GROUPS + [0] * (6 - _VISIBLE_GROUPS)
        self._option.sitegroup[:] = 0
        self._gl, self.backend = open_context(width, height)
        try:
            self._context = mujoco.MjrContext(self.model, mujoco.mjtFontScale.mjFONTSCALE_100)
        except mujoco.FatalError as error:
            self._gl.free()
            raise MovlrError(f"MuJoCo cannot render with the OpenGL found here ({self.backend}: {error}): {CURE}.") from error
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._context)
        self._scene = mujoco.MjvScene(self.model, maxgeom=2000 + 4 * self.model.nwrap + self.model.ngeom)
        for flag in ("SHADOW", "REFLECTION", "SKYBOX", "HAZE", "FOG"):
            self._scene.flags[getattr(mujoco.mjtRndFlag, f"mjRND_{flag}")] = 0
        self._free_camera = mujoco.MjvCamera()
        self._rectangle = mujoco.MjrRect(0, 0, width, height)
        self._pixels = np.empty((height, width, 3), np.uint8)
        self._closer = weakref.finalize(self, _release, self._context, self._gl)
        # At exit before EGL itself ends, which is registered by now: weakref's own turn may come after it.
        self._closer.atexit = False
        atexit.register(self._closer)

    def close(self) -> None:
        """Release the context; the studio cannot be used afterwards."""
        self._closer()

    def __enter__(self) -> Studio:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def renderer(self) -> str:
        """Return what the driver calls itself."""
        from OpenGL import GL

        self._gl.make_current()
        return (GL.glGetString(GL.GL_RENDERER) or b"unknown renderer").decode(errors="replace")

    def pose(self, qpos: np.ndarray) -> None:
        """Take a pose, float[nq]; only what a picture needs is computed."""
        self.data.qpos[:] = qpos
        mujoco.mj_kinematics(self.model, self.data)
        mujoco.mj_comPos(self.model, self.data)

    def centre_of_mass(self, qpos: np.ndarray) -> np.ndarray:
        """Return the body's centre of mass in each pose, qpos float[T, nq] -> float[T, 3] (m)."""
        path = np.empty((len(qpos), 3))
        for row, pose in zip(path, qpos, strict=True):
            self.pose(pose)
            row[:] = self.data.subtree_com[self.root]
        return path

    def places(self, name: str, qpos: np.ndarray) -> np.ndarray:
        """Return where a body of the model is in each pose, qpos float[T, nq] -> float[T, 3] (m)."""
        path, body = np.empty((len(qpos), 3)), self.model.body(name).id
        for row, pose in zip(path, qpos, strict=True):
            self.pose(pose)
            row[:] = self.data.xpos[body]
        return path

    def body_points(self, qpos: np.ndarray) -> np.ndarray:
        """Return the corners of the boxes around the body's visible parts in a pose, float[nq] -> float[n, 3] (m)."""
        self.pose(qpos)
        model, data = self.model, self.data
        shown = self._own & (model.geom_rgba[:, 3] > 0) & (model.geom_group < _VISIBLE_GROUPS)
        if not shown.any():
            return data.xpos[model.body_rootid == self.root]
        centre, half = model.geom_aabb[shown, :3], model.geom_aabb[shown, 3:]
        signs = np.array(list(itertools.product((-1.0, 1.0), repeat=3)))
        corners = centre[:, None] + signs * half[:, None]  # [geom, corner, 3], in each geom's frame
        turned = np.einsum("gij,gcj->gci", data.geom_xmat[shown].reshape(-1, 3, 3), corners)
        return (data.geom_xpos[shown][:, None] + turned).reshape(-1, 3)

    def body_size(self, qpos: np.ndarray) -> float:
        """Return how far apart the body's outermost visible points are in a pose, float[nq] (m): its height, however it lies."""
        points = self.body_points(qpos)
        # The point farthest from the middle, and the one farthest from that: of a limbed body, its ends.
        end = points[np.argmax(np.linalg.norm(points - points.mean(axis=0), axis=1))]
        return float(max(np.linalg.norm(points - end, axis=1).max(), 0.2))

    def shoot(self, qpos: np.ndarray, act: np.ndarray, camera: Camera, start: float, tendons: bool = True) -> np.ndarray:
        """Draw one frame.

        Args:
            qpos: float[nq].
            act: float[na], 0 to 1.
            camera: where it is seen from.
            start: x of the start line (m); metres are marked from there.
            tendons: draw the muscles.

        Returns:
            uint8[h, w, 3].
        """
        self.pose(qpos)
        self._option.flags[mujoco.mjtVisFlag.mjVIS_TENDON] = int(tendons)
        if tendons:
            self._colour(act)
            mujoco.mj_tendon(self.model, self.data)
        self._gl.make_current()
        free = self._free_camera
        free.lookat[:] = camera.x, camera.y, camera.z
        free.distance, free.azimuth, free.elevation = camera.distance, camera.azimuth, camera.elevation
        scene = self._scene
        mujoco.mjv_updateScene(self.model, self.data, self._option, None, free, mujoco.mjtCatBit.mjCAT_ALL, scene)
        self._ground(camera, start)
        self._light(camera)
        mujoco.mjr_render(self._rectangle, scene, self._context)
        mujoco.mjr_readPixels(self._pixels, None, self._rectangle, self._context)
        return np.ascontiguousarray(self._pixels[::-1])  # OpenGL's first row is the lowest

    def project(self, points: np.ndarray) -> np.ndarray:
        """Return where points, float[n, 3] (m), fall in the last frame: float[n, 2] columns and rows; NaN behind the camera."""
        eyes = self._scene.camera[0], self._scene.camera[1]
        origin = (np.asarray(eyes[0].pos) + np.asarray(eyes[1].pos)) / 2
        forward, up = np.asarray(eyes[0].forward), np.asarray(eyes[0].up)
        right = np.cross(forward, up)
        away = points - origin
        depth = away @ forward
        depth = np.where(depth > 1e-6, depth, np.nan)
        scale = self.height / (2.0 * np.tan(np.radians(FOVY) / 2.0))
        return np.stack([self.width / 2 + scale * (away @ right) / depth, self.height / 2 - scale * (away @ up) / depth], 1)

    def _dress(self) -> None:
        """Set what is seen, on this studio's own copy of the model."""
        model = self.model
        model.vis.global_.offwidth, model.vis.global_.offheight = self.width, self.height
        model.vis.global_.fovy = FOVY
        model.vis.quality.offsamples = self._samples
        model.vis.quality.shadowsize = 0
        model.vis.quality.numslices, model.vis.quality.numstacks, model.vis.quality.numquads = 6, 2, 1
        model.stat.extent = 2.0
        model.vis.map.znear, model.vis.map.zfar = 0.02, 50.0
        model.light_active[:] = 0
        # The studio draws its own floor; other static things (slopes, relief, steps, tables) stay as they are.
        level = np.abs(model.geom_quat[:, 1:3]).max(axis=1) < 1e-6
        planes = (model.geom_type == mujoco.mjtGeom.mjGEOM_PLANE) & level
        model.geom_rgba[planes] = 0.0
        model.geom_matid[planes] = -1
        own = self._own
        if (own & (model.geom_type == mujoco.mjtGeom.mjGEOM_MESH) & (model.geom_group < _VISIBLE_GROUPS)).any():
            # Where there are bones, capsules and spheres around them are for contact and would hide them.
            model.geom_rgba[own & (model.geom_type != mujoco.mjtGeom.mjGEOM_MESH)] = 0.0
        colours = {"": BONE_MIDDLE, "l": BONE_LEFT, "r": BONE_RIGHT}
        sides = _sides(model)
        for geom in np.flatnonzero(own & (model.geom_rgba[:, 3] > 0)):
            model.geom_matid[geom] = -1
            model.geom_rgba[geom] = (*colours[sides[model.geom_bodyid[geom]]], 1.0)
        model.tendon_matid[:] = -1
        model.tendon_rgba[:] = (*RELAXED, 1.0)
        # Many muscles hide one another and the bones: the more there are, the thinner they are drawn.
        self._thickness = float(np.clip(0.0045 * (100.0 / max(model.ntendon, 1)) ** 0.25, 0.0022, 0.006))
        model.tendon_width[:] = self._thickness

    def _colour(self, act: np.ndarray) -> None:
        tendon, activation = self._muscles
        if not len(tendon):
            return
        level = np.zeros(self.model.ntendon)
        np.maximum.at(level, tendon, np.asarray(act, float)[activation])
        driven = np.unique(tendon)
        self.model.tendon_rgba[driven, :3] = activation_colour(level[driven])
        self.model.tendon_width[driven] = self._thickness * (0.75 + 0.75 * np.clip(level[driven], 0.0, 1.0))

    def _add(
        self,
        kind: mujoco.mjtGeom,
        size: tuple[float, float, float],
        position: tuple[float, float, float],
        colour: tuple[float, float, float],
        emission: float,
        turn: float = 0.0,
    ) -> None:
        scene = self._scene
        if scene.ngeom >= scene.maxgeom:
            return
        geom = scene.geoms[scene.ngeom]
        c, s = np.cos(turn), np.sin(turn)
        rotation = np.array([c, -s, 0.0, s, c, 0.0, 0.0, 0.0, 1.0])
        mujoco.mjv_initGeom(geom, kind, np.array(size), np.array(position), rotation, np.array([*colour, 1.0], np.float32))
        geom.emission, geom.specular, geom.reflectance = emission, 0.0, 0.0
        geom.category = mujoco.mjtCatBit.mjCAT_DECOR
        scene.ngeom += 1

    def _ground(self, camera: Camera, start: float) -> None:
        plane, box = mujoco.mjtGeom.mjGEOM_PLANE, mujoco.mjtGeom.mjGEOM_BOX
        azimuth = np.radians(camera.azimuth)
        far = 38.0  # m, within the far plane; a wall there is the sky
        wall = camera.x + far * np.cos(azimuth), camera.y + far * np.sin(azimuth)
        self._add(box, (40.0, 1.0, 40.0), (*wall, 0.0), SKY, 0.12, azimuth - np.pi / 2)
        first = int(np.floor(camera.x - start)) - 16
        if not self._flat:
            for metre in range(first, first + 33):  # a relief hides lines on the floor: stakes beside the track instead
                self._add(box, (0.015, 0.015, 0.6), (start + metre, camera.y + 1.2, 0.3), START if metre == 0 else LINE, 0.3)
            return
        for metre in range(first, first + 33):
            self._add(plane, (0.5, 16.0, 0.1), (start + metre + 0.5, camera.y + 8.0, 0.0), BAND[metre % 2], 0.17)
        # Lines lie a little above the floor, or the two would flicker through each other. Along the track at y = 0 they show drift.
        self._add(plane, (16.5, 0.012, 0.1), (start + first + 16.5, 0.0, 0.002), LINE, 0.3)
        for side in (-1.0, 1.0):
            self._add(plane, (16.5, 0.008, 0.1), (start + first + 16.5, side, 0.002), LINE, 0.3)
        self._add(plane, (0.03, 0.8, 0.1), (start, 0.2, 0.004), START, 0.3)

    def _light(self, camera: Camera) -> None:
        """One light from above behind the camera; the model's own lights differ from body to body."""
        scene = self._scene
        scene.nlight = 1
        light = scene.lights[0]
        azimuth = np.radians(camera.azimuth)
        forward = np.array([np.cos(azimuth), np.sin(azimuth), 0.0])
        side = np.array([forward[1], -forward[0], 0.0])
        direction = forward + 0.5 * side + np.array([0.0, 0.0, -1.1])
        light.type = mujoco.mjtLightType.mjLIGHT_DIRECTIONAL
        light.headlight, light.castshadow = 0, 0
        light.dir[:] = direction / np.linalg.norm(direction)
        light.ambient[:], light.diffuse[:], light.specular[:] = 0.45, 0.62, 0.08


def _release(context: mujoco.MjrContext, gl: object) -> None:
    # In this order, and before the interpreter takes the modules apart: MuJoCo's own finalisers complain otherwise.
    gl.make_current()  # type: ignore[attr-defined]
    context.free()
    gl.free()  # type: ignore[attr-defined]


def _root(model: mujoco.MjModel) -> int:
    """Return the body to follow: the child of the world that the pelvis hangs on; of a model that is not prepared, the heaviest tree that
    can move (itself, unless it is fixed)."""
    site = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_SITE, "landmark/pelvis")
    if site >= 0 and (pelvis := int(model.body_rootid[model.site_bodyid[site]])):
        return pelvis
    moving = [b for b in range(1, model.nbody) if model.body_treeid[b] >= 0 and model.body_treeid[model.body_parentid[b]] < 0]
    if not moving:
        raise MovlrError("This model has nothing that moves, so there is nothing to film.")
    return int(model.body_rootid[max(moving, key=lambda b: float(model.body_subtreemass[b]))])


def _sides(model: mujoco.MjModel) -> list[str]:
    """Return "l", "r" or "" per body, from its name or its parents'."""
    sides = [""] * model.nbody
    for body in range(1, model.nbody):
        match = _SIDE.search(mujoco.mj_id2name(model, mujoco.mjtObj.mjOBJ_BODY, body) or "")
        own = "" if match is None else ("l" if match.group(1) else "r")
        sides[body] = sides[int(model.body_parentid[body])] or own
    return sides


def _muscle_tendons(model: mujoco.MjModel) -> tuple[np.ndarray, np.ndarray]:
    """Return, per muscle that pulls a tendon: int[n] tendon, int[n] index in act."""
    pulling = (model.actuator_trntype == mujoco.mjtTrn.mjTRN_TENDON) & (model.actuator_dyntype == mujoco.mjtDyn.mjDYN_MUSCLE)
    chosen = np.flatnonzero(pulling)
    return model.actuator_trnid[chosen, 0], model.actuator_actadr[chosen] + model.actuator_actnum[chosen] - 1
