"""Runs whose writer and critic ask models over loopback: repeated from records, resumed after faults, ended by budgets, reported."""

from __future__ import annotations

import contextlib
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.gemini_server import GeminiServer, content
from support.openai_server import OpenAIServer, refusal
from support.pendulum_stages import TERMS, PendulumStages, source_of, tree, weights_of

from movlr_jax.cli.main import main
from movlr_jax.critics.base import Evidence
from movlr_jax.critics.critique import Critique
from movlr_jax.llm import addresses
from movlr_jax.llm.base import ModelFault, ModelRequest, Text, Video
from movlr_jax.llm.config import ModelsConfig
from movlr_jax.llm.factory import open_model
from movlr_jax.llm.gateway import Gateway
from movlr_jax.llm.prices import Price, Prices
from movlr_jax.llm.structured import ask_for
from movlr_jax.runs import race_config
from movlr_jax.runs.config import RunConfig
from movlr_jax.runs.run_folder import RunFolder
from movlr_jax.searches.loop import Loop
from movlr_jax.searches.replay import differences
from movlr_jax.searches.result import RunResult
from movlr_jax.searches.stages import Json
from movlr_jax.tracking import LocalTracker
from movlr_jax.writers.base import Draft, WriteRequest

pytest.importorskip("google.genai", reason="google-genai is not installed")
pytest.importorskip("openai", reason="openai is not installed")

KEY = "sk-planted-0123456789abcdef"
PRICES = Prices({"tiny": Price(1.0, 2.0), "gemini-test": Price(1.0, 2.0)})


class ModelStages(PendulumStages):
    """Stages whose drafts a model writes, and whose films another judges."""

    def __init__(self, models: ModelsConfig, gateway: Gateway):
        super().__init__(bad_share=0.0, start={"speed": 1.0, "tip_height": 2.0, "straight": 0.5})
        self.writer = open_model("writer", "openai", models, gateway)
        self.critic = open_model("critic", "gemini", models, gateway)

    def write(self, request: WriteRequest) -> Draft:
        words = f"{request.best_source}\ncritique: {request.critique.summary}"
        answer = self.writer.ask(
            ModelRequest("write", "write@1", "Edit one weight.", (Text(words),), temperature=0.8, seed=request.seed % 1000)
        )
        return Draft(answer.text, "an edit", name=f"iteration {request.iteration}", calls=(answer.record,))

    def critique(self, motion: Evidence, earlier: Json | None) -> Json:
        assert motion.clip is not None
        words = f"height {motion.facts.metrics.distance_m:.6f} m under {motion.facts.weights}"
        parts = (Text(words), Video(motion.clip, 8.0))
        critique, records = ask_for(self.critic, ModelRequest("critique", "critique@1", "Judge.", parts), Critique)
        return {**critique.model_dump(mode="json"), "calls": records}


def write(body: dict) -> str:
    """Answer as a writer would: change one weight, by the seed."""
    source = body["messages"][1]["content"].split("\ncritique: ")[0] + "\n"
    weights, draw = weights_of(source), random.Random(body["seed"])
    return source_of({**weights, draw.choice(list(TERMS)): round(draw.uniform(0.1, 4.0), 3)})


def judge(body: dict) -> str:
    height = re.search(r"height (\S+) m", str(body))
    return json.dumps({"success": False, "summary": f"The tip is at {height[1]} m."}) if height else "{}"


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr("os.fsync", lambda descriptor: None)
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


@pytest.fixture
def servers() -> Iterator[tuple[OpenAIServer, GeminiServer]]:
    with OpenAIServer(write, key=KEY) as writer, GeminiServer(judge, key=KEY) as critic:
        for address in (writer.url, critic.address):
            addresses.allow(address)
        yield writer, critic


def search(path: Path, servers=None, replay: Path | None = None, made=ModelStages, **values) -> RunResult:
    address = {} if servers is None else {"writer_url": servers[0].url, "critic_url": servers[1].address}
    models = ModelsConfig(writer_model="tiny", critic_model="gemini-test", **address)
    # Without a race every iteration is judged, so the calls can be counted.
    config = RunConfig(**{"iterations": 3, "seeds": (0, 1), "models": models, "race": race_config.OFF, **values})
    more = {"sleep": lambda seconds: None, "retries": 0, "prices": PRICES}
    records = None if replay is None else replay / "calls"
    gateway = Gateway(path / "calls", max_calls=config.max_calls, max_cost=config.max_cost, replay=records, **more)
    stages = made(models, gateway)
    if (path / "run.json").exists():
        folder = RunFolder(path, config.seeds)
    else:
        folder = RunFolder.create(path, config.to_yaml(), {"seed": 0}, config.seeds)
    return Loop(folder, config, stages, (LocalTracker(path),), None, {"task": "swing"}).run()


def results(path: Path) -> dict:
    """Return what the run made, without the calls' times."""
    found = tree(path)
    found["summary.json"].pop("calls")
    return {name: what for name, what in found.items() if "calls/" not in name and name != "config.yaml"}


def test_a_run_is_repeated_from_its_records_without_a_server_bit_for_bit(servers, tmp_path, monkeypatch):
    first = search(tmp_path / "run", servers)
    assert first.stopped == "iterations" and len(first.rows) == 4
    calls = json.loads((tmp_path / "run" / "summary.json").read_text())["calls"]
    assert (calls["write"]["calls"], calls["critique"]["calls"]) == (3, 4)
    assert calls["critique"]["usd"] == pytest.approx(4 * (1000 + 2 * 25) / 1e6) and calls["write"]["tokens_in"] == 360
    for server in servers:
        server.seen.clear()
    for name in ("GEMINI_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name)
    again = search(tmp_path / "again", replay=tmp_path / "run")
    assert differences(tmp_path / "run", tmp_path / "again", (0, 1)) == [] and [r.score for r in again.rows] == [
        r.score for r in first.rows
    ]
    assert results(tmp_path / "run") == results(tmp_path / "again") and not servers[0].seen and not servers[1].seen
    twice = search(tmp_path / "twice", replay=tmp_path / "again")
    assert [r.weights for r in twice.rows] == [r.weights for r in first.rows]
    changed = tmp_path / "again" / "iterations" / "002" / "rollout.npz"
    changed.write_bytes(changed.read_bytes()[:-1] + b"?")
    assert differences(tmp_path / "run", tmp_path / "again", (0, 1)) == ["Iteration 2 differs in rollout.npz."]
    with pytest.raises(ModelFault, match="hold no answer"):
        search(tmp_path / "other", replay=tmp_path / "run", seed=5)


def test_a_run_that_a_fault_stopped_goes_on_and_pays_for_nothing_twice(servers, tmp_path):
    search(tmp_path / "whole", servers)
    paid = len(servers[0].asked), len(servers[1].asked)
    for server in servers:
        server.seen.clear()
    servers[1].queue = [lambda seen: refusal(503, f"Overloaded, {KEY}.")]
    for reason in ("HTTP 503: Overloaded", "HTTP 500: Ouch"):
        with pytest.raises(ModelFault, match=reason) as caught:
            search(tmp_path / "run", servers)
        assert f"movlr resume {tmp_path / 'run'}" in str(caught.value) and KEY not in str(caught.value)
        assert json.loads((tmp_path / "run" / "summary.json").read_text())["stopped"] == "fault"
        servers[0].queue = [lambda seen: refusal(500, "Ouch.")]
    servers[0].queue = []
    search(tmp_path / "run", servers)
    assert results(tmp_path / "run") == results(tmp_path / "whole")
    assert (len(servers[0].asked), len(servers[1].asked)) == (paid[0] + 1, paid[1] + 1)


def test_an_answer_that_was_given_before_the_run_was_stopped_is_not_paid_for_again(servers, tmp_path):
    class Stopped(ModelStages):
        def write(self, request: WriteRequest) -> Draft:
            super().write(request)
            raise KeyboardInterrupt

    assert search(tmp_path / "run", servers, made=Stopped).stopped == "interrupted" and len(servers[0].asked) == 1
    assert not list((tmp_path / "run").rglob("drafts/*.json"))[1:]
    search(tmp_path / "run", servers)
    assert len(servers[0].asked) == 3


@pytest.mark.parametrize(("limit", "said"), [({"max_calls": 4}, "budget of 4 model calls"), ({"max_cost": 0.003}, "0.003 USD is spent")])
def test_a_spent_budget_ends_the_run_and_a_larger_one_goes_on_to_the_same_end(servers, tmp_path, limit, said):
    first = search(tmp_path / "run", servers, **limit)
    assert first.stopped == "budget" and said in first.message and "movlr resume" in first.message
    assert len(servers[0].asked) + len(servers[1].asked) == (4 if "max_calls" in limit else 5)
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["stopped"] == "budget" and said in summary["spent"]
    still = search(tmp_path / "run", servers, **limit)
    assert still.stopped == "budget" and len(still.rows) == len(first.rows)
    search(tmp_path / "run", servers)
    search(tmp_path / "whole", servers)
    assert results(tmp_path / "run") == results(tmp_path / "whole")


def test_an_answer_that_no_repetition_mends_is_named_with_the_file_that_holds_it(servers, tmp_path):
    servers[1].queue = [content(None, finish="SAFETY")]
    for _ in range(2):  # the second time from the record
        with pytest.raises(ModelFault, match=r"blocked its answer \(SAFETY\)") as caught:
            search(tmp_path / "run", servers)
    path = Path(re.search(r"the answer is (\S+), and", str(caught.value))[1])
    assert len(servers[1].asked) == 1
    path.unlink()
    assert search(tmp_path / "run", servers).stopped == "iterations"


def test_no_key_is_in_any_file_of_a_run(servers, tmp_path):
    servers[0].reply = lambda body: f"{write(body)}# {KEY}\n"
    search(tmp_path / "run", servers)
    with contextlib.suppress(ModelFault):
        servers[0].key = "another"
        search(tmp_path / "refused", servers)
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) > 50 and [path for path in written if KEY.encode() in path.read_bytes()] == []


def test_the_report_and_its_command_tell_calls_tokens_and_cost(servers, tmp_path, capsys):
    search(tmp_path / "run", servers)
    assert main(["report", str(tmp_path / "run")]) == 0
    out = capsys.readouterr().out
    assert re.search(r"critique +4 +0 +4,?000 +100 +0\.0042", out) and re.search(r"write +3 +0 +360 +90 +0\.0005", out)
    assert out.strip().splitlines()[-1].endswith("report.html")
    page = (tmp_path / "run" / "report.html").read_text()
    assert "Time and cost" in page and "<td>critique</td>" in page and KEY not in page
