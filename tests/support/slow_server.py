"""A server on loopback that speaks raw bytes: it answers at its own pace, or never to the end. It stops when its context is left."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Any

START = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


class SlowServer:
    """Reads the head of each request, then lets `answer(send, wait)` speak; `wait(seconds)` returns True when it is to stop.

    Attributes:
        heads: the first bytes of each request that came.
        ended: is set as soon as a client has ended its connection while it was answered.
    """

    def __init__(self, answer: Callable[[Callable[[bytes], None], Callable[[float], bool]], None], reads: bool = True):
        self.answer, self.reads = answer, reads
        self.heads: list[bytes] = []
        self.ended, self._over = threading.Event(), threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(5.0)
            try:
                if self.reads:
                    self.heads.append(connection.recv(65536))
                self.answer(connection.sendall, self._over.wait)
            except OSError:
                self.ended.set()

    def __enter__(self) -> SlowServer:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *error: Any) -> None:
        self._over.set()
        self._listener.close()


def drip(start: bytes, piece: bytes) -> Callable[..., None]:
    """Return an answer that begins with `start` and sends `piece` again and again, with pauses far below any timeout of a socket."""

    def answer(send: Callable[[bytes], None], wait: Callable[[float], bool]) -> None:
        send(start)
        while not wait(0.05):
            send(piece)

    return answer


def flood(start: bytes, piece: bytes) -> Callable[..., None]:
    """Return an answer that begins with `start` and sends `piece` without a pause."""

    def answer(send: Callable[[bytes], None], wait: Callable[[float], bool]) -> None:
        send(start)
        while not wait(0.0):
            send(piece)

    return answer


def silence(send: Callable[[bytes], None], wait: Callable[[float], bool]) -> None:
    """Never answer."""
    wait(30.0)
