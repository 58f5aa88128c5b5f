"""What a writer is reminded of, in whole searches: drafts that failed, and the program that a draft was made from."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from support.openai_server import OpenAIServer
from support.pendulum_stages import PendulumStages, source_of, tree

from movlr_jax.critics.base import Background
from movlr_jax.errors import BadFile
from movlr_jax.facts import Facts
from movlr_jax.feedback.feedback import Feedback
from movlr_jax.llm import addresses
from movlr_jax.llm.config import ModelsConfig
from movlr_jax.llm.gateway import Gateway
from movlr_jax.runs.config import RunConfig
from movlr_jax.runs.run_folder import RunFolder
from movlr_jax.searches import memory
from movlr_jax.searches.loop import Loop
from movlr_jax.searches.replay import differences
from movlr_jax.searches.result import RunResult
from movlr_jax.tracking import LocalTracker
from movlr_jax.writers.base import Draft, WriteRequest

# The second ends in a fall, the first does not.
GOOD, WORSE = {"straight": 5.0, "effort": 1.0}, {"straight": -5.0}


@pytest.fixture(autouse=True)
def _unflushed(monkeypatch):
    monkeypatch.setattr("os.fsync", lambda descriptor: None)


class Scripted(PendulumStages):
    """Writes given weights, one after the other, each built on an iteration or on the best."""

    def __init__(self, *drafts: tuple[dict[str, float], int | None], **more):
        super().__init__(**more)
        self.drafts, self.motions = drafts, []

    def critique(self, motion, earlier):
        self.motions.append(motion)
        return super().critique(motion, earlier)

    def write(self, request: WriteRequest) -> Draft:
        self.requests.append(request)
        weights, base = self.drafts[len(self.requests) - 1]
        return Draft(source_of(weights), f"edit {len(self.requests)}", name=f"iteration {request.iteration}", builds_on=base)


def search(path: Path, stages: PendulumStages, **values) -> RunResult:
    config = RunConfig(**{"seeds": (0, 1), **values})
    known = (path / "run.json").exists()
    folder = RunFolder(path, config.seeds) if known else RunFolder.create(path, config.to_yaml(), {"seed": 0}, config.seeds)
    return Loop(folder, config, stages, (LocalTracker(path),), None, {"task": "swing"}).run()


def test_a_writer_is_shown_what_failed_and_what_became_of_it(tmp_path):
    bad, again = {**GOOD, "levitation": 1.0}, {**WORSE, "speed": 1.0}
    stages = Scripted((WORSE, None), (bad, None), (again, None), ({**WORSE, "speed": 2.0}, 1), start=GOOD)
    result = search(tmp_path / "run", stages, iterations=3)
    assert [row.kept for row in result.rows[:2]] == [True, False]
    assert stages.requests[0].failed == () and stages.requests[0].best == 0 and set(stages.requests[0].programs) == {0}
    (worse,) = stages.requests[1].failed
    assert (worse.source, worse.base, worse.base_source) == (source_of(WORSE), 0, source_of(GOOD))
    assert worse.ending == result.rows[1].why and worse.critique.summary == result.rows[1].critique
    assert worse.base_score == result.rows[0].score and worse.facts.weights == WORSE and worse.base_facts.weights == GOOD
    told = stages.requests[3].failed
    refused = next(failed for failed in told if failed.attempt.refused)
    assert refused.source == source_of(bad) and "levitation" in refused.attempt.outcome and refused.facts is None
    assert set(stages.requests[3].programs) == {0, 1, 2}
    last = result.rows[3]
    assert last.parent == 1 and last.tried[-1].builds_on == 1 and last.changes == {"speed": "added"}
    assert last.edit == "edit 4 (to iteration 1's)" and stages.motions[0].background == Background(source_of(GOOD), start=True)
    assert stages.motions[-1].background.edit == "edit 4"
    assert stages.motions[-1].background.earlier.summary == result.rows[1].critique
    drafts = json.loads((tmp_path / "run" / "iterations" / "003" / "drafts" / "00.json").read_text())
    assert drafts["builds_on"] == 1


def test_what_failed_may_be_hidden_from_writers(tmp_path):
    stages = Scripted((WORSE, None), ({**WORSE, "speed": 1.0}, None), start=GOOD)
    search(tmp_path / "run", stages, iterations=2, show_failed=False)
    assert stages.requests[1].failed == () and [attempt.iteration for attempt in stages.requests[1].history] == [0, 1]


def test_a_formula_that_is_rewritten_is_a_change_and_a_fitted_weight_no_drift(tmp_path):
    class Rewriting(PendulumStages):
        def write(self, request: WriteRequest) -> Draft:
            added, fitted = source_of({**GOOD, "speed": 60.0}), source_of({**GOOD, "speed": 50.0})
            text = {1: added, 2: fitted, 3: fitted.replace("m.speed", "2.0 * m.speed")}[request.iteration]
            return Draft(text, "fit speed", name=f"iteration {request.iteration}", builds_on=request.iteration - 1)

    rows = search(tmp_path / "run", Rewriting(start=GOOD), iterations=3).rows
    assert [row.changes for row in rows] == [{}, {"speed": "added"}, {"speed": "lowered"}, {"speed": "rewritten"}]
    assert [row.parent for row in rows] == [None, 0, 1, 2]
    assert not [failure for row in rows for failure in row.failures if failure.name == "drift"]


def test_what_is_told_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "SINCE_BEST", 2)
    monkeypatch.setattr(memory, "BEFORE_BEST", 1)
    drafts = [({**WORSE, "effort": 0.01 * k}, None) for k in range(5)]
    stages = Scripted(*drafts, start=GOOD)
    result = search(tmp_path / "run", stages, iterations=5)
    assert all(len(request.failed) <= 3 for request in stages.requests)
    assert result.best == 0
    assert [failed.attempt.iteration for failed in stages.requests[4].failed] == [3, 4]


def test_a_draft_that_builds_on_what_is_not_there_is_one_sentence(tmp_path):
    with pytest.raises(BadFile, match="builds on iteration 7, which has no program: restore the file"):
        search(tmp_path / "run", Scripted((WORSE, 7), start=GOOD), iterations=1)


def test_a_folder_of_an_earlier_version_reminds_of_what_it_holds(tmp_path):
    stages = Scripted((WORSE, None), ({**GOOD, "effort": 3.0}, None), start=GOOD)
    search(tmp_path / "run", stages, iterations=1)
    place = tmp_path / "run" / "iterations" / "001"
    for path in (place / "iteration.json", place / "drafts" / "00.json"):
        record = json.loads(path.read_text())
        for part in (record, *record.get("tried", ())):
            part.pop("builds_on", None)
        path.write_text(json.dumps(record))
    search(tmp_path / "run", stages, iterations=2)
    assert [failed.base for failed in stages.requests[1].failed] == [0]


class Minded(PendulumStages):
    """The pendulum's body and sandbox, whose critic and writer are models that are asked over loopback."""

    def __init__(self, config: RunConfig, gateway: Gateway):
        super().__init__(bad_share=0.0, start=GOOD)
        self.feedback = Feedback(config, gateway)

    def describe(self, reward, rollouts, summary):
        return Facts.read({**super().describe(reward, rollouts, summary).to_json(), "goal": self.goal, "seconds": 0.24})

    def write(self, request):
        return self.feedback.write(request)

    def critique(self, motion, earlier):
        return self.feedback.critique(motion, earlier)

    def compare(self, a, b):
        return self.feedback.compare(a, b)


def answer(body: dict) -> str:
    """Answer as a critic, and as a writer that builds on what failed last, once on nothing."""
    system, words = (str(message["content"]) for message in body["messages"][:2])
    if not system.startswith("You write"):
        tie, judged = {"winner": "tie", "reason": "Alike."}, {"success": False, "summary": "The tip hangs."}
        return json.dumps(tie if "winner" in json.dumps(body.get("response_format")) else judged)
    number = len(re.findall(r"\nIteration \d", words))
    base = {0: "best", 1: "9" if "names iteration 9" not in words else "1"}.get(number, "iteration 2")
    program = source_of({**WORSE, "effort": round(0.01 * number, 2)})
    return f"BUILDS ON: {base}\nEDIT: try {number}\nWHY: To see.\n```python\n{program}```"


def test_a_search_with_models_over_loopback_is_recorded_resumed_and_repeated(tmp_path, monkeypatch):
    pytest.importorskip("openai", reason="openai is not installed")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-planted")

    def run(path: Path, config: RunConfig, replay: Path | None = None, **more) -> RunResult:
        gateway = Gateway(path / "calls", replay=replay, retries=0, sleep=lambda seconds: None, **more)
        known = (path / "run.json").exists()
        folder = RunFolder(path, config.seeds) if known else RunFolder.create(path, config.to_yaml(), {"seed": 0}, config.seeds)
        return Loop(folder, config, Minded(config, gateway), (LocalTracker(path),), None, {"task": "swing"}).run()

    with OpenAIServer(answer, key="sk-planted") as server:
        addresses.allow(server.url)
        models = ModelsConfig(writer_model="tiny", critic_model="tiny", writer_url=server.url, critic_url=server.url)
        values = {"critic": "openai", "writer": "openai", "models": models, "seeds": (0, 1)}
        config = RunConfig.from_values({**RunConfig().to_values(), "show": {"clip": "nothing"}})
        config = RunConfig(**values, show=config.show, iterations=3)
        first = run(tmp_path / "run", config)
        half = RunConfig(**values, show=config.show, iterations=1)
        run(tmp_path / "resumed", half)
        run(tmp_path / "resumed", config)
    assert [row.parent for row in first.rows] == [None, 0, 1, 2] and not any(row.kept for row in first.rows[1:])
    assert first.rows[2].refusals == [
        "The line BUILDS ON names iteration 9, which has no program here: write `BUILDS ON: best`, or one of the iterations 1."
    ]
    requests = [body["messages"][1]["content"] for body in server.asked if body["messages"][0]["content"].startswith("You write")]
    third = str(requests[3])
    assert "Iteration 1, built on the best: try 0" in third and "Iteration 2, built on iteration 1: try 1" in third
    assert "The line BUILDS ON names iteration 9" in third and "The critic" not in third.split("What failed")[0]
    again = run(tmp_path / "again", config, replay=tmp_path / "run" / "calls")
    assert differences(tmp_path / "run", tmp_path / "again", (0, 1)) == [] and [r.parent for r in again.rows] == [None, 0, 1, 2]

    def made(path: Path) -> dict:
        return {name: what for name, what in tree(path).items() if "calls" not in name and name not in ("config.yaml", "summary.json")}

    assert made(tmp_path / "run") == made(tmp_path / "resumed") == made(tmp_path / "again")
