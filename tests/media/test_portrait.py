"""Portraits: the body fills the frame, every landmark and planned joint is named beside it, names do not cover one another."""

from __future__ import annotations

import numpy as np
import pytest

from movlr_jax.media import glyphs, portrait
from movlr_jax.media.studio import Studio


def test_rows_are_moved_apart_no_further_than_needed():
    assert np.allclose(portrait._spread(np.array([10.0, 50.0, 90.0]), 0.0, 100.0, 20.0), [10, 50, 90])
    near = portrait._spread(np.array([40.0, 41.0, 42.0, 95.0]), 0.0, 100.0, 20.0)
    assert np.diff(near).min() >= 20.0 - 1e-9 and near[0] >= 0.0 and near[-1] <= 100.0
    crowded = portrait._spread(np.full(11, 50.0), 0.0, 100.0, 20.0)
    assert np.allclose(crowded, np.linspace(0.0, 100.0, 11))


def test_a_line_covers_its_thickness_and_ends_at_the_edge():
    image = np.zeros((20, 30, 3), np.uint8)
    glyphs.draw_line(image, (-10.0, 10.0), (20.0, 10.0), 3.0, (255, 0, 0))
    assert (image[9:12, :20, 0] == 255).all() and not image[:8].any() and not image[13:].any() and not image[:, 23:].any()
    assert not image[..., 1:].any()


@pytest.mark.gl
def test_the_body_fills_the_frame_and_all_is_named(myolegs):
    with Studio(myolegs.model, 600, 720) as studio:
        points = studio.body_points(myolegs.standing_qpos)
        camera = portrait._camera(points, 300, 600, 720)
        studio.shoot(myolegs.standing_qpos, myolegs.standing_act, camera, -100.5)
        seen = studio.project(points)
    assert np.ptp(seen[:, 1]) == pytest.approx(600, abs=8)
    assert abs((seen[:, 1].max() + seen[:, 1].min()) / 2 - 360) < 8 and np.ptp(seen[:, 0]) < 300
    image = portrait.portrait(myolegs, 1200, 720)
    assert image.shape == (720, 1200, 3)
    blue = (image.astype(int) - portrait.LANDMARK).__abs__().max(axis=2) < 12
    orange = (image.astype(int) - portrait.JOINT).__abs__().max(axis=2) < 12
    assert blue[:, :600].sum() > 10 * blue[:, 600:].sum() and orange[:, 600:].sum() > 10 * orange[:, :600].sum()
    # A disc for each landmark: no fewer blue pixels than their areas.
    assert blue[:, :600].sum() > len(myolegs.landmarks) * 60
