"""Posture space: the joints that are planned, and the coupled joints that follow them by the model's equality polynomials.

MPC2 plans a target posture z over d planned joints. Coupled joints (patella, knee translations, scapula, ...) that kept their
current values would violate their couplings, so a posture is completed by q1 = q1_0 + p(q2 - q2_0), the polynomial of each joint equality.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np
from jaxtyping import Float

from movlr_jax.errors import MovlrError

NOISE = 0.05  # MPC2's, as a share of each joint's range


@dataclass(frozen=True)
class PostureSpace:
    """Planned joints and couplings of one model.

    Attributes:
        names: the d planned joints.
        qpos_index: int[d], their indices in qpos.
        qvel_index: int[d], their indices in qvel.
        lower, upper: float[d], their ranges (rad or m).
        coupled: (dependent qpos, driving qpos, float[5] polynomial, dependent reference, driving reference), drivers first. A joint
            that an equality locks has itself as its driver, and a constant polynomial.
        noise: how far the planner looks around a posture where nothing else is asked for, as a share of the ranges.
    """

    names: tuple[str, ...]
    qpos_index: np.ndarray
    qvel_index: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    coupled: tuple[tuple[int, int, np.ndarray, float, float], ...]
    noise: float = NOISE

    @property
    def size(self) -> int:
        """d, the number of planned joints."""
        return len(self.names)

    @property
    def range(self) -> Float[np.ndarray, " d"]:
        """Upper - lower."""
        return self.upper - self.lower

    def project(self, qpos: Float[Any, "*batch nq"]) -> Float[Any, "*batch nq"]:
        """Return qpos with every coupled joint set from the joint that drives it; numpy or jax.numpy."""
        xp = qpos.__array_namespace__()
        out = xp.array(qpos)
        for dependent, driver, poly, y0, x0 in self.coupled:
            x = out[..., driver] - x0
            out = _put(out, dependent, y0 + poly[0] + x * (poly[1] + x * (poly[2] + x * (poly[3] + x * poly[4]))))
        return out

    def complete(self, posture: Float[Any, "*batch d"], base: Float[Any, "*#batch nq"]) -> Float[Any, "*batch nq"]:
        """Return full qpos for postures: planned joints set (clipped to their ranges), couplings followed.

        Args:
            posture: float[..., d], of numpy or jax.numpy.
            base: float[nq] or float[..., nq], values of all other joints.
        """
        xp = posture.__array_namespace__()
        out = xp.array(xp.broadcast_to(xp.asarray(base), (*posture.shape[:-1], np.shape(base)[-1])))
        return self.project(_put(out, self.qpos_index, xp.clip(posture, self.lower, self.upper)))

    def moved(self, posture: Float[Any, "*batch d"], by: Float[Any, "*#batch d"]) -> Float[Any, "*batch d"]:
        """Return postures moved by so much (rad), within the ranges; where nothing moves they stay to the bit."""
        xp = posture.__array_namespace__()
        by = xp.asarray(by, posture.dtype)
        return xp.where(by == 0, posture, xp.clip(posture + by, self.lower, self.upper))

    def read(self, qpos: Float[Any, "*batch nq"]) -> Float[Any, "*batch d"]:
        """Return the postures of poses."""
        return qpos[..., self.qpos_index]


def _put(array: Any, index: Any, value: Any) -> Any:
    """Return the array with array[..., index] = value; a NumPy array is changed in place."""
    if isinstance(array, np.ndarray):
        array[..., index] = value
        return array
    return array.at[..., index].set(value)


def build(model: mujoco.MjModel, planned: tuple[str, ...], noise: float = NOISE) -> PostureSpace:
    """Read a posture space from a compiled model.

    Args:
        model: the model.
        planned: names of its planned joints.
        noise: the planner's, where nothing else is asked for (share of the ranges).

    Raises:
        MovlrError: a planned joint is missing, is not scalar, is unlimited, or is itself coupled to another joint.
    """
    couplings = []
    ordered: list[tuple[int, int, np.ndarray]] = []
    for e in range(model.neq):
        if model.eq_type[e] == mujoco.mjtEq.mjEQ_JOINT and model.eq_active0[e]:
            dependent, driver, poly = int(model.eq_obj1id[e]), int(model.eq_obj2id[e]), np.array(model.eq_data[e][:5])
            if driver >= 0:
                couplings.append((dependent, driver, poly))
            else:
                ordered.append((dependent, dependent, poly * [1, 0, 0, 0, 0]))
    dependents = {d for d, _, _ in [*ordered, *couplings]}
    pending = list(couplings)
    while pending:  # drivers that are themselves dependent must be set first
        ready = [c for c in pending if c[1] not in {p[0] for p in pending}]
        if not ready:
            raise MovlrError("The model's joint couplings form a cycle: remove one of the joint equalities.")
        ordered += ready
        done = {c[0] for c in ready}
        pending = [c for c in pending if c[0] not in done]
    ids = []
    for name in planned:
        j = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_JOINT, name)
        if j < 0:
            raise MovlrError(f"The planned joint {name} is not in the model: correct planned_joints.")
        if int(model.jnt_type[j]) not in (int(mujoco.mjtJoint.mjJNT_HINGE), int(mujoco.mjtJoint.mjJNT_SLIDE)) or not model.jnt_limited[j]:
            raise MovlrError(f"The planned joint {name} must be a hinge or a slide with a range: give it limits or leave it out.")
        if j in dependents:
            raise MovlrError(f"The planned joint {name} follows another joint by an equality: plan its driver instead.")
        ids.append(j)
    j = np.array(ids, int)
    adr = model.jnt_qposadr
    return PostureSpace(
        names=tuple(planned),
        qpos_index=adr[j].astype(int),
        qvel_index=model.jnt_dofadr[j].astype(int),
        lower=model.jnt_range[j, 0].copy(),
        upper=model.jnt_range[j, 1].copy(),
        coupled=tuple((int(adr[a]), int(adr[b]), p, float(model.qpos0[adr[a]]), float(model.qpos0[adr[b]])) for a, b, p in ordered),
        noise=noise,
    )
