"""Heat maps of a run: which terms carried weight when, what each term did over a rollout, which muscles worked.

Flows in: rows of summary.json and the arrays of rollout.npz (plain numbers, no simulator). Flows out: PNG files under
`heatmaps/`. Colour maps are perceptually uniform: viridis for weights, inferno for activations, cividis for
contributions, and Crameri's vanimo where a quantity has both signs.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps, rc_context
from matplotlib.colors import Normalize, PowerNorm, TwoSlopeNorm
from matplotlib.figure import Figure

from movlr_jax import atomic
from movlr_jax.errors import MovlrError
from movlr_jax.media.map_parts import UNKNOWN, bands, edges, name_rows
from movlr_jax.media.muscle_map import muscle_activations
from movlr_jax.media.style import STYLE, save
from movlr_jax.rewards.library import CLASSES

# One colour a class, from cold (global stability) to warm (finesse); muted, they only label.
CLASS_COLOURS = ("#30457f", "#2f6f9f", "#2f8f83", "#7a9a3a", "#c08a2b", "#a8553a", "#7d7d7d")
_MOST_TERMS, _MOST_COLUMNS = 400, 5000


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
        name_rows(axes, terms)
        bands(axes, [class_of[t] for t in terms], {c: CLASS_COLOURS[order.index(c) % 7] for c in order})
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
    arrival: dict[str, int] = {}
    for row in rows:
        for term, weight in (row.get("weights") or {}).items():
            named = str((row.get("term_classes") or {}).get(term) or "")
            if weight and named in classes:
                arrival.setdefault(named, int(row["iteration"]))
    return arrival


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
        picture = axes.pcolormesh(edges(time), np.arange(len(rows) + 1) - 0.5, values, cmap=palette, norm=norm)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        name_rows(axes, [names[i] for i in rows])
        bands(axes, [class_of[names[i]] for i in rows], {c: CLASS_COLOURS[order.index(c) % 7] for c in order})
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
        side.set_title("share over time", fontsize=9, fontweight="normal")
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


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 10 or value == round(value) else f"{value:.2g}"
