"""A matrix of one number a cell, such as a metric of rewards on tasks and bodies, as a picture.

Flows in: numbers, names and what is written in each cell. Flows out: a PNG file.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib import colormaps, rc_context
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from movlr_jax.errors import MovlrError
from movlr_jax.media.style import STYLE, save


def metric_matrix(
    values: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    path: Path | str,
    *,
    cells: Sequence[Sequence[str]],
    label: str,
    title: str,
    row_label: str = "",
    column_label: str = "",
    reach: float | None = None,
) -> Path:
    """Draw a matrix of one number a cell, such as a metric of rewards (rows) on tasks and bodies (columns).

    Args:
        values: float[r, c]; NaN where there is no number, which is hatched.
        rows: r names.
        columns: c names.
        path: the PNG to write.
        cells: what is written in each cell, [r][c].
        label: of the colour bar, with its unit.
        title: of the picture.
        row_label: what the rows are.
        column_label: what the columns are.
        reach: the colours go from -reach over 0 to reach, so that pictures can be compared; None: what the values need.

    Raises:
        MovlrError: shapes do not fit, or there is nothing to draw.
    """
    values = np.asarray(values, float)
    if values.shape != (len(rows), len(columns)) or not values.size or [len(r) for r in cells] != [len(columns)] * len(rows):
        raise MovlrError(f"A matrix needs a value and a text for each of {len(rows)} rows and {len(columns)} columns, not {values.shape}.")
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    # A range that starts at zero lets the eye compare sizes; one that crosses it has its own palette with zero in the middle.
    if reach or (low < 0 < high and min(-low, high) > 0.25 * max(-low, high)):
        far = reach or max(-low, high)
        norm: Normalize = TwoSlopeNorm(0.0, -far, far)
        palette = colormaps["vanimo"]
    else:
        norm = Normalize(min(low, 0.0), max(high, 0.0) or 1.0)
        palette = colormaps["viridis"]
    longest = max(len(line) for column in columns for line in column.split("\n"))
    widest = max(len(line) for row in cells for cell in row for line in cell.split("\n"))
    turned = longest * len(columns) > 140  # side by side they would be wider than a page
    wide = max(0.95, 0.085 * widest + 0.25, 0 if turned else 0.085 * longest + 0.2)
    named = 0.085 * max(len(line) for row in rows for line in row.split("\n"))
    tall = max(0.62, 0.19 * max(row.count("\n") + 1 for row in rows) + 0.25)
    height = tall * len(rows) + 1.5 + (0.06 * longest if turned else 0.3)
    with rc_context(STYLE):
        figure = Figure(figsize=(max(6.0, wide * len(columns) + named + 1.9), max(2.8, height)), layout="constrained")
        axes = figure.subplots()
        axes.set_facecolor("#f1f2f4")
        axes.pcolormesh(
            np.arange(len(columns) + 1) - 0.5, np.arange(len(rows) + 1) - 0.5, np.ma.masked_invalid(values), cmap=palette, norm=norm
        )
        for (r, c), value in np.ndenumerate(values):
            if not np.isfinite(value):
                axes.add_patch(Rectangle((c - 0.5, r - 0.5), 1, 1, hatch="////", fill=False, edgecolor="#c3c8cf", lw=0))
            red, green, blue, _ = palette(norm(value)) if np.isfinite(value) else (1.0, 1.0, 1.0, 1.0)
            bright = 0.299 * red + 0.587 * green + 0.114 * blue > 0.55
            axes.text(c, r, cells[r][c], ha="center", va="center", fontsize=8.5, linespacing=1.25, color="#111" if bright else "white")
        for r in range(1, len(rows)):
            axes.axhline(r - 0.5, color="white", lw=1.6)
        for c in range(1, len(columns)):
            axes.axvline(c - 0.5, color="white", lw=1.6)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_yticks(range(len(rows)), rows)
        axes.set_xticks(range(len(columns)), columns, rotation=30 if turned else 0, ha="right" if turned else "center")
        axes.tick_params(length=0)
        axes.set_xlabel(column_label)
        axes.set_ylabel(row_label)
        for spine in axes.spines.values():
            spine.set_visible(False)
        if finite.size:
            bar = figure.colorbar(ScalarMappable(norm, palette), ax=axes, pad=0.015, aspect=22, fraction=0.04)
            bar.set_label(label)
            bar.outline.set_visible(False)  # type: ignore[operator]
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=11)
        return save(figure, path)
