"""Clips as critics are shown them: two views, the start first, no title, and what ended the episode once."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from support.critic_records import fall
from support.puppets import reddish

from movlr_jax.control.episode import Rollout
from movlr_jax.critics.attachments import Shot
from movlr_jax.evaluation import filming
from movlr_jax.facts import Facts
from movlr_jax.llm import frames
from movlr_jax.media.video_file import read_frames

RECORDED = Path(__file__).parents[1] / "data/folders-of-0.1/run/iterations/000/rollout.npz"


def fallen(seconds: float) -> Rollout:
    """Return an episode that stands still and is said to end in a fall."""
    short = Rollout.load(RECORDED)
    count = round(seconds / 0.02)
    per_instant = {
        field.name: np.repeat(value[:1], count, axis=0)
        for field in dataclasses.fields(short)
        if isinstance(value := getattr(short, field.name), np.ndarray) and len(value) == len(short.time) and field.name != "time"
    }
    return dataclasses.replace(short, **per_instant, time=np.arange(count) * 0.02, ended="fell")


def marked(image: np.ndarray) -> bool:
    return int(reddish(image[80:150, :90].astype(np.uint8)).sum()) > 60


@pytest.mark.gl
def test_a_critics_clip(myolegs, tmp_path):
    rollout, path = fallen(1.3), tmp_path / "clip.mp4"
    filming.film_for_critics(myolegs, rollout, path, 480, 8.0)
    shot = read_frames(path)
    assert shot.shape[1:3] == (360, 480 + 360)
    filming.film_for_critics(myolegs, fallen(0.2), tmp_path / "side.mp4", 480, 8.0, front=False)
    assert read_frames(tmp_path / "side.mp4").shape[1:3] == (360, 480)
    told = [marked(image) for image in shot]
    assert told == sorted(told) and 1 <= sum(told) <= 25 / 8
    # Whoever looks 8 times a second, from whatever moment on, sees it once at the most.
    assert max(sum(told[round(start + 25 / 8 * k)] for k in range(20) if start + 25 / 8 * k < len(told) - 0.5) for start in range(4)) == 1
    facts = Facts.read(fall(time_s=1.28, seconds=4.0))
    pictures = frames.at(path, Shot(None, facts).moments(12))
    for name, data in (("first", pictures[0]), ("last", pictures[-1])):
        (tmp_path / f"{name}.png").write_bytes(data)
    import matplotlib.image

    first, last = ((255 * matplotlib.image.imread(tmp_path / f"{name}.png")[..., :3]).astype(np.uint8) for name in ("first", "last"))
    assert len(pictures) == 12 and marked(last) and not marked(first)
    assert np.abs(first.astype(int) - shot[0]).mean() < 2
    # The film for people is one view, whose end they can read.
    filming.film(myolegs, rollout, tmp_path / "people.mp4", "iteration 3", 240)
    assert read_frames(tmp_path / "people.mp4").shape[:3] == (len(shot) - sum(told) + 21, 180, 240)
