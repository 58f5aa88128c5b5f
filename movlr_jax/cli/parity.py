"""`movlr parity`: audits an MJX engine against native C on one body or all: muscle lengths, moments, forces, constraints, trajectories.

In: an engine and a body. A short episode of the body's own task (a walk, or a hand with an object) is planned on the native engine for its
states and excitations. Out: a table a body, exit code 1 if
anything is out of tolerance; --json for machines; --out adds the results to a JSON file, one entry a body and engine.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from movlr_jax.cli import console, flags
from movlr_jax.errors import MovlrError


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


def main(argv: Sequence[str]) -> int:
    """Run the verb."""
    options = flags.parse(Options, argv, "parity")
    from movlr_jax import atomic
    from movlr_jax.evaluation import engine_audit
    from movlr_jax.morphologies import CATALOG, inventory
    from movlr_jax.physics import engines

    if options.engine not in engines.MJX:
        raise MovlrError(f"--engine {options.engine} cannot be compared with native: use warp or jax.")
    engines.choose(options.engine)
    if options.out is not None:
        _saved(options.out)  # before the work
    names = [options.morphology] if options.morphology else [n for n in CATALOG if inventory.describe(n)["found"]]
    records = []
    for name in names:
        record = engine_audit.audit(name, options.engine)
        records.append(record)
        if options.out is not None:
            saved = {**_saved(options.out), f"{name} {options.engine}": record}
            atomic.write_text(options.out, json.dumps(saved, indent=1, sort_keys=True) + "\n")
        if not options.json:
            _show(record)
    if options.json:
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
