"""`movlr morphologies`: the bodies, their sizes and licences, where each was found, how to get the missing ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from movlr_jax.cli import console, options
from movlr_jax.errors import MovlrError


@dataclass(frozen=True)
class Options:
    """List the bodies: sizes, licence, where each was found and what is missing."""

    json: bool = False
    """Print a JSON list instead of a table."""


def describe(name: str) -> dict[str, Any]:
    """Return one body's record.

    Sizes are read from the model's description, which is not compiled for it: listing stays quick.

    Returns:
        "name", "title", "licence", "source", "default", "found"; where found "folder", "joints", "degrees_of_freedom",
        "muscles" and "planned_joints"; where missing "missing": what to do, in one sentence.
    """
    import mujoco

    from movlr_jax._quiet import silence_mujoco
    from movlr_jax.morphologies import DEFAULT, plan

    body = plan(name)
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
    return record | {
        "found": True,
        "folder": spec.modelfiledir,
        "joints": len(spec.joints),
        "degrees_of_freedom": sum(freedom.get(joint.type, 1) for joint in spec.joints),
        "muscles": len(spec.actuators),
        "planned_joints": len(body.planned_joints),
    }


def main(argv: Sequence[str]) -> int:
    """Run the verb."""
    asked = options.parse(Options, argv, "morphologies")
    from movlr_jax.morphologies import CATALOG

    records = [describe(name) for name in CATALOG]
    if asked.json:
        console.print_json({"morphologies": records})
        return 0
    out = console.stdout()
    rows = [
        (
            r["name"] + (" (default)" if r["default"] else ""),
            r.get("muscles", "-"),
            r.get("joints", "-"),
            r.get("degrees_of_freedom", "-"),
            r.get("planned_joints", "-"),
            r["licence"],
            (r["folder"] or r["source"]) if r["found"] else "missing",
        )
        for r in records
    ]
    out.print(console.table("", ("name", "muscles", "joints", "freedoms", "planned", "licence", "found in"), rows))
    for r in records:
        if not r["found"]:
            out.print(f"\n{r['name']}: {r['missing']}", markup=False, soft_wrap=True)
    return 0
