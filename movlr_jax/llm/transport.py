"""The HTTP client below both services' libraries: an answer may take so long and be so large, and comes from where it was asked for.

Flows in: limits and addresses. Flows out: an httpx2 client for google-genai and openai, and a Fault for whatever that library raises. The
time is that of the whole request: looking up the name, connecting, TLS, sending, headers, body. A server that sends without end, fast or
slowly, at whatever stage, is cut off while it sends; it does not hold the run, nor fill its memory.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from movlr_jax import proxies
from movlr_jax.errors import MovlrError
from movlr_jax.llm import addresses
from movlr_jax.llm.faults import Fault, Trouble, brief, status_within

if TYPE_CHECKING:
    import httpx2

# A reward program has a few kilobytes, a critique too; what is larger than this is no answer [bytes];
# headers have the HTTP library's own limit.
LARGEST_ANSWER = 1_000_000
_CONNECT_S = 10.0
# The last is the openai library's word to itself.
_PLAIN_HEADERS = {"host", "accept", "connection", "content-type", "content-length", "transfer-encoding", "x-stainless-raw-response"}


class _TooLong(Exception):
    pass


class _TooSlow(Exception):
    pass


class _Elsewhere(Exception):
    pass


class _Connection:
    """The connection of one request, which another thread can end: whoever waits on its socket is woken."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._over = False

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """Take hold of the socket when the HTTP library has made one, and of what reads from it."""
        if not event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            return
        stream = info["return_value"]
        read = stream.read

        def reading(*words: Any, **more: Any) -> bytes:
            # A socket that was shut down still gives what arrives: a flood of headers would be read for ever.
            if self._over:
                raise _TooSlow
            data: bytes = read(*words, **more)
            return data

        stream.read = reading
        if event.endswith(".start_tls.complete"):
            return  # over the socket that is held already
        made = stream.get_extra_info("socket")
        with self._guard:
            # A descriptor of our own: TLS takes the library's away, and the library may close it while we reach for it.
            held = made.dup()
            if self._over:
                _end(held)
            else:
                self._sockets.append(held)

    def end(self, *, broken: bool) -> None:
        """Let go of the socket; broken: end what goes on over it, now or as soon as it is there."""
        with self._guard:
            self._over = broken
            for held in self._sockets:
                if broken:
                    _end(held)
                else:
                    held.close()
            self._sockets.clear()


def _end(held: socket.socket) -> None:
    with contextlib.suppress(OSError):
        held.shutdown(socket.SHUT_RDWR)
    held.close()


def http_client(timeout_s: float, urls: Sequence[str], largest: int = LARGEST_ANSWER, plain: bool = False) -> HttpClient:
    """Return an HTTP client whose requests and answers are limited.

    Args:
        timeout_s: longest time for one whole request with its answer [s].
        urls: the addresses whose servers are asked, and no others: an answer that points elsewhere is not followed.
        largest: largest answer [bytes].
        plain: whether to leave out every header but those that a request needs, whatever put it there.
    """
    import httpx2

    origins = {addresses.origin(url) for url in urls}

    class Limited(httpx2.SyncByteStream):
        """The bytes of an answer, up to the limit."""

        def __init__(self, stream: httpx2.SyncByteStream):
            self.stream = stream

        def __iter__(self) -> Iterator[bytes]:
            size = 0
            for chunk in self.stream:
                size += len(chunk)
                if size > largest:
                    raise _TooLong
                yield chunk

        def close(self) -> None:
            self.stream.close()

    def begin(request: httpx2.Request) -> None:
        if addresses.origin(str(request.url)) not in origins:
            raise _Elsewhere(request.url.host)
        if plain:
            for name in [name for name in request.headers if name.lower() not in _PLAIN_HEADERS]:
                del request.headers[name]
        # A compressed answer of a megabyte may be one of a gigabyte.
        request.headers["accept-encoding"] = "identity"

    def limit(response: httpx2.Response) -> None:
        if response.headers.get("content-encoding", "identity").lower() not in ("identity", ""):
            raise _TooLong
        response.stream = Limited(response.stream)  # type: ignore[arg-type]

    class Bounded(httpx2.Client):
        """Sends each request in a thread of its own, and gives it up when its time is over."""

        until: float | None = None

        @contextlib.contextmanager
        def within(self, seconds: float) -> Iterator[None]:
            """Let all requests in this context together take no longer than so long [s]."""
            self.until = time.monotonic() + seconds
            try:
                yield
            finally:
                self.until = None

        def send(self, request: httpx2.Request, **more: Any) -> httpx2.Response:
            """Return the answer, read to its end."""
            end = time.monotonic() + timeout_s
            left = (end if self.until is None else min(end, self.until)) - time.monotonic()
            connection = _Connection()
            request.extensions["trace"] = connection.trace
            send = super().send
            came: httpx2.Response = _in_time(
                lambda: send(request, **{**more, "stream": False, "follow_redirects": False}), left, connection
            )
            if came.status_code == 200 and (status := _status_within(came.content)) is not None:
                # Both services' libraries then raise what they raise of that status.
                came.status_code = status
            return came

    # Hooks, and no transport of our own, so that the proxies of the environment go on working. No connection is kept for the next request:
    # one that is ended here belongs to one request alone. What is on this machine goes around the proxies: they cannot reach it.
    hosts = {urlsplit(url).netloc.rpartition("@")[2] for url in urls if addresses.is_loopback(url)}
    limits = httpx2.Limits(max_keepalive_connections=0)
    made: Any = None
    try:
        made = Bounded(
            timeout=httpx2.Timeout(timeout_s, connect=min(timeout_s, _CONNECT_S)),
            limits=limits,
            event_hooks={"request": [begin], "response": [limit]},
            follow_redirects=False,
            mounts={f"all://{host}": httpx2.HTTPTransport(limits=limits) for host in hosts},
            # Of certificates the environment still has its say.
            trust_env=any(not addresses.is_loopback(url) or url.lower().startswith("https") for url in urls),
        )
    except (ImportError, ValueError, httpx2.InvalidURL) as error:
        raise MovlrError(proxies.refused(error)) from None
    bounded: HttpClient = made
    return bounded


if TYPE_CHECKING:

    class HttpClient(httpx2.Client):
        """What `http_client` returns."""

        def within(self, seconds: float) -> contextlib.AbstractContextManager[None]:
            """Let all requests in this context together take no longer than so long [s]."""


def _in_time(call: Callable[[], Any], seconds: float, connection: _Connection) -> Any:
    """Return what a call returns, made in a thread that is left to itself when its time is over.

    No timeout of a socket bounds a call: each holds for one read, and looking up a name has none at all.

    Args:
        call: sends a request.
        seconds: how long it may take [s].
        connection: what is ended then.

    Raises:
        _TooSlow: the time was over.
    """
    done = threading.Event()
    came: list[Any] = []
    failed: list[BaseException] = []

    def work() -> None:
        try:
            came.append(call())
        except BaseException as error:
            failed.append(error)
        finally:
            done.set()

    in_time = False
    try:
        if seconds > 0:
            # A daemon: one that waits for a name server must not hold the end of the process.
            threading.Thread(target=work, daemon=True, name="model-request").start()
            in_time = done.wait(seconds)
    finally:
        # Also where the user interrupts.
        connection.end(broken=not in_time)
    if not in_time:
        raise _TooSlow
    if failed:
        raise failed[0]
    return came[0]


def _status_within(content: bytes) -> int | None:
    """Return the HTTP status that an answer with the status 200 should have had, where it is an error; else None."""
    if b"error" not in content:
        return None
    try:
        return status_within(json.loads(content))
    except (ValueError, RecursionError):
        return None


def fault_of(error: BaseException, where: str, timeout_s: float, largest: int = LARGEST_ANSWER) -> Fault | None:
    """Return the fault that an exception of the HTTP library, or of a library above it, stands for; None if it is not one of these.

    Args:
        error: the exception; its causes are looked at too.
        where: the service, for people.
        timeout_s: the limit that was set [s].
        largest: the limit that was set [bytes].
    """
    import httpx2

    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, _TooLong):
            return Fault(Trouble.TOO_LONG, f"{where} sent more than {largest / 1e6:g} MB (or a compressed answer), which is no answer.")
        if isinstance(seen, _Elsewhere):
            return Fault(
                Trouble.REQUEST, f"{where} points to another server ({brief(str(seen))}), which is not asked: is its address right?"
            )
        if isinstance(seen, _TooSlow | httpx2.ReadTimeout | httpx2.WriteTimeout | httpx2.PoolTimeout):
            return Fault(Trouble.TIMEOUT, f"{where} gave no whole answer in {timeout_s:g} s (--models.timeout-s).")
        if isinstance(seen, httpx2.ConnectTimeout | httpx2.ConnectError):
            return Fault(Trouble.NO_CONNECTION, f"{where} cannot be reached ({brief(str(seen))}): is it running, is the address right?")
        if isinstance(seen, httpx2.TransportError):
            return Fault(Trouble.CUT_OFF, f"{where} broke off in the middle of an answer ({brief(str(seen))}).")
        if isinstance(seen, httpx2.DecodingError | httpx2.InvalidURL):
            return Fault(Trouble.REQUEST, f"{where} cannot be asked ({brief(str(seen))}): look at its address.")
        seen = seen.__cause__ or seen.__context__
    return None
