"""`movlr morphologies`: the bodies, their sizes and licences, where each was found, how to get the missing ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from movlr_jax.cli import console, options
from movlr_jax.errors import MovlrError


@dataclass(frozen=True)
class Options:
    """List the bodies: sizes, licence, where each was found and what is missing."""

    engine: str = ""
    """Also say what an engine changes in each body that is found, and how much it matters: warp or jax (plans a short walk of each)."""
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


def changes(name: str, engine: str) -> dict[str, Any]:
    """Return what an engine changes in a body, in words, and how much it matters, measured on C over states of a short walk."""
    from movlr_jax import morphologies
    from movlr_jax.cli import parity as audits
    from movlr_jax.physics import mjx_model, parity

    body = morphologies.load(name)
    changed = mjx_model.prepare(body, engine, body.model.opt.timestep).changes
    effect = parity.effect(body, engine, audits.record_walk(body)) if changed else []
    return {"changes": list(changed), "effect": [dataclasses.asdict(line) for line in effect]}


def main(argv: Sequence[str]) -> int:
    """Run the verb."""
    asked = options.parse(Options, argv, "morphologies")
    from movlr_jax.morphologies import CATALOG
    from movlr_jax.physics import engines

    if asked.engine:
        engines.choose(asked.engine)
        if asked.engine not in engines.MJX:
            raise MovlrError(f"The engine {asked.engine} changes nothing in a body: ask for warp or jax.")
    records = [describe(name) for name in CATALOG]
    for record in records:
        if asked.engine and record["found"]:
            record |= changes(record["name"], asked.engine)
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
        for change in r.get("changes", ()):
            out.print(f"\n{r['name']}, {asked.engine}: {change}", markup=False, soft_wrap=True)
        for line in r.get("effect", ()):
            out.print(f"  {line['what']}: {line['largest']:.1e} {line['unit']} (worst at {line['where']})", markup=False, soft_wrap=True)
        if asked.engine and r["found"] and not r["changes"]:
            out.print(f"\n{r['name']}, {asked.engine}: nothing is changed", markup=False)
        if not r["found"]:
            out.print(f"\n{r['name']}: {r['missing']}", markup=False, soft_wrap=True)
    return 0
