"""A body's model as MJX takes it: what has to change for an engine, and the map from poses to muscle lengths.

`warp` takes the prepared models as they are. `jax` has no contact margins on meshes and height fields and lacks some pairs of shapes, so
margins are dropped and collision meshes do not collide; every change is listed, and `movlr morphologies --engine jax` says how much it
matters.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import mujoco
import numpy as np
from mujoco import mjx

from movlr_jax.errors import MovlrError
from movlr_jax.morphologies import Morphology
from movlr_jax.physics import sizes as sizing
from movlr_jax.physics.sizes import Sizes

_NO_JAX_SHAPES = (mujoco.mjtGeom.mjGEOM_MESH, mujoco.mjtGeom.mjGEOM_HFIELD, mujoco.mjtGeom.mjGEOM_ELLIPSOID, mujoco.mjtGeom.mjGEOM_CYLINDER)


@dataclass(frozen=True, eq=False)
class Prepared:
    """A body's models for one engine: at the planning step and at the simulation step; what was changed; room that warp needs."""

    planned: mujoco.MjModel
    executed: mujoco.MjModel
    changes: tuple[str, ...]
    sizes: Sizes


def prepare(morphology: Morphology, engine: str, plan_dt: float) -> Prepared:
    """Return a body's models for an engine.

    Raises:
        MovlrError: the body has an actuator that is not driven by a tendon.
    """
    if (morphology.model.actuator_trntype != mujoco.mjtTrn.mjTRN_TENDON).any():
        raise MovlrError(f"{morphology.name} has an actuator that pulls no tendon, which the MJX engines do not take: use --engine native.")
    executed, changes = _for_jax(morphology.model) if engine == "jax" else (copy.copy(morphology.model), ())
    planned = copy.copy(executed)
    planned.opt.timestep = plan_dt
    room = sizing.measured(morphology, planned) if engine == "warp" else Sizes(0, 0)
    return Prepared(planned, executed, changes, room)


def _for_jax(model: mujoco.MjModel) -> tuple[mujoco.MjModel, tuple[str, ...]]:
    """Return the model without what pure MJX refuses, and what was changed, in words."""
    model = copy.copy(model)
    changes = []
    solid = (model.geom_contype | model.geom_conaffinity) != 0
    wide = solid & ((model.geom_margin != 0) | (model.geom_gap != 0))
    if wide.any():
        changes.append(f"contact margins of {int(wide.sum())} geoms set to 0")
        model.geom_margin[:], model.geom_gap[:] = 0.0, 0.0
    odd = solid & np.isin(model.geom_type, [int(shape) for shape in _NO_JAX_SHAPES])
    if odd.any():
        bodies = sorted({model.body(int(b)).name for b in model.geom_bodyid[odd]})
        changes.append(f"{int(odd.sum())} geoms no longer collide (meshes, ellipsoids, cylinders of {', '.join(bodies)})")
        model.geom_contype[odd], model.geom_conaffinity[odd] = 0, 0
    return model, tuple(changes)


class LengthMap:
    """Muscle lengths and moment arms at given poses, traceable.

    Args:
        model: the body's model.
        engine: "warp" or "jax".
    """

    def __init__(self, model: mujoco.MjModel, engine: str):
        self._engine = engine
        self._model = mjx.put_model(model, impl=engine)
        self._data = mjx.make_data(model, impl=engine, **({"naconmax": 1, "njmax": 1} if engine == "warp" else {}))
        self._tendon = model.actuator_trnid[:, 0].astype(int)
        self._gear = model.actuator_gear[:, 0].astype(np.float32)
        self._shape = (model.ntendon, model.nv)
        self._rows = np.repeat(np.arange(model.ntendon), model.ten_J_rownnz)
        self._columns = model.ten_J_colind[: len(self._rows)].astype(int)

    def __call__(self, qpos: Any) -> tuple[Any, Any]:
        """Return lengths[W, nu] (m) and moment arms[W, nu, nv] at qpos[W, nq]."""

        def one(q: Any) -> mjx.Data:
            data = self._data.replace(qpos=q)
            return mjx.tendon(self._model, mjx.com_pos(self._model, mjx.kinematics(self._model, data)))

        data = jax.vmap(one)(qpos)
        jacobian = data._impl.ten_J
        if self._engine == "warp":  # sparse, in C's layout
            dense = jnp.zeros((len(qpos), *self._shape))
            jacobian = dense.at[:, self._rows, self._columns].set(jacobian[:, : len(self._rows)])
        return data.ten_length[:, self._tendon] * self._gear, jacobian[:, self._tendon] * self._gear[:, None]
