"""Answers that a server set apart as thoughts, answers that were cut off, and errors inside of a 200: used, or told as what they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from support import gemini_server as g
from support import openai_server as o
from support.gemini_server import GeminiServer
from support.loopback import Sent, as_json
from support.openai_server import OpenAIServer

from movlr_jax.llm.base import ModelFault, ModelRequest, Text
from movlr_jax.llm.faults import fields_named, retry_after, status_within
from movlr_jax.llm.gateway import Gateway
from movlr_jax.llm.gemini import Gemini
from movlr_jax.llm.openai_compatible import OpenAICompatible
from movlr_jax.llm.prices import Prices
from movlr_jax.llm.structured import ask_for
from movlr_jax.writers.llm import _read

pytest.importorskip("google.genai", reason="google-genai is not installed")
pytest.importorskip("openai", reason="openai is not installed")


class Verdict(BaseModel):
    success: bool


JSON = '{"success": true}'
PROGRAM = 'EDIT: add a\nWHY: b\n```python\nWEIGHTS = {"a": 1.0}\n```'
ASK = ModelRequest("critique", "critique@1", "Judge.", (Text("What is wrong?"),))


def completion(message: dict[str, Any], finish: str = "stop") -> Sent:
    return as_json({"model": "tiny", "choices": [{"index": 0, "finish_reason": finish, "message": {"role": "assistant", **message}}]})


def model_of(folder: Path, server: OpenAIServer, waits: list[float] | None = None, **more: Any) -> Any:
    sleep = (lambda seconds: None) if waits is None else waits.append
    return Gateway(folder, prices=Prices(), retries=2, sleep=sleep, **more).model(OpenAICompatible("tiny", server.url))


DRESSES = {
    "reasoning_content": lambda text: {"content": None, "reasoning_content": text},
    "reasoning": lambda text: {"content": "", "reasoning": text, "reasoning_details": [{"type": "reasoning.text", "text": text}]},
    "both, one empty": lambda text: {"content": " \n", "reasoning_content": "", "reasoning": text},
    "parts": lambda text: {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": text}]}]},
    "tags that are never closed": lambda text: {"content": f"<think>\n{text}"},
    "tags around all": lambda text: {"content": f"<think>{text}</think>"},
}


@pytest.mark.parametrize("dress", DRESSES)
def test_a_whole_answer_among_the_thoughts_is_used_by_critic_and_writer(tmp_path: Path, dress: str) -> None:
    with OpenAIServer() as server:
        server.queue = [completion(DRESSES[dress](JSON)), completion(DRESSES[dress](PROGRAM))]
        model = model_of(tmp_path, server)
        verdict, records = ask_for(model, ASK, Verdict)
        assert verdict.success and len(records) == 1
        answer = model.ask(ASK)
        assert _read(answer).source == 'WEIGHTS = {"a": 1.0}\n'
        # From the record, as a run that goes on and a replay read it.
        assert _read(model_of(tmp_path, server).ask(ASK)) == _read(answer) and len(server.asked) == 2


def test_thoughts_that_are_no_answer_are_told_as_such(tmp_path: Path) -> None:
    with OpenAIServer() as server:
        server.queue = [completion({"content": None, "reasoning_content": f"Perhaps {JSON}? Or not."})] * 3
        with pytest.raises(ModelFault, match=r"You thought aloud and gave no answer beside it.*switch the model's thinking off") as caught:
            ask_for(model_of(tmp_path, server), ASK, Verdict)
        assert "stronger" not in str(caught.value) and len(server.asked) == 3


def test_thoughts_beside_an_answer_are_not_read(tmp_path: Path) -> None:
    with OpenAIServer() as server:
        server.queue = [completion({"content": JSON, "reasoning_content": '{"success": false}'})]
        answer = model_of(tmp_path, server).ask(ASK)
        assert (answer.text, answer.thoughts) == (JSON, "")


@pytest.mark.parametrize("message", [{"content": '{"succ'}, {"content": None, "reasoning_content": JSON}])
def test_an_answer_that_was_cut_off_names_the_setting_and_its_number(tmp_path: Path, message: dict[str, Any]) -> None:
    with OpenAIServer() as server:
        server.queue = [completion(message, "length")] * 3
        with pytest.raises(ModelFault, match=r"raise --models\.max-tokens, 700 now"):
            ask_for(model_of(tmp_path, server, max_tokens=700), ASK, Verdict)


def test_gemini_thoughts_and_max_tokens_likewise(tmp_path: Path) -> None:
    with GeminiServer("{}") as server:
        client = Gemini("gemini-test", "a-test-key", url=server.address)
        thought = {"candidates": [{"finishReason": "STOP", "content": {"role": "model", "parts": [{"text": JSON, "thought": True}]}}]}
        server.queue = [as_json(thought), *[g.content(None, finish="MAX_TOKENS")] * 3]
        assert ask_for(Gateway(tmp_path / "a", prices=Prices()).model(client), ASK, Verdict)[0].success
        with pytest.raises(ModelFault, match=r"raise --models\.max-tokens, 700 now"):
            ask_for(Gateway(tmp_path / "b", prices=Prices(), max_tokens=700).model(client), ASK, Verdict)


FINE = o.completion(JSON)
# name: (what stands in a 200, outcome, in the sentence, how often it waits)
WITHIN: dict[str, tuple[list[Sent], str, str, int]] = {
    "OpenRouter, busy": ([as_json({"error": {"code": 429, "message": "Rate limited upstream"}})], "answer", "", 1),
    "OpenRouter, in the choice": (
        [as_json({"choices": [{"finish_reason": "error", "error": {"code": 502, "message": "Upstream"}, "message": {"content": ""}}]})],
        "answer",
        "",
        1,
    ),
    "vLLM, older": ([as_json({"object": "error", "message": "Wrong.", "type": "BadRequestError", "code": 400})], "refused", "Wrong", 0),
    "Google": ([as_json([{"error": {"code": 503, "message": "Overloaded.", "status": "UNAVAILABLE"}}])] * 3, "unreachable", "HTTP 503", 2),
    "by name": ([as_json({"error": {"code": "rate_limit_exceeded", "message": "Slow down"}})], "answer", "", 1),
    "Anthropic's": ([as_json({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})], "answer", "", 1),
    "a key": ([as_json({"error": {"type": "invalid_request_error", "code": "invalid_api_key", "message": "No."}})], "refused", "key", 0),
    "a bare word": ([as_json({"error": "Model is overloaded", "error_type": "overloaded"})], "answer", "", 1),
    "money": ([as_json({"error": {"code": "insufficient_quota", "message": "Top up"}})], "refused", "billing", 0),
    "a number as text": ([as_json({"error": {"code": "401", "message": "No."}})], "refused", "key", 0),
    "who knows": ([as_json({"error": {"message": "Hm."}})] * 3, "unreachable", "Hm", 2),
    "a filter": ([as_json({"error": {"code": "content_filter", "message": "Filtered."}})], "blocked", "blocked", 0),
}


@pytest.mark.parametrize("case", WITHIN)
def test_an_error_inside_a_200_is_the_error_that_it_is(tmp_path: Path, case: str) -> None:
    queue, kind, said, count = WITHIN[case]
    waits: list[float] = []
    with OpenAIServer(JSON) as server:
        server.queue = list(queue)
        try:
            assert (kind, model_of(tmp_path, server, waits).ask(ASK).text) == ("answer", JSON)
        except ModelFault as fault:
            assert fault.kind == kind and said in str(fault)
    assert len(waits) == count


def test_the_wait_is_that_of_the_header_or_of_the_error(tmp_path: Path) -> None:
    body = {"error": {"code": "RESOURCE_EXHAUSTED", "message": "Later", "details": [{"retryDelay": "31s"}]}}
    for sent in (as_json({"error": {"code": 429, "message": "Later"}}, **{"Retry-After": "31"}), as_json(body)):
        waits: list[float] = []
        with OpenAIServer(JSON) as server:
            server.queue = [sent]
            model_of(tmp_path / str(len(sent.body)), server, waits).ask(ASK)
        assert len(waits) == 1 and 31 <= waits[0] < 36
    waits = []
    with GeminiServer(JSON) as server:
        server.queue = [as_json(body)]
        client = Gemini("gemini-test", "a-test-key", url=server.address)
        Gateway(tmp_path / "gemini", prices=Prices(), sleep=waits.append).model(client).ask(ASK)
    assert len(waits) == 1 and 31 <= waits[0] < 36


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("Please try again in 20s. Visit", 20.0),
        ("try again in 1m12.5s", 72.5),
        ("Please try again in 6ms.", 0.006),
        ("Please retry in 17.3s.", 17.3),
        ("retry after 2 minutes", 120.0),
        ('{"metadata": {"retry_after_seconds": 9}}', 9.0),
        ('{"X-RateLimit-Reset": "1700000060000"}', 60.0),
        ("try again later", None),
        ("retry in no time", None),
    ],
)
def test_waits_in_a_service_s_own_words(said: str, seconds: float | None) -> None:
    assert retry_after({}, said, 1_700_000_000.0) == pytest.approx(seconds)


def test_answers_are_no_errors() -> None:
    for body in (
        {"choices": [{"message": {"content": "x"}, "finish_reason": "stop"}], "error": None},
        {"choices": [{"message": {"content": "an error"}, "finish_reason": "stop"}], "error": {"message": "ignored"}},
        {"name": "files/1", "state": "FAILED", "error": {"code": 3, "message": "no film"}},
        {"candidates": [{"content": {"parts": [{"text": "error"}]}}]},
        [1, 2],
        "error",
        None,
    ):
        assert status_within(body) is None
    assert fields_named("no JSON") == () and fields_named('[{"error": "x"}]') == () and fields_named("[]") == ()
