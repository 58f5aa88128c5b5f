"""Faults: what can go wrong between a client and its service, and the rule for each.

Flows in: an HTTP status with what the service said, or an exception of the HTTP library. Flows out: a Fault that names its Trouble;
`RULES` says whether the call is made again, and what a caller is told when that does not help.
"""

from __future__ import annotations

import email.utils
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from movlr_jax.models.base import FaultKind
from movlr_jax.models.secrets import scrub


class Trouble(StrEnum):
    """What went wrong."""

    TIMEOUT = "timeout"
    NO_CONNECTION = "no connection"
    CUT_OFF = "cut off"
    BUSY = "busy"
    SERVER = "server error"
    GARBLED = "garbled"
    QUOTA = "quota"
    KEY = "key"
    MODEL = "model"
    REQUEST = "request"
    BLOCKED = "blocked"
    TOO_LONG = "too long"
    CLIP = "clip"


@dataclass(frozen=True)
class Rule:
    """What is done about a trouble.

    Attributes:
        again: whether the same call is made again, after a wait, up to the limit.
        kind: what the caller is told when it is not, or when that did not help.
    """

    again: bool
    kind: FaultKind


RULES: Mapping[Trouble, Rule] = {
    Trouble.TIMEOUT: Rule(True, "unreachable"),
    Trouble.NO_CONNECTION: Rule(True, "unreachable"),
    Trouble.CUT_OFF: Rule(True, "unreachable"),
    Trouble.BUSY: Rule(True, "unreachable"),
    Trouble.SERVER: Rule(True, "unreachable"),
    Trouble.GARBLED: Rule(True, "unreachable"),
    Trouble.QUOTA: Rule(False, "refused"),
    Trouble.KEY: Rule(False, "refused"),
    Trouble.MODEL: Rule(False, "refused"),
    Trouble.REQUEST: Rule(False, "refused"),
    Trouble.BLOCKED: Rule(False, "blocked"),
    Trouble.TOO_LONG: Rule(False, "unusable"),
    Trouble.CLIP: Rule(False, "unusable"),
}

_LONGEST_SAID = 300  # characters of a service's own words that are passed on


class Fault(Exception):
    """One failed call.

    Attributes:
        trouble: what went wrong.
        sentence: cause and cure, without a key.
        status: the HTTP status, or None.
        retry_after_s: how long the service asks to wait [s], or None.
    """

    def __init__(self, trouble: Trouble, sentence: str, status: int | None = None, retry_after_s: float | None = None):
        super().__init__(scrub(sentence))
        self.trouble, self.sentence, self.status, self.retry_after_s = trouble, scrub(sentence), status, retry_after_s


def of_status(where: str, status: int, said: str, headers: Mapping[str, str], now: float | None = None) -> Fault:
    """Return the fault that an HTTP status stands for.

    Args:
        where: the service, for people ("Gemini", "the server http://localhost:8000/v1").
        status: the status.
        said: the service's own words.
        headers: of the answer.
        now: seconds since 1970, for a Retry-After that is a date; None takes the clock.
    """
    words = brief(said)
    lower = said.lower()
    # Not every 429 that speaks of billing: Gemini says so of a limit per minute too.
    if status == 402 or "insufficient_quota" in lower:
        return Fault(Trouble.QUOTA, f"{where} says that the account's quota is spent ({words}): look at its billing.", status)
    if status in (408, 409, 425, 429):
        waits = retry_after(headers, said, time.time() if now is None else now)
        return Fault(Trouble.BUSY, f"{where} is busy or its rate limit is reached (HTTP {status}: {words}).", status, waits)
    if status >= 500:
        waits = retry_after(headers, said, time.time() if now is None else now)
        return Fault(Trouble.SERVER, f"{where} failed (HTTP {status}: {words}).", status, waits)
    if 300 <= status < 400:
        return Fault(Trouble.REQUEST, f"{where} points elsewhere (HTTP {status}), which is not followed: give the address itself.", status)
    if status in (401, 403) or "api key" in lower or "api_key" in lower:
        return Fault(Trouble.KEY, f"{where} refuses the key (HTTP {status}: {words}): set the right one in the environment.", status)
    if status == 404:
        return Fault(Trouble.MODEL, f"{where} does not have what was asked for (HTTP 404: {words}).", status)
    if status == 413:
        return Fault(Trouble.CLIP, f"{where} finds the request too large (HTTP 413): film smaller or fewer frames.", status)
    return Fault(Trouble.REQUEST, f"{where} refuses the request (HTTP {status}: {words}).", status)


def retry_after(headers: Mapping[str, str], said: str, now: float) -> float | None:
    """Return how long a service asks to wait [s]: its Retry-After in seconds or as a date, or Gemini's retryDelay; else None."""
    asked = {name.lower(): value for name, value in headers.items()}.get("retry-after", "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", asked):
        return float(asked)
    if asked:
        try:
            return max(0.0, email.utils.parsedate_to_datetime(asked).timestamp() - now)
        except (ValueError, TypeError, OverflowError):
            return None
    delay = re.search(r"""retryDelay['"]?\s*:\s*['"](\d+(?:\.\d+)?)s""", said)
    return float(delay[1]) if delay else None


def brief(said: str) -> str:
    """Return a service's own words, short, in one line, without a full stop, control characters or a key."""
    line = " ".join("".join(c if c.isprintable() else " " for c in scrub(said)).split())
    return (line[:_LONGEST_SAID] + "…" if len(line) > _LONGEST_SAID else line).rstrip(". ") or "no reason given"
