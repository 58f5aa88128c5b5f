"""Clips are rendered and encoded for real, then decoded and looked at."""

from __future__ import annotations

import dataclasses
import time as clock

import numpy as np
import pytest
from support.puppets import bluish, puppet, reddish, walk

from movlr_jax.errors import MovlrError
from movlr_jax.media import clip
from movlr_jax.media.clip import ClipView, Overlay, film, filmstrip, frame
from movlr_jax.media.video_file import read_frames, read_info, side_by_side

SMALL = ClipView(width=240, height=180)
BARE = Overlay(numbers=False, legend=False, marks=False)


@pytest.fixture(scope="module")
def model():  # type: ignore[no-untyped-def]
    return puppet()


@pytest.mark.gl
def test_a_clip_of_a_real_body_is_cheap_and_shows_it(myolegs, tmp_path):  # type: ignore[no-untyped-def]
    time = np.arange(0, 2.001, 0.02)
    qpos = np.repeat(myolegs.standing_qpos[None], len(time), axis=0)
    qpos[:, 0] += 0.8 * time
    act = np.repeat(myolegs.standing_act[None], len(time), axis=0)
    frame(myolegs.model, qpos[0], act[0])  # the context is kept; the first use pays for it
    began = clock.perf_counter()
    info = film(myolegs.model, time, qpos, act, tmp_path / "clip.mp4")
    seconds = clock.perf_counter() - began
    assert (info.frames, info.width, info.height, info.fps) == (51, 480, 360, 25)
    assert seconds < 51 * 0.15, f"{seconds / 51:.3f} s a frame: with shadows and samples it is 0.34 s on two cores"
    frames = read_frames(info.path)
    assert frames.shape == (51, 360, 480, 3)
    middle = frames[:, 60:320, 190:290].astype(float)  # the camera keeps the body in the middle
    assert (middle.std(axis=(1, 2, 3)) > 20).all()
    assert [p.name for p in tmp_path.iterdir()] == ["clip.mp4"]


@pytest.mark.gl
def test_same_recording_same_bytes(model, tmp_path):  # type: ignore[no-untyped-def]
    time, qpos, act = walk(model, 0.4)
    for name in ("a.mp4", "b.mp4"):
        film(model, time, qpos, act, tmp_path / name, view=SMALL)
        clip.close_studios()  # a fresh context must draw the same
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


@pytest.mark.gl
def test_camera_follows_and_the_start_line_falls_behind(model):  # type: ignore[no-untyped-def]
    time, qpos, act = walk(model, 1.0, speed=0.4)
    strip = filmstrip(model, time, qpos, act, count=3, view=SMALL, overlay=BARE)
    columns = [np.argwhere(bluish(strip[:, i * 240 : (i + 1) * 240]))[:, 1] for i in range(3)]
    assert all(len(c) > 20 for c in columns)
    first, second, third = (c.mean() for c in columns)
    assert first > second + 10 > third + 20, "the line must move to the left by about as much each time"
    assert abs(first - 120) < 8
    assert (first - second) == pytest.approx(second - third, rel=0.2)


@pytest.mark.gl
def test_clip_frames_change_with_the_motion(model, tmp_path):  # type: ignore[no-untyped-def]
    time, qpos, act = walk(model, 0.8)
    moving = read_frames(film(model, time, qpos, act, tmp_path / "m.mp4", view=SMALL, overlay=BARE).path).astype(float)
    qpos[:] = qpos[0]
    still = read_frames(film(model, time, qpos, act, tmp_path / "s.mp4", view=SMALL, overlay=BARE).path).astype(float)
    assert np.abs(moving[-1] - moving[0]).mean() > 5 * np.abs(still[-1] - still[0]).mean() + 1


@pytest.mark.gl
def test_muscles_take_the_colour_of_their_own_activation(model):  # type: ignore[no-untyped-def]
    # Actuator 0 pulls the right tendon (to the left in the picture), whose index is 1: order must come from the model.
    none = reddish(frame(model, model.qpos0, np.zeros(2), overlay=BARE))
    right = reddish(frame(model, model.qpos0, np.array([1.0, 0.0]), overlay=BARE))
    left = reddish(frame(model, model.qpos0, np.array([0.0, 1.0]), overlay=BARE))
    assert none.sum() == 0
    assert right[:, :240].sum() > 50 and right[:, 240:].sum() == 0
    assert left[:, 240:].sum() > 50 and left[:, :240].sum() == 0
    assert reddish(frame(model, model.qpos0, np.ones(2), view=ClipView(tendons=False), overlay=BARE)).sum() == 0


@pytest.mark.gl
def test_the_model_is_not_changed(model):  # type: ignore[no-untyped-def]
    fields = ("geom_rgba", "geom_matid", "tendon_rgba", "tendon_width", "light_active")
    before = {f: getattr(model, f).copy() for f in fields} | {"slices": model.vis.quality.numslices, "extent": model.stat.extent}
    frame(model, model.qpos0, np.ones(2))
    for f in fields:
        np.testing.assert_array_equal(getattr(model, f), before[f])
    assert (model.vis.quality.numslices, model.stat.extent) == (before["slices"], before["extent"])


@pytest.mark.gl
def test_the_overlay_tells_time_distance_events_and_title(model):  # type: ignore[no-untyped-def]
    bare = frame(model, model.qpos0, np.zeros(2), overlay=BARE).astype(int)
    numbers = frame(model, model.qpos0, np.zeros(2), overlay=Overlay(legend=False, marks=False)).astype(int)
    changed = np.abs(numbers - bare).sum(axis=2) > 60
    assert changed[:27].sum() > 300 and changed[27:].sum() == 0
    assert numbers[:27].min() < 60, "letters must be dark on the light strip"
    titled = frame(model, model.qpos0, np.zeros(2), overlay=Overlay("iteration 3", False, False, False)).astype(int)
    assert (np.abs(titled - bare).sum(axis=2) > 60)[:27, :150].sum() > 100
    time, qpos, act = walk(model, 1.0)
    events = Overlay(numbers=False, legend=False, marks=False, events=((0.5, "fell"),))
    strip = filmstrip(model, time, qpos, act, count=3, overlay=events, view=SMALL)
    red = [int(reddish(strip[:, i * 240 : i * 240 + 100]).sum()) for i in range(3)]
    assert red[0] == 0 and red[1] > 30 and red[2] > 30


@pytest.mark.gl
def test_distance_is_the_tasks_own_when_given(model):  # type: ignore[no-untyped-def]
    time, qpos, act = walk(model, 0.4)
    only_numbers = {"legend": False, "marks": False}
    own = filmstrip(model, time, qpos, act, count=2, overlay=Overlay(**only_numbers), view=SMALL)
    other = filmstrip(model, time, qpos, act, count=2, overlay=Overlay(distance=5.0 + 0 * time, **only_numbers), view=SMALL)
    differs = np.abs(own.astype(int) - other.astype(int)).sum(axis=2) > 60
    assert differs[:15].any() and not differs[15:].any()


@pytest.mark.gl
def test_a_diverged_rollout_is_held_and_marked(model, tmp_path):  # type: ignore[no-untyped-def]
    time, qpos, act = walk(model, 0.6)
    qpos[15:] = np.nan
    frames = read_frames(film(model, time, qpos, act, tmp_path / "d.mp4", view=SMALL, overlay=BARE).path)
    assert len(frames) == 16 + 12  # "diverged" at 0.3 s was on the screen for 0.3 s: 0.5 s more
    assert reddish(frames[2, :, :120]).sum() == 0 and reddish(frames[-1, :, :120]).sum() > 30
    assert np.abs(frames[-1].astype(int) - frames[-3].astype(int)).mean() < 1
    qpos[0] = np.nan
    with pytest.raises(MovlrError, match="not finite"):
        film(model, time, qpos, act, tmp_path / "e.mp4", view=SMALL)
    assert not (tmp_path / "e.mp4").exists()


@pytest.mark.gl
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"act": None}, "needs the recorded activations"),
        ({"act": np.zeros((51, 1))}, r"act must have shape \(51, 2\)"),
        ({"qpos": np.zeros((51, 3))}, "qpos must have shape"),
        ({"time": np.linspace(1, 0, 51)}, "times must increase"),
        ({"view": ClipView(width=241)}, "must be even"),
        ({"overlay": Overlay(distance=np.zeros(3))}, "distance must have shape"),
    ],
)
def test_bad_recordings_are_refused_in_one_sentence(model, tmp_path, change, message):  # type: ignore[no-untyped-def]
    time, qpos, act = walk(model, 1.0)
    given = {"time": time, "qpos": qpos, "act": act, "view": SMALL} | change
    with pytest.raises(MovlrError, match=message):
        film(model, given.pop("time"), given.pop("qpos"), given.pop("act"), tmp_path / "x.mp4", **given)
    assert not list(tmp_path.iterdir())


@pytest.mark.gl
def test_a_fall_at_the_very_end_can_be_read(model, tmp_path):  # type: ignore[no-untyped-def]
    time, qpos, act = walk(model, 0.3)  # ends between two frames, at 0.28 and 0.32 s
    overlay = Overlay(numbers=False, legend=False, marks=False, events=((0.3, "fell"),))
    info = film(model, time, qpos, act, tmp_path / "f.mp4", view=SMALL, overlay=overlay)
    frames = read_frames(info.path)
    assert info.frames == len(frames) == 8 + 1 + 20
    assert reddish(frames[7, :, :120]).sum() == 0
    assert all(reddish(f[:, :120]).sum() > 30 for f in frames[8:])


@pytest.mark.gl
def test_playback_rate_and_length(model, tmp_path):  # type: ignore[no-untyped-def]
    time, qpos, act = walk(model, 0.4)
    slow = film(model, time, qpos, act, tmp_path / "slow.mp4", view=ClipView(width=64, height=64, playback=0.25))
    assert slow.frames == 41 and read_info(slow.path).seconds == pytest.approx(1.64, abs=0.03)
    one = film(model, time[:1], qpos[:1], act[:1], tmp_path / "one.mp4", view=ClipView(width=64, height=64))
    assert one.frames == 1 and len(read_frames(one.path)) == 1


@pytest.mark.gl
def test_a_second_view_stands_beside_the_first(model, tmp_path):  # type: ignore[no-untyped-def]
    time, qpos, act = walk(model, 0.4)
    events = dataclasses.replace(BARE, events=((0.3, "fell"),))
    front = ClipView(width=180, height=180, azimuth=180.0)
    info = film(model, time, qpos, act, tmp_path / "two.mp4", view=SMALL, overlay=events, beside=(front, BARE))
    alone = film(model, time, qpos, act, tmp_path / "one.mp4", view=SMALL, overlay=events)
    two, one = read_frames(info.path).astype(int), read_frames(alone.path).astype(int)
    assert (info.width, info.height, info.frames) == (420, 180, alone.frames) and two.shape[2] == 420
    assert np.abs(two[:, :, :230] - one[:, :, :230]).mean() < 3
    straight = frame(model, qpos[0], act[0], view=front, overlay=BARE).astype(int)
    assert np.abs(two[0, :, 245:] - straight[:, 5:]).mean() < 6
    # What ended the episode is written once, on the first view.
    assert reddish(two[-1, :, :100].astype(np.uint8)).sum() > 30 and reddish(two[-1, :, 240:].astype(np.uint8)).sum() == 0
    with pytest.raises(MovlrError, match="one height"):
        film(model, time, qpos, act, tmp_path / "x.mp4", view=SMALL, beside=(ClipView(width=64, height=64), BARE))


@pytest.mark.gl
def test_side_by_side_holds_the_shorter_one(model, tmp_path):  # type: ignore[no-untyped-def]
    time, qpos, act = walk(model, 0.8)
    long = film(model, time, qpos, act, tmp_path / "long.mp4", view=SMALL)
    short = film(model, time[:21], qpos[:21], act[:21], tmp_path / "short.mp4", view=SMALL)
    both = side_by_side([short.path, long.path], tmp_path / "both.mp4", height=180)
    assert (both.width, both.height, both.frames) == (480, 180, long.frames)
    frames = read_frames(both.path).astype(float)
    assert np.abs(frames[-1, :, :240] - read_frames(short.path)[-1]).mean() < 6
    with pytest.raises(MovlrError, match="two clips"):
        side_by_side([short.path, tmp_path / "none.mp4"], tmp_path / "x.mp4")


def test_a_damaged_clip_is_named(tmp_path):  # type: ignore[no-untyped-def]
    (tmp_path / "bad.mp4").write_bytes(b"no film")
    with pytest.raises(MovlrError, match=r"bad\.mp4 cannot be read"):
        read_frames(tmp_path / "bad.mp4")
