"""The figure of a gait: one picture of what a gait laboratory shows of an episode, left and right beside people.

In: the analysis of an episode. Out: a PNG with joint curves over the cycle, ground reaction over the cycle, both over people's band at the
same speed, footfalls over time, and when muscles work against when people's do. What is not known has an empty place that says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from movlr_jax.gait import norms, on_times
from movlr_jax.gait.analysis import GaitAnalysis
from movlr_jax.gait.muscle_groups import NAMES
from movlr_jax.gait.norms import FORCES, JOINTS, Band
from movlr_jax.media import style
from movlr_jax.rewards.layout import SIDES

LEFT, RIGHT, PEOPLE, BAND, INK, SOFT = "#2f6f9f", "#a8553a", "#6b7686", "#d9dbdf", "#22262c", "#4a515c"
COLOURS = {"left": LEFT, "right": RIGHT}
_TITLES = {
    "hip_flexion": "Hip flexion",
    "knee_flexion": "Knee flexion",
    "ankle_flexion": "Ankle dorsiflexion",
    "vertical_force": "Vertical ground reaction",
    "forward_force": "Forward ground reaction",
}
_UNITS = {"deg": "angle [deg]", "BW": "force [body weights]"}
_PERCENT = np.linspace(0.0, 100.0, norms.POINTS)


def draw(analysis: GaitAnalysis, path: Path | str, title: str) -> Path:
    """Draw a gait and return the picture's path.

    Args:
        analysis: of the episode.
        path: the PNG.
        title: a few words.
    """
    with mpl.rc_context(style.STYLE):
        layout = ConstrainedLayoutEngine(h_pad=0.09, w_pad=0.09, hspace=0.02, wspace=0.02)
        figure = Figure(figsize=(12.4, 13.2), layout=layout)
        figure.suptitle(title, x=0.012, ha="left", fontsize=14, fontweight="bold")
        rows = figure.add_gridspec(3, 1, height_ratios=[2.1, 0.5, 1.35])
        curves = rows[0].subgridspec(2, 3)
        for i, joint in enumerate(JOINTS):
            _joint(figure.add_subplot(curves[0, i]), analysis, joint)
        for i, force in enumerate(FORCES):
            _force(figure.add_subplot(curves[1, i]), analysis, force)
        _keys(figure.add_subplot(curves[1, 2]), analysis)
        _footfalls(figure.add_subplot(rows[1]), analysis)
        _muscles(figure.add_subplot(rows[2]), analysis)
        return style.save(figure, path)


def _joint(axes: Axes, analysis: GaitAnalysis, joint: str) -> None:
    likeness = analysis.comparison
    band = None if likeness is None else norms.band(joint, likeness.norm_speed)
    curves = [] if analysis.kinematics is None else [c for c in analysis.kinematics.curves if c.joint == joint]
    remarks = {}
    for curve in curves:
        found = [] if likeness is None else [j for j in likeness.joints if (j.side, j.joint) == (curve.side, joint)]
        remarks[curve.side] = "".join(f"r {j.correlation:.2f}, {j.rmse_deg:.0f} deg off" for j in found)
    _curves(axes, joint, [(c.side, c.mean, c.sd) for c in curves], band, remarks)
    for curve in curves:
        _toe_off(axes, curve.side, float(curve.stance.mean()))


def _force(axes: Axes, analysis: GaitAnalysis, force: str) -> None:
    forces = analysis.forces
    band = None if forces is None or forces.speed is None else norms.band(force, forces.speed)
    curves = [] if forces is None else [c for c in forces.curves if c.force == force]
    _curves(axes, force, [(c.side, c.mean, c.sd) for c in curves], band, {})


def _curves(
    axes: Axes, name: str, curves: Sequence[tuple[str, np.ndarray, np.ndarray]], band: Band | None, remarks: dict[str, str]
) -> None:
    """Draw the curves of both sides over people's band."""
    axes.set_title(_TITLES[name], pad=30 if remarks else 18)
    if band is not None:
        axes.fill_between(_PERCENT, band.mean - band.sd, band.mean + band.sd, color=BAND, lw=0)
        axes.plot(_PERCENT, band.mean, color=PEOPLE, lw=1.2, ls=(0, (4, 2)))
    for side, mean, sd in curves:
        axes.fill_between(_PERCENT, mean - sd, mean + sd, color=COLOURS[side], alpha=0.11, lw=0)
        axes.plot(_PERCENT, mean, color=COLOURS[side], lw=1.9)
    for i, (side, words) in enumerate(remarks.items()):
        axes.text(0.0, 1.03 + 0.075 * (len(remarks) - 1 - i), f"{side}: {words}", transform=axes.transAxes, color=COLOURS[side], fontsize=8)
    if not curves:
        _nothing(axes, "no steady stride")
    axes.axhline(0.0, color="#b5bac2", lw=0.7, zorder=0)
    axes.set(xlim=(0, 100), xlabel="cycle [%]", ylabel=_UNITS["BW" if name in FORCES else "deg"])


def _toe_off(axes: Axes, side: str, stance: float) -> None:
    axes.axvline(100.0 * stance, color=COLOURS[side], lw=0.9, ls=":", zorder=0)


def _nothing(axes: Axes, why: str) -> None:
    axes.text(0.5, 0.5, why, transform=axes.transAxes, ha="center", va="center", color=SOFT)


def _keys(axes: Axes, analysis: GaitAnalysis) -> None:
    """Say what the colours are, and how fast people beside it go."""
    axes.axis("off")
    handles: list[Any] = [
        *(Line2D([], [], color=COLOURS[side], lw=2, label=f"{side} leg, mean and SD over its strides") for side in SIDES),
        Patch(color=BAND, label="people, mean and 1 SD"),
        Line2D([], [], color=SOFT, lw=1, ls=":", label="toe-off"),
    ]
    axes.legend(handles=handles, loc="upper left", frameon=False, borderaxespad=0.0)
    axes.text(0.0, 0.52, "\n".join(_summary(analysis)), transform=axes.transAxes, va="top", linespacing=1.6, fontsize=9)


def _summary(analysis: GaitAnalysis) -> list[str]:
    """Say in a few lines what the gait is beside people's."""
    likeness, figures = analysis.comparison, analysis.figures()
    counts = {side: sum(stride.side == side for stride in analysis.steady) for side in SIDES}
    lines = [f"{counts['left']} left and {counts['right']} right steady strides"]
    if likeness is None:
        return [*lines, "legs of another build than a human's: compared with nobody"]
    at = "the same" if likeness.matched else f"{likeness.norm_speed:.2f}, the nearest known"
    lines += [
        f"speed v / sqrt(g L) {likeness.speed:.2f}, people's {at}",
        "put later to fit: " + ", ".join(f"{side} {shift} %" for side, shift in likeness.shift_percent.items()),
        f"gait profile score {likeness.gait_profile_score_deg:.1f} deg (people {likeness.human_gait_profile_score_deg:.1f})",
        f"within 1 SD of people: {100 * figures['within_sd_share']:.0f} % of the cycle",  # type: ignore[operator]
    ]
    if (cost := figures.get("cost_of_transport_j_kg_m")) is not None:
        lines.append(f"cost of transport {cost:.1f} J/kg/m (people 3.3)")
    return lines


def _footfalls(axes: Axes, analysis: GaitAnalysis) -> None:
    """Draw when each foot stands, by time; chatter as ticks, strides that count underlined."""
    axes.set_title("Footfalls")
    last = 0.0
    for row, side in enumerate(reversed(SIDES)):
        for contact in analysis.contacts.get(side, ()):
            axes.barh(row, contact.to_s - contact.from_s, 0.55, left=contact.from_s, color=COLOURS[side], lw=0)
            last = max(last, contact.to_s)
            if contact.touchdowns > 1:
                axes.text(contact.from_s + 0.01, row, str(contact.touchdowns), color="white", fontsize=7, va="center", clip_on=True)
        for stride in (s for s in analysis.steady if s.side == side):
            axes.plot([stride.touchdown_s, stride.next_touchdown_s - 0.02], [row - 0.4] * 2, color=COLOURS[side], lw=1.2, alpha=0.6)
            last = max(last, stride.next_touchdown_s)
    if last == 0.0:
        _nothing(axes, "no feet")
    note = "bars: stance, with the number of touchdowns where there are several; lines below: strides that count"
    axes.text(1.0, 1.04, note, transform=axes.transAxes, ha="right", fontsize=8, color=SOFT)
    axes.set(yticks=range(len(SIDES)), yticklabels=list(reversed(SIDES)), xlabel="time [s]", ylim=(-0.6, 1.5), xlim=(0, last or 1.0))


def _muscles(axes: Axes, analysis: GaitAnalysis) -> None:
    """Draw when each group works: left and right, and people's below."""
    axes.set_title("Muscles at work", pad=10)
    groups = [] if analysis.timing is None else analysis.timing.groups
    names = [name for name in NAMES if any(group.group == name for group in groups)]
    lanes: tuple[tuple[str, float, Callable[[str], list[tuple[int, int]]]], ...] = (
        *((COLOURS[side], 0.28 - 0.25 * i, _of_side(groups, side)) for i, side in enumerate(SIDES)),
        ("#b5bac2", -0.22, lambda name: on_times.intervals(norms.on(norms.ON_TIMES[name]))),
    )
    for row, name in enumerate(reversed(names)):
        for colour, offset, intervals in lanes:
            axes.broken_barh(
                [(start, max(stop - start, 1)) for start, stop in intervals(name)], (row + offset - 0.1, 0.2), color=colour, lw=0
            )
        shares = [f"{100 * group.agreement:.0f}" for side in SIDES for group in groups if (group.side, group.group) == (side, name)]
        axes.text(101, row, " / ".join(shares), va="center", fontsize=8, color=SOFT)
        axes.axhline(row + 0.5, color="#eceff3", lw=0.8, zorder=0)
    if not names:
        _nothing(axes, "no steady stride" if analysis.contacts else "no feet")
    else:
        axes.text(101, len(names) - 0.35, "agrees [%]", fontsize=8, color=SOFT)
        axes.set_ylim(-0.5, len(names) - 0.5)
    note = "left, right; people's on-times in grey. On: above a fifth of its highest activation over the cycle"
    axes.text(1.0, 1.03, note, transform=axes.transAxes, ha="right", fontsize=8, color=SOFT)
    axes.set(yticks=range(len(names)), yticklabels=list(reversed(names)), xlim=(0, 100), xlabel="cycle [%]")


def _of_side(groups: Sequence[on_times.OnTimes], side: str) -> Callable[[str], list[tuple[int, int]]]:
    return lambda name: [i for group in groups if (group.side, group.group) == (side, name) for i in on_times.intervals(group.on)]
