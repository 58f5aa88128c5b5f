"""Histories: every trial of a tuning, the best so far and which weights decide; the best of searches against what they executed.

Flows in: plain numbers. Flows out: a PNG.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from movlr_jax.errors import MovlrError
from movlr_jax.media.bars import COLOURS
from movlr_jax.media.style import STYLE, save


def trials(
    values: Sequence[float | None],
    fit: Sequence[bool],
    best: Sequence[float],
    path: Path | str,
    *,
    label: str,
    title: str,
    importance: Mapping[str, float] | None = None,
) -> Path:
    """Draw the trials of a tuning.

    Args:
        values: n values, None where there is none; the first is the start's.
        fit: whether each passes the gates.
        best: the best value up to each.
        path: the PNG to write.
        label: what the values are, with their unit.
        title: of the picture.
        importance: term -> share of what its weight decides.

    Raises:
        MovlrError: there is nothing to draw.
    """
    y = np.array([np.nan if v is None else v for v in values], float)
    passed, x = np.array(fit, bool), np.arange(len(y))
    if not np.isfinite(y).any():
        raise MovlrError("There are no trials to draw: none has a value.")
    with rc_context(STYLE):
        figure = Figure(figsize=(10.5 if importance else 7.5, 3.8), layout="constrained")
        all_axes = figure.subplots(1, 2 if importance else 1, width_ratios=[3, 1.2] if importance else [1], squeeze=False)[0]
        axes = all_axes[0]
        axes.axhline(y[0], color="#b5bac2", lw=1, label="the reward as it is")
        axes.plot(x[~passed], y[~passed], "x", color="#a8553a", ms=5, label="a gate is not passed")
        axes.plot(x[passed], y[passed], "o", color="#2f6f9f", ms=4, label="a trial")
        axes.step(x, best, where="post", color="#22262c", lw=1.4, label="the best so far")
        axes.set_xlabel("trial")
        axes.set_ylabel(label)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set_title(title)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=4, frameon=False, fontsize=8)
        if importance:
            names = sorted(importance, key=lambda t: importance[t])
            all_axes[1].barh(names, [importance[t] for t in names], 0.7, color="#6b7686")
            all_axes[1].tick_params(axis="y", length=0)
            all_axes[1].set_title("importance of each weight", fontsize=9, fontweight="normal")
        return save(figure, path)


def searches(curves: Mapping[str, Sequence[Sequence[tuple[float, float]]]], path: Path | str, *, label: str, title: str) -> Path:
    """Draw the best so far of searches against the motion that they executed.

    Args:
        curves: way to search -> its searches, each the points (motion executed so far (s), best so far), oldest first; a way has one
            colour.
        path: the PNG to write.
        label: what the values are, with their unit.
        title: of the picture.

    Raises:
        MovlrError: there is nothing to draw.
    """
    if not any(points for of in curves.values() for points in of):
        raise MovlrError("There are no searches to draw: none has a value.")
    with rc_context(STYLE):
        figure = Figure(figsize=(7.5, 4.2), layout="constrained")
        axes = figure.subplots()
        for i, (name, of) in enumerate(curves.items()):
            colour = COLOURS[i % len(COLOURS)]
            for k, points in enumerate(p for p in of if p):
                x, y = np.array(points, float).T
                axes.step(x, y, where="post", color=colour, lw=1.6, alpha=0.8, label=name if k == 0 else "_")
                axes.plot(x[-1], y[-1], "o", color=colour, ms=4)
        axes.set_xlabel("motion executed (s)")
        axes.set_ylabel(label)
        axes.set_title(title)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=len(curves), frameon=False, fontsize=8)
        return save(figure, path)
