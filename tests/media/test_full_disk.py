"""A full disk is a full disk: a clip that found no room is told as such, nothing half-written stays, and later it is filmed."""

from __future__ import annotations

import errno
import resource
from pathlib import Path

import mujoco
import numpy as np
import pytest

from movlr_jax import atomic
from movlr_jax.media import clip, video_file

pytestmark = pytest.mark.gl
SIZE = 96


@pytest.fixture
def small(small_disk) -> Path:  # type: ignore[no-untyped-def]
    """A file system of 64 kB."""
    return small_disk(64)


def film(path: Path) -> None:
    model = mujoco.MjModel.from_xml_string(
        "<mujoco><worldbody><geom type='plane' size='9 9 1'/><body name='pelvis' pos='0 0 1'><freejoint/><geom size='.2'/></body>"
        "</worldbody></mujoco>"
    )
    time = np.arange(0, 1.0, 0.05)
    qpos = np.tile(model.qpos0, (len(time), 1))
    clip.film(model, time, qpos, np.zeros((len(time), 0)), path, view=clip.ClipView(width=SIZE, height=SIZE))


def test_a_clip_that_finds_no_room_is_no_machine_that_cannot_film(small: Path) -> None:
    (small / "ballast").write_bytes(b"x" * 65_536)
    with pytest.raises(OSError, match=r"clip\.mp4") as caught:
        film(small / "clip.mp4")
    assert caught.value.errno == errno.ENOSPC
    assert [path.name for path in small.iterdir()] == ["ballast"]
    (small / "ballast").unlink()
    film(small / "clip.mp4")
    assert video_file.read_info(small / "clip.mp4").width == SIZE


def test_a_bound_on_files_is_told_likewise(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(OSError, match="clip") as caught:
            film(tmp_path / "clip.mp4")
        with pytest.raises(OSError, match="too large"):
            atomic.write_bytes(tmp_path / "x", b"x" * 5000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.errno == errno.EFBIG and list(tmp_path.iterdir()) == []
