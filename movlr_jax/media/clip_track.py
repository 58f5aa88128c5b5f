"""A recording brought to the frames of a clip: which instants are shown, from where the camera sees them, what has happened by then.

Flows in: time (s), qpos and act of a rollout, and the options of the clip. Flows out: a Track, one entry a frame. The camera's path is the
body's, smoothed; a body that diverged stays as it was last seen.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from movlr_jax.errors import MovlrError
from movlr_jax.media.clip_options import ClipView, Overlay
from movlr_jax.media.studio import Camera, Studio


@dataclass
class Track:
    """A recording brought to the frames of a clip."""

    time: np.ndarray  # s [frame]
    qpos: np.ndarray  # [frame, nq]
    act: np.ndarray  # [frame, na]
    distance: np.ndarray  # m [frame]
    speed: np.ndarray  # m/s [frame]
    cameras: list[Camera]
    start: float  # x of the start line, m
    gauges: list[tuple[str, str, np.ndarray]]  # [frame] each
    events: tuple[tuple[float, str], ...] = field(default=())


def track_of(
    studio: Studio, time: np.ndarray, qpos: np.ndarray, act: np.ndarray | None, view: ClipView, overlay: Overlay, count: int | None = None
) -> Track:
    """Bring a recording to the frames of a clip, and place the camera.

    Args:
        studio: where the body is drawn.
        time: float[T] (s), increasing.
        qpos: float[T, nq].
        act: float[T, na].
        view, overlay: the clip's.
        count: this many frames, evenly from the first instant to the last; None: at the clip's rate.

    Raises:
        MovlrError: the recording does not fit the model, or begins with what is no pose.
    """
    model = studio.model
    time, qpos = np.asarray(time, float), np.asarray(qpos, float)
    if act is None:
        raise MovlrError(
            "A film needs the recorded activations (act), they colour the muscles; pass zeros of shape [T, na] if none were recorded."
        )
    act = np.asarray(act, float)
    shapes = {"time": (len(time),), "qpos": (len(time), model.nq), "act": (len(time), model.na)}
    for name, array in (("time", time), ("qpos", qpos), ("act", act)):
        if array.shape != shapes[name] or not len(time):
            raise MovlrError(f"To film this body {name} must have shape {shapes[name]}, with T at least 1, and it has {array.shape}.")
    if (np.diff(time) < 0).any():
        raise MovlrError("To film a rollout its times must increase.")
    events = overlay.events
    finite = np.isfinite(qpos).all(axis=1) & np.isfinite(act).all(axis=1) & (np.abs(qpos).max(axis=1, initial=0.0) < 1e6)
    if not finite[0]:
        raise MovlrError("The rollout starts with numbers that are not finite, so there is nothing to film.")
    if not finite.all():
        # A diverged body has no pose; the film holds the last one it had and says so.
        diverged = int(np.argmin(finite))
        events = (*events, (float(time[diverged]), "diverged"))
        last_finite = np.maximum.accumulate(np.where(finite, np.arange(len(time)), 0))
        qpos, act = qpos[last_finite], act[last_finite]

    path = studio.places(view.follow, qpos) if view.follow else studio.centre_of_mass(qpos)
    distance = path[:, 0] - path[0, 0] if overlay.distance is None else np.asarray(overlay.distance, float)
    if distance.shape != time.shape:
        raise MovlrError(f"The overlay's distance must have shape {time.shape}, and it has {distance.shape}.")
    speed = np.gradient(_smooth(distance, time, 0.3), time) if len(time) > 2 and time[-1] > time[0] else np.zeros(len(time))
    if count is None:
        frames = int(np.floor((time[-1] - time[0]) / view.playback * view.fps + 1e-6)) + 1
        moments = time[0] + np.arange(frames) * view.playback / view.fps
        if any(moments[-1] < moment <= time[-1] for moment, _ in events):
            moments = np.append(moments, time[-1])  # a fall ends a rollout between two frames; it must be seen
    else:
        moments = np.linspace(time[0], time[-1], count)
    after = np.clip(np.searchsorted(time, moments), 1, max(len(time) - 1, 1))
    nearest = after if len(time) == 1 else np.where(moments - time[after - 1] <= time[after] - moments, after - 1, after)
    nearest = np.minimum(nearest, len(time) - 1)

    size = studio.body_size(qpos[0])
    reach = (view.span or 1.3 * size) / view.zoom  # height of the picture at the body, m
    fov = np.radians(studio.model.vis.global_.fovy)
    room = max(1.0, 1.05 * view.height / view.width)  # a narrow picture steps back, to fit a stride
    eye = _smooth(path, time, view.smoothing_s) if len(time) > 2 else path
    cameras = [
        Camera(
            float(eye[i, 0]),
            float(eye[i, 1]),
            float(eye[i, 2]) if view.follow or view.centred else 0.49 * size,
            reach * room / 2 / np.tan(fov / 2),
            view.azimuth,
            view.elevation,
        )
        for i in nearest
    ]
    gauges = [(name, unit, np.asarray(values, float)[nearest]) for name, unit, values in overlay.gauges]
    return Track(moments, qpos[nearest], act[nearest], distance[nearest], speed[nearest], cameras, float(path[0, 0]), gauges, events)


def _smooth(values: np.ndarray, time: np.ndarray, width: float) -> np.ndarray:
    """Average [T, ...] over a Hann window of a width in seconds; beyond the ends the path goes straight on."""
    step = float(np.median(np.diff(time))) if len(time) > 1 else 0.0
    half = round(width / 2 / step) if step > 0 else 0
    half = min(half, len(time) - 1)
    if half < 1:
        return values
    window = np.hanning(2 * half + 3)[1:-1]
    window /= window.sum()
    before = 2 * values[0] - values[half:0:-1]
    beyond = 2 * values[-1] - values[-2 : -2 - half : -1]
    padded = np.concatenate([before, values, beyond])
    if values.ndim == 1:
        return np.convolve(padded, window, "valid")
    return np.stack([np.convolve(column, window, "valid") for column in padded.T], axis=1)


def repeats(track: Track, view: ClipView) -> int:
    """Return how many times the last frame is repeated, so that what happened at the end can be read."""
    late = [track.time[-1] - moment for moment, _ in track.events if moment <= track.time[-1] + 1e-9]
    if not late:
        return 0
    return max(0, round((view.reading_s - min(late) / view.playback) * view.fps))
