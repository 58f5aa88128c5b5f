"""Newton steps that finish what pure MJX's constraint solver leaves in single precision.

MJX picks the length of a solver step by comparing costs. In single precision the cost of a stiff musculoskeletal body (knee couplings at
kilonewtons, feet of grams) does not resolve its own end: the solver stops with a gradient of up to 1 N, which a toe's tiny inertia turns
into 1.5 rad/s^2. A full Newton step compares gradients instead, which single precision does resolve (MuJoCo Warp's line search does the
same).
"""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import mujoco
from mujoco import mjx

_STEPS = 3
_LENGTHS = (1.0, 0.5, 0.2)  # of a Newton step; a full one can overshoot where it switches contacts


def refinable(model: mujoco.MjModel) -> bool:
    """Tell whether `step` can take a model: pyramidal cones and no friction loss (a piecewise quadratic cost), semi-implicit Euler."""
    if model.opt.integrator != mujoco.mjtIntegrator.mjINT_EULER:
        return False
    loss = bool(model.dof_frictionloss.any() or model.tendon_frictionloss.any())
    return model.opt.cone == mujoco.mjtCone.mjCONE_PYRAMIDAL and not loss


@jax.default_matmul_precision("highest")  # a GPU or TPU would round the factors of a product to 10 or 7 bits
def step(model: mjx.Model, data: mjx.Data) -> mjx.Data:
    """Step one world as `mjx.step` does, with refined constraint forces."""
    data = refined(model, mjx.forward(model, data))
    return mjx.euler(model, mjx.sensor_acc(model, data))  # touch sensors read the constraint forces


def refined(model: mjx.Model, data: mjx.Data) -> mjx.Data:
    """Return one world's data after `mjx.forward` with accelerations and constraint forces improved; traceable.

    The length of a step with the least Newton decrement g' H^-1 g is taken, and none where all increase it, so a world is never left
    worse than MJX left it.
    """
    rows: Any = data._impl
    jacobian, weight, target = rows.efc_J, rows.efc_D, rows.efc_aref
    mass = mjx.full_m(model, data)
    equality = jnp.arange(len(target)) < rows.ne

    def at(qacc: Any) -> tuple[Any, Any, Any]:
        residual = jacobian @ qacc - target
        active = (residual < 0) | equality
        force = -weight * residual * active
        return active, force, mass @ qacc - data.qfrc_smooth - jacobian.T @ force

    qacc = data.qacc
    active, force, gradient = at(qacc)
    for _ in range(_STEPS):
        factor = jax.scipy.linalg.cho_factor(mass + (jacobian.T * (weight * active)) @ jacobian)
        step = jax.scipy.linalg.cho_solve(factor, gradient)
        best = (qacc, active, force, gradient)
        least = gradient @ step
        for length in _LENGTHS:
            there = (qacc - length * step, *at(qacc - length * step))
            decrement = there[-1] @ jax.scipy.linalg.cho_solve(factor, there[-1])
            best = jax.tree.map(functools.partial(jnp.where, decrement < least), there, best)
            least = jnp.minimum(decrement, least)
        qacc, active, force, gradient = best
    return data.tree_replace({"qacc": qacc, "qfrc_constraint": jacobian.T @ force, "_impl.efc_force": force})
