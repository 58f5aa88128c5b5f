"""Films as files: frames in and out of an mp4 (H.264, 4:2:0, plays in browsers), films beside one another, a picture as PNG.

Flows in: frames, uint8[h, w, 3], or the paths of films. Flows out: files, complete or not at all, and frames. Frames are piped to the
ffmpeg that imageio-ffmpeg brings, which encodes in its own process meanwhile.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import signal
import subprocess
import tempfile
import time as clock
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import imageio_ffmpeg
import numpy as np

from movlr_jax import atomic
from movlr_jax.errors import MovlrError
from movlr_jax.media.clip_options import ClipView

# A clip may come from someone else: it is read as an MP4 and as nothing else (a playlist would name other files and hosts).
_AS_FILM = ["-protocol_whitelist", "file", "-f", "mp4"]
_MOST_PIXELS, _MOST_FRAMES = 4096 * 4096, 600  # of one frame; frames of that size that are read at once


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
        words = errors.read().decode(errors="replace").strip().splitlines()
    if code:
        number = _of_the_disk(code, " ".join(words), path)
        if number:
            # Not a machine that cannot film: once there is room, the same command films.
            raise OSError(number, os.strerror(number), str(path))
        raise MovlrError(f"ffmpeg could not write {path}: {words[-1] if words else f'it ended with {code}'}.")


def _of_the_disk(code: int, words: str, path: Path) -> int:
    """Return the error number of the system for which ffmpeg ended, where the disk is the cause; else 0."""
    if code == -signal.SIGXFSZ:
        return errno.EFBIG
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EIO):
        if os.strerror(number).lower() in words.lower():
            return number
    # Its words may have found no room either, or speak of what came of it.
    room = os.statvfs(path.parent)
    return errno.ENOSPC if room.f_blocks and not room.f_bavail else 0


@contextmanager
def encoder(path: Path, view: ClipView) -> Iterator[Callable[[np.ndarray], None]]:
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
