"""Morphology: a body that is ready to be simulated, planned for and rewarded."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from dataclasses import dataclass

import mujoco
import numpy as np

from movlr_jax.morphologies import root
from movlr_jax.morphologies.body_plan import BodyPlan
from movlr_jax.morphologies.motors import MotorData
from movlr_jax.morphologies.muscles import MuscleData
from movlr_jax.morphologies.objects import BODY, Object
from movlr_jax.morphologies.posture import PostureSpace
from movlr_jax.morphologies.scene import FLAT, Scene
from movlr_jax.morphologies.terrain import Terrain


@dataclass(frozen=True, eq=False)
class Strength:
    """How strong the muscles of a body are: all in which bodies differ that are prepared alike but for injuries.

    Attributes:
        peak_force: float[m], peak active forces (N).
        standing_act: float[na], activations that hold the standing pose with them.
    """

    peak_force: np.ndarray
    standing_act: np.ndarray


@dataclass(frozen=True, eq=False)
class Morphology:
    """A prepared body.

    Attributes:
        plan: what its author states.
        terrain: the ground it stands on.
        model: the compiled, prepared model at the simulation step (2 ms). Treat it as read-only.
        lean: the same without what is only seen, which engines step: to the same bits, and faster.
        fuse: makes `fused`.
        posture: its posture space.
        muscles: its muscles; of actuators, activations and excitations they are the first.
        motors: its motors, which come after its muscles.
        landmarks: landmark names, in the order of their sensors.
        sensors: sensor name -> (address, length) in sensordata. Per landmark L: "L/position", "L/quat", "L/velocity",
            "L/angular_velocity"; "com/position", "com/velocity"; "touch/left", "touch/right" (one value a foot site) where it has feet.
        standing_qpos: float[nq], settled standing pose that faces +x with its feet on the ground; of a body without feet, its pose at
            rest, with the object at its start.
        standing_act: float[na], activations that hold it (static optimisation).
        standing_heights: landmark -> height above ground in that pose (m); "com" too.
        thing: the object it works with, if any; then "object" is a landmark.
        scene: what it was prepared in.
        word: what it was asked for by: its catalog name, or the YAML file of a user's own.
    """

    plan: BodyPlan
    terrain: Terrain
    model: mujoco.MjModel
    lean: mujoco.MjModel
    fuse: Callable[[], mujoco.MjModel]
    posture: PostureSpace
    muscles: MuscleData
    motors: MotorData
    landmarks: tuple[str, ...]
    sensors: dict[str, tuple[int, int]]
    standing_qpos: np.ndarray
    standing_act: np.ndarray
    standing_heights: dict[str, float]
    thing: Object | None = None
    scene: Scene = FLAT
    word: str = ""

    @property
    def name(self) -> str:
        """Catalog name."""
        return self.plan.name

    @property
    def fixed(self) -> bool:
        """Whether it has no feet: it then stays where its model puts it, and can neither stand nor fall."""
        return not self.plan.feet

    @property
    def loose(self) -> slice:
        """The freedoms (of qvel) of what moves as a whole: the body's root, or of a fixed body its object; empty where there is none."""
        if not self.fixed:
            joints = root.root_joints(self.model, self.top)
            first = int(self.model.jnt_dofadr[joints[0]])
            return slice(first, first + int(np.isin(self.model.dof_jntid, joints).sum()))
        if self.thing is None:
            return slice(0, 0)
        first = int(self.model.joint(BODY).dofadr[0])
        return slice(first, first + 6)

    @property
    def strength(self) -> Strength:
        """How strong its muscles are."""
        return Strength(self.muscles.peak_force, self.standing_act)

    @property
    def actuators(self) -> tuple[str, ...]:
        """Names of its muscles, then of its motors: the order of act and ctrl."""
        return (*self.muscles.names, *self.motors.names)

    @property
    def weight(self) -> float:
        """Body weight (N): of the body alone, without what else stands or lies in its scene."""
        own = root.tree(self.model, self.top)
        return float(np.where(own, self.model.body_mass, 0.0).sum() * np.linalg.norm(self.model.opt.gravity))

    @functools.cached_property
    def top(self) -> int:
        """The first body of its tree, which moves it as a whole."""
        return self.plan.top(self.model)

    @functools.cached_property
    def fused(self) -> mujoco.MjModel:
        """The lean model with bodies that are welded to each other made one: the same motion but for rounding, and faster again.

        Compiled when it is first wanted: it takes as long as the lean one, and only quick rollouts step it.
        """
        return self.fuse()

    def at_timestep(self, dt: float) -> mujoco.MjModel:
        """Return a copy of the lean model with another step (s)."""
        model = copy.copy(self.lean)
        model.opt.timestep = dt
        return model

    def data(self) -> mujoco.MjData:
        """Return fresh data in the standing start, derived fields computed."""
        data = mujoco.MjData(self.model)
        data.qpos[:] = self.standing_qpos
        data.act[:] = self.standing_act
        data.ctrl[:] = self.standing_act
        mujoco.mj_forward(self.model, data)
        return data
