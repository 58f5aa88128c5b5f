"""Evenly spaced frames of a clip as pictures."""

from __future__ import annotations

import io

import pytest
from matplotlib.image import imread

from movlr_jax.errors import MovlrError
from movlr_jax.llm.frames import evenly


@pytest.mark.parametrize(("count", "frames"), [(1, [10]), (2, [0, 19]), (4, [0, 6, 13, 19]), (40, range(20))])
def test_frames_are_evenly_spaced_from_first_to_last(small_clip, count, frames):
    pictures = evenly(small_clip, count)
    shades = [255 * float(imread(io.BytesIO(p), format="png")[..., :3].mean()) for p in pictures]
    assert all(abs(shade - (10 * frame + 20)) <= 4 for shade, frame in zip(shades, frames, strict=True)), shades
    assert evenly(small_clip, count) == pictures


def test_what_is_no_film(tmp_path):
    (tmp_path / "clip.mp4").write_bytes(b"no film")
    with pytest.raises(MovlrError, match="cannot be read as a film"):
        evenly(tmp_path / "clip.mp4", 2)
