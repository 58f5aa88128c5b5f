"""Messages between the prover and its jail: a fixed prefix, a JSON header, a body of bytes; nothing is ever unpickled.

The parent reads piecewise, under a deadline, and refuses what is too large before it reads it.
"""

from __future__ import annotations

import json
import os
import select
import struct
import time
from typing import Any

MAGIC = b"MVLR"
PREFIX = struct.Struct("<4sII")
MAX_HEADER_BYTES = 64 * 1024
MAX_BODY_BYTES = 4 * 1024 * 1024


class TransportError(ValueError):
    """A message that breaks the format; the sentence says how."""


class TransportClosed(TransportError):
    """The other end closed the pipe before a whole message had come."""


class TransportTimeout(TransportError):
    """The deadline passed before a whole message had come."""


def pack(header: dict[str, Any], body: bytes = b"") -> bytes:
    """Return a message."""
    text = json.dumps(header, allow_nan=False).encode()
    return PREFIX.pack(MAGIC, len(text), len(body)) + text + body


def write_all(fd: int, data: bytes) -> None:
    """Write all of data to fd, which blocks."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def read_exactly(fd: int, count: int, deadline: float | None) -> bytes:
    """Read count bytes from fd.

    Args:
        fd: a pipe.
        count: how many bytes.
        deadline: time.monotonic() at which to give up (s), or None to wait for ever.

    Raises:
        TransportClosed: the pipe ended first.
        TransportTimeout: the deadline passed first.
    """
    parts = []
    while count:
        if deadline is not None:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([fd], [], [], left)[0]:
                raise TransportTimeout("the deadline passed")
        part = os.read(fd, min(count, 1 << 16))
        if not part:
            raise TransportClosed("the pipe closed early")
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")


def read(fd: int, deadline: float | None) -> tuple[dict[str, Any], bytes]:
    """Read one message from fd.

    Raises:
        TransportError: it is malformed, too large, late, or the pipe closed.
    """
    magic, header_bytes, body_bytes = PREFIX.unpack(read_exactly(fd, PREFIX.size, deadline))
    if magic != MAGIC:
        raise TransportError("its first bytes are not a message's")
    if header_bytes > MAX_HEADER_BYTES or body_bytes > MAX_BODY_BYTES:
        raise TransportError(f"it announces {header_bytes} + {body_bytes} bytes, more than is ever read")
    text = read_exactly(fd, header_bytes, deadline)
    try:
        header = json.loads(text.decode("ascii"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise TransportError("its header is not JSON") from None
    if not isinstance(header, dict):
        raise TransportError("its header is not a JSON object")
    return header, read_exactly(fd, body_bytes, deadline)
