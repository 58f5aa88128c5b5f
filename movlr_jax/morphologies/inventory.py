"""Which bodies this machine has: one record a body of the catalog, read from its description without compiling it."""

from __future__ import annotations

from typing import Any

import mujoco

from movlr_jax._quiet import silence_mujoco
from movlr_jax.errors import MovlrError
from movlr_jax.morphologies import motors
from movlr_jax.morphologies.catalog import CATALOG, DEFAULT, plan


def describe(name: str) -> dict[str, Any]:
    """Return one body's record.

    Sizes are read from the model's description, which is not compiled for it: listing stays quick.

    Returns:
        "name", "title", "licence", "source", "default", "found"; where found "folder", "joints", "degrees_of_freedom",
        "muscles", "motors" and "planned_joints"; where missing "missing": what to do, in one sentence.
    """
    try:
        body = plan(name)
    except MovlrError as error:
        if name not in CATALOG:
            raise
        # Of another package, which cannot be loaded.
        return {"name": name, "title": "", "licence": "", "source": "", "default": False, "found": False, "missing": str(error)}
    record: dict[str, Any] = {
        "name": name,
        "title": body.title,
        "licence": body.licence,
        "source": body.source,
        "default": name == DEFAULT,
        "found": False,
    }
    silence_mujoco()  # composing a model makes MuJoCo warn about names that nothing here uses
    try:
        spec = body.spec()
    except (MovlrError, ImportError) as error:
        return record | {"missing": str(error)}
    freedom = {mujoco.mjtJoint.mjJNT_FREE: 6, mujoco.mjtJoint.mjJNT_BALL: 3}
    pulling = sum(map(motors.is_muscle, spec.actuators))
    return record | {
        "found": True,
        "folder": spec.modelfiledir,
        "joints": len(spec.joints),
        "degrees_of_freedom": sum(freedom.get(joint.type, 1) for joint in spec.joints),
        "muscles": pulling,
        "motors": len(spec.actuators) - pulling,
        "planned_joints": len(body.planned_joints),
    }
