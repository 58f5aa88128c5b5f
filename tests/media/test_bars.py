"""Bars are drawn where there are numbers."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.image import imread

from movlr_jax.errors import MovlrError
from movlr_jax.media import bars


def test_bars_of_two_metrics(tmp_path):  # type: ignore[no-untyped-def]
    nan = float("nan")
    one = bars.Panel(
        "distance [m]",
        ["walk", "slope"],
        np.array([[1.0, nan], [3.0, -0.5]]),
        np.array([[0.1, nan], [nan, 0.2]]),
        [["", ""], ["1 fell", ""]],
    )
    other = bars.Panel("lasted [s]", ["stand"], np.array([[10.0], [2.0]]), np.full((2, 1), nan), [["", ""]] * 2)
    image = imread(bars.grouped([one, other], ("start", "human"), tmp_path / "b.png", title="Rewards"))[..., :3]
    blue = np.abs(image - np.array([0x2F, 0x6F, 0x9F]) / 255).max(axis=-1) < 0.02
    grey = np.abs(image - np.array([0xB5, 0xBA, 0xC2]) / 255).max(axis=-1) < 0.02
    assert blue.sum() > 1000 and grey.sum() > 1000
    left, right = np.array_split(grey, [int(0.6 * image.shape[1])], axis=1)
    assert left.sum() > 500 and right.sum() > 500


def test_nothing_measured_is_said(tmp_path):  # type: ignore[no-untyped-def]
    empty = bars.Panel("x", ["walk"], np.full((1, 1), np.nan), np.full((1, 1), np.nan), [[""]])
    with pytest.raises(MovlrError, match="no bars"):
        bars.grouped([empty], ("human",), tmp_path / "b.png", title="")
