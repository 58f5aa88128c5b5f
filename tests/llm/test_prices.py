"""Prices and configuration: arithmetic, the packaged table, files of the user's, addresses that must not carry a key."""

from __future__ import annotations

import pytest

from movlr_jax.errors import MovlrError
from movlr_jax.llm import secrets
from movlr_jax.llm.config import DEFAULT_MODELS, ModelsConfig
from movlr_jax.llm.factory import open_model
from movlr_jax.llm.gateway import Gateway
from movlr_jax.llm.prices import Prices


def test_cost_is_tokens_times_price(tmp_path):
    (tmp_path / "mine.yaml").write_text("mine: {input: 0, output: 0}\ngemini-3.8-flash: {input: 1, output: 2}\n")
    packaged, mine = Prices.load(), Prices.load(str(tmp_path / "mine.yaml"))
    assert packaged.cost("gemini-3.8-flash", 1_000_000, 100_000) == pytest.approx(0.75 + 0.375)
    assert mine.cost("gemini-3.8-flash", 1_000_000, 100_000) == pytest.approx(1.2)
    assert mine.cost("mine", None, None) == 0.0 and packaged.cost("mine", 1, 1) is None
    assert packaged.cost("gemini-3.8-flash", None, 5) is None
    assert DEFAULT_MODELS["gemini", "critic"] in packaged.of


@pytest.mark.parametrize(
    "text", ["mine: 3", "mine: {input: 1}", "mine: {input: -1, output: 1}", "[1]", "mine: {input: x, output: 1}", "a: ["]
)
def test_a_table_that_is_none_is_refused_with_the_form(tmp_path, text):
    (tmp_path / "p.yaml").write_text(text)
    with pytest.raises(MovlrError, match=r"input: "):
        Prices.load(str(tmp_path / "p.yaml"))


@pytest.mark.parametrize("url", ["https://me:secret-word@host/v1", "https://host/v1?key=secret-word", "localhost:8000", "secret-word"])
def test_an_address_that_is_none_or_carries_a_key_is_refused_without_repeating_it(url):
    with pytest.raises(MovlrError) as caught:
        ModelsConfig(writer_url=url)
    assert "models.writer_url" in str(caught.value) and "secret-word" not in str(caught.value)


@pytest.mark.parametrize("key", ["sk-planted 0123456789", "sk-planted-0123\n456789", "sk-planted-ключ-0123"])
def test_a_key_that_cannot_be_sent_is_refused_without_repeating_it(key, monkeypatch):
    monkeypatch.setenv("GEMINI_API_KEY", key)
    with pytest.raises(MovlrError, match="GEMINI_API_KEY holds spaces or characters") as caught:
        secrets.find(secrets.GEMINI_KEYS)
    assert "planted" not in str(caught.value)


def test_what_a_service_needs_is_told_in_one_sentence(tmp_path, monkeypatch):
    gateway = Gateway(tmp_path)
    monkeypatch.setattr("movlr_jax.llm.factory.installed", lambda package: "1.0")
    with pytest.raises(MovlrError, match="set GEMINI_API_KEY in the environment"):
        open_model("critic", "gemini", ModelsConfig(), gateway)
    monkeypatch.setattr("movlr_jax.llm.factory.installed", lambda package: None)
    with pytest.raises(MovlrError, match=r"pip install 'movlr-jax\[openai\]'"):
        open_model("writer", "openai", ModelsConfig(), gateway)


def test_roles_have_their_models_and_addresses(tmp_path, monkeypatch):
    pytest.importorskip("google.genai", reason="google-genai is not installed")
    pytest.importorskip("openai", reason="openai is not installed")
    config = ModelsConfig(writer_url="http://localhost:9/v1")
    writer = open_model("writer", "openai", config, Gateway(tmp_path))
    assert writer.name == "Qwen/Qwen2.5-Coder-32B-Instruct" and config.url("critic") == ""
    monkeypatch.setenv("GEMINI_API_KEY", "a-test-key")
    assert open_model("critic", "gemini", config, Gateway(tmp_path)).name == "gemini-3.8-flash"
