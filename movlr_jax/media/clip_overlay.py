"""What is written on the frames of a clip: time, distance and speed, metres on the floor, the scale of the muscles' colours, events.

Flows in: a drawn frame and the track that it belongs to. Flows out: the frame, written on in place.
"""

from __future__ import annotations

import numpy as np

from movlr_jax.media import glyphs
from movlr_jax.media.clip_options import ClipView, Overlay
from movlr_jax.media.clip_track import Track
from movlr_jax.media.studio import Studio, activation_colour

INK = (24, 28, 34)
PALE = (245, 247, 250)
ALARM = (176, 20, 16)
STRIP = (255, 255, 255)
GREY = (70, 76, 86)


def write_on(image: np.ndarray, studio: Studio, track: Track, i: int, view: ClipView, overlay: Overlay) -> None:
    """Write on a frame, uint8[h, w, 3], in place: marks on the floor, numbers, legend, the last event, the title.

    Args:
        image: the frame, just drawn by the studio.
        studio: it.
        track: the clip's frames.
        i: which of them this is.
        view, overlay: the clip's.
    """
    height, width = image.shape[:2]
    unit = max(round(min(height, 0.8 * width) / 24), 8)  # em height: 15 pixels at 480 x 360
    pad = unit // 2
    if overlay.marks:
        _marks(image, studio, track, i, unit)
    strip = round(1.75 * unit)
    if overlay.numbers:
        glyphs.fill(image, 0, 0, width, strip, STRIP, 0.72)
        baseline = round(1.25 * unit)
        narrow = width < 22 * unit
        gauges = track.gauges or [("distance", "m", track.distance), ("speed", "m/s", track.speed)]
        pairs = [("time", f"{track.time[i]:.2f} s", 0.0)]
        pairs += [(name, f"{_tidy(values[i])} {unit}", column) for (name, unit, values), column in zip(gauges, (0.25, 0.62), strict=False)]
        for name, value, column in pairs:
            x = pad + round(column * width)
            if not narrow:
                x = glyphs.draw_text(image, name, x, baseline, round(0.8 * unit), (84, 92, 104)) + round(0.35 * unit)
            glyphs.draw_text(image, value, x, baseline, round((0.72 if narrow else 1.0) * unit), INK, bold=True)
    if overlay.legend and view.tendons and studio.model.na:
        _legend(image, unit, strip if overlay.numbers else 0)
    events = [words for moment, words in track.events if track.time[i] >= moment - 1e-9]
    if events:
        words = events[-1].upper()
        size = round(1.5 * unit)
        w = glyphs.width(words, size, bold=True)
        y = round(height * 0.26)  # beside the body, which stands in the middle
        glyphs.fill(image, 0, y - round(1.35 * size), w + 2 * unit, round(1.9 * size), PALE, 0.75)
        glyphs.draw_text(image, words, unit, y, size, ALARM, bold=True)
    if overlay.title:
        w = glyphs.width(overlay.title, unit)
        top = strip if overlay.numbers else 0
        glyphs.fill(image, 0, top, w + 3 * pad, strip, STRIP, 0.72)
        glyphs.draw_text(image, overlay.title, pad, top + round(1.25 * unit), unit, INK)


def _tidy(value: float) -> str:
    return f"{round(float(value), 2) + 0.0:+.2f}"  # adding zero turns -0.0 into 0.0


def _marks(image: np.ndarray, studio: Studio, track: Track, i: int, unit: int) -> None:
    camera = track.cameras[i]
    nearest = round(camera.x - track.start)
    metres = np.arange(nearest - 6, nearest + 7)
    # Under the near side of the track, where no body stands before them.
    points = np.stack([track.start + metres, np.full(len(metres), camera.y - 0.75), np.zeros(len(metres))], 1)
    for metre, (x, y) in zip(metres, studio.project(points), strict=True):
        if np.isfinite(x) and -50 < x < image.shape[1] + 50 and 0 < y < image.shape[0] + 2 * unit:
            words = "start" if metre == 0 else f"{metre} m"
            size = round(0.85 * unit)
            glyphs.draw_text(
                image,
                words,
                round(x) - glyphs.width(words, size) // 2,
                round(y),
                size,
                (40, 96, 160) if metre == 0 else GREY,
                bold=True,
            )


def _legend(image: np.ndarray, unit: int, top: int) -> None:
    width = image.shape[1]
    bar, thick = round(4.0 * unit), max(round(0.42 * unit), 3)
    size = round(0.72 * unit)
    left, y = width - bar - round(1.3 * unit), top + round(0.75 * unit)
    colours = np.round(activation_colour(np.linspace(0.0, 1.0, bar)) * 255).astype(np.uint8)
    image[y : y + thick, left : left + bar] = colours
    baseline = y + round(0.52 * unit)
    glyphs.draw_text(image, "0", left - round(0.75 * unit), baseline, size, GREY)
    glyphs.draw_text(image, "1", left + bar + round(0.3 * unit), baseline, size, GREY)
    words = "muscle activation"
    glyphs.draw_text(image, words, left - round(1.1 * unit) - glyphs.width(words, size), baseline, size, GREY)
    side = "left limbs dark, right limbs light"
    glyphs.draw_text(image, side, width - glyphs.width(side, size) - round(0.6 * unit), baseline + round(1.1 * unit), size, GREY)
