"""Letters land where they are put and stay inside the image."""

from __future__ import annotations

import numpy as np

from movlr_jax.media import glyphs


def test_text_stands_on_its_baseline():
    image = np.full((40, 120, 3), 255, np.uint8)
    end = glyphs.draw_text(image, "HEL", 10, 30, 20, (0, 0, 0))
    rows, columns = np.nonzero(image[..., 0] < 128)
    assert rows.max() in (28, 29) and 12 <= rows.max() - rows.min() + 1 <= 17
    assert columns.min() >= 10 and columns.max() < end == 10 + glyphs.width("HEL", 20)


def test_descenders_go_below_it_and_figures_keep_their_width():
    image = np.full((40, 60, 3), 255, np.uint8)
    glyphs.draw_text(image, "g", 5, 25, 20, (0, 0, 0))
    assert np.nonzero(image[..., 0] < 128)[0].max() > 26
    assert abs(glyphs.width("0.00", 15) - glyphs.width("8.88", 15)) <= 1


def test_text_and_boxes_beyond_the_edges_are_cut():
    image = np.full((20, 30, 3), 200, np.uint8)
    for x, y in ((-15, 15), (25, 15), (5, -3), (5, 60)):
        glyphs.draw_text(image, "wide text", x, y, 16, (0, 0, 0))
    glyphs.fill(image, -5, -5, 10, 10, (0, 0, 0))
    glyphs.fill(image, 28, 18, 10, 10, (0, 0, 0))
    assert image.shape == (20, 30, 3) and (image[:5, :5] == 0).all() and (image[18:, 28:] == 0).all()
    assert glyphs.draw_text(image, "", 7, 10, 16, (0, 0, 0)) == 7


def test_opacity_blends():
    image = np.full((4, 4, 3), 100, np.uint8)
    glyphs.fill(image, 0, 0, 4, 4, (200, 0, 100), 0.5)
    assert (image == [150, 50, 100]).all()
