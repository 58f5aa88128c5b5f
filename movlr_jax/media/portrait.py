"""Portrait: a body in its standing pose, with its landmarks and its planned joints named.

Flows in: a prepared body. Flows out: one image, uint8[h, w, 3]: on the left the muscles and the landmarks, on the right the bones and the
planned joints. A joint is drawn as its axis, an arrow about which positive angles turn by the right-hand rule (of a slide: along which it
moves), and named with its range. Names stand in columns beside the body, each tied to its place by a line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import mujoco
import numpy as np
from scipy.optimize import isotonic_regression

from movlr_jax.media import glyphs
from movlr_jax.media.studio import FOVY, Camera, Studio
from movlr_jax.morphologies import Morphology

INK = (24, 28, 34)
GREY = (92, 100, 112)
LANDMARK = (20, 92, 190)
JOINT = (196, 84, 0)
_HALO = (255, 255, 255)
_AZIMUTH, _ELEVATION = 148.0, -7.0  # degrees; from in front and a little from its right, so that neither feet nor sides hide one another
_FAR_START = -100.5  # m; puts the studio's start line out of sight
_AXIS = 0.05  # half length of a joint's axis, as a share of the body's size


@dataclass(frozen=True)
class _Mark:
    """A named place: where, and for a joint along which axis."""

    words: str
    detail: str
    place: np.ndarray
    axis: np.ndarray | None = None


def portrait(body: Morphology, width: int = 2000, height: int = 1200) -> np.ndarray:
    """Draw a body's standing pose with landmarks and planned joints.

    Args:
        body: the prepared body.
        width: pixels of both views together.
        height: pixels.

    Returns:
        uint8[height, width, 3].

    Raises:
        MovlrError: no OpenGL works here.
    """
    data = body.data()
    panel = width // 2
    with Studio(body.model, panel, height, samples=4) as studio:
        views = (
            (f"{body.plan.title}", _landmarks(body, data), LANDMARK, True),
            (f"{body.posture.size} planned joints of {body.model.njnt}, axes by the right-hand rule", _joints(body, data), JOINT, False),
        )
        images = [_view(studio, body, *view) for view in views]
    return np.concatenate(images, axis=1)


def _landmarks(body: Morphology, data: mujoco.MjData) -> list[_Mark]:
    return [
        _Mark(name, f"{round(body.standing_heights[name], 2) + 0.0:.2f} m", data.site(f"landmark/{name}").xpos.copy())
        for name in body.landmarks
    ]


def _joints(body: Morphology, data: mujoco.MjData) -> list[_Mark]:
    out = []
    for name, low, high in zip(body.posture.names, body.posture.lower, body.posture.upper, strict=True):
        joint = body.model.joint(name).id
        turns = body.model.jnt_type[joint] == mujoco.mjtJoint.mjJNT_HINGE
        ends = np.degrees([low, high]) if turns else np.array([low, high])
        low_text, high_text = (f"{end:.3g}" for end in np.round(ends, 4) + 0.0)  # adding zero turns -0.0 into 0.0
        span = f"{low_text} to {high_text}" + ("°" if turns else " m")
        out.append(_Mark(name, span, data.xanchor[joint].copy(), data.xaxis[joint].copy()))
    return out


def _view(studio: Studio, body: Morphology, title: str, marks: Sequence[_Mark], colour: glyphs.Colour, muscles: bool) -> np.ndarray:
    width, height = studio.width, studio.height
    unit = height // 48  # em height of the names
    rows = max((len(marks) + 1) // 2, 1)
    size = min(unit, round(0.82 * (height - 5 * unit) / rows / 2)) if rows else unit
    column = unit + max(max(glyphs.width(m.words, size, True), glyphs.width(m.detail, round(0.8 * size))) for m in marks)
    points = studio.body_points(body.standing_qpos)
    camera = _camera(points, max(width - 2 * column - 3 * unit, width // 4), height - 6 * unit, height)
    image = studio.shoot(body.standing_qpos, body.standing_act, camera, _FAR_START, tendons=muscles)
    at = studio.project(np.array([m.place for m in marks]))
    reach = _AXIS * studio.body_size(body.standing_qpos)
    for side in (0, 1):
        chosen = _on_side(at, side)
        _column(image, [marks[i] for i in chosen], at[chosen], side, size, colour)
    for mark, place in zip(marks, at, strict=True):
        if mark.axis is not None:
            tail, tip = studio.project(np.array([mark.place - reach * mark.axis, mark.place + reach * mark.axis]))
            _arrow(image, tail, tip, unit, colour)
        else:
            _dot(image, place, 0.5 * unit, colour)
    glyphs.fill(image, 0, 0, width, round(2.4 * unit), _HALO, 0.8)
    glyphs.draw_text(image, title, unit, round(1.6 * unit), unit, INK, bold=True)
    return image


def _camera(points: np.ndarray, wide: float, high: float, height: int) -> Camera:
    """Return the camera that fits points, float[n, 3] (m), into a box of pixels in the middle of a picture of that height."""
    azimuth, elevation = np.radians(_AZIMUTH), np.radians(_ELEVATION)
    forward = np.array([np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), np.sin(elevation)])
    right = np.array([np.sin(azimuth), -np.cos(azimuth), 0.0])
    up = np.cross(right, forward)
    middle = points.mean(axis=0)
    distance = 10.0
    for _ in range(8):  # perspective makes what is near larger, so the fit is a fixed point
        away = points - middle
        depth = distance + away @ forward
        x, y = away @ right / depth, away @ up / depth  # tangents of the angles from the middle
        scale = height / (2.0 * np.tan(np.radians(FOVY) / 2.0))  # pixels per unit of tangent
        middle = middle + distance * ((x.max() + x.min()) / 2 * right + (y.max() + y.min()) / 2 * up)
        distance *= max(np.ptp(x) * scale / wide, np.ptp(y) * scale / high)
    return Camera(float(middle[0]), float(middle[1]), float(middle[2]), float(distance), _AZIMUTH, _ELEVATION)


def _on_side(at: np.ndarray, side: int) -> np.ndarray:
    """Return the indices of the half of the places, float[n, 2], that lies to the left (0) or to the right (1), from above to below."""
    order = np.argsort(at[:, 0], kind="stable")
    half = order[: (len(order) + 1) // 2] if side == 0 else order[(len(order) + 1) // 2 :]
    return half[np.argsort(at[half, 1], kind="stable")]


def _column(image: np.ndarray, marks: Sequence[_Mark], at: np.ndarray, side: int, size: int, colour: glyphs.Colour) -> None:
    height, width = image.shape[:2]
    top, bottom, step = 4.0 * size, height - 1.5 * size, 2.05 * size
    rows = _spread(at[:, 1], top, bottom, step)
    for mark, place, row in zip(marks, at, rows, strict=True):
        small = round(0.8 * size)
        wide = max(glyphs.width(mark.words, size, True), glyphs.width(mark.detail, small))
        left = size // 2 if side == 0 else width - size // 2 - wide
        edge = (left + wide + 6, row) if side == 0 else (left - 6, row)
        glyphs.draw_line(image, edge, (place[0], place[1]), 3.0, _HALO, 0.55)
        glyphs.draw_line(image, edge, (place[0], place[1]), 1.4, colour, 0.9)
        glyphs.fill(image, left - 4, round(row - size), wide + 8, round(1.95 * size), _HALO, 0.6)
        for words, em, down, ink, bold in ((mark.words, size, 0.0, INK, True), (mark.detail, small, 0.95, GREY, False)):
            x = left if side == 0 else left + wide - glyphs.width(words, em, bold)
            glyphs.draw_text(image, words, x, round(row + down * size), em, ink, bold=bold)


def _spread(rows: np.ndarray, top: float, bottom: float, step: float) -> np.ndarray:
    """Return rows, float[n] in order, moved apart to at least `step` within top and bottom (closer where there is no room)."""
    if not len(rows):
        return rows
    step = min(step, (bottom - top) / max(len(rows) - 1, 1))
    ladder = step * np.arange(len(rows))
    # With the ladder taken off, rows must not fall: the nearest such rows are their isotonic regression.
    return np.clip(isotonic_regression(rows - ladder).x, top, bottom - ladder[-1]) + ladder


def _dot(image: np.ndarray, place: np.ndarray, radius: float, colour: glyphs.Colour) -> None:
    at = (float(place[0]), float(place[1]))
    glyphs.draw_line(image, at, at, 2 * radius, _HALO)
    glyphs.draw_line(image, at, at, 1.4 * radius, colour)


def _arrow(image: np.ndarray, tail: np.ndarray, tip: np.ndarray, unit: int, colour: glyphs.Colour) -> None:
    strokes = [(tail, tip)]
    along = tip - tail
    length = float(np.hypot(*along))
    if length > 1.0:  # an axis along the line of sight is a dot
        back = -along / length * min(0.5 * unit, 0.4 * length)
        strokes += [(tip, tip + turn * back + across * np.array([-back[1], back[0]])) for turn, across in ((1.0, 0.6), (1.0, -0.6))]
    for thickness, ink, alpha in ((0.42 * unit, _HALO, 0.75), (0.2 * unit, colour, 1.0)):
        for a, b in strokes:
            glyphs.draw_line(image, (float(a[0]), float(a[1])), (float(b[0]), float(b[1])), thickness, ink, alpha)
