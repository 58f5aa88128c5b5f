"""Clips: an mp4 of a recorded rollout, and single frames.

Flows in: a prepared model and a recording (time s, qpos, act per instant). Flows out: an mp4 whose camera follows the body from its right
side, with muscles coloured by activation and time, distance and speed written on it; a second view may stand beside it. A recording is
brought to frames by `clip_track.py`; they are drawn by `studio.py`, written on by `clip_overlay.py` and encoded by `video_file.py`.
"""

from __future__ import annotations

import atexit
import threading
import time as clock
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import mujoco
import numpy as np

from movlr_jax.errors import MovlrError
from movlr_jax.media.clip_options import ClipView, Overlay
from movlr_jax.media.clip_overlay import write_on
from movlr_jax.media.clip_track import Track, repeats, track_of
from movlr_jax.media.studio import Studio
from movlr_jax.media.video_file import ClipInfo, encoder

# Studios are kept: a context with its meshes costs 0.2 to 0.6 s, a clip hardly more.
_KEPT = 2
_BETWEEN = 255  # the line between two views
_studios: dict[tuple[int, int, int, int, int], tuple[mujoco.MjModel, Studio]] = {}


def film(
    model: mujoco.MjModel,
    time: np.ndarray,
    qpos: np.ndarray,
    act: np.ndarray,
    path: Path | str,
    *,
    view: ClipView | None = None,
    overlay: Overlay | None = None,
    beside: tuple[ClipView, Overlay] | None = None,
) -> ClipInfo:
    """Write a clip of a recorded rollout.

    Args:
        model: the prepared model (floor at z = 0, body facing +x); it is not changed.
        time: float[T] (s), increasing.
        qpos: float[T, nq].
        act: float[T, na] activations, 0 to 1; they colour the muscles.
        path: the mp4 to write; it appears complete or not at all.
        view: size, rate and camera; ClipView() by default.
        overlay: what is written on it; Overlay() by default.
        beside: a second view of the same height, with what is written on it, which stands on the right of the first in every frame; rate,
            playback and quality are the first's.

    Returns:
        What was filmed.

    Raises:
        MovlrError: shapes do not fit the model, the views differ in height, no OpenGL works, or ffmpeg fails.
    """
    view, overlay, path = view or ClipView(), overlay or Overlay(), Path(path)
    views = [(view, overlay)]
    if beside is not None:
        second = replace(beside[0], fps=view.fps, playback=view.playback)
        # The moments of the frames follow from what happened, which is the same in both; the first tells it.
        views.append((second, replace(beside[1], events=overlay.events)))
        if second.height != view.height:
            raise MovlrError(f"Two views beside one another need one height, not {view.height} and {second.height} pixels.")
    began, whole = clock.perf_counter(), replace(view, width=sum(each.width for each, _ in views))
    with ExitStack() as stack:
        studios = [stack.enter_context(_studio(model, each)) for each, _ in views]
        tracks = [track_of(studio, time, qpos, act, *given) for studio, given in zip(studios, views, strict=True)]
        more = repeats(tracks[0], view)
        for track in tracks[1:]:
            track.events = ()
        drawn = [_frames(studio, track, *given) for studio, track, given in zip(studios, tracks, views, strict=True)]
        with encoder(path, whole) as sink:
            for images in zip(*drawn, strict=True):
                image = images[0] if beside is None else _joined(images)
                sink(image)
            for _ in range(more):
                sink(image)
        backend = studios[0].backend
    count = len(tracks[0].time) + more
    return ClipInfo(
        path, count, count / view.fps, whole.width, view.height, view.fps, path.stat().st_size, clock.perf_counter() - began, backend
    )


def _joined(images: Sequence[np.ndarray]) -> np.ndarray:
    """Return pictures beside one another, with a line between them."""
    joined = np.concatenate(images, axis=1)
    joined[:, images[0].shape[1] - 1 : images[0].shape[1] + 1] = _BETWEEN
    return joined


def frame(
    model: mujoco.MjModel,
    qpos: np.ndarray,
    act: np.ndarray,
    *,
    view: ClipView | None = None,
    overlay: Overlay | None = None,
    time: float = 0.0,
) -> np.ndarray:
    """Draw one still.

    Args:
        model: the prepared model; it is not changed.
        qpos: float[nq].
        act: float[na], 0 to 1.
        view: size and camera.
        overlay: what is written on it; by default nothing but the metres on the floor.
        time: s, for the overlay.

    Returns:
        uint8[h, w, 3].

    Raises:
        MovlrError: as `film`.
    """
    view = view or ClipView()
    overlay = overlay or Overlay(numbers=False, legend=False)
    rows = np.atleast_2d(np.asarray(qpos, float)), np.atleast_2d(np.asarray(act, float)) if act is not None else None
    with _studio(model, view) as studio:
        track = track_of(studio, np.array([time]), rows[0], rows[1], view, overlay)
        return next(_frames(studio, track, view, overlay))


def stills(
    model: mujoco.MjModel,
    time: np.ndarray,
    qpos: np.ndarray,
    act: np.ndarray,
    count: int,
    *,
    view: ClipView | None = None,
    overlay: Overlay | None = None,
) -> np.ndarray:
    """Draw evenly spaced frames of a rollout.

    Args:
        model: as `film`.
        time: as `film`.
        qpos: as `film`.
        act: as `film`.
        count: number of frames, the first and the last instant among them.
        view: size and camera of one frame.
        overlay: as `film`.

    Returns:
        uint8[count, h, w, 3].

    Raises:
        MovlrError: as `film`.
    """
    view, overlay = view or ClipView(), overlay or Overlay()
    with _studio(model, view) as studio:
        track = track_of(studio, time, qpos, act, view, overlay, count=count)
        return np.stack(list(_frames(studio, track, view, overlay)))


def filmstrip(
    model: mujoco.MjModel,
    time: np.ndarray,
    qpos: np.ndarray,
    act: np.ndarray,
    *,
    count: int = 6,
    view: ClipView | None = None,
    overlay: Overlay | None = None,
) -> np.ndarray:
    """Draw `stills` beside one another, for pages: uint8[h, count * w, 3]."""
    view, overlay = view or ClipView(width=240), overlay or Overlay(legend=False)
    return np.concatenate(list(stills(model, time, qpos, act, count, view=view, overlay=overlay)), axis=1)


def _frames(studio: Studio, track: Track, view: ClipView, overlay: Overlay) -> Iterator[np.ndarray]:
    for i in range(len(track.time)):
        image = studio.shoot(track.qpos[i], track.act[i], track.cameras[i], track.start, view.tendons)
        write_on(image, studio, track, i, view, overlay)
        yield image


@contextmanager
def _studio(model: mujoco.MjModel, view: ClipView) -> Iterator[Studio]:
    if view.width % 2 or view.height % 2 or min(view.width, view.height) < 32:
        raise MovlrError(f"A clip's width and height must be even and at least 32 pixels, not {view.width} x {view.height}.")
    if view.fps < 1 or view.playback <= 0 or view.zoom <= 0:
        raise MovlrError("A clip's fps, playback and zoom must be above zero.")
    # A context belongs to a thread, and holding the model keeps its id from being given to another.
    key = (id(model), view.width, view.height, view.samples, threading.get_ident())
    kept = _studios.pop(key, None)
    studio = kept[1] if kept else Studio(model, view.width, view.height, view.samples)
    try:
        yield studio
    finally:
        _studios[key] = (model, studio)
        while len(_studios) > _KEPT:
            oldest = next(iter(_studios))
            if oldest[-1] != key[-1]:
                break  # another thread's context can only be released there
            _studios.pop(oldest)[1].close()


@atexit.register
def close_studios() -> None:
    """Release the renderers that are kept for the next clip."""
    for _, studio in _studios.values():
        studio.close()
    _studios.clear()
