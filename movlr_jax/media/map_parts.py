"""What heat maps share: rows with names, runs of rows that belong together, the edges of cells in time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

UNKNOWN = "other"


def bands(axes: Axes, owners: Sequence[str], colours: Mapping[str, str], spoken: bool = True) -> None:
    """Mark runs of rows that belong together: a coloured band at the left edge, its name, and a line between runs."""
    start = 0
    transform = axes.get_yaxis_transform()
    for i in range(1, len(owners) + 1):
        if i == len(owners) or owners[i] != owners[start]:
            if start:
                axes.axhline(start - 0.5, color="white", lw=1.6)
            axes.plot(
                [-0.006, -0.006],
                [start - 0.42, i - 0.58],
                color=colours[owners[start]],
                lw=4,
                solid_capstyle="butt",
                transform=transform,
                clip_on=False,
            )
            name = spoken_name(owners[start]) if spoken else owners[start]
            axes.annotate(
                name,
                (0, (start + i - 1) / 2),
                xycoords=transform,
                xytext=(-_label_room(axes), 0),
                textcoords="offset points",
                ha="right",
                va="center",
                fontsize=8,
                fontweight="bold",
                color=colours[owners[start]],
                annotation_clip=False,
            )
            start = i


def _label_room(axes: Axes) -> float:
    """Return the width that the row names take, in points, so that band names stand to their left."""
    labels = axes.get_yticklabels()
    longest = max((len(label.get_text()) * float(label.get_fontsize()) for label in labels), default=0.0)
    return 0.6 * longest + 18


def name_rows(axes: Axes, names: Sequence[str]) -> None:
    """Write names beside the rows, long ones cut."""
    axes.set_yticks(range(len(names)), [n if len(n) <= 34 else n[:32] + "…" for n in names], fontsize=8.5)
    axes.tick_params(axis="y", length=0, pad=8)
    axes.tick_params(axis="x", length=2)
    for spine in axes.spines.values():
        spine.set_visible(False)


def spoken_name(name: str) -> str:
    """Return a name as people say it."""
    return name.replace("_", " ")


def edges(time: np.ndarray) -> np.ndarray:
    """Return the T + 1 edges (s) of cells around times, float[T] (s)."""
    if len(time) == 1:
        return np.array([time[0] - 0.01, time[0] + 0.01])
    middle = (time[1:] + time[:-1]) / 2
    return np.concatenate([[2 * time[0] - middle[0]], middle, [2 * time[-1] - middle[-1]]])
