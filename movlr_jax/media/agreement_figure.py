"""The figure of critics on trial: a row a kind of pair, in it a bar a critic with its interval; of shares, against what a coin would get.

Flows in: shares with intervals. Flows out: a PNG.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure

from movlr_jax.errors import MovlrError
from movlr_jax.media.bars import COLOURS
from movlr_jax.media.style import STYLE, save

_COIN = 0.5
_ORDER = (1, 4, 3, 2, 5, 0)  # of the colours: dark ones first


@dataclass(frozen=True)
class Bar:
    """A share with its interval, all 0 to 1.

    Attributes:
        share: it.
        low, high: the interval.
        note: what stands behind it, such as of how many.
    """

    share: float
    low: float
    high: float
    note: str


def draw(
    groups: Sequence[tuple[str, Mapping[str, Mapping[str, Bar]]]], series: Sequence[str], path: Path | str, *, title: str, coin: str
) -> Path:
    """Draw a panel a group, in it a row a kind, in each a bar a critic.

    Args:
        groups: (what a panel's shares are, kind -> critic -> its bar), from the top; the first panel has the line of a coin.
        series: the critics.
        path: the PNG to write.
        title: of the picture.
        coin: what that line is called.

    Raises:
        MovlrError: there is nothing to draw.
    """
    shown = [(label, rows) for label, rows in groups if rows]
    if not shown or not series:
        raise MovlrError("There is nothing to draw: no critic answered a pair.")
    heights = [len(rows) * (0.16 + 0.22 * len(series)) + 0.9 for _, rows in shown]
    with rc_context(STYLE):
        figure = Figure(figsize=(8.4, sum(heights) + 0.8), layout="constrained")
        panels = figure.subplots(len(shown), 1, height_ratios=heights, squeeze=False)[:, 0]
        thick = 0.8 / len(series)
        for number, (axes, (label, rows)) in enumerate(zip(panels, shown, strict=True)):
            for row, bars in enumerate(rows.values()):
                for i, name in enumerate(series):
                    bar = bars.get(name)
                    if bar is None:
                        continue
                    at = row + (i - (len(series) - 1) / 2) * thick
                    colour = COLOURS[_ORDER[i % len(_ORDER)]]
                    axes.barh(at, bar.share, 0.86 * thick, color=colour, alpha=0.85, lw=0)
                    axes.plot([bar.low, bar.high], [at, at], color="#22262c", lw=1.1, solid_capstyle="butt")
                    axes.plot([bar.share], [at], "o", color="#22262c", ms=3)
                    axes.text(1.02, at, bar.note, va="center", fontsize=7, color="#4a515c", clip_on=False)
            if not number and label == shown[0][0]:
                axes.axvline(_COIN, color="#8a919c", lw=0.9, ls=(0, (4, 3)), zorder=0)
                axes.text(_COIN, -0.62, coin, ha="center", va="bottom", fontsize=7, color="#6b7686")
            axes.set_yticks(range(len(rows)), list(rows))
            axes.set(xlim=(0.0, 1.0), ylim=(len(rows) - 0.4, -0.6))
            axes.set_xticks([0.0, 0.25, 0.5, 0.75, 1.0], ["0", "25", "50", "75", "100 %"])
            axes.tick_params(axis="y", length=0)
            axes.set_title(label, fontsize=9, fontweight="normal", pad=12 if not number else 6)
        handles = [panels[0].barh([0], [0], color=COLOURS[_ORDER[i % len(_ORDER)]], label=name) for i, name in enumerate(series)]
        figure.legend(handles=handles, loc="outside lower center", ncols=min(len(series), 4), frameon=False)
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=11)
        return save(figure, path)
