"""Methods: what each shows and asks, in whole searches of small stages with scripted models."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil

import pytest
from support.pendulum_stages import PendulumStages, weights_of

from movlr_jax.critics.attachments import Show
from movlr_jax.errors import MovlrError
from movlr_jax.facts import Facts
from movlr_jax.feedback import feedback
from movlr_jax.llm.base import ModelFault
from movlr_jax.llm.gateway import Gateway
from movlr_jax.prompts import prompt
from movlr_jax.runs import methods
from movlr_jax.runs.config import RunConfig
from movlr_jax.runs.run_folder import RunFolder
from movlr_jax.searches.loop import Loop
from movlr_jax.tracking import LocalTracker

GOAL = "Swing the tip up."
JUDGED = {
    "success": False,
    "summary": "The tip hangs.",
    "faults": [{"kind": "low_tip", "what": "The tip hangs low.", "body_part": "tip", "severity": 0.8, "stage": "progress"}],
    "suggestions": [{"action": "add", "term": "tip_height", "words": "Raise the tip."}],
}


@pytest.fixture(autouse=True)
def _unflushed(monkeypatch):
    monkeypatch.setattr("os.fsync", lambda descriptor: None)


class MindedStages(PendulumStages):
    """The pendulum's body and sandbox, with the critic and the writer of a real run."""

    def __init__(self, config: RunConfig, folder, clip):
        super().__init__(bad_share=0.0)
        self.config, self.clip = config, clip
        self.feedback = feedback.Feedback(config, Gateway(folder / "calls"))

    def describe(self, reward, rollouts, summary):
        told = super().describe(reward, rollouts, summary)
        more = {"goal": GOAL, "seconds": 0.24, "goal_speed_mps": None, "episodes": summary["episodes"], "gait": {"swings": 3}}
        return Facts.read({**told.to_json(), **more})

    def film(self, rollout, path):
        shutil.copy(self.clip, path)

    def write(self, request):
        self.requests.append(request)
        return self.feedback.write(request)

    def critique(self, motion, earlier):
        return self.feedback.critique(motion, earlier)

    def compare(self, a, b):
        return self.feedback.compare(a, b)


def program(ask):
    """Add a term, or raise its weight, so that no two programs are the same."""
    words = "".join(getattr(part, "text", "") for part in ask.parts)
    weights = weights_of(re.search(r"The best program so far:\n```python\n(.*?)\n```", words, re.DOTALL)[1] + "\n")
    weights["tip_height"] = round(weights.get("tip_height", 0.0) + 0.5 + (ask.seed % 1000) / 1000, 3)
    source = f"WEIGHTS = {json.dumps(weights)}\n\n\ndef terms(m):\n    return {{}}\n"
    return f"EDIT: raise tip_height to {weights['tip_height']}\nWHY: It hangs.\n```python\n{source}```"


@pytest.fixture
def search(tmp_path, small_clip, scripted, monkeypatch):
    """Run a search with scripted models in place of services; return its result, the critic's and the writer's model."""

    def run(watcher=(JUDGED, {"winner": "a", "reason": "Higher."}), writer_answers=(program,), advisor=None, name="run", **values):
        def watch(ask):
            return watcher[0] if ask.purpose == "critique" else watcher[1] if ask.purpose == "compare" else program(ask)

        models = {"critic": scripted(watch, name="watcher"), "writer": scripted(*writer_answers, name="writer")}
        monkeypatch.setattr(feedback, "open_model", lambda role, service, config, gateway: models[role])
        config = methods.settled(RunConfig(**{"iterations": 2, **values}))
        path = tmp_path / name
        known = (path / "run.json").exists()
        folder = RunFolder(path, config.seeds) if known else RunFolder.create(path, config.to_yaml(), {"seed": 0}, config.seeds)
        stages = MindedStages(config, path, small_clip)
        result = Loop(folder, config, stages, (LocalTracker(path),), None, {"task": "swing"}, advisor=advisor).run()
        return result, models["critic"], models["writer"]

    return run


def test_movlr_shows_the_clip_to_one_model_and_its_words_to_another(search, tmp_path):
    result, watcher, writer = search(critic="gemini", writer="openai")
    assert result.stopped == "iterations" and len(result.rows) == 3
    assert [a.purpose for a in watcher.asks] == ["critique", *["critique", "compare", "compare"] * 2]
    assert watcher.words(0).count("<video>") == 1 and watcher.words(2).count("<video>") == 2
    assert "Swing the tip up." in watcher.words(0) and "swings 3" in watcher.words(0) and 'WEIGHTS = {"speed": 1.0}' in watcher.words(0)
    assert "m.tip_height: Height" not in watcher.words(0) and "def terms" in watcher.words(0)
    asked = writer.words(0)
    assert "The tip hangs low." in asked and "m.tip_height: Height" in asked and "def terms(m)" in asked and "speed: weight 1" in asked
    assert "swings 3" not in asked and "<video>" not in asked and "<image>" not in asked
    assert "raise tip_height to" in writer.words(1) and "score" in writer.words(1), "the history of iteration 1"
    calls = tmp_path / "run" / "iterations" / "001" / "calls"
    assert {p.name: len(json.loads(p.read_text())) for p in calls.iterdir()} == {"critique.json": 1, "prefer.json": 2, "write-00.json": 1}
    assert json.loads((calls / "write-00.json").read_text())[0]["prompt"] == prompt.load("write").label
    assert "calls" not in json.loads((calls.parent / "critique.json").read_text())


def test_eureka_has_no_critic_and_tells_the_measurements(search):
    result, watcher, writer = search(method="eureka", writer="openai")
    assert watcher.asks == [] and "Nobody judges" in result.rows[0].critique
    asked = writer.words(0)
    assert "distance 0" in asked and "speed: weight 1" in asked
    assert "swings 3" not in asked and "Fault" not in asked and "critic" not in asked and "<video>" not in asked
    assert all("Nobody compares" in row.why and "score" in row.why for row in result.rows[1:] if not row.gates["fell"])


def test_harmon_shows_four_frames_and_is_movlr_else(search):
    _, watcher, writer = search(method="harmon", critic="openai", writer="openai")
    assert [watcher.words(k).count("<image>") for k in (0, 2)] == [4, 8] and "<video>" not in watcher.words(0) + watcher.words(2)
    assert "The tip hangs low." in writer.words(0)


def test_vlm_only_is_one_model_that_watches_and_writes_in_one_call(search):
    result, model, nobody = search(method="vlm-only", critic="gemini")
    assert nobody.asks == [] and {a.purpose for a in model.asks} == {"write", "compare"}
    asked = model.words(0)
    assert asked.count("<video>") == 1 and "swings 3" in asked and "def terms(m)" in asked and "m.tip_height" in asked
    assert "Fault" not in asked and result.rows[1].weights != result.rows[0].weights


def test_start_and_human_learn_nothing(search):
    for method in ("start", "human"):
        result, watcher, writer = search(method=method, iterations=5, name=method)
        assert len(result.rows) == 1 and not watcher.asks and not writer.asks
        assert methods.settled(RunConfig(method=method)).start_reward == method


def test_the_offline_critic_and_writer_serve_where_no_eyes_are_needed(tmp_path):
    for method, critic in (("movlr", "OfflineCritic"), ("eureka", "NoneType")):
        made = feedback.Feedback(methods.settled(RunConfig(method=method)), Gateway(tmp_path))
        assert type(made.critic).__name__ == critic and type(made.writer).__name__ == "OfflineWriter"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"method": "eurika"}, "did you mean eureka"),
        ({"method": "harmon"}, "add --critic gemini or --critic openai"),
        ({"method": "vlm-only"}, "needs a model that watches"),
        ({"method": "vlm-only", "critic": "gemini", "writer": "openai"}, "leave out --writer openai"),
        ({"method": "eureka", "critic": "gemini"}, "leave out --critic gemini"),
        ({"method": "human", "writer": "gemini"}, "writes nothing"),
        ({"method": "start", "start_reward": "mine.py"}, "leave out --start-reward mine.py"),
    ],
)
def test_what_does_not_go_together_is_told(values, sentence):
    with pytest.raises(MovlrError, match=sentence):
        methods.settled(RunConfig(**values))


def test_a_settled_configuration_stays_as_it_is():
    for values in ({}, {"method": "human"}, {"method": "vlm-only", "critic": "gemini"}):
        config = methods.settled(RunConfig(**values))
        assert methods.settled(config) == config and RunConfig.from_yaml(config.to_yaml()) == config


def test_who_writes():
    said = [methods.written_by_model(RunConfig(**v)) for v in ({}, {"writer": "openai"}, {"method": "vlm-only", "critic": "gemini"})]
    assert said == [False, True, True]


def test_unknown_critics_and_writers_are_told(tmp_path):
    for kind in ("critic", "writer"):
        with pytest.raises(MovlrError, match=f"no {kind} 'gemeni'"):
            feedback.Feedback(RunConfig(**{kind: "gemeni"}), Gateway(tmp_path))


def test_a_critic_that_prefers_a_position_ties_and_the_best_is_kept(search):
    # The second and third programs only change what the score cannot see.
    same = [f"EDIT: {k}\n```python\nWEIGHTS = {json.dumps({'speed': 1.0 + k})}\n\n\ndef terms(m):\n    return {{}}\n```" for k in (1, 2)]
    result, watcher, _ = search((JUDGED, {"winner": "a", "reason": "The first."}), same, critic="gemini", writer="openai")
    assert sum(a.purpose == "compare" for a in watcher.asks) == 4
    assert [row.kept for row in result.rows] == [True, False, False] and result.best == 0
    assert all("The critic ties (The answer followed the position" in row.why for row in result.rows[1:])


def test_an_answer_without_a_program_is_refused_and_told_and_saved(search, tmp_path):
    result, _, writer = search(writer_answers=("I would raise the tip.", program), writer="openai")
    assert result.rows[1].refusals == [result.rows[1].tried[0].outcome.removeprefix("refused: ")]
    assert "holds no block of code" in result.rows[1].refusals[0] and not result.rows[1].exhausted
    assert "Your last answer was refused: The answer holds no block of code" in writer.words(1)
    assert "I would raise the tip." in writer.words(1) and "Your last answer" not in writer.words(2)
    draft = json.loads((tmp_path / "run" / "iterations" / "001" / "drafts" / "00.json").read_text())
    assert draft["source"] == "I would raise the tip." and draft["given_up"] == ""


def test_a_judgement_that_is_not_given_does_not_end_the_run(search, tmp_path):
    blocked = ModelFault("The safety filter took the answer.", "blocked")
    given = [JUDGED, blocked, blocked]
    result, _, _ = search((lambda ask: given.pop(0), blocked), critic="gemini", writer="openai")
    assert result.stopped == "iterations"
    place = tmp_path / "run" / "iterations" / "001"
    critique = json.loads((place / "critique.json").read_text())
    assert critique["summary"] == "The tip hangs. (Said of the best motion before: this one was not judged.)" and critique["faults"]
    assert critique["unjudged"] == "The safety filter took the answer."
    second = json.loads((place.parent / "002" / "critique.json").read_text())
    assert second["summary"].count("Said of the best motion before") == 1
    assert "no usable comparison: The safety filter" in result.rows[1].why or "Physics" in result.rows[1].why
    assert json.loads((place / "calls" / "critique.json").read_text())[0]["fault"]["kind"] == "blocked"


def test_a_first_motion_that_is_not_judged_leaves_the_writer_its_statistics(search):
    blocked = ModelFault("The safety filter took the answer.", "blocked")
    result, _, writer = search((blocked, blocked), critic="gemini", writer="openai", iterations=1)
    assert result.rows[0].critique.startswith("This motion was not judged") and len(writer.asks) == 1


def test_a_model_that_cannot_be_reached_stops_the_run_which_goes_on_from_there(search, tmp_path):
    gone = ModelFault("The server does not answer.", "unreachable")
    with pytest.raises(ModelFault, match="go on with `movlr resume"):
        search(writer_answers=(program, gone), writer="openai")
    assert len(RunFolder(tmp_path / "run").rows()) == 2
    result, _, writer = search(writer="openai")
    assert len(result.rows) == 3 and len(writer.asks) == 1


def test_candidates_of_one_iteration_differ_on_purpose(search):
    _, _, writer = search(writer="openai", candidates=3, iterations=1)
    assert [a.temperature for a in writer.asks] == [0.0, 0.9, 0.9]
    assert "program 3 of 3" in writer.words(2) and writer.words(2).count('+WEIGHTS = {"speed": 1.0, "tip_height"') == 2


def test_a_changed_prompt_changes_its_recorded_version(search, tmp_path, monkeypatch):
    search(writer="openai", iterations=1, name="a")
    changed = dict(prompt.load("write").blocks) | {"first idea": "Surprise me."}
    text = "\n".join(f"# {name}\n{body}\n" for name, body in changed.items())
    monkeypatch.setattr(prompt, "load", lambda name: prompt.Prompt.read(name, text))
    _, _, writer = search(writer="openai", iterations=1, name="b")
    versions = [json.loads((tmp_path / n / "iterations/001/calls/write-00.json").read_text())[0]["prompt"] for n in "ab"]
    assert versions[0] != versions[1] and all(re.fullmatch(r"write@[0-9a-f]{8}", v) for v in versions)
    assert "Surprise me." in writer.words(0)


def test_a_persons_advice_joins_the_critique_and_outlives_an_interruption(search, tmp_path):
    heard = []

    def advise(number, clips, critique):
        heard.append((number, list(clips) == [""], critique["summary"]))
        if number == 1 and len(heard) == 2:
            raise KeyboardInterrupt
        return f" Advice {number}. "

    result, first, _ = search(critic="gemini", writer="openai", ask=True, advisor=advise)
    assert result.stopped == "interrupted" and [h[0] for h in heard] == [0, 1]
    result, watcher, writer = search(critic="gemini", writer="openai", ask=True, advisor=advise)
    assert result.stopped == "iterations" and [h[0] for h in heard] == [0, 1, 1, 2] and heard[0] == (0, True, "The tip hangs.")
    # The critique was paid for before the question, and is not asked for again.
    assert [a.purpose for a in first.asks + watcher.asks].count("critique") == 3
    assert json.loads((tmp_path / "run/iterations/001/critique.json").read_text())["advice"] == "Advice 1."
    kept = result.rows[1].kept
    said = "Advice 1." if kept else "Advice 0. Of the motion of iteration 1, which was not kept: Advice 1."
    assert f"<advice>{said}</advice>" in writer.words(0)


def test_a_run_that_asks_needs_somebody_to_ask(search):
    with pytest.raises(MovlrError, match="nobody to ask"):
        search(critic="gemini", ask=True)
    result, _, _ = search(critic="gemini", ask=False)
    assert result.stopped == "iterations"


def test_what_is_shown_can_be_chosen_for_any_method(search):
    _, watcher, _ = search(critic="gemini", show=Show(clip="frames", frames=2, facts=False), iterations=0)
    assert watcher.words(0).count("<image>") == 2 and "swings" not in watcher.words(0)
    assert dataclasses.replace(Show(), clip="video") == methods.METHODS["movlr"].show(Show())
