"""How every figure of this package looks, and how one is written: whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from movlr_jax import atomic

STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#8a919c",
    "xtick.color": "#4a515c",
    "ytick.color": "#22262c",
    "text.color": "#22262c",
    "axes.labelcolor": "#4a515c",
    "figure.dpi": 110,
    "savefig.facecolor": "white",
    "text.parse_math": False,  # names are text from models: a dollar sign is a dollar sign
}


def save(figure: Figure, path: Path | str) -> Path:
    """Write a figure as PNG, without a trace of the clock or the library, and return its path."""
    path = Path(path)
    FigureCanvasAgg(figure)
    with atomic.replacing(path) as partial:
        figure.savefig(partial, format="png", dpi=figure.dpi, metadata={"Software": None})
    return path
