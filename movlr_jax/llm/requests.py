"""A ModelRequest as plain JSON data, and the key that says when two requests are the same.

Flows in: a ModelRequest. Flows out: its record (texts in full; pictures and clips as hash and size, never bytes, never a path) and the
SHA-256 of that record.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from movlr_jax import atomic
from movlr_jax.errors import MovlrError
from movlr_jax.llm.base import Image, ModelRequest, Part, Text, Video

_LARGEST_CLIP = 1 << 30  # bytes


def describe(service: str, model: str, request: ModelRequest) -> dict[str, Any]:
    """Return a request as plain JSON data: all that the answer depends on, and nothing else.

    Raises:
        MovlrError: a clip cannot be read.
    """
    return {
        "service": service,
        "model": model,
        "system": request.system,
        "parts": [_part(part) for part in request.parts],
        "schema": request.schema.model_json_schema() if request.schema is not None else None,
        "exchange": [{"answer": answer, "complaint": complaint} for answer, complaint in request.exchange],
        "temperature": request.temperature,
        "max_tokens": request.max_tokens,
        "seed": request.seed,
    }


def key_of(request: dict[str, Any]) -> str:
    """Return the key of a request: equal requests have equal keys on every machine."""
    text = json.dumps(request, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def without_media(request: dict[str, Any]) -> dict[str, Any]:
    """Return a request in which pictures and clips say only what they are: two machines draw the same motion in other pixels."""
    plain = [part if "text" in part else {"media": next(iter(part))} for part in request["parts"]]
    return {**request, "parts": plain}


def difference(request: dict[str, Any], recorded: list[dict[str, Any]]) -> str:
    """Return in words what sets a request apart from the most similar recorded one."""

    def apart(other: dict[str, Any]) -> list[str]:
        fields = [
            name
            for name in ("service", "model", "system", "schema", "exchange", "temperature", "max_tokens", "seed")
            if request.get(name) != other.get(name)
        ]
        mine, theirs = request["parts"], other.get("parts", [])
        if len(mine) != len(theirs):
            return [*fields, f"the number of parts ({len(mine)} against {len(theirs)})"]
        return fields + [f"part {i + 1} ({next(iter(a))})" for i, (a, b) in enumerate(zip(mine, theirs, strict=True)) if a != b]

    if not recorded:
        return "there are no records at all"
    nearest = min((apart(other) for other in recorded), key=len)
    return "the nearest record differs in " + ", ".join(nearest)


def read_clip(video: Video) -> bytes:
    """Return a clip's bytes.

    Raises:
        MovlrError: it cannot be read.
    """
    try:
        return atomic.read_bytes(video.path, _LARGEST_CLIP)
    except OSError as error:
        raise MovlrError(f"The clip {video.path} cannot be read ({error.strerror}): film the motion again.") from None


def _part(part: Part) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"text": part.text}
    if isinstance(part, Image):
        return {"image": _fingerprint(part.data)}
    moments = {"moments": list(part.moments)} if part.moments else {}
    return {"video": {**_fingerprint(read_clip(part)), "frames_per_second": part.frames_per_second, **moments}}


def _fingerprint(data: bytes) -> dict[str, Any]:
    return {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
