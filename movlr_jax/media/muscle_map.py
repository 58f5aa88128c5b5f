"""Muscle activation over a rollout as a heat map, muscles sorted into their groups.

Flows in: times, activations, names and groups of muscles (plain numbers, no simulator). Flows out: a PNG file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from movlr_jax.errors import MovlrError
from movlr_jax.media.map_parts import UNKNOWN, bands, edges, spoken_name
from movlr_jax.media.style import STYLE, save

_MOST_ROWS = 120  # more muscles than this are shown as the means of their groups


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
        labels = [f"{spoken_name(_side(group)[1])} ({len(members)})" for group, members in sorted_groups]
        owners = [_side(group)[0] for group, _ in sorted_groups]
    with rc_context(STYLE):
        # Names of single muscles are small: they are looked up, the groups are read.
        room = 0.115 if whole and len(labels) > 50 else 0.21
        figure = Figure(figsize=(10.5, room * max(len(labels), 8) + 1.7), layout="constrained")
        axes = figure.subplots()
        top = float(np.clip(np.percentile(values, 99.8), 0.1, 1.0))
        picture = axes.pcolormesh(edges(time), np.arange(len(labels) + 1) - 0.5, values, cmap="inferno", vmin=0.0, vmax=top)
        axes.set_ylim(len(labels) - 0.5, -0.5)
        axes.set_yticks(range(len(labels)), labels, fontsize=5.2 if room < 0.2 else 7.5)
        axes.tick_params(axis="y", length=0, pad=8)
        axes.set_xlabel("time (s)")
        axes.set_title(title + ("" if whole else f" (means over the groups of {act.shape[1]} muscles)"))
        bar = figure.colorbar(picture, ax=axes, pad=0.012, aspect=40, fraction=0.03)
        bar.set_label("activation (0 to 1)" if whole else "mean activation (0 to 1)")
        shades = {owner: ("#30457f", "#6f86b8")[i % 2] for i, owner in enumerate(dict.fromkeys(owners))}
        bands(axes, owners, shades, spoken=whole)
        return save(figure, path)


def muscle_groups(names: Sequence[str], groups: Mapping[str, Sequence[int]]) -> list[tuple[str, list[int]]]:
    """Sort muscles into groups: right side first, then left, then middle; each muscle once.

    Args:
        names: muscle names.
        groups: group -> indices; a muscle in several stays in the first.
    """
    taken: set[int] = set()
    grouped: dict[str, list[int]] = {}
    for group, members in groups.items():
        own = [int(i) for i in members if 0 <= int(i) < len(names) and int(i) not in taken]
        taken.update(own)
        if own:
            grouped[str(group)] = own
    for i, name in enumerate(names):
        if i not in taken:
            side = re.search(r"_(l|r)$", name, re.IGNORECASE)
            stem = re.match(r"[A-Za-z]*", name)
            prefix = {"l": "left_", "r": "right_"}[side.group(1).lower()] if side else ""
            grouped.setdefault(prefix + ((stem.group(0) if stem else "") or UNKNOWN), []).append(i)
    rank = {"right": 0, "left": 1}
    return sorted(grouped.items(), key=lambda item: rank.get(_side(item[0])[0], 2))


def _side(group: str) -> tuple[str, str]:
    for side in ("right", "left", "middle"):
        if group.startswith(side + "_"):
            return side, group[len(side) + 1 :]
    return "middle", group
