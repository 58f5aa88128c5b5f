"""The local tracker: metrics.jsonl in the run's folder, one line an iteration. Always on.

Flows in: an iteration's scalars. Flows out: a line {"iteration": n, "images": [...], "videos": [...], name: value,
...}; paths are relative to the folder. An iteration that comes again replaces its line, so a resumed run leaves no
repeats.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from movlr_jax import atomic
from movlr_jax.errors import BadFile


class LocalTracker:
    """Writes metrics.jsonl.

    Args:
        folder: the run's folder.
    """

    name = "local"

    def __init__(self, folder: Path):
        self._folder = folder
        self._file = folder / "metrics.jsonl"

    def start(self, config: Mapping[str, Any], run_id: str) -> None:
        """Nothing to prepare: config.yaml and run.json hold the rest."""

    def log(self, iteration: int, scalars: Mapping[str, float], images: Mapping[str, Path], videos: Mapping[str, Path]) -> None:
        """Write an iteration's line; scalars that are not finite become null."""
        rows = {row["iteration"]: row for row in self._rows()}
        row = rows.get(iteration, {"iteration": iteration})
        row |= {name: float(value) if math.isfinite(value) else None for name, value in scalars.items()}
        for kind, paths in (("images", images), ("videos", videos)):
            if paths:
                row[kind] = {name: os.path.relpath(path, self._folder) for name, path in paths.items()}
        rows[iteration] = row
        text = "".join(json.dumps(rows[number]) + "\n" for number in sorted(rows))
        atomic.write_text(self._file, text)

    def _rows(self) -> list[dict[str, Any]]:
        if not self._file.exists():
            return []
        try:
            rows = [json.loads(line) for line in atomic.read_text(self._file).splitlines() if line.strip()]
            if not all(isinstance(row, dict) and isinstance(row.get("iteration"), int) for row in rows):
                raise ValueError("a line without an iteration")
        except (ValueError, RecursionError) as error:
            raise BadFile(f"{self._file} is not what a run writes ({error}): remove it, and what comes is logged anew.") from None
        return rows

    def finish(self) -> None:
        """Nothing is held open."""
