"""`movlr parity`: audits an MJX engine against native C on one body or all: muscle lengths, moments, forces, constraints, trajectories.

In: an engine and a body. A short episode of the body's own task (a walk, or a hand with an object) is planned on the native engine for its
states and excitations. Out: a table a body, exit code 1 if
anything is out of tolerance; --json for machines; --out adds the results to a JSON file, one entry a body and engine.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from movlr_jax._versions import installed
from movlr_jax.cli import console, options
from movlr_jax.errors import MovlrError

if TYPE_CHECKING:
    from movlr_jax.morphologies import Morphology
    from movlr_jax.physics.parity import Walk

_SECONDS = 1.0
_WORLDS = 16


@dataclass(frozen=True)
class Options:
    """Compare an MJX engine with native C MuJoCo; exit code 1 if it is out of tolerance."""

    morphology: str = ""
    """The body: a name from `movlr morphologies`, or the YAML file of your own; all that are found if left out."""
    engine: str = "warp"
    """warp or jax."""
    out: Path | None = None
    """JSON file to add the results to."""
    json: bool = False
    """Print one JSON document and nothing else on stdout."""


def record_walk(body: Morphology) -> Walk:
    """Plan a short episode of the body's own task on the native engine, from a few candidates; take states and excitations from it."""
    import numpy as np

    from movlr_jax import tasks
    from movlr_jax.control.episode import EpisodeRunner
    from movlr_jax.control.planner import PlannerConfig, with_candidates
    from movlr_jax.physics import parity
    from movlr_jax.rewards.features import feature_layout
    from movlr_jax.rewards.reward import Reward

    layout = feature_layout(body)
    task = tasks.suiting(body)
    try:
        reward = Reward.trusted("human", task.rewards["human"], layout)
    except MovlrError:  # a body of one's own may lack a landmark that it asks for
        reward = Reward.trusted("start", task.rewards["start"], layout)
    runner = EpisodeRunner.build(body, with_candidates(PlannerConfig(), 16), "native")
    walk = task.episode(runner, reward, 0, seconds=_SECONDS)
    every = round(walk.dt / runner.simulator.sim_dt)
    rows = np.linspace(0, len(walk.time) - 1 - parity.STEPS // every, _WORLDS).astype(int)
    follow = np.minimum(rows[None] + np.arange(parity.STEPS)[:, None] // every, len(walk.time) - 1)
    ctrl = walk.instants[:, layout.columns("ctrl")].astype(np.float64)
    return parity.Walk(walk.qpos[rows], walk.qvel[rows], walk.act[rows], ctrl[follow])


def audit(name: str, engine: str) -> dict[str, Any]:
    """Return the record of one body."""
    import jax

    from movlr_jax import tasks
    from movlr_jax.physics import mjx_model, parity

    body = tasks.loaded(name)
    lines = parity.audit(body, engine, record_walk(body))
    changes = mjx_model.prepare(body, engine, body.model.opt.timestep).changes
    return {
        "morphology": name,
        "engine": engine,
        "device": jax.devices()[0].device_kind,
        "versions": {p: installed(p) for p in ("mujoco", "mujoco-mjx", "jax", "warp-lang")},
        "changes": list(changes),
        "lines": [{**dataclasses.asdict(line), "fine": line.fine} for line in lines],
        "fine": all(line.fine for line in lines),
    }


def main(argv: Sequence[str]) -> int:
    """Run the verb."""
    asked = options.parse(Options, argv, "parity")
    from movlr_jax import atomic
    from movlr_jax.cli import morphologies as listing
    from movlr_jax.morphologies import CATALOG
    from movlr_jax.physics import engines

    if asked.engine not in engines.MJX:
        raise MovlrError(f"--engine {asked.engine} cannot be compared with native: use warp or jax.")
    engines.choose(asked.engine)
    if asked.out is not None:
        _saved(asked.out)  # before the work
    names = [asked.morphology] if asked.morphology else [n for n in CATALOG if listing.describe(n)["found"]]
    records = []
    for name in names:
        record = audit(name, asked.engine)
        records.append(record)
        if asked.out is not None:
            saved = {**_saved(asked.out), f"{name} {asked.engine}": record}
            atomic.write_text(asked.out, json.dumps(saved, indent=1, sort_keys=True) + "\n")
        if not asked.json:
            _show(record)
    if asked.json:
        console.print_json({"parity": records})
    return 0 if all(record["fine"] for record in records) else 1


def _saved(path: Path) -> dict[str, Any]:
    """Return the results that a file holds already.

    Raises:
        MovlrError: it is another kind of file, or cannot be written.
    """
    from movlr_jax import atomic

    try:
        atomic.require_writable(path.parent)
        found = atomic.read_json(path) if os.path.lexists(path) else {}
    except OSError as error:
        raise MovlrError(f"{path} cannot be read and written ({error.strerror}): name another file with --out.") from None
    if not isinstance(found, dict) or not all(isinstance(entry, dict) and "lines" in entry for entry in found.values()):
        raise MovlrError(f"{path} holds something else than results of movlr parity, and is left as it is: name another file with --out.")
    return found


def _show(record: dict[str, Any]) -> None:
    rows = []
    for line in record["lines"]:
        limit = "" if line["tolerance"] is None else f"{line['tolerance']:.0e}"
        verdict = "" if line["tolerance"] is None else "ok" if line["fine"] else "OUT"
        rows.append((line["what"], f"{line['largest']:.1e}", limit, line["unit"], line["where"], verdict))
    out = console.stdout()
    title = f"{record['morphology']}: {record['engine']} against native C"
    out.print(console.table(title, ("compared", "largest", "tolerance", "unit", "worst at", ""), rows))
    for change in record["changes"]:
        out.print(f"changed for {record['engine']}: {change}", markup=False)
