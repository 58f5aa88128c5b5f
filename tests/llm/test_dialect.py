"""What servers do not take is learnt from their own words, each thing by one call more, and is known for the rest of the run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from support import gemini_server as g
from support import openai_server as o
from support.gemini_server import GeminiServer
from support.loopback import Seen, Sent, as_json
from support.openai_server import OpenAIServer

from movlr_jax.llm import dialect
from movlr_jax.llm.base import ModelFault, ModelRequest, Text
from movlr_jax.llm.faults import Fault
from movlr_jax.llm.gateway import Gateway
from movlr_jax.llm.gemini import Gemini
from movlr_jax.llm.openai_compatible import OpenAICompatible
from movlr_jax.llm.prices import Prices

pytest.importorskip("google.genai", reason="google-genai is not installed")
pytest.importorskip("openai", reason="openai is not installed")


class Verdict(BaseModel):
    success: bool


ASK = ModelRequest("critique", "c@1", "Judge.", (Text("x"),), Verdict, seed=3)
Refuses = Callable[[dict[str, Any]], Sent | None]


def told(message: str, param: str | None = None, code: str | None = None, status: int = 400) -> Sent:
    return as_json({"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}, status)


def has_system(body: dict[str, Any]) -> bool:
    return bool(body["messages"][0]["role"] == "system")


def field(name: str, message: str, param: str | None = None, code: str | None = None) -> Refuses:
    return lambda body: told(message, param, code) if name in body else None


# How servers say it: (what they refuse, what is learnt).
SAYS: dict[str, tuple[Refuses, str]] = {
    "max_tokens, OpenAI": (
        field(
            "max_tokens",
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
            "max_tokens",
            "unsupported_parameter",
        ),
        dialect.COMPLETION_TOKENS,
    ),
    "max_tokens, without a param": (
        field("max_tokens", "max_tokens is not supported, use max_completion_tokens"),
        dialect.COMPLETION_TOKENS,
    ),
    "temperature, OpenAI": (
        field(
            "temperature",
            "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported.",
            "temperature",
            "unsupported_value",
        ),
        dialect.NO_TEMPERATURE,
    ),
    "temperature, deprecated": (field("temperature", "`temperature` is deprecated for this model."), dialect.NO_TEMPERATURE),
    "temperature of 0, TGI": (
        lambda body: (
            as_json({"error": "Input validation error: `temperature` must be strictly positive", "error_type": "validation"}, 422)
            if body["temperature"] <= 0
            else None
        ),
        dialect.WARM,
    ),
    "seed, FastAPI": (
        lambda body: (
            as_json(
                {"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs are not permitted", "input": 3}]},
                422,
            )
            if "seed" in body
            else None
        ),
        dialect.NO_SEED,
    ),
    "seed, a gateway": (field("seed", "Unrecognized request argument supplied: seed"), dialect.NO_SEED),
    "system, OpenAI": (
        lambda body: (
            told("Unsupported value: 'messages[0].role' does not support 'system' with this model.", "messages[0].role")
            if has_system(body)
            else None
        ),
        dialect.NO_SYSTEM,
    ),
    "system, a template": (lambda body: told("System role not supported") if has_system(body) else None, dialect.NO_SYSTEM),
    "system, llama.cpp": (
        lambda body: told("Error: Jinja Exception: System role not supported", status=500) if has_system(body) else None,
        dialect.NO_SYSTEM,
    ),
    "system, by alternation": (
        lambda body: told("Conversation roles must alternate user/assistant/user/assistant/...") if has_system(body) else None,
        dialect.NO_SYSTEM,
    ),
    "system, Google's list": (
        lambda body: (
            as_json(
                [
                    {
                        "error": {
                            "code": 400,
                            "message": "Developer instruction is not enabled for models/gemma-3",
                            "status": "INVALID_ARGUMENT",
                        }
                    }
                ],
                400,
            )
            if has_system(body)
            else None
        ),
        dialect.NO_SYSTEM,
    ),
    "response_format": (
        field("response_format", "This response_format type is unavailable now", "response_format"),
        dialect.NO_SCHEMA,
    ),
}


class Strict(OpenAIServer):
    """Refuses what it is told to, before anything else."""

    def __init__(self, *refuses: Refuses):
        super().__init__('{"success": true}')
        self.refuses = refuses
        self.queue = [self._first] * 1000

    def _first(self, seen: Seen) -> Sent:
        body = seen.json()
        return next((sent for refuses in self.refuses if (sent := refuses(body)) is not None), None) or o.completion('{"success": true}')


@pytest.mark.parametrize("case", SAYS)
def test_a_refusal_teaches_what_to_leave_out_and_once(case: str) -> None:
    refuses, learnt = SAYS[case]
    with Strict(refuses) as server:
        client = OpenAICompatible("tiny", server.url)
        for calls in (2, 3):
            reply = client.send(ASK)
            assert reply.text == '{"success": true}' and reply.learnt == (learnt,) and len(server.asked) == calls
        first, last = server.asked[0], server.asked[-1]
        assert "Judge." in o.words(last) and "x" in o.words(last)
        if learnt == dialect.COMPLETION_TOKENS:
            assert last["max_completion_tokens"] == first["max_tokens"] and "max_tokens" not in last
        if learnt == dialect.NO_SYSTEM:
            assert [message["role"] for message in last["messages"]] == ["user"]
        if learnt == dialect.NO_SCHEMA:
            assert "success" in o.words(last)


def test_a_server_that_takes_nothing_is_asked_once_more_for_each() -> None:
    refuses = [
        SAYS[name][0] for name in ("max_tokens, OpenAI", "temperature, OpenAI", "seed, FastAPI", "system, OpenAI", "response_format")
    ]
    with Strict(*refuses) as server:
        client = OpenAICompatible("tiny", server.url)
        assert client.send(ASK).text == '{"success": true}' and len(server.asked) == 6
        assert set(server.asked[-1]) == {"model", "messages", "max_completion_tokens"}
        client.send(ASK)
        assert len(server.asked) == 7


@pytest.mark.parametrize(
    "message",
    [
        "'max_tokens' or 'max_completion_tokens' is too large: 8192. This model's maximum context length is 4096 tokens.",
        "max_tokens is too large: 8192. This model supports at most 4096 completion tokens, whereas you provided 8192.",
    ],
)
def test_a_number_that_is_too_large_is_told_with_the_setting(tmp_path: Path, message: str) -> None:
    with Strict(lambda body: told(message, "max_tokens")) as server:
        model = Gateway(tmp_path, prices=Prices(), max_tokens=5000).model(OpenAICompatible("tiny", server.url))
        with pytest.raises(ModelFault, match=r"Lower --models\.max-tokens, 5000 now"):
            model.ask(ASK)
        assert len(server.asked) == 1 and server.asked[0]["max_tokens"] == 5000


def test_what_did_not_help_is_not_kept() -> None:
    """The same words again: the field was not the cause, and is sent as before."""
    with Strict(lambda body: told("temperature sensor: not supported on this machine")) as server:
        client = OpenAICompatible("tiny", server.url)
        with pytest.raises(Fault, match="temperature sensor"):
            client.send(ASK)
        assert len(server.asked) == 2
        server.refuses = ()
        assert client.send(ASK).learnt == () and "temperature" in server.asked[-1]


def test_what_was_learnt_stands_in_the_record_and_holds_for_a_run_that_goes_on_and_a_replay(tmp_path: Path) -> None:
    with Strict(SAYS["temperature, OpenAI"][0], SAYS["system, OpenAI"][0]) as server:
        first = Gateway(tmp_path / "calls", prices=Prices()).model(OpenAICompatible("tiny", server.url)).ask(ASK)
        assert first.record["learnt"] == ["no system role", "no temperature"] and len(server.asked) == 3
        again = Gateway(tmp_path / "calls", prices=Prices()).model(OpenAICompatible("tiny", server.url))
        assert again.ask(ASK).record == first.record and len(server.asked) == 3
        again.ask(ModelRequest("critique", "c@1", "Judge.", (Text("y"),), Verdict))
        assert len(server.asked) == 4
    replayed = Gateway(tmp_path / "two", prices=Prices(), replay=tmp_path / "calls").model(OpenAICompatible("tiny", server.url))
    assert replayed.ask(ASK).text == first.text


GEMMA = {
    "systemInstruction": "Developer instruction is not enabled for models/gemini-test",
    "responseJsonSchema": "JSON mode is not enabled for models/gemini-test",
    "seed": "Invalid JSON payload received. Unknown name \"seed\" at 'generation_config': Cannot find field.",
    "temperature": "temperature is not supported by this model",
}


def test_gemini_learns_likewise() -> None:
    def answer(seen: Seen) -> Sent:
        body = seen.json()
        for name, message in GEMMA.items():
            if name in body or name in body["generationConfig"]:
                return g.refusal(400, message, "INVALID_ARGUMENT")
        return g.content('{"success": true}')

    with GeminiServer("{}") as server:
        server.queue = [answer] * 9
        client = Gemini("gemini-test", "a-test-key", url=server.address)
        for calls in (5, 6):
            assert client.send(ASK).text == '{"success": true}' and len(server.asked) == calls
        sent = server.asked[-1]
        words = [part["text"] for part in sent["contents"][0]["parts"]]
        assert words[0].startswith("Judge.") and "success" in words[0] and words[1] == "x"
        assert set(sent["generationConfig"]) == {"maxOutputTokens"} and json.dumps(sent).count("Judge.") == 1
