"""A made-up walk of known touchdowns and toe-offs, with the gait memory that an engine would have kept of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from movlr_jax.physics import gait
from movlr_jax.rewards.layout import SIDES, FeatureLayout
from support.synthetic import DT, walker

FINE = 0.002  # s: the step of the simulation


def footfalls(
    layout: FeatureLayout,
    stances: dict[str, Sequence[tuple[float, float, float, float]]],
    *,
    seconds: float,
    speed: float,
    gaps: dict[str, Sequence[tuple[float, float]]] | None = None,
    touches: dict[str, Sequence[tuple[float, float]]] | None = None,
) -> np.ndarray:
    """Return instants float32[T, f] of a body that goes forward at a speed on feet that stand as told.

    Args:
        layout: where quantities stand.
        stances: side -> (touchdown, toe-off; s, forward, left; m) of each stance.
        seconds: length.
        speed: of the body (m/s).
        gaps: side -> (from, to; s) without contact inside a stance.
        touches: side -> (from, to; s) of contact inside a swing.
    """
    rows = walker(layout, seconds=seconds, speed=speed).astype(np.float64)
    time = np.arange(round(seconds / FINE)) * FINE
    load = np.zeros((1, len(time), 2))
    place = np.zeros((1, len(time), 2, 3))
    for f, side in enumerate(SIDES):
        knots, points = [], []
        for touchdown, toe_off, x, y in stances[side]:
            load[0, (time >= touchdown - 1e-9) & (time < toe_off - 1e-9), f] = 0.6
            knots += [touchdown, toe_off]
            points += [(x, y, 0.0), (x, y, 0.0)]
        for on, spans in ((0.0, gaps), (0.6, touches)):
            for a, b in (spans or {}).get(side, ()):
                load[0, (time >= a - 1e-9) & (time < b - 1e-9), f] = on
        for axis in range(3):
            place[0, :, f, axis] = np.interp(time, knots, np.array(points)[:, axis])
        inside = np.interp(time, knots, np.arange(len(knots)))
        place[0, :, f, 2] = 0.05 * np.sin(np.pi * (inside % 1.0)) * (np.floor(inside) % 2 == 1)
    memory = gait.over_time(gait.initial(place[:, 0]), load, place, np.array([[1.0, 0.0]]), FINE)[0]
    every = round(DT / FINE)
    rows[:, layout.columns("gait")] = memory[::every].reshape(-1, memory.shape[1] * memory.shape[2])[: len(rows)]
    for f, side in enumerate(SIDES):
        for end, along in (("foot", 0.0), ("heel", -0.09), ("toe", 0.12)):
            at = layout.column("sensor", layout.landmarks[f"{side}.{end}"]["position"])
            rows[:, at : at + 3] = place[0, ::every, f][: len(rows)] + np.array([along, 0.0, layout.standing[f"{side}_{end}_height"]])
    return rows.astype(np.float32)


def walk(
    layout: FeatureLayout,
    *,
    strides: int = 6,
    stride_s: float = 1.1,
    stance: float = 0.62,
    length: float = 1.2,
    width: float = 0.14,
    late: float = 0.0,
    **more: dict[str, Sequence[tuple[float, float]]],
) -> np.ndarray:
    """Return instants of an even walk that stands at first; the right foot lands half a stride after the left, or `late` seconds more."""
    half = 0.3 * stride_s
    stances: dict[str, list[tuple[float, float, float, float]]] = {"left": [], "right": []}
    for f, side in enumerate(SIDES):
        y = width / 2 if side == "left" else -width / 2
        phase = f * (0.5 * stride_s + late)
        where = f * length * (0.5 + late / stride_s)
        stances[side].append((-1.0, half + phase - (1 - stance) * stride_s, where - length, y))
        for n in range(strides):
            at = half + phase + n * stride_s
            stances[side].append((at, at + stance * stride_s, where + n * length, y))
    return footfalls(layout, stances, seconds=half + strides * stride_s, speed=length / stride_s, **more)
