"""Pictures of a clip, for models that take no video.

Flows in: an MP4 file. Flows out: PNG bytes of frames at given moments, or of evenly spaced ones, in order; the last is among them.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import imageio_ffmpeg
import numpy as np

from movlr_jax.errors import MovlrError

# A picture costs a model some 300 tokens; beyond this many, a clip fills what most servers take in one request.
MOST_FRAMES = 64


def evenly(path: Path, count: int) -> list[bytes]:
    """Return `count` evenly spaced frames of a clip as PNG; all of them, where it has fewer. A single one is the middle frame.

    Raises:
        MovlrError: it cannot be read as a film.
    """
    return _read(path, lambda total, seconds: _even(count, total))


def at(path: Path, moments: Sequence[float]) -> list[bytes]:
    """Return a clip's frames at some moments [s] as PNG, in order, and its last; each once, at most `MOST_FRAMES`.

    Of a clip that ends before the last of the moments, as many evenly spaced ones.

    Raises:
        MovlrError: it cannot be read as a film.
    """

    def indices(total: int, seconds: float) -> list[int]:
        if max(moments, default=0.0) > seconds:
            return _even(len(moments) + 1, total)
        rate = max(1, round(total / seconds)) if seconds > 0 else 1
        # A frame shows what is until the next: the moment belongs to the one before it.
        return sorted({*(min(int(moment * rate + 1e-6), total - 1) for moment in moments[: MOST_FRAMES - 1]), total - 1})

    return _read(path, indices)


def at_rate(path: Path, frames_per_second: float) -> list[bytes]:
    """Return a clip's frames at a rate [1/s] as PNG, evenly spaced, at most `MOST_FRAMES` of them.

    Raises:
        MovlrError: it cannot be read as a film.
    """
    return _read(path, lambda total, seconds: _even(min(MOST_FRAMES, max(2, round(seconds * frames_per_second))), total))


def _even(count: int, total: int) -> list[int]:
    """Return so many evenly spaced numbers of a clip's frames, all where it has fewer; a single one is the middle."""
    count = min(count, total)
    return [total // 2] if count == 1 else np.unique(np.linspace(0, total - 1, count).round().astype(int)).tolist()


def _read(path: Path, indices_of: Callable[[int, float], list[int]]) -> list[bytes]:
    """Return the frames of the numbers that `indices_of` gives for a clip of so many frames and seconds."""
    # By commands of our own: imageio's reader sets up its process in Python after a fork, which threads of JAX may deadlock.
    try:
        total, seconds = imageio_ffmpeg.count_frames_and_secs(str(path))
        chosen = "+".join(f"eq(n\\,{number})" for number in indices_of(total, seconds))
        picked = ["-i", str(path), "-vf", f"select={chosen}", "-fps_mode", "passthrough", "-c:v", "png", "-f", "image2pipe", "-"]
        program = imageio_ffmpeg.get_ffmpeg_exe()
        stream = subprocess.run([program, "-v", "error", *picked], capture_output=True, check=True, stdin=subprocess.DEVNULL).stdout
    except (OSError, RuntimeError, ValueError, subprocess.CalledProcessError) as error:
        output = error.stderr.decode(errors="replace") if isinstance(error, subprocess.CalledProcessError) and error.stderr else str(error)
        lines = output.strip().splitlines() or ["no reason given"]
        raise MovlrError(f"The clip {path} cannot be read as a film ({lines[-1].rstrip('.')}): film the motion again.") from None
    pictures = _pictures(stream)
    if not pictures:
        raise MovlrError(f"The clip {path} holds no frame: film the motion again.")
    return pictures


def _pictures(stream: bytes) -> list[bytes]:
    """Return the PNG files that follow one another in a stream: a signature each, then chunks up to IEND."""
    pictures: list[bytes] = []
    start = at = 0
    while at < len(stream):
        if at == start:
            at += 8
        length, kind = int.from_bytes(stream[at : at + 4], "big"), stream[at + 4 : at + 8]
        at += 12 + length
        if kind == b"IEND":
            pictures.append(stream[start:at])
            start = at
    return pictures
