"""Faults: what can go wrong between a client and its service, and the rule for each.

Flows in: an HTTP status with what the service said, or an exception of the HTTP library. Flows out: a Fault that names its Trouble;
`RULES` says whether the call is made again, and what a caller is told when that does not help.
"""

from __future__ import annotations

import email.utils
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from movlr_jax.llm.base import FaultKind
from movlr_jax.llm.secrets import scrub


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

# Names that services give their errors (OpenAI, Google, Anthropic, vLLM, TGI, OpenRouter), without case and marks: the first that fits.
_STATUS_WORDS: tuple[tuple[int, tuple[str, ...]], ...] = (
    (402, ("insufficientquota", "insufficientcredit", "paymentrequired")),
    (429, ("ratelimit", "resourceexhausted", "toomanyrequests", "throttl", "quotaexceeded")),
    (401, ("invalidapikey", "authentication", "unauthenticated", "unauthorized")),
    (403, ("permissiondenied", "forbidden")),
    (404, ("notfound",)),
    (413, ("requesttoolarge", "payloadtoolarge")),
    (503, ("overloaded", "unavailable", "nocapacity")),
    (504, ("deadlineexceeded", "timeout", "timedout")),
    (400, ("invalidargument", "invalidrequest", "badrequest", "failedprecondition", "contentfilter", "contentpolicy", "contextlength")),
)
_A_TIME = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|h|min|m|s)", re.IGNORECASE)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_UNIT = r"(?:ms|milliseconds?|hours?|h|minutes?|mins?|m|seconds?|secs?|s)"
_IN_WORDS = re.compile(rf"(?:try again|retry)\s+(?:in|after)\s+((?:\d+(?:\.\d+)?\s*{_UNIT}\b\s*|\d+(?:\.\d+)?{_UNIT})+)", re.IGNORECASE)

_LONGEST_WORDS = 300  # characters of a service's own words that are passed on


class Fault(Exception):
    """One failed call.

    Attributes:
        trouble: what went wrong.
        sentence: cause and cure, without a key.
        status: the HTTP status, or None.
        retry_after_s: how long the service asks to wait [s], or None.
        message: the service's own words, whole; "" where it said none.
        fields: the fields of the request that the service names as the cause, where it names any.
    """

    def __init__(
        self,
        trouble: Trouble,
        sentence: str,
        status: int | None = None,
        retry_after_s: float | None = None,
        message: str = "",
        fields: tuple[str, ...] = (),
    ):
        super().__init__(scrub(sentence))
        self.trouble, self.sentence, self.status, self.retry_after_s = trouble, scrub(sentence), status, retry_after_s
        self.message, self.fields = scrub(message), fields


def of_status(where: str, status: int, message: str, headers: Mapping[str, str], now: float | None = None, body: str = "") -> Fault:
    """Return the fault that an HTTP status stands for.

    Args:
        where: the service, for people ("Gemini", "the server http://localhost:8000/v1").
        status: the status.
        message: the service's own words.
        headers: of the answer.
        now: seconds since 1970, for a Retry-After that is a date; None takes the clock.
        body: the answer's whole text, in which the service may say how long to wait, and which field it does not take.
    """
    fault = _of_status(where, status, message, retry_after(headers, f"{message} {body}", time.time() if now is None else now))
    fault.message, fault.fields = scrub(message), fields_named(body)
    return fault


def _of_status(where: str, status: int, message: str, waits: float | None) -> Fault:
    words = brief(message)
    lower = message.lower()
    # Not every 429 that speaks of billing: Gemini says so of a limit per minute too.
    if status == 402 or "insufficient_quota" in lower:
        return Fault(Trouble.QUOTA, f"{where} says that the account's quota is spent ({words}): look at its billing.", status)
    if status in (408, 409, 425, 429):
        return Fault(Trouble.BUSY, f"{where} is busy or its rate limit is reached (HTTP {status}: {words}).", status, waits)
    if status >= 500:
        return Fault(Trouble.SERVER, f"{where} failed (HTTP {status}: {words}).", status, waits)
    if 300 <= status < 400:
        return Fault(Trouble.REQUEST, f"{where} points elsewhere (HTTP {status}), which is not followed: give the address itself.", status)
    if status in (400, 403) and any(word in lower for word in ("content_filter", "content_policy", "content management policy")):
        return Fault(Trouble.BLOCKED, f"{where} blocked the request (HTTP {status}: {words}).", status)
    if status in (401, 403) or "api key" in lower or "api_key" in lower:
        return Fault(Trouble.KEY, f"{where} refuses the key (HTTP {status}: {words}): set the right one in the environment.", status)
    if status == 404:
        return Fault(Trouble.MODEL, f"{where} does not have what was asked for (HTTP 404: {words}).", status)
    if status == 413:
        return Fault(Trouble.CLIP, f"{where} finds the request too large (HTTP 413): film smaller or fewer frames.", status)
    return Fault(Trouble.REQUEST, f"{where} refuses the request (HTTP {status}: {words}).", status)


def retry_after(headers: Mapping[str, str], text: str, now: float) -> float | None:
    """Return how long a service asks to wait [s], or None: its Retry-After in seconds or as a date, or what it says in its answer.

    There, Gemini names a retryDelay, gateways a retry_after, OpenRouter the instant at which its limit ends, others say it in words.
    """
    header = {name.lower(): value for name, value in headers.items()}.get("retry-after", "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", header):
        return float(header)
    if header:
        try:
            return max(0.0, email.utils.parsedate_to_datetime(header).timestamp() - now)
        except (ValueError, TypeError, OverflowError):
            return None
    if delay := re.search(r"""retryDelay['"]?\s*:\s*['"](\d+(?:\.\d+)?)s""", text):
        return float(delay[1])
    if delay := re.search(r"""retry[_-]after(?:_seconds|_s)?['"]\s*:\s*['"]?(\d+(?:\.\d+)?)\b""", text, re.IGNORECASE):
        return float(delay[1])
    if delay := re.search(r"""ratelimit-reset['"]\s*:\s*['"]?(\d{13})\b""", text, re.IGNORECASE):  # milliseconds since 1970
        return max(0.0, int(delay[1]) / 1000 - now)
    if delay := _IN_WORDS.search(text):
        return sum(float(number) * _SECONDS[unit.lower()] for number, unit in _A_TIME.findall(delay[1]))
    return None


def status_within(body: Any) -> int | None:
    """Return the HTTP status that the error in an answer's JSON stands for, where the answer is an error; else None.

    Gateways and servers that have begun an answer can no longer change its status: the error stands inside of a 200, as {"error": {...}},
    in a list, in the choice of a completion, or as the whole object.
    """
    if isinstance(body, list) and len(body) == 1:
        body = body[0]
    if not isinstance(body, dict) or "state" in body:  # an upload of Gemini's, whose "error" says why it cannot be processed
        return None
    choices = body.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    message = choice.get("message")
    if isinstance(message, dict) and message.get("content") and choice.get("finish_reason") not in (None, "error"):
        return None  # an answer, whatever else is said
    error = body.get("error") or choice.get("error")
    if not error and "choices" not in body and (body.get("object") == "error" or body.get("type") == "error"):
        error = body
    if not error:
        return None
    record = error if isinstance(error, dict) else {"message": str(error), "type": body.get("error_type")}
    names = [record.get(name) for name in ("code", "status", "type", "message")]
    for name in names:
        if isinstance(name, int | str) and re.fullmatch(r"[45]\d\d", str(name)):
            return int(name)
    for name in names:
        plain = re.sub(r"[^a-z]", "", name.lower()) if isinstance(name, str) else ""
        for status, words in _STATUS_WORDS:
            if any(word in plain for word in words):
                return status
    return 500  # it may pass


def fields_named(body: str) -> tuple[str, ...]:
    """Return the fields of a request that a refusal names as such: OpenAI's `param`, FastAPI's `loc`."""
    try:
        record = json.loads(body)
    except (ValueError, RecursionError):
        return ()
    record = record[0] if isinstance(record, list) and record else record
    if not isinstance(record, dict):
        return ()
    inner = record.get("error")
    error = inner if isinstance(inner, dict) else record
    names = [error["param"]] if isinstance(error.get("param"), str) else []
    for entry in record["detail"] if isinstance(record.get("detail"), list) else ():
        loc = entry.get("loc") if isinstance(entry, dict) else None
        names += [".".join(str(part) for part in loc)] if isinstance(loc, list) else []
    return tuple(name.lower().removeprefix("body.") for name in names if name)


def brief(text: str) -> str:
    """Return a service's own words, short, in one line, without a full stop, control characters or a key."""
    line = " ".join("".join(c if c.isprintable() else " " for c in scrub(text)).split())
    return (line[:_LONGEST_WORDS] + "…" if len(line) > _LONGEST_WORDS else line).rstrip(". ") or "no reason given"
