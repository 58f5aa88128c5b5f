"""Posture space: the joints that are planned, and the coupled joints that follow them by the model's equality polynomials.

MPC2 plans a target posture z over d planned joints. Coupled joints (patella, knee translations, scapula, ...) that kept their
current values would violate their couplings, so a posture is completed by q1 = q1_0 + p(q2 - q2_0), the polynomial of each joint equality.
"""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from movlr_jax.errors import MovlrError


@dataclass(frozen=True)
class PostureSpace:
    """Planned joints and couplings of one model.

    Attributes:
        names: the d planned joints.
        qpos_index: int[d], their indices in qpos.
        qvel_index: int[d], their indices in qvel.
        lower, upper: float[d], their ranges (rad or m).
        coupled: (dependent qpos, driving qpos, float[5] polynomial, dependent reference, driving reference), drivers first.
    """

    names: tuple[str, ...]
    qpos_index: np.ndarray
    qvel_index: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    coupled: tuple[tuple[int, int, np.ndarray, float, float], ...]

    @property
    def size(self) -> int:
        """d, the number of planned joints."""
        return len(self.names)

    @property
    def range(self) -> np.ndarray:
        """float[d]: upper - lower."""
        return self.upper - self.lower

    def project(self, qpos: np.ndarray) -> np.ndarray:
        """Return qpos[..., nq] with every coupled joint set from the joint that drives it."""
        out = np.array(qpos, np.float64)
        for dependent, driver, poly, y0, x0 in self.coupled:
            x = out[..., driver] - x0
            out[..., dependent] = y0 + poly[0] + x * (poly[1] + x * (poly[2] + x * (poly[3] + x * poly[4])))
        return out

    def complete(self, posture: np.ndarray, base: np.ndarray) -> np.ndarray:
        """Return full qpos[..., nq] for postures[..., d]: planned joints set (clipped to their ranges), couplings followed.

        Args:
            posture: float[..., d].
            base: float[nq] or float[..., nq], values of all other joints.
        """
        posture = np.asarray(posture, np.float64)
        out = np.broadcast_to(base, (*posture.shape[:-1], np.shape(base)[-1])).copy()
        out[..., self.qpos_index] = np.clip(posture, self.lower, self.upper)
        return self.project(out)

    def read(self, qpos: np.ndarray) -> np.ndarray:
        """Return the posture float[..., d] of qpos[..., nq]."""
        return np.asarray(qpos)[..., self.qpos_index]


def build(model: mujoco.MjModel, planned: tuple[str, ...]) -> PostureSpace:
    """Read a posture space from a compiled model.

    Raises:
        MovlrError: a planned joint is missing, is not scalar, is unlimited, or is itself coupled to another joint.
    """
    couplings = []
    for e in range(model.neq):
        if model.eq_type[e] == mujoco.mjtEq.mjEQ_JOINT and model.eq_active0[e] and model.eq_obj2id[e] >= 0:
            couplings.append((int(model.eq_obj1id[e]), int(model.eq_obj2id[e]), np.array(model.eq_data[e][:5])))
    dependents = {d for d, _, _ in couplings}
    ordered: list[tuple[int, int, np.ndarray]] = []
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
    )
