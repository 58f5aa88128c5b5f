"""The HTTP client below both services' libraries: an answer may take so long and be so large, and no more.

Flows in: limits. Flows out: an httpx2 client for google-genai and openai, and a Fault for whatever that library raises. A server that sends
without end, fast or slowly, is cut off while it sends; it does not hold the run, nor fill its memory.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from movlr_jax.models.faults import Fault, Trouble, brief

if TYPE_CHECKING:
    import httpx2

# A reward program has a few kilobytes, a critique too; what is larger than this is no answer [bytes].
LARGEST_ANSWER = 1_000_000
_CONNECT_S = 10.0


class _TooLong(Exception):
    pass


class _TooSlow(Exception):
    pass


def http_client(timeout_s: float, largest: int = LARGEST_ANSWER, clock: Callable[[], float] = time.monotonic) -> httpx2.Client:
    """Return an HTTP client whose answers are limited.

    Args:
        timeout_s: longest time for one whole answer [s].
        largest: largest answer [bytes].
        clock: monotonic seconds.
    """
    import httpx2

    class Limited(httpx2.SyncByteStream):
        """The bytes of an answer, up to the limits."""

        def __init__(self, stream: httpx2.SyncByteStream, deadline: float):
            self.stream, self.deadline = stream, deadline

        def __iter__(self) -> Iterator[bytes]:
            size = 0
            for chunk in self.stream:
                size += len(chunk)
                if size > largest:
                    raise _TooLong
                if clock() > self.deadline:
                    raise _TooSlow
                yield chunk

        def close(self) -> None:
            self.stream.close()

    def begin(request: httpx2.Request) -> None:
        # A compressed answer of a megabyte may be one of a gigabyte.
        request.headers["accept-encoding"] = "identity"
        request.extensions["deadline"] = clock() + timeout_s

    def limit(response: httpx2.Response) -> None:
        if response.headers.get("content-encoding", "identity").lower() not in ("identity", ""):
            raise _TooLong
        response.stream = Limited(response.stream, response.request.extensions["deadline"])  # type: ignore[arg-type]

    # Hooks, and no transport of our own, so that the proxies of the environment go on working.
    return httpx2.Client(
        timeout=httpx2.Timeout(timeout_s, connect=min(timeout_s, _CONNECT_S)),
        event_hooks={"request": [begin], "response": [limit]},
        follow_redirects=False,
    )


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
