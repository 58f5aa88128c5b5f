"""A proxy of the environment is not asked for what is on this machine, and one that cannot be used is told in a sentence."""

from __future__ import annotations

import os

import pytest
from support.gemini_server import GeminiServer
from support.loopback import refused_address
from support.openai_server import OpenAIServer

from movlr_jax import proxies
from movlr_jax.errors import MovlrError
from movlr_jax.llm.base import ModelRequest, Text
from movlr_jax.llm.gemini import Gemini
from movlr_jax.llm.openai_compatible import OpenAICompatible

pytest.importorskip("google.genai", reason="google-genai is not installed")
pytest.importorskip("openai", reason="openai is not installed")

ASK = ModelRequest("write", "w@1", "Write.", (Text("x"),))
NAMES = [name for upper in (*proxies.VARIABLES, "NO_PROXY") for name in (upper.upper(), upper.lower())]


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.setenv(name, "")  # so that what a test changes is put back
        monkeypatch.delenv(name)


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize("proxy", ["dead", "socks5://127.0.0.1:9", "nonsense://x"])
def test_a_server_on_this_machine_is_asked_around_a_proxy(name: str, proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, refused_address() if proxy == "dead" else proxy)
    with OpenAIServer("fine") as server:
        for url in (server.url, server.url.replace("127.0.0.1", "localhost")):
            assert OpenAICompatible("tiny", url).send(ASK).text == "fine"


def test_gemini_on_this_machine_likewise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", refused_address())
    with GeminiServer("fine") as server:
        assert Gemini("gemini-test", "a-test-key", url=server.address).send(ASK).text == "fine"


@pytest.mark.parametrize("proxy", ["socks5://user:secret@127.0.0.1:9", "nonsense://user:secret@x"])
def test_a_proxy_that_cannot_be_used_is_a_sentence_without_its_password(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    if proxy.startswith("socks"):
        try:
            import socksio  # noqa: F401
        except ImportError:
            pass
        else:
            pytest.skip("socksio is installed")
    for make in (lambda: OpenAICompatible("tiny", "http://192.0.2.1/v1"), lambda: Gemini("gemini-test", "a-test-key")):
        with pytest.raises(MovlrError, match="The proxy of ALL_PROXY") as caught:
            make()
        assert "secret" not in str(caught.value)


def test_this_machine_is_named_among_those_that_need_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    proxies.around_this_machine()
    assert "NO_PROXY" not in os.environ
    monkeypatch.setenv("https_proxy", "http://proxy:3128")
    monkeypatch.setenv("no_proxy", "example.com")
    proxies.around_this_machine()
    assert os.environ["NO_PROXY"] == os.environ["no_proxy"] == "example.com,localhost,127.0.0.1,127.0.0.0/8,::1"
    monkeypatch.setenv("NO_PROXY", "*")
    proxies.around_this_machine()
    assert os.environ["NO_PROXY"] == "*"
