"""The Gemini client against a server that speaks its REST surface: what goes over the wire, uploads, their states and their end."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest
from pydantic import BaseModel
from support.gemini_server import GeminiServer

from movlr_jax.critics.critique import Critique
from movlr_jax.llm.base import Image, ModelRequest, Text, Video
from movlr_jax.llm.faults import Fault, Trouble
from movlr_jax.llm.gemini import Gemini

pytest.importorskip("google.genai", reason="google-genai is not installed")


class Verdict(BaseModel):
    success: bool


@pytest.fixture
def server() -> Iterator[GeminiServer]:
    with GeminiServer('{"success": true}') as server:
        yield server


@pytest.fixture
def clip(tmp_path) -> Video:
    path = tmp_path / "clip.mp4"
    path.write_bytes(bytes(range(256)) * 40)
    return Video(path, 8.0)


def client(server: GeminiServer, **more) -> Gemini:
    return Gemini("gemini-test", "a-test-key", url=server.address, sleep=lambda seconds: None, **more)


def test_a_request_has_the_documented_form(server, clip):
    ask = ModelRequest("critique", "c@1", "Judge.", (Text("Look."), clip, Image(b"\x89PNG")), Verdict, (("no", "JSON!"),), 0.5, 99, 7)
    reply = client(server).send(ask)
    assert (reply.text, reply.complete, reply.tokens_in, reply.tokens_out) == ('{"success": true}', True, 1000, 25)
    body = server.asked[0]
    parts = body["contents"][0]["parts"]
    assert parts[0] == {"text": "Look."} and parts[1]["videoMetadata"] == {"fps": 8.0}
    assert base64.urlsafe_b64decode(parts[1]["inlineData"]["data"]) == clip.path.read_bytes()
    assert [t["parts"][0]["text"] for t in body["contents"][1:]] == ["no", "JSON!"]
    assert body["systemInstruction"]["parts"] == [{"text": "Judge."}]
    assert body["generationConfig"] == {
        "temperature": 0.5,
        "maxOutputTokens": 99 + 16_384,  # room for thoughts
        "seed": 7,
        "responseMimeType": "application/json",
        "responseJsonSchema": Verdict.model_json_schema(),
    }
    assert not any("a-test-key" in seen.path or b"a-test-key" in seen.body for seen in server.seen)


def test_a_schema_with_defaults_and_references_is_sent_in_the_keywords_that_the_service_knows(server):
    client(server).send(ModelRequest("critique", "c@1", "", (Text("x"),), Critique, seed=2**40 + 7))
    sent = server.asked[0]["generationConfig"]
    assert sent["seed"] == 7 and sent["responseJsonSchema"]["$defs"]["Fault"]["properties"]["severity"]["maximum"] == 1.0
    assert "default" in str(Critique.model_json_schema()) and "'default'" not in str(sent["responseJsonSchema"])


def test_a_large_clip_is_uploaded_once_and_again_when_the_service_has_dropped_it(server, clip):
    gemini = client(server, inline_limit=1000)
    ask = ModelRequest("compare", "c@1", "", (clip, Text("or"), clip))
    for _ in range(2):
        gemini.send(ask)
    assert server.uploads == 1 and server.arrived == clip.path.read_bytes()
    assert server.asked[1]["contents"][0]["parts"][0]["videoMetadata"] == {"fps": 8.0}
    server.files.clear()
    gemini.send(ask)
    assert server.uploads == 2 and "f2" in str(server.asked[-1])


def test_an_upload_that_is_about_to_expire_is_made_again(server, clip):
    server.lifetime_s = 60.0
    gemini = client(server, inline_limit=1000)
    for _ in range(2):
        gemini.send(ModelRequest("critique", "c@1", "", (clip,)))
    assert server.uploads == 2


def test_a_clip_that_cannot_be_processed_is_a_fault_of_the_clip(server, clip):
    server.final_state = "FAILED"
    with pytest.raises(Fault, match="cannot process the clip") as caught:
        client(server, inline_limit=1000).send(ModelRequest("critique", "c@1", "", (clip,)))
    assert caught.value.trouble is Trouble.CLIP


def test_a_clip_that_is_processed_for_ever_is_given_up(server, clip):
    server.looks = 10**6
    now = iter(range(0, 10_000, 50))
    with pytest.raises(Fault, match="has not processed") as caught:
        client(server, inline_limit=1000, clock=lambda: float(next(now))).send(ModelRequest("critique", "c@1", "", (clip,)))
    assert caught.value.trouble is Trouble.TIMEOUT


def test_models_are_listed(server):
    assert client(server).models() == ["gemini-test"]
