"""The figure of a gait, of walks that have all of it and of bodies that have little."""

import matplotlib.image
import numpy as np
import pytest
from support.striding import people, striding
from support.synthetic import episode

from movlr_jax.gait.analysis import GaitAnalysis, analyse
from movlr_jax.media import gait_figure
from movlr_jax.rewards.features import feature_layout


@pytest.fixture(scope="module")
def walked(myolegs):
    layout = feature_layout(myolegs)
    return analyse(myolegs, episode(striding(layout, people(layout)), len(layout.muscles)))


def test_a_walk_like_peoples_is_drawn_with_all_its_parts(walked, tmp_path):
    figures = walked.figures()
    assert figures["knee_correlation"] > 0.99 and figures["cost_of_transport_j_kg_m"] > 0
    picture = matplotlib.image.imread(gait_figure.draw(walked, tmp_path / "gait.png", "a walk $of_ one"))
    colours = {tuple(c) for c in np.round(255 * picture.reshape(-1, picture.shape[2])[:, :3]).astype(int)}
    assert {tuple(int(c[i : i + 2], 16) for i in (1, 3, 5)) for c in (gait_figure.LEFT, gait_figure.RIGHT, gait_figure.BAND)} <= colours
    assert picture.std() > 0.05


def test_what_is_not_known_is_said(tmp_path):
    assert gait_figure.draw(GaitAnalysis({}), tmp_path / "gait.png", "a hand").stat().st_size > 10_000
