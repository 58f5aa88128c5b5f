"""Heat maps of a run: which terms carried weight when, what each term did over a rollout, which muscles worked.

Flows in: rows of summary.json and the arrays of rollout.npz (plain numbers, no simulator). Flows out: PNG files under
`heatmaps/`. Colour maps are perceptually uniform: viridis for weights, inferno for activations, cividis for
contributions, and Crameri's vanimo where a quantity has both signs.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps, rc_context
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, PowerNorm, TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from movlr_jax import atomic
from movlr_jax.errors import MovlrError
from movlr_jax.media.style import STYLE, save
from movlr_jax.rewards.library import CLASSES

UNKNOWN = "other"
# One colour a class, from cold (global stability) to warm (finesse); muted, they only label.
CLASS_COLOURS = ("#30457f", "#2f6f9f", "#2f8f83", "#7a9a3a", "#c08a2b", "#a8553a", "#7d7d7d")
_MOST_TERMS, _MOST_COLUMNS = 400, 5000
_MOST_ROWS = 120  # more muscles than this are shown as the means of their groups


def weight_by_iteration(
    rows: Sequence[Mapping[str, Any]], path: Path | str, *, classes: Sequence[str] = CLASSES, best: int | None = None
) -> Path:
    """Draw the weights of every term at every iteration, and each class's share of the weight.

    Args:
        rows: rows of summary.json: "iteration", "weights" (term -> weight), "term_classes" (term -> class), "kept".
        path: the PNG to write.
        classes: class names from global stability to fine coordination; the bands stand in this order.
        best: the iteration kept as best, marked.

    Raises:
        MovlrError: no row has weights.
    """
    rows = [row for row in rows if row.get("weights")]
    _refuse_more(len({term for row in rows for term in row["weights"]}), len(rows))
    if not rows:
        raise MovlrError("There are no weights to draw yet: no iteration is finished.")
    class_of: dict[str, str] = {}
    first: dict[str, int] = {}
    for position, row in enumerate(rows):
        for term in row["weights"]:
            named = str((row.get("term_classes") or {}).get(term) or "")
            class_of[term] = named if named in classes else class_of.get(term, UNKNOWN)
            first.setdefault(term, position)
    order = [*classes, UNKNOWN]
    terms = sorted(class_of, key=lambda t: (order.index(class_of[t]), first[t], t))
    weights = np.full((len(terms), len(rows)), np.nan)
    for column, row in enumerate(rows):
        for term, weight in row["weights"].items():
            weights[terms.index(term), column] = float(weight)
    present = [c for c in order if c in class_of.values()]
    size = np.nan_to_num(np.abs(weights))
    share = np.stack([size[[class_of[t] == c for t in terms]].sum(axis=0) for c in present])
    share /= np.maximum(share.sum(axis=0), 1e-12)

    height = 0.29 * max(len(terms), 3) + 3.6
    with rc_context(STYLE):
        figure = Figure(figsize=(float(np.clip(4.2 + 0.55 * len(rows), 7.6, 15.0)), height), layout="constrained")
        axes, shares = figure.subplots(
            2, 1, height_ratios=[0.29 * max(len(terms), 3) + 0.8, 2.3], sharex=True, gridspec_kw={"hspace": 0.04}
        )
        positive = size[size > 0]
        norm = PowerNorm(0.5, vmin=0.0, vmax=float(positive.max()) if positive.size else 1.0)
        shown = np.ma.masked_invalid(np.abs(weights))
        palette = colormaps["viridis"].with_extremes(bad="#f1f2f4")
        picture = axes.imshow(shown, aspect="auto", cmap=palette, norm=norm, interpolation="nearest")
        figure.colorbar(picture, ax=axes, pad=0.01, aspect=26).set_label("|weight| (root scale)")
        if len(rows) <= 24:
            for (r, c), value in np.ndenumerate(weights):
                if np.isfinite(value):
                    bright = float(norm(abs(value))) > 0.6
                    axes.text(c, r, _short(value), ha="center", va="center", fontsize=7.5, color="#111" if bright else "white")
        _name_rows(axes, terms)
        _bands(axes, [class_of[t] for t in terms], {c: CLASS_COLOURS[order.index(c) % 7] for c in order})
        axes.set_title("Weight of each reward term by iteration")
        axes.tick_params(axis="x", labelbottom=False)

        bottom = np.zeros(len(rows))
        for c, values in zip(present, share, strict=True):
            colour = CLASS_COLOURS[order.index(c) % 7]
            shares.bar(range(len(rows)), values, 0.86, bottom=bottom, color=colour, label=c, edgecolor="white", lw=0.6)
            bottom += values
        shares.set_ylim(0, 1)
        shares.set_yticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])
        shares.set_ylabel("share of weight")
        every = max(1, round(len(rows) / 24))
        ticks = range(0, len(rows), every)
        shares.set_xticks(ticks, [_column(rows[i], best) for i in ticks])
        shares.set_xlabel("iteration (● kept, ★ best, × not kept)")
        handles, labels = shares.get_legend_handles_labels()
        shares.legend(handles, labels, loc="upper center", bbox_to_anchor=(0.5, -0.36), ncols=len(present), frameon=False, fontsize=8)
        shares.set_title(_order_of_arrival(rows, class_of, present), fontsize=9, fontweight="normal")
        return save(figure, path)


def _refuse_more(terms: int, columns: int) -> None:
    """Raise MovlrError for more than a picture can show."""
    if terms > _MOST_TERMS or columns > _MOST_COLUMNS:
        raise MovlrError(f"A heat map shows at most {_MOST_TERMS} terms and {_MOST_COLUMNS} iterations, not {terms} and {columns}.")


def class_arrival(rows: Sequence[Mapping[str, Any]], classes: Sequence[str] = CLASSES) -> dict[str, int]:
    """Return the first iteration at which each class carries weight, class -> iteration."""
    found: dict[str, int] = {}
    for row in rows:
        for term, weight in (row.get("weights") or {}).items():
            named = str((row.get("term_classes") or {}).get(term) or "")
            if weight and named in classes:
                found.setdefault(named, int(row["iteration"]))
    return found


def term_contributions(
    time: np.ndarray,
    terms: np.ndarray,
    names: Sequence[str],
    weights: np.ndarray,
    path: Path | str,
    *,
    term_classes: Mapping[str, str] | None = None,
    classes: Sequence[str] = CLASSES,
    title: str = "What each term added to the reward",
) -> Path:
    """Draw weight x term over a rollout, the reward they add up to, and each term's share of the spread.

    Args:
        time: float[T] (s).
        terms: float[T, n], unweighted.
        names: n names.
        weights: float[n].
        path: the PNG to write.
        term_classes: term -> class; groups the rows.
        classes: class names from global stability to fine coordination.
        title: of the picture.

    Raises:
        MovlrError: shapes do not fit, or there is nothing to draw.
    """
    time, terms, weights = np.asarray(time, float), np.asarray(terms, float), np.asarray(weights, float)
    if terms.shape != (len(time), len(names)) or weights.shape != (len(names),) or not terms.size:
        raise MovlrError(
            f"Term contributions need terms [T, n] and weights [n] for {len(time)} times and {len(names)} names, "
            f"not {terms.shape} and {weights.shape}."
        )
    _refuse_more(len(names), 0)
    order = [*classes, UNKNOWN]
    class_of = {n: c if (c := str((term_classes or {}).get(n) or "")) in classes else UNKNOWN for n in names}
    rows = sorted(range(len(names)), key=lambda i: (order.index(class_of[names[i]]), i))
    values = np.nan_to_num((terms * weights).T[rows], posinf=0.0, neginf=0.0)
    spread = values.std(axis=1)
    spread = spread / max(float(spread.sum()), 1e-12)
    with rc_context(STYLE):
        figure = Figure(figsize=(10.5, 0.3 * max(len(rows), 3) + 2.9), layout="constrained")
        grid = figure.add_gridspec(2, 2, width_ratios=[7, 1.3], height_ratios=[1.5, 0.3 * max(len(rows), 3) + 0.6])
        axes = figure.add_subplot(grid[1, 0])
        line = figure.add_subplot(grid[0, 0], sharex=axes)
        side = figure.add_subplot(grid[1, 1], sharey=axes)
        low, high = np.percentile(values, [0.5, 99.5])
        if low < 0 < high and min(-low, high) > 0.02 * max(-low, high):
            reach = max(-low, high)
            norm: Normalize = TwoSlopeNorm(0.0, -reach, reach)
            palette = "vanimo"
        else:
            norm = Normalize(min(low, 0.0), max(high, 0.0) if high > 0 else 0.0)
            palette = "cividis"
        picture = axes.pcolormesh(_edges(time), np.arange(len(rows) + 1) - 0.5, values, cmap=palette, norm=norm)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        _name_rows(axes, [names[i] for i in rows])
        _bands(axes, [class_of[names[i]] for i in rows], {c: CLASS_COLOURS[order.index(c) % 7] for c in order})
        axes.set_xlabel("time (s)")
        figure.colorbar(picture, ax=side, pad=0.05, aspect=26).set_label("weight × term (reward)")
        line.plot(time, values.sum(axis=0), color="#22262c", lw=1.4)
        line.axhline(0, color="#b5bac2", lw=0.8)
        line.set_ylabel("reward")
        line.tick_params(labelbottom=False)
        line.set_title(title)
        side.barh(range(len(rows)), spread, 0.7, color="#6b7686")
        side.set_xlim(0, max(float(spread.max()) * 1.35, 0.01))
        for r, value in enumerate(spread):
            side.text(value, r, f" {value:.0%}", va="center", fontsize=7.5)
        side.set_xticks([])
        side.spines["bottom"].set_visible(False)
        side.tick_params(labelleft=False, left=False)
        side.set_title("share of spread", fontsize=9, fontweight="normal")
        return save(figure, path)


def muscle_activations(
    time: np.ndarray,
    act: np.ndarray,
    path: Path | str,
    *,
    muscles: Sequence[str] | None = None,
    groups: Mapping[str, Sequence[int]] | None = None,
    title: str = "Muscle activation",
) -> Path:
    """Draw activations over a rollout, muscles sorted into their groups; beyond 120 muscles, group means.

    Args:
        time: float[T] (s).
        act: float[T, m], 0 to 1.
        path: the PNG to write.
        muscles: m names; their numbers by default.
        groups: group -> indices of its muscles; a name that starts with a side ("left_", "right_") puts the group on
            that side. Muscles in no group are grouped by the stem of their name.
        title: of the picture.

    Raises:
        MovlrError: shapes do not fit, or there is nothing to draw.
    """
    time, act = np.asarray(time, float), np.nan_to_num(np.asarray(act, float))
    if act.ndim != 2 or len(act) != len(time) or not act.size or (muscles is not None and len(muscles) != act.shape[1]):
        raise MovlrError(
            f"Muscle activations need act [T, m] for {len(time)} times and m names, not {act.shape}"
            f"{'' if muscles is None else f' and {len(muscles)} names'}."
        )
    names = [f"muscle {i}" for i in range(act.shape[1])] if muscles is None else [str(m) for m in muscles]
    sorted_groups = muscle_groups(names, groups or {})
    whole = act.shape[1] <= _MOST_ROWS
    if whole:
        order = [i for _, members in sorted_groups for i in members]
        values, labels = act[:, order].T, [names[i] for i in order]
        owners = [group for group, members in sorted_groups for _ in members]
    else:
        values = np.stack([act[:, list(members)].mean(axis=1) for _, members in sorted_groups])
        labels = [f"{_spoken(_side(group)[1])} ({len(members)})" for group, members in sorted_groups]
        owners = [_side(group)[0] for group, _ in sorted_groups]
    with rc_context(STYLE):
        # Names of single muscles are small: they are looked up, the groups are read.
        room = 0.115 if whole and len(labels) > 50 else 0.21
        figure = Figure(figsize=(10.5, room * max(len(labels), 8) + 1.7), layout="constrained")
        axes = figure.subplots()
        top = float(np.clip(np.percentile(values, 99.8), 0.1, 1.0))
        picture = axes.pcolormesh(_edges(time), np.arange(len(labels) + 1) - 0.5, values, cmap="inferno", vmin=0.0, vmax=top)
        axes.set_ylim(len(labels) - 0.5, -0.5)
        axes.set_yticks(range(len(labels)), labels, fontsize=5.2 if room < 0.2 else 7.5)
        axes.tick_params(axis="y", length=0, pad=8)
        axes.set_xlabel("time (s)")
        axes.set_title(title + ("" if whole else f" (means over the groups of {act.shape[1]} muscles)"))
        bar = figure.colorbar(picture, ax=axes, pad=0.012, aspect=40, fraction=0.03)
        bar.set_label("activation (0 to 1)" if whole else "mean activation (0 to 1)")
        shades = {owner: ("#30457f", "#6f86b8")[i % 2] for i, owner in enumerate(dict.fromkeys(owners))}
        _bands(axes, owners, shades, spoken=whole)
        return save(figure, path)


def muscle_groups(names: Sequence[str], groups: Mapping[str, Sequence[int]]) -> list[tuple[str, list[int]]]:
    """Sort muscles into groups: right side first, then left, then middle; each muscle once.

    Args:
        names: muscle names.
        groups: group -> indices; a muscle in several stays in the first.
    """
    taken: set[int] = set()
    found: dict[str, list[int]] = {}
    for group, members in groups.items():
        own = [int(i) for i in members if 0 <= int(i) < len(names) and int(i) not in taken]
        taken.update(own)
        if own:
            found[str(group)] = own
    for i, name in enumerate(names):
        if i not in taken:
            side = re.search(r"_(l|r)$", name, re.IGNORECASE)
            stem = re.match(r"[A-Za-z]*", name)
            prefix = {"l": "left_", "r": "right_"}[side.group(1).lower()] if side else ""
            found.setdefault(prefix + ((stem.group(0) if stem else "") or UNKNOWN), []).append(i)
    rank = {"right": 0, "left": 1}
    return sorted(found.items(), key=lambda item: rank.get(_side(item[0])[0], 2))


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


def draw_all(run_dir: Path, *, muscles: Sequence[str] | None = None, groups: Mapping[str, Sequence[int]] | None = None) -> list[Path]:
    """Draw what a run's folder holds so far into its `heatmaps/`.

    These are weights.png, and of the best iteration contributions.png and activations.png.

    Args:
        run_dir: the run's folder; missing or damaged files are left out.
        muscles: muscle names, in the order of `act`.
        groups: group -> muscle indices.

    Returns:
        The files written.
    """
    written: list[Path] = []
    folder = run_dir / "heatmaps"
    try:
        summary = atomic.read_json(run_dir / "summary.json")
        rows = [row for row in summary.get("iterations", []) if _drawable(row)]
    except (OSError, ValueError, AttributeError, TypeError):
        return written
    best = summary.get("best")
    if not isinstance(best, int) or isinstance(best, bool) or not 0 <= best < 10**9:
        best = None
    with contextlib.suppress(MovlrError, ValueError):
        written.append(weight_by_iteration(rows, folder / "weights.png", best=best))
    if best is None:
        return written
    try:
        rollout = atomic.read_npz(run_dir / "iterations" / f"{best:03d}" / "rollout.npz")
    except (OSError, ValueError):
        return written
    classes = next((row.get("term_classes") for row in rows if row.get("iteration") == best), None)
    damaged = (MovlrError, KeyError, ValueError, TypeError)  # what arrays of other kinds and shapes come to
    with contextlib.suppress(*damaged):
        written.append(
            term_contributions(
                rollout["time"],
                rollout["terms"],
                [str(n) for n in rollout["term_names"]],
                rollout["weights"],
                folder / "contributions.png",
                term_classes=classes,
                title=f"What each term added to the reward (iteration {best}, the best)",
            )
        )
    with contextlib.suppress(*damaged):
        written.append(
            muscle_activations(
                rollout["time"],
                rollout["act"][:, : None if muscles is None else len(muscles)],  # a body's motors stand after its muscles
                folder / "activations.png",
                muscles=muscles,
                groups=groups,
                title=f"Muscle activation (iteration {best}, the best)",
            )
        )
    return written


def _drawable(row: Any) -> bool:
    """Return whether a row of a run's table is one: its weights are numbers, its classes names."""
    if not isinstance(row, dict) or not isinstance(row.get("iteration"), int):
        return False
    weights, classes = row.get("weights") or {}, row.get("term_classes") or {}
    if not isinstance(weights, dict) or not isinstance(classes, dict):
        return False
    return all(isinstance(w, int | float) and abs(w) < 1e30 for w in weights.values())  # NaN compares false


def _column(row: Mapping[str, Any], best: int | None) -> str:
    number = row.get("iteration")
    return f"{number}\n{'★' if number == best else '●' if row.get('kept') else '×'}"


def _order_of_arrival(rows: Sequence[Mapping[str, Any]], class_of: Mapping[str, str], present: Sequence[str]) -> str:
    arrival: dict[str, Any] = {}
    for row in rows:
        for term, weight in row["weights"].items():
            if weight:
                arrival.setdefault(class_of[term], row.get("iteration"))
    listed = sorted((c for c in present if c in arrival), key=lambda c: arrival[c])
    return "First weight:  " + "   ".join(f"{c} at {arrival[c]}" for c in listed)


def _bands(axes: Axes, owners: Sequence[str], colours: Mapping[str, str], spoken: bool = True) -> None:
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
            name = _spoken(owners[start]) if spoken else owners[start]
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


def _name_rows(axes: Axes, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), [n if len(n) <= 34 else n[:32] + "…" for n in names], fontsize=8.5)
    axes.tick_params(axis="y", length=0, pad=8)
    axes.tick_params(axis="x", length=2)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _side(group: str) -> tuple[str, str]:
    for side in ("right", "left", "middle"):
        if group.startswith(side + "_"):
            return side, group[len(side) + 1 :]
    return "middle", group


def _spoken(name: str) -> str:
    return name.replace("_", " ")


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 10 or value == round(value) else f"{value:.2g}"


def _edges(time: np.ndarray) -> np.ndarray:
    if len(time) == 1:
        return np.array([time[0] - 0.01, time[0] + 0.01])
    middle = (time[1:] + time[:-1]) / 2
    return np.concatenate([[2 * time[0] - middle[0]], middle, [2 * time[-1] - middle[-1]]])
