"""Clips: an mp4 of a recorded rollout, and single frames.

Flows in: a prepared model and a recording (time s, qpos, act per instant). Flows out: an mp4 (H.264, 4:2:0, plays in browsers) whose
camera follows the body from its right side, with muscles coloured by activation and time, distance and speed written on it. Frames are
drawn by `studio.py` and piped to the ffmpeg that imageio-ffmpeg brings, which encodes in its own process meanwhile.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import itertools
import os
import signal
import subprocess
import tempfile
import threading
import time as clock
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import imageio_ffmpeg
import mujoco
import numpy as np

from movlr_jax import atomic
from movlr_jax.errors import MovlrError
from movlr_jax.media import glyphs
from movlr_jax.media.studio import Camera, Studio, activation_colour

INK = (24, 28, 34)
PALE = (245, 247, 250)
ALARM = (176, 20, 16)
STRIP = (255, 255, 255)
_READING_S = 0.8  # time that a word on the screen needs to be read


@dataclass(frozen=True)
class ClipView:
    """How a rollout is filmed.

    Attributes:
        width: pixels, even.
        height: pixels, even.
        fps: frames per second of the clip.
        playback: seconds of motion per second of clip; 0.25 is four times slower.
        azimuth: degrees; 90 sees the body from its right side, walking to the right; 180 sees its face.
        elevation: degrees; negative looks down.
        zoom: 1 fits the body with room around it.
        smoothing_s: width of the window over which the camera's path is smoothed (s).
        tendons: draw the muscles.
        samples: samples a pixel against jagged edges; 0 is fastest, 4 costs twice the time and suits pictures for a page.
        follow: body of the model that the camera follows; empty: the body as a whole.
        centred: look at the height of what is followed, as of a body that does not stand, and not at half the body's height.
        span: height of the picture at what is followed (m); 0 fits the body.
        crf: H.264 quality, lower is better and bigger.
    """

    width: int = 480
    height: int = 360
    fps: int = 25
    playback: float = 1.0
    azimuth: float = 90.0
    elevation: float = -6.0
    zoom: float = 1.0
    smoothing_s: float = 0.8
    tendons: bool = True
    samples: int = 0
    follow: str = ""
    centred: bool = False
    span: float = 0.0
    crf: int = 23


@dataclass(frozen=True)
class Overlay:
    """What is written on the frames.

    Attributes:
        title: a few words in the upper left corner, such as "iteration 3".
        numbers: time (s), distance (m) and forward speed (m/s) on the upper edge.
        legend: the scale of the muscles' colours.
        marks: metres written on the floor.
        distance: float[T] (m), the task's own measure at the recorded instants; None measures the centre of mass along +x.
        gauges: (name, unit, float[T]) to write beside the time instead of distance and speed.
        events: (time s, words) shown from that time on, in red: (1.9, "fell"). A clip that ends with one holds its last frame
            until it has been shown for 0.8 s.
    """

    title: str = ""
    numbers: bool = True
    legend: bool = True
    marks: bool = True
    distance: np.ndarray | None = None
    gauges: tuple[tuple[str, str, np.ndarray], ...] = ()
    events: tuple[tuple[float, str], ...] = ()


@dataclass(frozen=True)
class ClipInfo:
    """What was filmed.

    Attributes:
        path: the file.
        frames: number of frames.
        seconds: length of the clip (s).
        width, height: pixels.
        fps: frames per second.
        bytes: size of the file.
        wall_s: wall time from the recording to the file (s).
        backend: OpenGL back end ("egl", "osmesa", "glfw"), or "" where nothing was rendered.
    """

    path: Path
    frames: int
    seconds: float
    width: int
    height: int
    fps: int
    bytes: int
    wall_s: float
    backend: str = ""


@dataclass
class _Track:
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


def film(
    model: mujoco.MjModel,
    time: np.ndarray,
    qpos: np.ndarray,
    act: np.ndarray,
    path: Path | str,
    *,
    view: ClipView | None = None,
    overlay: Overlay | None = None,
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

    Returns:
        What was filmed.

    Raises:
        MovlrError: shapes do not fit the model, no OpenGL works, or ffmpeg fails.
    """
    view, overlay, path = view or ClipView(), overlay or Overlay(), Path(path)
    began = clock.perf_counter()
    with _studio(model, view) as studio:
        track = _track(studio, time, qpos, act, view, overlay)
        with _encoder(path, view) as sink:
            for image in _frames(studio, track, view, overlay):
                sink(image)
            held = _held(track, view)
            for _ in range(held):
                sink(image)
        backend = studio.backend
    count = len(track.time) + held
    return ClipInfo(
        path, count, count / view.fps, view.width, view.height, view.fps, path.stat().st_size, clock.perf_counter() - began, backend
    )


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
        track = _track(studio, np.array([time]), rows[0], rows[1], view, overlay)
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
        track = _track(studio, time, qpos, act, view, overlay, count=count)
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


def side_by_side(clips: Sequence[Path | str], path: Path | str, *, height: int = 360, crf: int = 23) -> ClipInfo:
    """Put clips beside one another in a new one; a shorter clip holds its last frame.

    Args:
        clips: two or more mp4 files.
        path: the mp4 to write.
        height: pixels of each panel, even.
        crf: H.264 quality.

    Raises:
        MovlrError: fewer than two clips, one that is missing, or ffmpeg fails.
    """
    began, path = clock.perf_counter(), Path(path)
    sources = [Path(c) for c in clips]
    missing = [str(c) for c in sources if not c.is_file()]
    if len(sources) < 2 or missing:
        raise MovlrError(f"Side by side needs two clips or more that exist; {', '.join(missing) or 'fewer'} given.")
    metas = [read_info(c) for c in sources]
    fps, longest = max(m.fps for m in metas), max(m.seconds for m in metas)
    steps = [
        f"[{i}:v]fps={fps},scale=-2:{height},tpad=stop_mode=clone:stop_duration={longest - m.seconds + 1:.3f},"
        f"trim=duration={longest:.3f}[v{i}]"
        for i, m in enumerate(metas)
    ]
    graph = ";".join(steps) + ";" + "".join(f"[v{i}]" for i in range(len(metas))) + f"hstack=inputs={len(metas)}[out]"
    inputs = [argument for c in sources for argument in (*_AS_FILM, "-i", str(c))]
    with atomic.replacing(path) as partial:
        process, errors = _ffmpeg([*inputs, "-filter_complex", graph, "-map", "[out]", *_codec(fps, crf), str(partial)])
        _finish(process, errors, path)
    made = read_info(path)
    return ClipInfo(path, made.frames, made.seconds, made.width, made.height, made.fps, path.stat().st_size, clock.perf_counter() - began)


def read_info(path: Path | str) -> ClipInfo:
    """Return what a clip file says of itself.

    Raises:
        MovlrError: it cannot be read as a film.
    """
    path = Path(path)
    reader = None
    try:
        reader = imageio_ffmpeg.read_frames(str(path), input_params=_AS_FILM)
        meta = next(reader)
        frames = round(meta["duration"] * meta["fps"])
        width, height = meta["size"]
        if width * height > _MOST_PIXELS or frames * width * height > _MOST_PIXELS * _MOST_FRAMES:
            raise ValueError(f"{frames} frames of {width} x {height} pixels")
        return ClipInfo(path, frames, float(meta["duration"]), width, height, round(meta["fps"]), path.stat().st_size, 0.0)
    except (OSError, RuntimeError, StopIteration, ArithmeticError, ValueError, LookupError) as error:
        raise MovlrError(f"{path} cannot be read as a film: {error}") from error
    finally:
        if reader is not None:
            reader.close()


def read_frames(path: Path | str) -> np.ndarray:
    """Return a clip's frames, uint8[n, h, w, 3].

    Raises:
        MovlrError: it cannot be read as a film.
    """
    info = read_info(path)
    reader = imageio_ffmpeg.read_frames(str(path), input_params=_AS_FILM)
    try:
        next(reader)
        frames = itertools.islice(reader, info.frames + info.fps + 1)  # a clip may hold more than it says
        return np.stack([np.frombuffer(f, np.uint8).reshape(info.height, info.width, 3) for f in frames])
    except (OSError, RuntimeError, ValueError) as error:
        raise MovlrError(f"{path} cannot be read as a film: {' '.join(str(error).split())[:200]}.") from None
    finally:
        reader.close()


def write_png(path: Path | str, image: np.ndarray) -> Path:
    """Write uint8[h, w, 3] as a PNG and return its path."""
    from matplotlib.image import imsave  # here: drawing clips must not pay for matplotlib's figures

    path = Path(path)
    with atomic.replacing(path) as partial:
        imsave(partial, image, format="png", metadata={"Software": ""})
    return path


# --- from recording to frames


def _track(
    studio: Studio, time: np.ndarray, qpos: np.ndarray, act: np.ndarray | None, view: ClipView, overlay: Overlay, count: int | None = None
) -> _Track:
    model = studio.model
    time, qpos = np.asarray(time, float), np.asarray(qpos, float)
    if act is None:
        raise MovlrError(
            "A film needs the recorded activations (act), they colour the muscles; pass zeros of shape [T, na] if none were recorded."
        )
    act = np.asarray(act, float)
    wanted = {"time": (len(time),), "qpos": (len(time), model.nq), "act": (len(time), model.na)}
    for name, array in (("time", time), ("qpos", qpos), ("act", act)):
        if array.shape != wanted[name] or not len(time):
            raise MovlrError(f"To film this body {name} must have shape {wanted[name]}, with T at least 1, and it has {array.shape}.")
    if (np.diff(time) < 0).any():
        raise MovlrError("To film a rollout its times must increase.")
    events = overlay.events
    sound = np.isfinite(qpos).all(axis=1) & np.isfinite(act).all(axis=1) & (np.abs(qpos).max(axis=1, initial=0.0) < 1e6)
    if not sound[0]:
        raise MovlrError("The rollout starts with numbers that are not finite, so there is nothing to film.")
    if not sound.all():
        # A diverged body has no pose; the film holds the last one it had and says so.
        broken = int(np.argmin(sound))
        events = (*events, (float(time[broken]), "diverged"))
        held = np.maximum.accumulate(np.where(sound, np.arange(len(time)), 0))
        qpos, act = qpos[held], act[held]

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
    return _Track(moments, qpos[nearest], act[nearest], distance[nearest], speed[nearest], cameras, float(path[0, 0]), gauges, events)


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


def _held(track: _Track, view: ClipView) -> int:
    """Return how many times the last frame is repeated, so that what happened at the end can be read."""
    late = [track.time[-1] - moment for moment, _ in track.events if moment <= track.time[-1] + 1e-9]
    if not late:
        return 0
    return max(0, round((_READING_S - min(late) / view.playback) * view.fps))


def _frames(studio: Studio, track: _Track, view: ClipView, overlay: Overlay) -> Iterator[np.ndarray]:
    for i in range(len(track.time)):
        image = studio.shoot(track.qpos[i], track.act[i], track.cameras[i], track.start, view.tendons)
        _write_on(image, studio, track, i, view, overlay)
        yield image


def _write_on(image: np.ndarray, studio: Studio, track: _Track, i: int, view: ClipView, overlay: Overlay) -> None:
    height, width = image.shape[:2]
    unit = max(round(min(height, 0.8 * width) / 24), 8)  # em height: 15 pixels at 480 x 360
    pad = unit // 2
    if overlay.marks:
        _marks(image, studio, track, i, unit)
    strip = round(1.75 * unit)
    if overlay.numbers:
        glyphs.fill(image, 0, 0, width, strip, STRIP, 0.72)
        baseline = round(1.25 * unit)
        narrow = width < 22 * unit
        told = track.gauges or [("distance", "m", track.distance), ("speed", "m/s", track.speed)]
        pairs = [("time", f"{track.time[i]:.2f} s", 0.0)]
        pairs += [(name, f"{_tidy(values[i])} {unit}", column) for (name, unit, values), column in zip(told, (0.25, 0.62), strict=False)]
        for name, value, column in pairs:
            x = pad + round(column * width)
            if not narrow:
                x = glyphs.draw_text(image, name, x, baseline, round(0.8 * unit), (84, 92, 104)) + round(0.35 * unit)
            glyphs.draw_text(image, value, x, baseline, round((0.72 if narrow else 1.0) * unit), INK, bold=True)
    if overlay.legend and view.tendons and studio.model.na:
        _legend(image, unit, strip if overlay.numbers else 0)
    said = [words for moment, words in track.events if track.time[i] >= moment - 1e-9]
    if said:
        words = said[-1].upper()
        size = round(1.5 * unit)
        w = glyphs.width(words, size, bold=True)
        y = round(height * 0.26)  # beside the body, which stands in the middle
        glyphs.fill(image, 0, y - round(1.35 * size), w + 2 * unit, round(1.9 * size), PALE, 0.75)
        glyphs.draw_text(image, words, unit, y, size, ALARM, bold=True)
    if overlay.title:
        w = glyphs.width(overlay.title, unit)
        top = strip if overlay.numbers else 0
        glyphs.fill(image, 0, top, w + 3 * pad, strip, STRIP, 0.72)
        glyphs.draw_text(image, overlay.title, pad, top + round(1.25 * unit), unit, INK)


def _tidy(value: float) -> str:
    return f"{round(float(value), 2) + 0.0:+.2f}"  # adding zero turns -0.0 into 0.0


def _marks(image: np.ndarray, studio: Studio, track: _Track, i: int, unit: int) -> None:
    camera = track.cameras[i]
    nearest = round(camera.x - track.start)
    metres = np.arange(nearest - 6, nearest + 7)
    # Under the near side of the track, where no body stands before them.
    points = np.stack([track.start + metres, np.full(len(metres), camera.y - 0.75), np.zeros(len(metres))], 1)
    for metre, (x, y) in zip(metres, studio.project(points), strict=True):
        if np.isfinite(x) and -50 < x < image.shape[1] + 50 and 0 < y < image.shape[0] + 2 * unit:
            words = "start" if metre == 0 else f"{metre} m"
            size = round(0.85 * unit)
            glyphs.draw_text(
                image,
                words,
                round(x) - glyphs.width(words, size) // 2,
                round(y),
                size,
                (40, 96, 160) if metre == 0 else (70, 76, 86),
                bold=True,
            )


def _legend(image: np.ndarray, unit: int, top: int) -> None:
    width = image.shape[1]
    bar, thick = round(4.0 * unit), max(round(0.42 * unit), 3)
    size = round(0.72 * unit)
    left, y = width - bar - round(1.3 * unit), top + round(0.75 * unit)
    colours = np.round(activation_colour(np.linspace(0.0, 1.0, bar)) * 255).astype(np.uint8)
    image[y : y + thick, left : left + bar] = colours
    grey = (70, 76, 86)
    baseline = y + round(0.52 * unit)
    glyphs.draw_text(image, "0", left - round(0.75 * unit), baseline, size, grey)
    glyphs.draw_text(image, "1", left + bar + round(0.3 * unit), baseline, size, grey)
    words = "muscle activation"
    glyphs.draw_text(image, words, left - round(1.1 * unit) - glyphs.width(words, size), baseline, size, grey)
    side = "left limbs dark, right limbs light"
    glyphs.draw_text(image, side, width - glyphs.width(side, size) - round(0.6 * unit), baseline + round(1.1 * unit), size, grey)


# --- studios are kept: a context with its meshes costs 0.2 to 0.6 s, a clip hardly more

_KEPT = 2
_studios: dict[tuple[int, int, int, int, int], tuple[mujoco.MjModel, Studio]] = {}


@contextmanager
def _studio(model: mujoco.MjModel, view: ClipView) -> Iterator[Studio]:
    if view.width % 2 or view.height % 2 or min(view.width, view.height) < 32:
        raise MovlrError(f"A clip's width and height must be even and at least 32 pixels, not {view.width} x {view.height}.")
    if view.fps < 1 or view.playback <= 0 or view.zoom <= 0:
        raise MovlrError("A clip's fps, playback and zoom must be above zero.")
    # A context belongs to a thread, and holding the model keeps its id from being given to another.
    key = (id(model), view.width, view.height, view.samples, threading.get_ident())
    held = _studios.pop(key, None)
    studio = held[1] if held else Studio(model, view.width, view.height, view.samples)
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


# --- ffmpeg

# A clip may come from someone else: it is read as an MP4 and as nothing else (a playlist would name other files and hosts).
_AS_FILM = ["-protocol_whitelist", "file", "-f", "mp4"]
_MOST_PIXELS, _MOST_FRAMES = 4096 * 4096, 600  # of one frame; frames of that size that are read at once


def _codec(fps: int, crf: int) -> list[str]:
    # bitexact leaves versions and dates out of the file; a key frame a second lets a browser seek.
    return [
        *("-an", "-c:v", "libx264", "-preset", "veryfast", "-crf", str(crf), "-pix_fmt", "yuv420p", "-g", str(fps)),
        *("-threads", "2", "-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-movflags", "+faststart", "-f", "mp4"),
    ]


def _ffmpeg(arguments: Sequence[str]) -> tuple[subprocess.Popen[bytes], IO[bytes]]:
    try:
        program = imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError as error:
        raise MovlrError(
            "No ffmpeg was found to write clips with: reinstall imageio-ffmpeg, whose wheels bring one, or install ffmpeg."
        ) from error
    errors = tempfile.TemporaryFile(prefix="movlr-ffmpeg-")  # noqa: SIM115 - `_finish` closes it; a pipe nobody reads would stop ffmpeg
    command = [program, "-hide_banner", "-loglevel", "error", "-y", *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors), errors


def _finish(process: subprocess.Popen[bytes], errors: IO[bytes], path: Path) -> None:
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
    code = process.wait()
    with errors:
        errors.seek(0)
        said = errors.read().decode(errors="replace").strip().splitlines()
    if code:
        number = _of_the_disk(code, " ".join(said), path)
        if number:
            # Not a machine that cannot film: once there is room, the same command films.
            raise OSError(number, os.strerror(number), str(path))
        raise MovlrError(f"ffmpeg could not write {path}: {said[-1] if said else f'it ended with {code}'}.")


def _of_the_disk(code: int, said: str, path: Path) -> int:
    """Return the error number of the system for which ffmpeg ended, where the disk is the cause; else 0."""
    if code == -signal.SIGXFSZ:
        return errno.EFBIG
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EIO):
        if os.strerror(number).lower() in said.lower():
            return number
    # Its words may have found no room either, or speak of what came of it.
    room = os.statvfs(path.parent)
    return errno.ENOSPC if room.f_blocks and not room.f_bavail else 0


@contextmanager
def _encoder(path: Path, view: ClipView) -> Iterator[Callable[[np.ndarray], None]]:
    """Give a function that takes frames, uint8[h, w, 3]; the file appears on leaving."""
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{view.width}x{view.height}", "-r", str(view.fps), "-i", "pipe:0"]
    with atomic.replacing(path) as partial:
        process, errors = _ffmpeg([*raw, *_codec(view.fps, view.crf), str(partial)])
        assert process.stdin is not None
        pipe = process.stdin

        def sink(image: np.ndarray) -> None:
            try:
                pipe.write(image.tobytes())
            except BrokenPipeError:
                _finish(process, errors, path)  # raises with ffmpeg's own words
                raise MovlrError(f"ffmpeg ended before {path} was complete.") from None

        try:
            yield sink
        except BaseException:
            process.kill()
            process.wait()
            errors.close()
            raise
        _finish(process, errors, path)
