"""Pictures of a clip, for models that take no video.

Flows in: an MP4 file. Flows out: PNG bytes of evenly spaced frames, in order; the first and the last are among them.
"""

from __future__ import annotations

import io
from pathlib import Path

import imageio_ffmpeg
import numpy as np

from movlr_jax.errors import MovlrError

# A picture costs a model some 300 tokens; beyond this many, a clip fills what most servers take in one request.
MOST_FRAMES = 64


def evenly(path: Path, count: int) -> list[bytes]:
    """Return `count` evenly spaced frames of a clip as PNG; all of them, where it has fewer.

    Raises:
        MovlrError: it cannot be read as a film.
    """
    frames, _ = _read(path)
    wanted = np.unique(np.linspace(0, len(frames) - 1, min(count, len(frames))).round().astype(int))
    return [_png(frames[i]) for i in wanted]


def at_rate(path: Path, frames_per_second: float) -> list[bytes]:
    """Return a clip's frames at a rate [1/s] as PNG, evenly spaced, at most `MOST_FRAMES` of them.

    Raises:
        MovlrError: it cannot be read as a film.
    """
    frames, seconds = _read(path)
    count = min(MOST_FRAMES, len(frames), max(2, round(seconds * frames_per_second)))
    wanted = np.unique(np.linspace(0, len(frames) - 1, count).round().astype(int))
    return [_png(frames[i]) for i in wanted]


def _read(path: Path) -> tuple[list[np.ndarray], float]:
    """Return a clip's frames, uint8[h, w, 3] each, and its length [s]."""
    reader = None
    try:
        reader = imageio_ffmpeg.read_frames(str(path))
        meta = next(reader)
        width, height = meta["size"]
        frames = [np.frombuffer(frame, np.uint8).reshape(height, width, 3) for frame in reader]
    except (OSError, RuntimeError, StopIteration, ValueError) as error:
        said = str(error).strip().splitlines() or ["no reason given"]
        raise MovlrError(f"The clip {path} cannot be read as a film ({said[-1]}): film the motion again.") from None
    finally:
        if reader is not None:
            reader.close()
    if not frames:
        raise MovlrError(f"The clip {path} holds no frame: film the motion again.")
    return frames, len(frames) / float(meta["fps"])


def _png(frame: np.ndarray) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, format="PNG")
    return buffer.getvalue()
