"""Stills: evenly spaced frames of a clip as PNG, for models that see pictures and no clips.

Flows in: an mp4. Flows out: PNG bytes; equal clips give equal bytes, so that a request with pictures can be found again.
"""

from __future__ import annotations

import io
from pathlib import Path

import imageio_ffmpeg
import numpy as np

from movlr_jax.errors import MovlrError


def stills(path: Path, count: int) -> list[bytes]:
    """Return frames of a clip, from its first to its last; a single one is the middle frame.

    Args:
        path: the clip.
        count: how many; of a clip with fewer frames some are given twice.

    Raises:
        MovlrError: it cannot be read as a film.
    """
    total = 0
    for _ in _frames(path):
        total += 1
    if not total:
        raise MovlrError(f"{path} cannot be read as a film: it has no frames.")
    wanted = [total // 2] if count == 1 else [round(i * (total - 1) / (count - 1)) for i in range(count)]
    found = {i: _png(image) for i, image in enumerate(_frames(path)) if i in wanted}
    return [found[i] for i in wanted]


def _frames(path: Path):  # type: ignore[no-untyped-def]
    """Yield uint8[h, w, 3], one at a time: a clip of some seconds takes hundreds of megabytes as a whole."""
    reader = imageio_ffmpeg.read_frames(str(path))
    try:
        width, height = next(reader)["size"]
        for raw in reader:
            yield np.frombuffer(raw, np.uint8).reshape(height, width, 3)
    except (OSError, RuntimeError, StopIteration) as error:
        raise MovlrError(f"{path} cannot be read as a film: {error}") from error
    finally:
        reader.close()


def _png(image: np.ndarray) -> bytes:
    from matplotlib.image import imsave

    sink = io.BytesIO()
    imsave(sink, image, format="png", metadata={"Software": ""})
    return sink.getvalue()
