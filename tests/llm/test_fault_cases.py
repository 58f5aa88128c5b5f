"""Every fault that a service can answer with, over loopback, and what becomes of it: asked again, refused, blocked, unusable."""

from __future__ import annotations

import datetime
import email.utils
import logging
import random
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from support import gemini_server as g
from support import openai_server as o
from support.gemini_server import GeminiServer
from support.loopback import Sent, as_json, refused_address
from support.openai_server import OpenAIServer

from movlr_jax.llm.base import ModelFault, ModelRequest, Text
from movlr_jax.llm.faults import Fault, of_status
from movlr_jax.llm.gateway import Gateway
from movlr_jax.llm.gemini import Gemini
from movlr_jax.llm.openai_compatible import OpenAICompatible
from movlr_jax.llm.prices import Prices
from movlr_jax.llm.transport import fault_of

pytest.importorskip("google.genai", reason="google-genai is not installed")
pytest.importorskip("openai", reason="openai is not installed")

KEY = "sk-planted-0123456789abcdef"
ASK = ModelRequest("critique", "critique@1", "Judge.", (Text("What is wrong?"),))


@dataclass
class Waits:
    """Stands for sleep: keeps what it was asked for, and takes no time."""

    asked: list[float] = field(default_factory=list)

    def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)


@pytest.fixture
def openai() -> Iterator[OpenAIServer]:
    with OpenAIServer("fine") as server:
        yield server


@pytest.fixture
def gemini() -> Iterator[GeminiServer]:
    with GeminiServer("fine", key=KEY) as server:
        yield server


@pytest.fixture(autouse=True)
def planted(monkeypatch, caplog):
    """A key that nothing may repeat, not even a library that logs all it does."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    caplog.set_level(logging.DEBUG)
    yield
    assert KEY not in caplog.text


def outcome(tmp_path, client: Any, retries: int = 2) -> tuple[str, str, list[float]]:
    """Ask over a gateway; return ("answer" or the fault's kind, the text or the sentence, the waits)."""
    waits = Waits()
    gateway = Gateway(tmp_path / "calls", prices=Prices(), retries=retries, sleep=waits, rng=random.Random(1))
    try:
        said = "answer", gateway.model(client).ask(ASK).text, waits.asked
    except ModelFault as fault:
        said = fault.kind, str(fault), waits.asked
        assert KEY not in "".join(traceback.format_exception(fault))
    assert KEY not in said[1]
    return said


def later(seconds: float) -> str:
    return email.utils.format_datetime(datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds), usegmt=True)


BUSY = o.refusal(429, "Slow down.")
HUGE = as_json({"choices": [{"message": {"content": "x" * 5_000_000}}]})
WHOLE = o.completion("fine")
# name: (what is answered first, outcome, in the text or sentence, how often it waits)
OPENAI: dict[str, tuple[list[Sent | Callable[..., Sent]], str, str, int]] = {
    "busy, then fine": ([BUSY], "answer", "fine", 1),
    "always busy": ([BUSY] * 3, "unreachable", "Slow down). 3 attempts were made", 2),
    "spent quota": ([o.refusal(429, "You exceeded your quota.", "insufficient_quota")], "refused", "look at its billing", 0),
    "asks to wait an hour": ([o.refusal(429, "Later.", **{"Retry-After": "3600"})], "unreachable", "60 minutes", 0),
    "payment required": ([o.refusal(402, "Top up.")], "refused", "look at its billing", 0),
    "request timeout": ([o.refusal(408, "Too slow.")], "answer", "fine", 1),
    "conflict": ([o.refusal(409, "Try again.")], "answer", "fine", 1),
    "server error": ([o.refusal(500, "Ouch.")], "answer", "fine", 1),
    "overloaded for good": ([o.refusal(503, "Overloaded.")] * 3, "unreachable", "HTTP 503", 2),
    "error without JSON": ([Sent(502, b"<html>Bad gateway</html>")] * 3, "unreachable", "HTTP 502: <html>Bad gateway", 2),
    "cut in the headers": ([Sent(200, WHOLE.body, WHOLE.headers, cut=0)], "answer", "fine", 1),
    "cut in mid-answer": ([Sent(200, WHOLE.body, WHOLE.headers, cut=40)], "answer", "fine", 1),
    "always cut": ([Sent(200, WHOLE.body, WHOLE.headers, cut=40)] * 3, "unreachable", "broke off", 2),
    "not JSON": ([Sent(200, b"<html>hello</html>", {"Content-Type": "text/html"})] * 3, "unreachable", "end in /v1?", 2),
    "truncated envelope": ([Sent(200, WHOLE.body[:-9], WHOLE.headers)], "answer", "fine", 1),
    "JSON of another kind": ([as_json({"hello": 1})] * 3, "unreachable", "no chat completion", 2),
    "a list for an object": ([as_json([1, 2])], "answer", "fine", 1),
    "no choices": ([as_json({"choices": []})], "answer", "fine", 1),
    "five megabytes": ([HUGE], "unusable", "more than 1 MB", 0),
    "without end": ([Sent(200, b"x" * 65536, endless=True)], "unusable", "more than 1 MB", 0),
    "compressed": ([Sent(200, b"\x1f\x8b", {"Content-Encoding": "gzip"})], "unusable", "compressed", 0),
    "wrong key, repeated": ([o.refusal(401, f"Incorrect API key provided: {KEY}.")], "refused", "provided: [key]", 0),
    "forbidden": ([o.refusal(403, "Not for you.")], "refused", "refuses the key", 0),
    "bad request": ([o.refusal(400, "max_tokens is too large.")], "refused", "max_tokens is too large", 0),
    "request too large": ([o.refusal(413, "Too large.")], "unusable", "film smaller", 0),
    "content filter": ([o.completion(None, finish="content_filter")], "blocked", "content filter", 0),
    "empty answer": ([o.completion(None)], "answer", "", 0),
    "control characters in an error": ([o.refusal(400, "\x1b[31mred\u202e\n")], "refused", "HTTP 400: ", 0),
}


@pytest.mark.parametrize("case", OPENAI)
def test_openai(case, openai, tmp_path):
    openai.queue, kind, said, waits = list(OPENAI[case][0]), *OPENAI[case][1:]
    got = outcome(tmp_path, OpenAICompatible("tiny", openai.url, key=KEY))
    assert got[0] == kind and said in got[1] and len(got[2]) == waits
    assert not any(ord(c) < 32 or c == "\u202e" for c in got[1])
    recorded = list((tmp_path / "calls").glob("*.json"))
    assert len(recorded) == (kind in ("answer", "blocked", "unusable")) and KEY not in "".join(p.read_text() for p in recorded)


EXHAUSTED = g.refusal(
    429,
    "You exceeded your current quota, please check your plan and billing details.",
    "RESOURCE_EXHAUSTED",
    [{"@type": "x.RetryInfo", "retryDelay": "17s"}],
)
GEMINI: dict[str, tuple[list[Sent], str, str, int]] = {
    "busy with a delay": ([EXHAUSTED], "answer", "fine", 1),
    "server error": ([g.refusal(500, "Internal.", "INTERNAL")] * 3, "unreachable", "HTTP 500: Internal", 2),
    "wrong key, repeated": ([g.refusal(400, f"API key not valid: {KEY}", "INVALID_ARGUMENT")], "refused", "not valid: [key]", 0),
    "bad request": ([g.refusal(400, "fps must be at most 24.", "INVALID_ARGUMENT")], "refused", "fps must be at most 24", 0),
    "blocked prompt": ([g.blocked("PROHIBITED_CONTENT")], "blocked", "the request (PROHIBITED_CONTENT)", 0),
    "safety": ([g.content(None, finish="SAFETY")], "blocked", "its answer (SAFETY)", 0),
    "recitation": ([g.content("half a poem", finish="RECITATION")], "blocked", "RECITATION", 0),
    "a reason of tomorrow": ([g.content("still fine", finish="NEW_REASON")], "answer", "still fine", 0),
    "empty answer": ([g.content(None)], "answer", "", 0),
    "no candidates": ([as_json({"usageMetadata": {"promptTokenCount": 3}})] * 3, "unreachable", "no candidate", 2),
    "not JSON": ([Sent(200, b"<html>", {"Content-Type": "text/html"})] * 3, "unreachable", "not JSON", 2),
    "JSON of another kind": ([as_json({"candidates": [{"content": 5}]})] * 3, "unreachable", "google-genai cannot read", 2),
    "cut in mid-answer": ([Sent(200, g.content("fine").body, cut=30)], "answer", "fine", 1),
    "without end": ([Sent(200, b"x" * 65536, endless=True)], "unusable", "more than 1 MB", 0),
}


@pytest.mark.filterwarnings("ignore:NEW_REASON is not a valid FinishReason")
@pytest.mark.parametrize("case", GEMINI)
def test_gemini(case, gemini, tmp_path):
    gemini.queue, kind, said, waits = list(GEMINI[case][0]), *GEMINI[case][1:]
    got = outcome(tmp_path, Gemini("gemini-test", KEY, url=gemini.address))
    assert got[0] == kind and said in got[1] and len(got[2]) == waits
    if case == "busy with a delay":
        assert 17 <= got[2][0] < 20


@pytest.mark.parametrize("header", [str, later])
def test_the_wait_that_a_service_asks_for_is_kept(header, openai, tmp_path):
    openai.queue = [o.refusal(429, "Later.", **{"Retry-After": header(31)})]
    kind, _, waits = outcome(tmp_path, OpenAICompatible("tiny", openai.url))
    assert kind == "answer" and 25 < waits[0] < 36


def test_a_wrong_model_name_is_told_with_the_names_that_there_are(openai, gemini, tmp_path):
    openai.models = ("Qwen/Qwen2.5-Coder-32B-Instruct", "tiny")
    kind, said, waits = outcome(tmp_path, OpenAICompatible("Qwen2.5-Coder-32B-Instruct", openai.url))
    assert kind == "refused" and "did you mean Qwen/Qwen2.5-Coder-32B-Instruct? it has Qwen/Qwen2.5-Coder-32B-Instruct, tiny." in said
    kind, said, _ = outcome(tmp_path, Gemini("gemini-2.0-flash", KEY, url=gemini.address))
    assert kind == "refused" and "it has gemini-test." in said and not waits


def test_nobody_listens(tmp_path):
    kind, said, waits = outcome(tmp_path, OpenAICompatible("tiny", refused_address() + "/v1"))
    assert kind == "unreachable" and "is it running" in said and len(waits) == 2
    kind, said, _ = outcome(tmp_path, Gemini("gemini-test", KEY, url=refused_address()))
    assert kind == "unreachable" and "is it running" in said


def test_a_silent_server_is_given_up_after_the_timeout(openai, tmp_path):
    openai.queue = [lambda seen: openai.released.wait(5) and WHOLE]
    kind, said, _ = outcome(tmp_path, OpenAICompatible("tiny", openai.url, timeout_s=0.2), retries=0)
    assert kind == "unreachable" and "no whole answer in 0.2 s" in said


def test_waits_grow_up_to_a_limit_and_are_drawn(openai, tmp_path):
    openai.queue = [BUSY] * 12
    _, _, waits = outcome(tmp_path, OpenAICompatible("tiny", openai.url), retries=9)
    assert len(waits) == 9 and max(waits) <= 60 and all(w <= 2.0 * 2**n for n, w in enumerate(waits))
    assert sum(waits[5:]) > sum(waits[:4]) and len(set(waits)) == 9


def test_what_is_no_fault_of_a_service_is_not_one():
    assert fault_of(ZeroDivisionError("a defect"), "It", 1.0) is None
    assert isinstance(of_status("It", 418, "teapot", {}), Fault)
