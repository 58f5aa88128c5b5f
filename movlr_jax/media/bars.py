"""Bars: one metric of several rewards, side by side on each task and body.

Flows in: means and standard deviations. Flows out: a PNG.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from movlr_jax.errors import MovlrError
from movlr_jax.media.style import STYLE, save

# From the cold end of the class colours to the warm: told apart in grey as well.
COLOURS = ("#b5bac2", "#2f6f9f", "#c08a2b", "#2f8f83", "#a8553a", "#30457f")


@dataclass(frozen=True)
class Panel:
    """The bars of one metric.

    Attributes:
        label: the metric, with its unit.
        groups: g names, such as tasks.
        means: float[s, g]; NaN where there is none.
        stds: float[s, g]; NaN where there is none.
        notes: what stands above each bar, [s][g].
    """

    label: str
    groups: Sequence[str]
    means: np.ndarray
    stds: np.ndarray
    notes: Sequence[Sequence[str]]


def grouped(panels: Sequence[Panel], series: Sequence[str], path: Path | str, *, title: str, note: str = "") -> Path:
    """Draw a panel a metric, in each a group of bars, one a series.

    Args:
        panels: the panels, side by side; as wide as they have groups.
        series: s names, such as rewards.
        path: the PNG to write.
        title: of the picture.
        note: a line below it.

    Raises:
        MovlrError: there is nothing to draw.
    """
    if not panels or not series or not any(np.isfinite(p.means).any() for p in panels):
        raise MovlrError("There are no bars to draw: nothing was measured.")
    widths = [max(1.6, 0.45 * len(series)) * len(p.groups) + 0.9 for p in panels]
    with rc_context(STYLE):
        figure = Figure(figsize=(float(np.clip(sum(widths), 6.5, 22.0)), 4.3), layout="constrained")
        all_axes = figure.subplots(1, len(panels), width_ratios=widths, squeeze=False)[0]
        step = 0.8 / len(series)
        for axes, panel in zip(all_axes, panels, strict=True):
            x = np.arange(len(panel.groups))
            for i, name in enumerate(series):
                at = x + (i - (len(series) - 1) / 2) * step
                there = np.isfinite(panel.means[i])
                several = there & np.isfinite(panel.stds[i])
                mean, std = np.nan_to_num(panel.means[i]), np.nan_to_num(panel.stds[i])
                axes.bar(at[there], mean[there], 0.92 * step, color=COLOURS[i % len(COLOURS)], label=name)
                axes.errorbar(at[several], mean[several], std[several], fmt="none", ecolor="#4a515c", elinewidth=1, capsize=2)
                for g in range(len(x)):
                    top = max(0.0, mean[g] + std[g])
                    axes.annotate(
                        panel.notes[i][g], (at[g], top), (0, 3), textcoords="offset points", ha="center", fontsize=7, color="#4a515c"
                    )
            axes.axhline(0, color="#8a919c", lw=0.8)
            axes.set_xticks(x, panel.groups)
            axes.tick_params(axis="x", length=0)
            axes.set_xlim(-0.6, len(x) - 0.4)
            axes.margins(y=0.12)
            axes.set_ylabel(panel.label)
        handles, labels = all_axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(series), frameon=False)
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=11)
        if note:
            all_axes[-1].set_title(note, loc="right", fontsize=8, fontweight="normal")
        return save(figure, path)
