"""A server on loopback, in a thread, that answers from a queue of scripted faults and else as its subclass says."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Sent:
    """One HTTP answer. `cut` closes the connection after so many bytes of the body; `endless` sends it again and again."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    endless: bool = False


def as_json(value: Any, status: int = 200, **headers: str) -> Sent:
    return Sent(status, json.dumps(value).encode(), {"Content-Type": "application/json", **headers})


@dataclass
class Seen:
    """One HTTP request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Loopback:
    """A server; use it as a context. `queue` holds what is answered first, one entry for each POST that asks a model."""

    def __init__(self) -> None:
        self.queue: list[Sent | Callable[[Seen], Sent]] = []
        self.seen: list[Seen] = []
        self.released = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *words: Any) -> None:
                pass

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                seen = Seen(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
                outer.seen.append(seen)
                self._answer(outer.answer(seen))

            do_GET = do_POST = _serve

            def _answer(self, sent: Sent) -> None:
                self.close_connection = sent.cut is not None or sent.endless
                try:
                    self.send_response(sent.status)
                    for name, value in sent.headers.items():
                        self.send_header(name, value)
                    if not sent.endless:
                        self.send_header("Content-Length", str(len(sent.body)))
                    self.end_headers()
                    if sent.endless:
                        while not outer.released.is_set():
                            self.wfile.write(sent.body)
                    elif sent.cut is None:
                        self.wfile.write(sent.body)
                    else:
                        self.wfile.write(sent.body[: sent.cut])
                        self.wfile.flush()
                        # A reset, as from a killed server, and not an orderly end.
                        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        self.connection.close()
                except OSError:
                    pass  # the client had enough

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, seen: Seen) -> Sent:
        raise NotImplementedError

    def scripted(self, seen: Seen) -> Sent | None:
        """Return the next scripted answer, or None."""
        if not self.queue:
            return None
        entry = self.queue.pop(0)
        return entry(seen) if callable(entry) else entry

    def __enter__(self) -> Any:
        self._thread.start()
        return self

    def __exit__(self, *error: Any) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)


def refused_address() -> str:
    """Return an address on loopback where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"
