"""Which address a key goes to: the service's own, the environment's, one of the command line; never one that only a file names."""

from __future__ import annotations

import socket

import pytest
from support.openai_server import OpenAIServer, refusal

from movlr_jax.errors import MovlrError
from movlr_jax.llm import addresses
from movlr_jax.llm.base import ModelRequest, Text
from movlr_jax.llm.config import ModelsConfig
from movlr_jax.llm.factory import open_client, open_model
from movlr_jax.llm.faults import Fault
from movlr_jax.llm.gateway import Gateway

KEY = "a-planted-key-0123456789"
FOREIGN = "http://models.example:8123/v1"
ASK = ModelRequest("write", "w@1", "", (Text("Write."),))


@pytest.fixture
def keys(monkeypatch):
    for name in ("OPENAI_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.setenv(name, KEY)


@pytest.fixture
def foreign(monkeypatch):
    """A server on loopback that is found under another machine's name."""
    real = socket.getaddrinfo

    def find(host, *more, **others):
        return real("127.0.0.1" if host in ("models.example", b"models.example") else host, *more, **others)

    monkeypatch.setattr(socket, "getaddrinfo", find)
    with OpenAIServer() as server:
        server.named = server.url.replace("127.0.0.1", "models.example")
        yield server


def opened(url: str, tmp_path, service: str = "openai"):
    config = ModelsConfig(writer_url=url, writer_model="tiny", timeout_s=5.0)
    return open_model("writer", service, config, Gateway(tmp_path, retries=0))


@pytest.mark.parametrize("service", ["openai", "gemini"])
def test_a_key_does_not_go_where_only_a_file_says(service, keys, foreign, tmp_path):
    with pytest.raises(MovlrError) as caught:
        opened(foreign.named, tmp_path, service)
    said = str(caught.value)
    assert f"add --allow {foreign.named}" in said and f"{service.upper()}_API_KEY would be sent" in said.replace("your key ", "")
    assert foreign.seen == [] and KEY not in said


@pytest.mark.parametrize("how", ["command line", "--allow", "environment's allowance", "environment's address"])
def test_it_goes_where_this_user_says(how, keys, foreign, tmp_path, monkeypatch):
    if how == "command line":
        addresses.give("openai", foreign.named)
    elif how == "--allow":
        addresses.allow(f"{foreign.named}/")
    else:
        monkeypatch.setenv("OPENAI_BASE_URL" if "address" in how else "MOVLR_ALLOW", foreign.named)
    assert opened(foreign.named, tmp_path).ask(ASK).text == "{}"
    assert foreign.seen[0].headers["authorization"] == f"Bearer {KEY}"


def test_a_server_on_this_machine_is_asked_without_the_key(keys, tmp_path):
    with OpenAIServer() as server:
        assert opened(server.url, tmp_path).ask(ASK).text == "{}"
        assert server.seen and not any(KEY in str(seen.headers) for seen in server.seen)
        server.queue = [refusal(401, "Give a key.")]
        client = open_client("openai", "tiny", server.url, ModelsConfig())
        with pytest.raises(Fault, match=f"was not sent, because only a file names that address: if you trust it, add --allow {server.url}"):
            client.send(ASK)
        addresses.allow(server.url)
        opened(server.url, tmp_path / "later").ask(ASK)
        assert server.seen[-1].headers["authorization"] == f"Bearer {KEY}"


def test_nothing_else_of_the_environment_goes_where_only_a_file_says(foreign, tmp_path, monkeypatch):
    planted = {"OPENAI_ORG_ID": "org-planted", "OPENAI_PROJECT_ID": "proj-planted", "OPENAI_ADMIN_KEY": "sk-admin-planted"}
    planted["OPENAI_CUSTOM_HEADERS"] = "X-Gateway-Token: token-planted\nAuthorization: Bearer also-planted"
    for name, value in planted.items():
        monkeypatch.setenv(name, value)
    opened(foreign.named, tmp_path).ask(ASK)
    assert len(foreign.seen) == 1 and "planted" not in str(foreign.seen[0].headers)
    addresses.allow(foreign.named)
    opened(foreign.named, tmp_path / "later").ask(ASK)
    assert foreign.seen[1].headers["x-gateway-token"] == "token-planted"


def test_gemini_at_another_address_of_this_machine_is_asked_only_if_allowed(keys, tmp_path):
    with pytest.raises(MovlrError, match="add --allow http://127"):
        opened("http://127.0.0.1:9", tmp_path, "gemini")


def test_without_a_key_nothing_is_asked_of_the_user(foreign, tmp_path):
    opened(foreign.named, tmp_path).ask(ASK)
    assert len(foreign.seen) == 1 and "authorization" not in foreign.seen[0].headers


def test_what_was_allowed_is_kept_in_the_users_settings_and_nowhere_else(keys, tmp_path, monkeypatch):
    addresses.give("openai", FOREIGN)
    monkeypatch.setattr(addresses, "_given", set())  # a later process
    assert addresses.allowed("openai", FOREIGN, key=True)
    # The service, the path, the port, the scheme and the host are all part of it.
    others = ["https://models.example:8123/v1", FOREIGN + "/other", "http://models.example:8124/v1", "http://models.example.org:8123/v1"]
    assert not any(addresses.allowed("openai", other, key=True) for other in others)
    assert not addresses.allowed("gemini", FOREIGN, key=True)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "of another user"))
    assert not addresses.allowed("openai", FOREIGN, key=True)


def test_what_was_used_without_a_key_is_not_sent_one_later(foreign, tmp_path, monkeypatch):
    addresses.give("openai", foreign.named)  # no key is set
    assert addresses.allowed("openai", foreign.named, key=False)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with pytest.raises(MovlrError, match="your key OPENAI_API_KEY"):
        opened(foreign.named, tmp_path)


def test_settings_that_are_damaged_or_cannot_be_written_allow_nothing_more(keys, tmp_path, monkeypatch):
    addresses.give("openai", FOREIGN)
    monkeypatch.setattr(addresses, "_given", set())
    (file,) = (path for path in addresses._file("openai", "x", True).parent.iterdir())
    file.write_text("{")
    assert not addresses.allowed("openai", FOREIGN, key=True)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
    addresses.give("openai", FOREIGN)
    assert addresses.allowed("openai", FOREIGN, key=True)  # this command itself knows


def test_what_a_trial_elsewhere_is_told(keys, tmp_path, monkeypatch):
    addresses.give("openai", FOREIGN, key=True)
    addresses.give("openai", FOREIGN + "/keyless", key=False)
    addresses.give("folder", str(tmp_path / "a cache"), key=False)
    told = [("openai", FOREIGN), ("openai", FOREIGN + "/keyless"), ("openai", FOREIGN + "/unknown"), ("folder", str(tmp_path / "a cache"))]
    variables = addresses.environment(told)
    monkeypatch.setattr(addresses, "_given", set())
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "another machine"))
    for name, value in variables:
        monkeypatch.setenv(name, value)
    assert addresses.allowed("openai", FOREIGN, key=True)
    assert addresses.allowed("openai", FOREIGN + "/keyless", key=False) and not addresses.allowed("openai", FOREIGN + "/keyless", key=True)
    assert not addresses.allowed("openai", FOREIGN + "/unknown", key=False)
    assert addresses.allowed("folder", str(tmp_path / "a cache"), key=False)


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8000/v1",
        "http://LOCALHOST/v1",
        "http://127.0.0.1:1/v1",
        "http://127.9.9.9",
        "http://[::1]:8/v1",
        "http://0.0.0.0:8",
    ],
)
def test_this_machine(url):
    assert addresses.is_loopback(url)


@pytest.mark.parametrize(
    "url", ["http://localhost.example/v1", "http://127.0.0.1.example", "http://127.1/v1", "http://10.0.0.1", "https://[2001:db8::1]/v1"]
)
def test_not_this_machine(url):
    assert not addresses.is_loopback(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://models.example\\@127.0.0.1/v1",
        "http://localhost\\.models.example/v1",
        "http://localhost#.models.example/v1",
        "http://models.example/v1; rm -rf ~",
        "http://models.example/$(id)",
        "http://mod\u0435ls.example/v1",
        "http://models.example\n/v1",
        "http://models.example:port/v1",
        "http://models.example:99999/v1",
        "http://:80/v1",
        "file:///etc/passwd",
        "http://[::1/v1",
        "http://models.example/v1\x1b[2J",
    ],
)
def test_what_readers_of_addresses_may_understand_differently_is_refused(url):
    with pytest.raises(MovlrError) as caught:
        ModelsConfig(critic_url=url)
    assert "models.critic_url" in str(caught.value) and url not in str(caught.value)


def test_without_a_home_this_command_alone_knows(keys, monkeypatch):
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)
    addresses.give("openai", FOREIGN)
    assert addresses.allowed("openai", FOREIGN, key=True) and not addresses.allowed("openai", FOREIGN + "/other", key=True)


@pytest.mark.parametrize("name", ["~nobody-of-that-name/cache", "a\0b"])
def test_a_folder_that_can_be_none_is_one_sentence(name, tmp_path):
    with pytest.raises(MovlrError, match="is no name of a folder"):
        Gateway.open(tmp_path, ModelsConfig(cache=name))
    with pytest.raises(MovlrError, match="is no name of a folder"):
        addresses.require_folder(name, tmp_path, "as", tmp_path)


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf"), 1e12])
def test_a_limit_of_time_that_no_clock_keeps_is_refused(seconds):
    with pytest.raises(MovlrError, match=r"models\.timeout_s is"):
        ModelsConfig(timeout_s=seconds)


def test_a_proxy_of_the_environment_is_used(keys, tmp_path, monkeypatch):
    with OpenAIServer() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.address)
        monkeypatch.setenv("http_proxy", proxy.address)
        addresses.allow(FOREIGN)
        with pytest.raises(MovlrError, match="HTTP 404"):  # it does not pass requests on
            opened(FOREIGN, tmp_path).ask(ASK)
        assert proxy.seen[0].path == f"{FOREIGN}/chat/completions"
