"""One limit of time holds for a whole call, whatever stage a server, or a name server, hangs or drips in; and one of size."""

from __future__ import annotations

import socket
import threading
import time

import pytest
from support.gemini_server import GeminiServer
from support.loopback import Sent, as_json
from support.openai_server import OpenAIServer, completion
from support.slow_server import START, SlowServer, drip, flood, silence

from movlr_jax.cli import doctor
from movlr_jax.llm.base import ModelRequest, Text
from movlr_jax.llm.faults import Fault, Trouble
from movlr_jax.llm.gemini import Gemini
from movlr_jax.llm.openai_compatible import OpenAICompatible
from movlr_jax.searches import RunConfig

pytest.importorskip("google.genai", reason="google-genai is not installed")
pytest.importorskip("openai", reason="openai is not installed")

KEY = "a-planted-key-0123456789"
LIMIT = 0.5
ASK = ModelRequest("write", "w@1", "", (Text("Write."),))
CLIENTS = {
    "openai": lambda address: OpenAICompatible("tiny", f"{address}/v1", key=KEY, timeout_s=LIMIT),
    "gemini": lambda address: Gemini("gemini-test", KEY, url=address, timeout_s=LIMIT),
}
CALLS = {"send": lambda client: client.send(ASK), "models": lambda client: client.models()}
SLOW = {
    "silent": silence,
    "drips headers": drip(START, b"X-Drip: 1\r\n"),
    "drips one header": drip(START + b"X-Drip: ", b"x"),
    "endless 103": drip(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"),
    "flood of 103": flood(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 50),
    "drips the body": drip(START + b"Content-Length: 9000\r\n\r\n", b" "),
    "drips chunks": drip(START + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "drips a stream": drip(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n", b": wait\n\n"),
    "drips an error": drip(b"HTTP/1.1 500 Ouch\r\nContent-Length: 9000\r\n\r\n", b" "),
}
BIG = {
    "headers": flood(START, b"X-Flood: " + b"x" * 1000 + b"\r\n"),
    "one header": flood(START + b"X-Flood: ", b"x" * 1000),
    "body": flood(START + b"\r\n", b"x" * 65536),
    "chunks": flood(START + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"x" * 65536 + b"\r\n"),
    "body of an error": flood(b"HTTP/1.1 400 No\r\n\r\n", b"x" * 65536),
}


def fault_within(seconds: float, call, client) -> Fault:
    began = time.monotonic()
    with pytest.raises(Fault) as caught:
        call(client)
    assert time.monotonic() - began < seconds
    return caught.value


def nobody_asks(seconds: float) -> bool:
    """Return whether every thread of a request has ended within so long."""
    end = time.monotonic() + seconds
    while left := [thread for thread in threading.enumerate() if thread.name == "model-request"]:
        if time.monotonic() > end:
            return False
        left[0].join(0.05)
    return True


@pytest.mark.parametrize("service", CLIENTS)
@pytest.mark.parametrize("how", SLOW)
def test_a_server_that_never_ends_its_answer_is_given_up_and_its_connection_ended(service, how):
    with SlowServer(SLOW[how]) as server:
        fault = fault_within(LIMIT + 1.0, CALLS["send"], CLIENTS[service](server.address))
        assert fault.trouble is Trouble.TIMEOUT and "no whole answer in 0.5 s" in fault.sentence
        assert nobody_asks(3.0)
        # A server that floods learns of it when its own system next looks whether there is room again.
        assert how in ("silent", "flood of 103") or server.ended.wait(3.0)


@pytest.mark.parametrize("service", CLIENTS)
@pytest.mark.parametrize("how", ["drips headers", "endless 103", "drips the body"])
def test_so_is_one_that_is_asked_for_its_models(service, how):
    with SlowServer(SLOW[how]) as server:
        assert fault_within(LIMIT + 1.0, CALLS["models"], CLIENTS[service](server.address)).trouble is Trouble.TIMEOUT


@pytest.mark.parametrize("service", CLIENTS)
@pytest.mark.parametrize("what", BIG)
def test_an_answer_without_end_is_cut_off_by_its_size(service, what):
    with SlowServer(BIG[what]) as server:
        client = CLIENTS[service](server.address)
        fault = fault_within(LIMIT + 1.0, CALLS["send"], client)
        assert fault.trouble in (Trouble.TOO_LONG, Trouble.CUT_OFF), fault.sentence
        assert nobody_asks(3.0)


@pytest.mark.parametrize("service", CLIENTS)
def test_a_name_server_that_hangs_does_not_hold_a_call(service, monkeypatch):
    released = threading.Event()
    real = socket.getaddrinfo

    def hangs(host, *more, **others):
        if host not in ("model.invalid", b"model.invalid"):
            return real(host, *more, **others)
        released.wait(10.0)
        raise socket.gaierror("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", hangs)
    try:
        assert fault_within(LIMIT + 1.0, CALLS["send"], CLIENTS[service]("http://model.invalid")).trouble is Trouble.TIMEOUT
    finally:
        released.set()


def test_a_server_that_does_not_shake_hands_does_not_hold_a_call():
    with SlowServer(silence) as server:
        client = CLIENTS["openai"](server.address.replace("http:", "https:"))
        assert fault_within(LIMIT + 1.0, CALLS["send"], client).trouble in (Trouble.TIMEOUT, Trouble.NO_CONNECTION)


def test_a_server_that_does_not_read_does_not_hold_a_call():
    with SlowServer(silence, reads=False) as server:
        ask = ModelRequest("write", "w@1", "", (Text("x" * 30_000_000),))
        client = CLIENTS["openai"](server.address)
        assert fault_within(LIMIT + 2.0, lambda c: c.send(ask), client).trouble is Trouble.TIMEOUT


def test_a_list_of_models_without_a_last_page_is_given_up(monkeypatch):
    page = as_json({"models": [{"name": "models/x"}], "nextPageToken": "more"})

    class Endless(GeminiServer):
        def answer(self, seen):
            return page

    with Endless(key=KEY) as server:
        client = CLIENTS["gemini"](server.address)
        try:
            names = client.models()
        except Fault as fault:
            assert fault.trouble is Trouble.TIMEOUT
        else:
            assert len(names) == 1000


def test_the_doctor_is_not_held_either(monkeypatch):
    monkeypatch.setattr(doctor, "SERVICE_TIMEOUT_S", LIMIT)
    with SlowServer(SLOW["drips headers"]) as server:
        config = RunConfig.from_values({"writer": "openai", "models": {"writer_url": f"{server.address}/v1"}})
        began = time.monotonic()
        (check,) = doctor.services(config)
        assert time.monotonic() - began < LIMIT + 1.0 and check.state == "warning" and "no whole answer" in check.detail


def test_after_a_timeout_the_same_client_gets_the_next_answer():
    with OpenAIServer() as server:
        server.queue = [lambda seen: server.released.wait(3) and completion("late"), completion("fine")]
        client = OpenAICompatible("tiny", server.url, timeout_s=LIMIT)
        assert fault_within(LIMIT + 1.0, CALLS["send"], client).trouble is Trouble.TIMEOUT
        assert client.send(ASK).text == "fine"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("service", CLIENTS)
def test_a_redirect_is_not_followed_and_takes_no_key_along(service, status):
    with OpenAIServer() as elsewhere, OpenAIServer() if service == "openai" else GeminiServer(key=KEY) as server:
        server.queue = [Sent(status, b"", {"Location": f"{elsewhere.address}/v1/chat/completions"})]
        fault = fault_within(2.0, CALLS["send"], CLIENTS[service](server.address))
        assert fault.trouble is Trouble.REQUEST and "not followed" in fault.sentence
        assert len(server.seen) == 1 and elsewhere.seen == []


def test_a_clip_is_not_uploaded_to_where_a_server_points(tmp_path):
    from movlr_jax.llm.base import Video

    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"film" * 100)
    with OpenAIServer() as elsewhere, GeminiServer(key=KEY) as server:
        server._upload = lambda seen: as_json({}, **{"X-Goog-Upload-URL": f"{elsewhere.address}/take", "X-Goog-Upload-Status": "active"})
        client = Gemini("gemini-test", KEY, url=server.address, timeout_s=2.0, inline_limit=10)
        fault = fault_within(4.0, lambda c: c.send(ModelRequest("critique", "c@1", "", (Video(clip, 8.0),))), client)
        assert fault.trouble is Trouble.REQUEST and "another server" in fault.sentence and elsewhere.seen == []
