"""A body's model as MJX takes it: what has to change for an engine, and the map from poses to muscle lengths.

`warp` takes the prepared models as they are. `jax` has no contact margins on meshes and height fields, so those do not collide there; every
change is listed, and `movlr morphologies --engine jax` says how much it matters.
"""

from __future__ import annotations

import copy
import functools
import re
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import mujoco
import numpy as np
from jaxtyping import Bool, Float
from mujoco import mjx

from movlr_jax.errors import MovlrError
from movlr_jax.morphologies import Morphology
from movlr_jax.physics import sizes as sizing
from movlr_jax.physics.mjx_config import Graphs
from movlr_jax.physics.sizes import Sizes

_REFUSED = (mujoco.mjtGeom.mjGEOM_MESH, mujoco.mjtGeom.mjGEOM_HFIELD)

# The Newton solver of tendons that wrap inside a circle: C's number of steps and start. Pure MJX makes 5 steps from 1 - 1e-5: of 80,436
# random wraps of a circle of 10 mm 282 were then off by more than 1e-6 m, up to 3 mm; with these, in single precision, none by more than
# 3e-9 m. C's tolerance, 1e-6, is below what single precision can tell, and MJX gives up a wrap whose residual then changes its sign.
_INSIDE_WRAP = {"wrap_inside_maxiter": 20, "wrap_inside_tolerance": 1e-4, "wrap_inside_z_init": 1.0 - 1e-7}


@dataclass(frozen=True, eq=False)
class Prepared:
    """A body's models for one engine: at the planning step and at the simulation step; and what was changed."""

    morphology: Morphology
    engine: str
    planned: mujoco.MjModel
    executed: mujoco.MjModel
    changes: tuple[str, ...]

    @functools.cached_property
    def sizes(self) -> Sizes:
        """Room that a world of warp needs, measured when it is first asked for."""
        return sizing.measured(self.morphology, self.planned) if self.engine == "warp" else Sizes(0, 0)


def prepare(morphology: Morphology, engine: str, plan_dt: float) -> Prepared:
    """Return a body's models for an engine.

    Raises:
        MovlrError: the body has an actuator that acts on neither a tendon nor a hinge or slide, or stands on what the engine cannot collide
            with.
    """
    if engine == "jax" and morphology.terrain.height_field:
        raise MovlrError(
            "Pure MJX has no contact margins on height fields, so it cannot walk on this terrain: use --engine native or --engine warp."
        )
    if not (at_tendons(morphology.model) | at_joints(morphology.model)).all():
        raise MovlrError(
            f"{morphology.name} has an actuator that acts on neither a tendon nor a hinge or slide, which the MJX engines do not take: "
            "use --engine native."
        )
    executed, changes = for_jax(morphology.lean) if engine == "jax" else (copy.copy(morphology.lean), ())
    planned = copy.copy(executed)
    planned.opt.timestep = plan_dt
    return Prepared(morphology, engine, planned, executed, changes)


def on_device(
    model: mujoco.MjModel, engine: str, contacts: int = 1, constraints: int = 1, graphs: Graphs = "auto"
) -> tuple[mjx.Model, mjx.Data]:
    """Return a model and the data of one world on this process's first device.

    Args:
        model: as `prepare` made it.
        engine: "warp" or "jax".
        contacts: room for contacts of warp, over all worlds that will be made of the data.
        constraints: room for constraint rows of warp, in each of them.
        graphs: how warp captures CUDA graphs of it.

    Raises:
        MovlrError: the model has an option or a part that the engine lacks.
    """
    device = jax.local_devices()[0]
    room = {"naconmax": contacts, "njmax": constraints} if engine == "warp" else {}
    try:
        placed = mjx.put_model(model, device=device, impl=engine, graph_mode=_graph_mode(graphs) if engine == "warp" else None)
        data = mjx.make_data(model, device=device, impl=engine, **room)
    except NotImplementedError as error:
        raise MovlrError(
            f"The engine {engine} does not take this body ({_option(str(error))}): use --engine native, or change that."
        ) from None
    if engine == "jax":
        placed = placed.replace(_impl=placed._impl.replace(**_INSIDE_WRAP))
    return placed, data


def _graph_mode(graphs: Graphs) -> Any:
    """Return Warp's name for how CUDA graphs are captured; None, MJX's own choice, for "auto"."""
    if graphs == "auto":
        return None
    import warp

    names = {"none": "NONE", "jax": "JAX", "warp": "WARP", "staged": "WARP_STAGED", "staged-ex": "WARP_STAGED_EX"}
    return getattr(warp.JaxCallableGraphMode, names[graphs])


def _option(message: str) -> str:
    """Return what MJX says of a model's part, with MuJoCo's enumerations as a model writes them."""

    def plain(match: re.Match[str]) -> str:
        return f"{match[1].lower()} {match[2].lower()}"

    return " ".join(re.sub(r"mjt(\w+?)\.mj[A-Z]+_(\w+)", plain, message).split())[:200] or "a part of its model"


def for_jax(model: mujoco.MjModel) -> tuple[mujoco.MjModel, tuple[str, ...]]:
    """Return a model without what pure MJX refuses, and what was changed, in words."""
    odd = ((model.geom_contype | model.geom_conaffinity) != 0) & np.isin(model.geom_type, [int(shape) for shape in _REFUSED])
    model = copy.copy(model)
    if not odd.any():
        return model, ()
    bodies = ", ".join(sorted({model.body(int(b)).name for b in model.geom_bodyid[odd]}))
    model.geom_contype[odd], model.geom_conaffinity[odd] = 0, 0
    return model, (f"{int(odd.sum())} mesh or height-field geoms no longer collide ({bodies}): pure MJX has no contact margins on them",)


def at_tendons(model: mujoco.MjModel) -> Bool[np.ndarray, " nu"]:
    """Return which actuators pull a tendon."""
    return np.asarray(model.actuator_trntype == mujoco.mjtTrn.mjTRN_TENDON)


def at_joints(model: mujoco.MjModel) -> Bool[np.ndarray, " nu"]:
    """Return which actuators act on a hinge or a slide."""
    joint = np.isin(model.actuator_trntype, (int(mujoco.mjtTrn.mjTRN_JOINT), int(mujoco.mjtTrn.mjTRN_JOINTINPARENT)))
    scalar = np.isin(model.jnt_type, (int(mujoco.mjtJoint.mjJNT_HINGE), int(mujoco.mjtJoint.mjJNT_SLIDE)))
    return np.asarray(joint & scalar[np.where(joint, model.actuator_trnid[:, 0], 0)])


class LengthMap:
    """Lengths and moment arms of muscles and motors at given poses, traceable.

    Args:
        model: the body's model.
        engine: "warp" or "jax".
    """

    def __init__(self, model: mujoco.MjModel, engine: str):
        self._engine = engine
        self._model, self._data = on_device(model, engine)
        tendons, joints = at_tendons(model), at_joints(model)
        self._pulling, self._turning = np.flatnonzero(tendons), np.flatnonzero(joints)
        self._tendon = model.actuator_trnid[tendons, 0].astype(int)
        self._gear = model.actuator_gear[tendons, 0].astype(np.float32)
        turned = model.actuator_trnid[joints, 0]
        self._angle = model.jnt_qposadr[turned].astype(int)
        self._turning_gear = model.actuator_gear[joints, 0].astype(np.float32)
        self._gears = np.zeros((len(turned), model.nv), np.float32)
        self._gears[np.arange(len(turned)), model.jnt_dofadr[turned]] = self._turning_gear
        self._count = model.nu
        self._shape = (model.ntendon, model.nv)
        self._rows = np.repeat(np.arange(model.ntendon), model.ten_J_rownnz)
        self._columns = model.ten_J_colind[: len(self._rows)].astype(int)

    def __call__(self, qpos: Float[Any, "world nq"]) -> tuple[Float[Any, "world nu"], Float[Any, "world nu nv"]]:
        """Return lengths (m, or rad at hinges) and moment arms at poses."""

        def one(q: Any) -> mjx.Data:
            data = self._data.replace(qpos=q)
            return mjx.tendon(self._model, mjx.com_pos(self._model, mjx.kinematics(self._model, data)))

        data = jax.vmap(one)(qpos)
        jacobian = data._impl.ten_J
        if self._engine == "warp":  # sparse, in C's layout
            dense = jnp.zeros((len(qpos), *self._shape))
            jacobian = dense.at[:, self._rows, self._columns].set(jacobian[:, : len(self._rows)])
        lengths, moments = data.ten_length[:, self._tendon] * self._gear, jacobian[:, self._tendon] * self._gear[:, None]
        if not len(self._turning):
            return lengths, moments
        every = jnp.zeros((len(qpos), self._count)).at[:, self._pulling].set(lengths)
        arms = jnp.zeros((len(qpos), self._count, self._shape[1])).at[:, self._pulling].set(moments)
        return every.at[:, self._turning].set(qpos[:, self._angle] * self._turning_gear), arms.at[:, self._turning].set(self._gears)
