"""Text, boxes, lines and discs drawn into images.

Flows in: uint8[h, w, 3] images and strings. Flows out: the same images with ink on them. Letters are rasterised once by the FreeType that
matplotlib brings, in its own DejaVu Sans (figures of equal width, so running numbers do not jump), and cached; blending a line costs
some 50 us, which a figure per frame through matplotlib's canvas would exceed a hundredfold.
"""

from __future__ import annotations

import functools
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.ft2font import FT2Font

Colour = tuple[int, int, int]
_FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"


@functools.cache
def _font(size: int, bold: bool) -> FT2Font:
    font = FT2Font(str(_FONTS / ("DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf")))
    font.set_size(size, 72)  # at 72 dots per inch a point is a pixel
    return font


@functools.lru_cache(maxsize=4096)
def mask(text: str, size: int, bold: bool = False) -> tuple[np.ndarray, int]:
    """Rasterise a line of text.

    Args:
        text: one line.
        size: em height in pixels.
        bold: heavier letters.

    Returns:
        uint8[h, w] coverage (0 to 255) and the number of its rows that stand above the baseline.
    """
    font = _font(size, bold)
    font.set_text(text, 0.0)
    font.draw_glyphs_to_bitmap(antialiased=True)
    image = np.asarray(font.get_image()).copy()
    image.flags.writeable = False
    return image, image.shape[0] - round(font.get_descent() / 64)


def width(text: str, size: int, bold: bool = False) -> int:
    """Return the width of a line in pixels."""
    return mask(text, size, bold)[0].shape[1]


def draw_text(
    image: np.ndarray, text: str, x: int, baseline: int, size: int, colour: Colour, bold: bool = False, alpha: float = 1.0
) -> int:
    """Draw a line of text, cut at the image's edges.

    Args:
        image: uint8[h, w, 3], changed in place.
        text: one line.
        x: left edge (pixels).
        baseline: row of the baseline (pixels).
        size: em height (pixels).
        colour: red, green, blue, 0 to 255.
        bold: heavier letters.
        alpha: opacity.

    Returns:
        The column after the text.
    """
    if not text:
        return x
    coverage, ascent = mask(text, size, bold)
    _blend(image, x, baseline - ascent, coverage.astype(np.float32) * (alpha / 255.0), colour)
    return x + coverage.shape[1]


def fill(image: np.ndarray, x: int, y: int, w: int, h: int, colour: Colour, alpha: float = 1.0) -> None:
    """Fill a rectangle (pixels), cut at the image's edges; the image is changed in place."""
    rows, columns = slice(max(y, 0), max(y + h, 0)), slice(max(x, 0), max(x + w, 0))
    region = image[rows, columns]
    region[:] = np.round(region * (1.0 - alpha) + np.asarray(colour) * alpha).astype(np.uint8)


def draw_line(
    image: np.ndarray, start: tuple[float, float], end: tuple[float, float], thickness: float, colour: Colour, alpha: float = 1.0
) -> None:
    """Draw a line with round ends and soft edges, cut at the image's edges; of no length it is a disc.

    Args:
        image: uint8[h, w, 3], changed in place.
        start: column and row (pixels).
        end: column and row (pixels).
        thickness: pixels.
        colour: red, green, blue, 0 to 255.
        alpha: opacity.
    """
    a, b = np.asarray(start, float), np.asarray(end, float)
    low, high = np.floor(np.minimum(a, b) - thickness).astype(int), np.ceil(np.maximum(a, b) + thickness).astype(int)
    columns, rows = np.meshgrid(np.arange(low[0], high[0] + 1), np.arange(low[1], high[1] + 1))
    along = b - a
    share = np.clip(((columns - a[0]) * along[0] + (rows - a[1]) * along[1]) / max(float(along @ along), 1e-9), 0.0, 1.0)
    away = np.hypot(columns - a[0] - share * along[0], rows - a[1] - share * along[1])
    coverage = np.clip(thickness / 2 + 0.5 - away, 0.0, 1.0).astype(np.float32) * alpha
    _blend(image, int(low[0]), int(low[1]), coverage, colour)


def _blend(image: np.ndarray, x: int, y: int, coverage: np.ndarray, colour: Colour) -> None:
    h, w = coverage.shape
    top, left = max(-y, 0), max(-x, 0)
    bottom, right = min(h, image.shape[0] - y), min(w, image.shape[1] - x)
    if top >= bottom or left >= right:
        return
    region = image[y + top : y + bottom, x + left : x + right]
    share = coverage[top:bottom, left:right, None]
    region[:] = np.round(region * (1.0 - share) + np.asarray(colour, np.float32) * share).astype(np.uint8)
