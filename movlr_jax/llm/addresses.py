"""Addresses: which server may be sent a key, and which may be sent what a run shows its models.

Flows in: an address with who named it; what this user has allowed. Flows out: whether the key goes along, or one sentence that names the
address and the flag. A configuration may come from someone else, so that a key goes to an address of the service's own, to one in the
environment, or to one that this user gave on a command line, and to no other. What was given on a command line is kept in the user's own
settings (`~/.config/movlr/allowed/`), never in a run's folder, so that the same user's run goes on without being asked again.
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
import re
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from movlr_jax import code_names
from movlr_jax.errors import MovlrError
from movlr_jax.llm import secrets

FLAG = "--allow"
# Words as in a shell: addresses, folders and code that are allowed with keys; the same without keys.
WITH_KEY, WITHOUT_KEY = "MOVLR_ALLOW", "MOVLR_ALLOW_WITHOUT_KEY"

GOOGLE_URL = "https://generativelanguage.googleapis.com"
VLLM_URL = "http://localhost:8000/v1"
# What each service's key is made for; a local vLLM is where an OpenAI-compatible server is looked for when none is named.
_OWN = {"gemini": (GOOGLE_URL,), "openai": (VLLM_URL, "https://api.openai.com/v1")}
_VARIABLES = {"gemini": "GOOGLE_GEMINI_BASE_URL", "openai": "OPENAI_BASE_URL"}
_KEYS = {"gemini": secrets.GEMINI_KEYS, "openai": secrets.OPENAI_KEYS}

# "any" is what `--allow` says of an address, whichever service is spoken there; "code" is a Python file, or a module, that is run.
Kind = Literal["gemini", "openai", "any", "folder", "code"]
# What no shell, terminal or reader takes for anything else.
_PLAIN = re.compile(r"https?://[A-Za-z0-9._~:/%\[\]+=-]+", re.IGNORECASE)

# What this process's command line allowed; kept even where the user's settings cannot be written.
_given: set[tuple[str, str, bool]] = set()


def check(name: str, url: str) -> None:
    """Refuse what is no plain address; "" is none.

    Args:
        name: what the address is called where it was given.
        url: the address.

    Raises:
        MovlrError: it is not one, or it carries what may be a key.
    """
    if not url:
        return
    try:
        parts = urlsplit(url)
    except ValueError:
        raise MovlrError(f"{name} is not an address: give one such as {VLLM_URL}.") from None
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise MovlrError(f"{name} is not an address: give one such as {VLLM_URL}.")
    if "@" in parts.netloc or parts.query:
        # The address itself is not repeated: it may hold a key.
        raise MovlrError(f"{name} carries a name, a password or a query: give the bare address, and the key in the environment.")
    try:
        fine = _PLAIN.fullmatch(url) is not None and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine:
        raise MovlrError(f"{name} holds characters that no plain address has: give one such as {VLLM_URL}.")


def default(service: str) -> str:
    """Return where a service is asked when no address is named: the environment's, else its own."""
    return os.environ.get(_VARIABLES[service], "").strip() or _OWN[service][0]


def allow(target: str) -> None:
    """Take a word of `--allow`: an address, a folder, or the Python of a task.

    Raises:
        MovlrError: it is none of them.
    """
    if "://" in target:
        check(FLAG, target)
        give("any", target, key=True)
    elif code_names.names_code(target):
        give("code", target)
    elif target:
        give("folder", target)
    else:
        raise MovlrError(f"{FLAG} needs an address, a folder, or a task's Python file.")


def give(kind: Kind, target: str, key: bool | None = None) -> None:
    """Note that this user allows an address, a folder or code, now and later.

    Args:
        kind: the service that is asked there, "any", "folder", or "code".
        target: the address, the folder, or the word for the code.
        key: whether its key may be sent there too; None: if one is set now, since it is what this command is about to send.
    """
    if kind in _OWN and (_named_by_itself(kind, target) or (_key(kind) is None and is_loopback(target))):
        return
    with_key = bool(kind in _KEYS and _key(kind)) if key is None else key
    entry = (kind, _plain(kind, target), with_key)
    if entry in _given:
        return
    _given.add(entry)
    from movlr_jax import atomic  # the command line reads this module's flag, and should not wait for what files need

    try:
        path = _file(*entry)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        atomic.write_json(path, {"kind": entry[0], "target": entry[1], "with_key": entry[2]})
    except (OSError, RuntimeError):  # nowhere to write, no home: this process knows, a later one asks
        return


def allowed(kind: Kind, target: str, *, key: bool) -> bool:
    """Return whether this user has allowed an address, a folder or code.

    Args:
        kind: the service that is asked there, "folder", or "code".
        target: the address, the folder, or the word for the code.
        key: whether a key is to go there.
    """
    plain = _plain(kind, target)
    kinds = (kind,) if kind in ("folder", "code") else (kind, "any")
    entries = [(k, plain, with_key) for k in kinds for with_key in ((True,) if key else (True, False))]
    if any(entry in _given or _stored(entry) for entry in entries):
        return True
    words = [*_words(WITH_KEY), *(() if key else _words(WITHOUT_KEY))]
    return any(_sort(word) == _sort_of(kind) and _plain(kind, word) == plain for word in words)


def environment(targets: Iterable[tuple[Kind, str]]) -> tuple[tuple[str, str], ...]:
    """Return the variables (name, value) that let a process on another machine send to these targets what this one may."""
    with_key, without = _words(WITH_KEY), _words(WITHOUT_KEY)
    for kind, target in targets:
        if allowed(kind, target, key=True):
            with_key.append(target)
        elif allowed(kind, target, key=False):
            without.append(target)
    variables = {WITH_KEY: with_key, WITHOUT_KEY: without}
    return tuple((name, shlex.join(dict.fromkeys(words))) for name, words in variables.items() if words)


def key_goes(service: Literal["gemini", "openai"], url: str, role: str) -> bool:
    """Return whether the service's key is sent to an address; False: the server is asked without one.

    Args:
        service: whose protocol is spoken.
        url: the address as it was configured; "": none was.
        role: who is asked there, for people.

    Raises:
        MovlrError: a key is set, the address is not on this machine, and nobody but a file has named it.
    """
    if not url or _named_by_itself(service, url) or allowed(service, url, key=True):
        return True
    name = _key(service)
    if name is None:
        return False
    if service == "openai" and is_loopback(url):
        return False
    raise MovlrError(
        f"The configuration names {url} for the {role}, and your key {name} would be sent there: if you trust it, add {FLAG} {url} "
        f"(or set {WITH_KEY}); else take the address out."
    )


def require_known(service: Literal["gemini", "openai"], url: str, role: str, where: Path) -> None:
    """Refuse to show an address what a run shows its models, where only a file that others may have written names it.

    Args:
        service: whose protocol is spoken.
        url: the address as it was configured; "": none was.
        role: who is asked there, for people.
        where: what names the address.

    Raises:
        MovlrError: nobody else has named it, and it is not on this machine.
    """
    if not url or _named_by_itself(service, url) or is_loopback(url) or allowed(service, url, key=False):
        return
    name = _key(service)
    key = f" and your key {name}" if name else ""
    raise MovlrError(
        f"{where} names {url} for the {role}, which would be sent this run's clips and texts{key}: if you trust it, add {FLAG} {url}."
    )


def require_folder(name: str, inside: Path, what: str, where: Path) -> None:
    """Refuse a folder that only a file that others may have written names, unless it stands inside the run's own.

    Args:
        name: the folder, as it was configured; "": none.
        inside: the run's folder.
        what: what it is for, for people.
        where: what names the folder.

    Raises:
        MovlrError: nobody else has named it.
    """
    if not name:
        return
    path = folder(name)
    if path.is_relative_to(inside.resolve()) or allowed("folder", name, key=False):
        return
    quoted = shlex.quote(str(path))
    raise MovlrError(f"{where} names {quoted} {what}: if that is what you want, add {FLAG} {quoted}.")


def require_code(word: str, where: Path | str) -> None:
    """Refuse to run a user's own task that only a file names, which others may have written.

    Args:
        word: the task, as it was configured.
        where: what names it, for people.

    Raises:
        MovlrError: this user has not named it.
    """
    if not code_names.names_code(word) or allowed("code", word, key=False):
        return
    quoted = shlex.quote(code_names.settled(word))
    raise MovlrError(f"{where} names the task {word}, whose Python would be run: if you trust it, add {FLAG} {quoted}.")


def folder(name: str) -> Path:
    """Return the folder that a name in a configuration or of `--allow` stands for.

    Raises:
        MovlrError: it can be none.
    """
    try:
        return Path(name).expanduser().resolve()
    except (OSError, ValueError, RuntimeError):  # no such user's home, a NUL, links in a circle
        raise MovlrError(f"{name!r} is no name of a folder: give a path.") from None


def is_loopback(url: str) -> bool:
    """Return whether an address is literally one of this machine's own."""
    host = (urlsplit(url).hostname or "").lower()
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def origin(url: str) -> str:
    """Return the scheme, host and port of an address, in one spelling."""
    parts = urlsplit(url.strip())
    scheme = parts.scheme.lower()
    port = parts.port or {"https": 443}.get(scheme, 80)
    return f"{scheme}://{(parts.hostname or '').lower()}:{port}"


def _named_by_itself(service: str, url: str) -> bool:
    """Return whether an address is the service's own, or the environment's."""
    known = [*_OWN[service], os.environ.get(_VARIABLES[service], "").strip()]
    return any(_plain(service, url) == _plain(service, other) for other in known if other)


def _key(service: str) -> str | None:
    """Return the name of the variable that holds a service's key, or None."""
    return next((name for name in _KEYS.get(service, ()) if os.environ.get(name, "").strip()), None)


def _plain(kind: str, target: str) -> str:
    """Return one spelling of an address or a folder; the path of an address counts: gateways serve many parties under one host."""
    if kind == "folder":
        return str(folder(target))
    if kind == "code":
        return code_names.place(target)
    try:
        return origin(target) + urlsplit(target.strip()).path.rstrip("/")
    except ValueError:
        return target


def _sort(word: str) -> str:
    """Return what a word of the variables can allow: an address, code, or a folder."""
    return "address" if "://" in word else "code" if code_names.names_code(word) else "folder"


def _sort_of(kind: Kind) -> str:
    return kind if kind in ("folder", "code") else "address"


def _words(variable: str) -> list[str]:
    try:
        return shlex.split(os.environ.get(variable, ""))
    except ValueError:
        raise MovlrError(f"{variable} has a quotation mark without its end: give addresses and folders with spaces between.") from None


def _file(kind: str, target: str, with_key: bool) -> Path:
    base = os.environ.get("XDG_CONFIG_HOME", "").strip()
    # The specification of XDG_CONFIG_HOME says to ignore a relative one, which would mean another folder everywhere.
    settings = Path(base) if base and Path(base).is_absolute() else Path("~/.config").expanduser()
    digest = hashlib.sha256(f"{kind}\n{target}\n{with_key}".encode()).hexdigest()
    return settings / "movlr" / "allowed" / f"{digest[:32]}.json"


def _stored(entry: tuple[str, str, bool]) -> bool:
    from movlr_jax import atomic

    try:
        stored = atomic.read_json(_file(*entry))
    except (OSError, ValueError, RuntimeError, MovlrError):  # damaged, or without a home
        return False
    return isinstance(stored, dict) and (stored.get("kind"), stored.get("target"), stored.get("with_key")) == entry
