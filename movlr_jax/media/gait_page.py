"""The page of a gait: one HTML file with the figure of every episode and the table of figures beside people's; it opens without a network.

In: analyses of episodes, and a table. Out: gait.html and its pictures gait_SEED.png, made from `templates/gait.html.j2`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from movlr_jax.gait.analysis import GaitAnalysis
from movlr_jax.gait.norms import Fact
from movlr_jax.media import gait_figure, pages, tables

PAGE = "gait.html"
_SAME_SPEED = 0.15  # m/s: people this near go as fast as the walk


@dataclass(frozen=True)
class Column:
    """A column of figures: those of an episode, or means with their spread.

    Attributes:
        name: its heading.
        values: figure -> number.
        spread: figure -> standard deviation; empty of a single episode.
    """

    name: str
    values: Mapping[str, Any]
    spread: Mapping[str, Any]

    def cell(self, name: str) -> str:
        """Write one figure."""
        return tables.spread(self.values.get(name), self.spread.get(name), tables.spec(name), 2 if self.spread else 1)


def people_cell(name: str, fact: Fact | None, speed_mps: float | None = None) -> str:
    """Write what people have of a figure: the mean, its SD where that is known, and their speed where it is another than the walk's."""
    if fact is None:
        return "-"
    words = tables.spread(fact.mean, fact.sd, tables.spec(name), 1 if fact.sd is None else 2)
    apart = fact.speed_mps is not None and speed_mps is not None and abs(fact.speed_mps - speed_mps) > _SAME_SPEED
    return f"{words} at {fact.speed_mps:.2f} m/s" if apart else words


def write_page(
    folder: Path,
    title: str,
    episodes: Sequence[tuple[int, GaitAnalysis]],
    headings: Sequence[str],
    cells: Sequence[Sequence[str]],
    sources: Sequence[str],
    remarks: Sequence[str] = (),
) -> Path:
    """Write the page and its pictures, and return the page's path.

    Args:
        folder: for both.
        title: of the page.
        episodes: (seed, analysis) of each.
        headings, cells: the table, what people have last.
        sources: where what people have is published.
        remarks: sentences above it all.

    Raises:
        MovlrError: the page cannot be written.
    """
    drawn = [(seed, gait_figure.draw(analysis, folder / f"gait_{seed}.png", f"{title}, seed {seed}")) for seed, analysis in episodes]
    data = {
        "title": title,
        "pictures": [(seed, pages.picture(path)) for seed, path in drawn],
        "headings": headings,
        "cells": cells,
        "sources": sources,
        "remarks": remarks,
    }
    return pages.write(folder / PAGE, "gait.html.j2", data, style=["page.css"], script="report.js", filters={})
