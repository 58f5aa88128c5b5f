"""Pictures of a clip, for models that take no video.

Flows in: an MP4 file. Flows out: PNG bytes of evenly spaced frames, in order; the first and the last are among them.
"""

from __future__ import annotations

import io
from collections.abc import Callable
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
    return _read(path, lambda seconds: count)


def at_rate(path: Path, frames_per_second: float) -> list[bytes]:
    """Return a clip's frames at a rate [1/s] as PNG, evenly spaced, at most `MOST_FRAMES` of them.

    Raises:
        MovlrError: it cannot be read as a film.
    """
    return _read(path, lambda seconds: min(MOST_FRAMES, max(2, round(seconds * frames_per_second))))


def _read(path: Path, count_for: Callable[[float], int]) -> list[bytes]:
    """Return as many evenly spaced frames as `count_for` asks of a clip of so many seconds."""
    reader = None
    try:
        total, seconds = imageio_ffmpeg.count_frames_and_secs(str(path))
        count = min(count_for(seconds), total)
        wanted = {total // 2} if count == 1 else set(np.linspace(0, total - 1, count).round().astype(int).tolist())
        reader = imageio_ffmpeg.read_frames(str(path))
        size = next(reader)["size"]
        found = [_png(frame, size) for i, frame in enumerate(reader) if i in wanted]
    except (OSError, RuntimeError, StopIteration, ValueError) as error:
        said = str(error).strip().splitlines() or ["no reason given"]
        raise MovlrError(f"The clip {path} cannot be read as a film ({said[-1].rstrip('.')}): film the motion again.") from None
    finally:
        if reader is not None:
            reader.close()
    if not found:
        raise MovlrError(f"The clip {path} holds no frame: film the motion again.")
    return found


def _png(frame: bytes, size: tuple[int, int]) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.frombytes("RGB", size, frame).save(buffer, format="PNG")
    return buffer.getvalue()
