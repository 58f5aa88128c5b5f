"""Proxies of the environment: they are for the world outside, and what is on this machine goes around them.

In: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, in either case. Out: the same, with this machine named in NO_PROXY; and a sentence for
a proxy that cannot be used.
"""

from __future__ import annotations

import os

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "grpc_proxy")
# Libraries differ in which of these they understand: names, addresses, the net of IPv4's loopback.
HERE = ("localhost", "127.0.0.1", "127.0.0.0/8", "::1")


def around_this_machine() -> None:
    """Name this machine in NO_PROXY, for this process and those that it starts; nothing is changed where there is no proxy."""
    if not _set():
        return
    for name in ("NO_PROXY", "no_proxy"):
        given = os.environ.get(name, "") or os.environ.get(name.swapcase(), "")
        known = [word.strip() for word in given.split(",") if word.strip()]
        if "*" not in known:
            os.environ[name] = ",".join(dict.fromkeys([*known, *HERE]))


def refused(error: Exception) -> str:
    """Return a sentence for a proxy that an HTTP library does not take; its address may hold a password, and is not repeated."""
    named = " or ".join(_set()) or "the environment"
    if isinstance(error, ImportError):
        return f"The proxy of {named} speaks SOCKS, for which a package is missing: pip install socksio, or name an HTTP proxy."
    return f"The proxy of {named} cannot be used: give an address such as http://proxy:3128 (http, https, socks5 or socks5h), or unset it."


def _set() -> list[str]:
    """Return the variables that name a proxy."""
    names = [spelled for name in VARIABLES for spelled in dict.fromkeys((name.upper(), name.lower()))]
    return [name for name in names if os.environ.get(name, "").strip()]
