"""The gateway: what is recorded, what is never asked twice, budgets, prices, caches, replays, and that no key is written."""

from __future__ import annotations

import hashlib
import json

import pytest
from support.scripted import ScriptedClient

from movlr_jax.errors import MovlrError
from movlr_jax.llm.base import Image, ModelFault, ModelRequest, Text, Video
from movlr_jax.llm.config import ModelsConfig
from movlr_jax.llm.factory import open_model
from movlr_jax.llm.faults import Fault, Trouble
from movlr_jax.llm.gateway import Gateway
from movlr_jax.llm.ledger import Ledger, Spending
from movlr_jax.llm.prices import Price, Prices

KEY = "sk-planted-0123456789abcdef"
PRICES = Prices({"scripted": Price(2.0, 10.0)})


def ask(words: str = "x", purpose: str = "write", **more) -> ModelRequest:
    return ModelRequest(purpose, f"{purpose}@1", "Do.", (Text(words),), **more)


def gateway(folder, **more) -> Gateway:
    return Gateway(folder, **{"prices": PRICES, "sleep": lambda seconds: None, **more})


def test_a_record_says_all_but_bytes_paths_and_keys(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    (tmp_path / "clip.mp4").write_bytes(b"film")
    client = ScriptedClient([Fault(Trouble.BUSY, f"Busy, {KEY}.", 429), f"An answer with {KEY}."])
    parts = (Text("x"), Image(b"png"), Video(tmp_path / "clip.mp4", 8.0))
    answer = (
        gateway(tmp_path / "calls").model(client).ask(ModelRequest("critique", "critique@1f2e", "Judge.", parts, temperature=0.5, seed=3))
    )
    (path,) = (tmp_path / "calls").iterdir()
    record = json.loads(path.read_text())
    assert answer.text == "An answer with [key]." and answer.record == record and record["key"] == path.stem
    assert KEY not in path.read_text() and str(tmp_path) not in path.read_text()
    fingerprint = {"sha256": hashlib.sha256(b"film").hexdigest(), "bytes": 4}
    assert record["request"]["parts"][2] == {"video": {**fingerprint, "frames_per_second": 8.0}}
    assert record["prompt"] == "critique@1f2e" and record["usd"] == pytest.approx((100 * 2 + 10 * 10) / 1e6)
    assert [a["fault"] for a in record["attempts"]] == ["busy", None] and record["tokens"] == {"in": 100, "out": 10}


def test_what_was_answered_is_never_asked_again_also_by_another_process(tmp_path):
    client = ScriptedClient(lambda ask: "once")
    first, second = gateway(tmp_path / "calls"), gateway(tmp_path / "calls")
    assert [d.model(client).ask(ask()).text for d in (first, first, second)] == ["once"] * 3
    assert len(client.asks) == 1 and second.ledger.total.calls == 1


@pytest.mark.parametrize(
    "other",
    [
        ask("y"),
        ask(seed=1),
        ask(temperature=0.1),
        ask(exchange=(("a", "b"),)),
        ask(max_tokens=5),
        ModelRequest("write", "w@1", "Else.", (Text("x"),)),
    ],
)
def test_requests_that_differ_are_both_asked(tmp_path, other):
    client = ScriptedClient(lambda ask: "answer")
    model = gateway(tmp_path / "calls").model(client)
    model.ask(ask())
    model.ask(other)
    assert len(client.asks) == 2


def test_a_new_version_of_a_prompt_with_the_same_words_is_the_same_request(tmp_path):
    client = ScriptedClient(lambda ask: "answer")
    model = gateway(tmp_path / "calls").model(client)
    model.ask(ask())
    assert model.ask(ModelRequest("write", "write@2", "Do.", (Text("x"),))).text == "answer" and len(client.asks) == 1


def test_a_cache_answers_another_run_for_nothing(tmp_path):
    client = ScriptedClient(lambda ask: "answer")
    gateway(tmp_path / "one", cache=tmp_path / "cache").model(client).ask(ask())
    other = gateway(tmp_path / "two", cache=tmp_path / "cache", max_calls=1)
    assert other.model(client).ask(ask(purpose="compare")).text == "answer" and len(client.asks) == 1
    assert other.ledger.total == Spending(reused=1) and other.ledger.by_purpose() == {"compare": Spending(reused=1)}


def test_blocked_answers_come_back_and_passing_faults_do_not(tmp_path):
    client = ScriptedClient([Fault(Trouble.BLOCKED, "Blocked."), Fault(Trouble.KEY, "Wrong key."), "fine"])
    model = gateway(tmp_path / "calls").model(client)
    for _ in range(2):
        with pytest.raises(ModelFault, match="Blocked") as caught:
            model.ask(ask())
        assert caught.value.kind == "blocked"
    with pytest.raises(ModelFault, match="Wrong key"):
        model.ask(ask("y"))
    assert model.ask(ask("y")).text == "fine" and len(client.asks) == 3


def test_budgets_stop_before_the_call_and_hold_over_processes(tmp_path):
    client = ScriptedClient(lambda ask: "answer")
    model = gateway(tmp_path / "calls", max_calls=2).model(client)
    model.ask(ask("1"))
    model.ask(ask("2"))
    for again in (model, gateway(tmp_path / "calls", max_calls=2).model(client)):
        assert again.ask(ask("1")).text == "answer"
        with pytest.raises(ModelFault, match="budget of 2 model calls is spent") as caught:
            again.ask(ask("3"))
        assert caught.value.kind == "stopped"
    assert gateway(tmp_path / "calls", max_calls=3).model(client).ask(ask("3")).text == "answer"
    poor = gateway(tmp_path / "calls", max_cost=0.0008).model(client)
    with pytest.raises(ModelFault, match=r"budget of 0\.0008 USD is spent"):
        poor.ask(ask("4"))
    assert len(client.asks) == 3


def test_a_budget_of_money_needs_a_price(tmp_path):
    with pytest.raises(MovlrError, match="price of unknown is unknown, so --max-cost"):
        gateway(tmp_path / "calls", max_cost=1.0).model(ScriptedClient([], name="unknown"))


def test_a_replay_answers_from_records_alone_and_names_what_differs(tmp_path):
    client = ScriptedClient(lambda ask: f"answer to {ask.parts[0].text}")
    gateway(tmp_path / "one").model(client).ask(ask())
    again = gateway(tmp_path / "two", replay=tmp_path / "one")
    model = open_model("writer", "openai", ModelsConfig(writer_model="scripted"), again)
    assert model.ask(ask()).text == "answer to x" and again.ledger.total == Spending(reused=1)
    with pytest.raises(ModelFault, match=r"the nearest record differs in part 1 \(text\)") as caught:
        model.ask(ask("y"))
    assert caught.value.kind == "unrecorded"
    with pytest.raises(ModelFault, match="differs in temperature, seed"):
        model.ask(ask(seed=3, temperature=1.0))
    with pytest.raises(ModelFault, match="no records at all"):
        gateway(tmp_path / "three", replay=tmp_path / "empty").model(client).ask(ask())
    assert len(client.asks) == 1


def test_a_replay_knows_a_clip_that_was_drawn_in_other_pixels_by_its_words(tmp_path):
    clip = tmp_path / "clip.mp4"
    client = ScriptedClient(lambda ask: "answer")

    def watch(words: str) -> ModelRequest:
        return ModelRequest("critique", "c@1", "", (Text(words), Video(clip, 8.0)))

    clip.write_bytes(b"one")
    first = gateway(tmp_path / "one").model(client)
    first.ask(watch("1.25 m"))
    first.ask(watch("without numbers"))
    clip.write_bytes(b"two")
    first.ask(watch("without numbers"))
    clip.write_bytes(b"other pixels")
    again = gateway(tmp_path / "two", replay=tmp_path / "one")
    assert again.model(client).ask(watch("1.25 m")).text == "answer" and again.redrawn == 1
    with pytest.raises(ModelFault, match=r"part 2 \(video\)"):
        again.model(client).ask(watch("without numbers"))  # two records have these words: which, nobody can tell


def test_a_damaged_record_is_named(tmp_path):
    client = ScriptedClient(lambda ask: "answer")
    gateway(tmp_path / "calls").model(client).ask(ask())
    (path,) = (tmp_path / "calls").iterdir()
    path.write_text("{")
    with pytest.raises(MovlrError, match="delete it, and the call is made again"):
        gateway(tmp_path / "calls").model(client).ask(ask())


def test_sums_per_purpose(tmp_path):
    client = ScriptedClient(lambda ask: "answer")
    d = gateway(tmp_path / "calls", prices=Prices({"scripted": Price(2.0, 10.0)}), clock=iter(range(100)).__next__)
    for n, purpose in enumerate(["write", "write", "critique"]):
        d.model(client).ask(ask(str(n), purpose))
    d.model(ScriptedClient(lambda ask: "answer", name="unpriced")).ask(ask("9", "critique"))
    sums = Ledger(tmp_path / "calls").by_purpose()
    assert sums["write"] == Spending(2, 200, 20, pytest.approx(0.0006), 0, 2)
    assert sums["critique"] == Spending(2, 200, 20, pytest.approx(0.0003), 1, 2)
