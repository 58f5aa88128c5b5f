"""The page that compares a sweep's trials: one HTML file that opens without a network.

Flows in: the rows of the trials, and the clips of their best iterations. Flows out: `compare.html`, made from `templates/sweep.html.j2`: a
table that sorts by any column, the best score over the iterations of every trial, and clips that play where the mouse is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from movlr_jax.media import pages, tables
from movlr_jax.tasks import metric_registry

PAGE = "compare.html"
_COLOURS = ("#1f5f9e", "#cf6f3c", "#2f8f83", "#b07cc6", "#c9a227", "#b3261e", "#6f86b8", "#1a7f45", "#8d96a3", "#7a4f2b")


def write_page(
    out: Path, name: str, rows: Sequence[Mapping[str, Any]], paths: Sequence[str], *, clip_budget: int = pages.CLIP_BUDGET
) -> Path:
    """Write a sweep's page and return its path.

    Args:
        out: the sweep's folder.
        name: its name.
        rows: one a trial, as in results.parquet.
        paths: the values that vary.
        clip_budget: bytes of clips to embed, those of the highest scores first; a clip beyond it is linked.

    Raises:
        MovlrError: the file cannot be written.
    """
    by_score = sorted(rows, key=lambda r: (r["score"] is None, -(r["score"] or 0.0), r["trial"]))
    beside = {row["trial"]: f"{row['folder']}/iterations/{row['best']:03d}/clip.mp4" for row in by_score if row["best"] is not None}

    def group(row: Mapping[str, Any]) -> str:
        """Return the first thing that varies, in a trial: it gives the colour."""
        return _word(row["values"].get(paths[0]) if paths else None)

    best = [(row, _best_so_far(row)) for row in rows]
    reached = sorted(point for _, points in best for point in points)
    data = {
        "title": name,
        "rows": rows,
        "paths": list(paths),
        "words": {"state", *(path for path in paths if any(_is_word(row["values"].get(path)) for row in rows))},
        "metrics": [m for m in metric_registry.shown() if any(tables.cell(tables.metrics_of(row), m) != "-" for row in rows)],
        "plot": pages.axes(1080, 300, [(0, reached[0][1]), *reached]) if reached else None,
        # A trial of one iteration is a line too, and can be seen.
        "curves": [(row, pages.steps(points, points[-1][0] + 0.15 * (len(points) == 1))) for row, points in best if points],
        "colours": {name: _COLOURS[n % len(_COLOURS)] for n, name in enumerate(dict.fromkeys(map(group, rows)))},
        "clips": pages.clips(((trial, out / address, address) for trial, address in beside.items()), clip_budget),
    }
    filters = {"heading": tables.heading, "is_word": _is_word, "word": _word, "written": tables.number, "cell": _cell, "group": group}
    return pages.write(out / PAGE, "sweep.html.j2", data, style=["page.css", "sweep.css"], script="sweep.js", filters=filters)


def _cell(row: Mapping[str, Any], metric: str) -> str:
    return tables.cell(tables.metrics_of(row), metric)


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _is_word(value: Any) -> bool:
    return isinstance(value, bool) or not isinstance(value, int | float)


def _best_so_far(row: Mapping[str, Any]) -> list[tuple[int, float]]:
    held, points = None, []
    for number, (score, kept) in enumerate(zip(row["scores"], row["kept"], strict=True)):
        held = score if kept and score is not None else held
        if held is not None:
            points.append((number, held))
    return points
