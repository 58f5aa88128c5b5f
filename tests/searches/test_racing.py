"""The race: programs that are clearly worse are eliminated early and told to writers; who is left moved as without a race."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.pendulum_stages import PendulumStages, source_of, tree

from movlr_jax import atomic
from movlr_jax.control.planners import MPPI
from movlr_jax.errors import BadFile, MovlrError
from movlr_jax.facts import Facts
from movlr_jax.media import report
from movlr_jax.rewards.program import literal_weights
from movlr_jax.runs import race_config
from movlr_jax.runs.config import RunConfig
from movlr_jax.runs.race_config import RaceConfig
from movlr_jax.runs.run_folder import RunFolder
from movlr_jax.runs.tune_config import InnerTune
from movlr_jax.searches import assembly, racing
from movlr_jax.searches.events import Event
from movlr_jax.searches.loop import Loop
from movlr_jax.searches.racing import Judge, Measured, Rung
from movlr_jax.searches.real_stages import RealStages
from movlr_jax.searches.replay import differences
from movlr_jax.searches.result import RunResult
from movlr_jax.searches.stages import Begun, Trusted, measured
from movlr_jax.tracking import LocalTracker
from movlr_jax.writers import attempts_text
from movlr_jax.writers.base import Draft, WriteRequest

DRIVER = Path(__file__).parents[1] / "support" / "kill_driver.py"
SHORT = RaceConfig(seconds=0.12, extra_seeds=0)
CALM, WILD, HIGH, LOW = {"straight": 5.0, "effort": 1.0}, {"straight": -5.0}, {"tip_height": 2.0}, {"tip_height": -2.0}


@pytest.fixture(autouse=True)
def _unflushed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda descriptor: None)


class Scripted(PendulumStages):
    """Writes given weights, one after the other; keeps what is moved, for how long, and what is criticised.

    Args:
        drafts: the weights.
        frail: the angle of the lower part beyond which an episode counts as a fall (rad).
        way: whether the goal is a way to go.
        start: weights of the start reward.
    """

    def __init__(self, *drafts: dict[str, float], frail: float = 2.12, way: bool = False, **more: Any):
        super().__init__(**more)
        self.drafts, self.frail, self.way = drafts, frail, way
        self.executed: list[tuple[int, int]] = []
        self.critiques = 0

    def write(self, request: WriteRequest) -> Draft:
        self.requests.append(request)
        number = len(self.requests) - 1
        return Draft(source_of(self.drafts[number]), f"draft {number}", name=f"iteration {request.iteration}")

    def _episode(self, reward: Any, seed: int, advanced: Any, **more: Any) -> Any:
        ran = super()._episode(reward, seed, advanced, **more)
        self.executed.append((seed, len(ran["rows"])))
        return ran

    def measure(self, rollout: Any) -> Any:
        return {**super().measure(rollout), "fell": bool(np.abs(rollout["rows"][:, 2]).max() > self.frail)}

    def describe(self, reward: Any, rollouts: Any, summary: Any) -> Facts:
        facts = super().describe(reward, rollouts, summary)
        return facts.model_copy(update={"goal_speed_mps": 1.0}) if self.way else facts

    def critique(self, motion: Any, earlier: Any) -> Any:
        self.critiques += 1
        return super().critique(motion, earlier)


def search(path: Path, stages: PendulumStages, events: list[Event] | None = None, **values: Any) -> RunResult:
    config = RunConfig(**{"seeds": (0, 2), "race": SHORT, "iterations": 1, **values})
    known = (path / "run.json").exists()
    folder = RunFolder(path, config.seeds) if known else RunFolder.create(path, config.to_yaml(), {"seed": 0}, config.seeds)
    progress = None if events is None else events.append
    return Loop(folder, config, stages, (LocalTracker(path),), progress, {"task": "swing", "seconds": 0.24}).run()


def test_who_falls_at_the_beginning_is_eliminated_there_and_told_to_the_writer(tmp_path: Path) -> None:
    stages, events = Scripted(WILD, LOW, start=CALM, frail=0.8), list[Event]()
    result = search(tmp_path, stages, events, iterations=2)
    row = result.rows[1]
    assert row.candidate is None and not row.kept and row.score is None and row.edit == "draft 0"
    (out,) = row.eliminated
    assert (out.by, out.against, out.rung, out.ran) == ("gates", "best", 0, "0.12 s of seed 0")
    assert out.reason == "Worse than iteration 0, the best so far by falls, whatever follows."
    # Half an episode is all that was executed, and counted; nobody was asked about it.
    assert stages.executed[2:3] == [(0, 6)] and row.simulated_s == pytest.approx(0.12) and stages.critiques == 2
    place = tmp_path / "iterations/001/candidates/0"
    assert (place / "rungs/00/part.npz").exists() and not list(place.rglob("rollout*.npz"))
    assert json.loads((tmp_path / "iterations/001/race/00.json").read_text())["eliminated"][0]["candidate"] == 0
    assert json.loads((tmp_path / "summary.json").read_text())["iterations"][1]["eliminated"][0]["reason"] == out.reason
    # The next writer sees it as an attempt that failed, with what was measured.
    (failed,) = stages.requests[1].failed
    assert failed.attempt.eliminated and failed.facts is not None and failed.facts.metrics.fell and failed.source == source_of(WILD)
    assert "eliminated after 0.12 s of seed 0: Worse than iteration 0" in failed.attempt.outcome and failed.attempt.score is None
    told = attempts_text.failures(stages.requests[1])
    assert "How it ended: eliminated after 0.12 s of seed 0" in told and "-WEIGHTS" in told
    # So do those who look on.
    assert [e.message for e in events if e.kind == "eliminated"] == [f"candidate 0 after 0.12 s of seed 0: {out.reason}"]
    begun = next(e for e in events if e.kind == "stage" and e.stage == "move" and e.iteration == 1)
    assert begun.seconds == 0.12 and begun.seed == 0
    curves = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert "eliminated" in json.dumps(curves)
    page = report.write_report(tmp_path).read_text()
    assert "After 0.12 s of seed 0" in page and "Candidate 0 is eliminated." in page


def test_who_is_left_moves_to_the_bit_as_without_a_race_and_nothing_is_run_twice(tmp_path: Path) -> None:
    drafts = (CALM, LOW, {**LOW, "speed": 0.1}, {**LOW, "effort": 0.2})
    values: dict[str, Any] = {"iterations": 2, "candidates": 2, "seeds": (0, 1)}
    tolerant = dataclasses.replace(SHORT, margin=0.9)
    on = search(tmp_path / "on", stages := Scripted(*drafts, start=CALM | {"speed": 0.01}), race=tolerant, **values)
    off = search(tmp_path / "off", Scripted(*drafts, start=CALM | {"speed": 0.01}), race=race_config.OFF, **values)
    assert not any(row.eliminated for row in on.rows)
    assert [row.simulated_s for row in on.rows] == pytest.approx([row.simulated_s for row in off.rows])
    assert sum(steps for _, steps in stages.executed) == 10 * 12
    episodes = {name: what for name, what in tree(tmp_path / "off").items() if name.endswith((".npz", "metrics.json", "facts.json"))}
    raced = tree(tmp_path / "on")
    assert len(episodes) >= 20 and {name: raced[name] for name in episodes} == episodes
    assert not [name for name in raced if name.endswith(("part.npz", "after.npz"))]
    # Beside the episodes, that decisions state how sure they are is all that differs.
    assert all("in its confidence" in said for said in differences(tmp_path / "on", tmp_path / "off", (0, 1)))
    search(tmp_path / "again", Scripted(*drafts, start=CALM | {"speed": 0.01}), race=tolerant, **values)
    assert differences(tmp_path / "on", tmp_path / "again", (0, 1)) == []


def test_off_there_is_no_trace_of_it(tmp_path: Path) -> None:
    search(tmp_path, Scripted(WILD, start=CALM, frail=0.8), race=race_config.OFF)
    names = [name for name in tree(tmp_path) if any(f"/{part}/" in name for part in ("rungs", "race", "pairs", "extra"))]
    texts = [path.read_text() for path in tmp_path.rglob("*.json")]
    assert not names and not any("eliminated" in text or "confidence" in text for text in texts)


def test_who_is_behind_the_leader_is_eliminated_before_the_other_seeds(tmp_path: Path) -> None:
    result = search(tmp_path, stages := Scripted(LOW, HIGH, start=CALM), candidates=2)
    row = result.rows[1]
    (out,) = row.eliminated
    assert (out.candidate, out.by, out.against, out.ran) == (0, "score", "leader", "seed 0")
    assert out.reason.startswith("Score 0.2 against 0.327 of the leading program")
    assert row.candidate == 1 and row.kept and row.simulated_s == pytest.approx(3 * 0.24)
    assert "only one left" in json.loads((tmp_path / "iterations/001/choice.json").read_text())["reason"]
    assert [a.eliminated for a in row.tried] == [True, False]
    assert [seed for seed, _ in stages.executed[2:]] == [0, 0, 0, 0, 2]
    assert "eliminated: Score 0.2" in report.write_report(tmp_path).read_text()


def test_over_a_part_scores_count_where_the_goal_is_a_way(tmp_path: Path) -> None:
    values = {"race": dataclasses.replace(SHORT, margin=0.1), "seeds": (0,)}
    row = search(tmp_path / "way", Scripted(LOW, start=HIGH, way=True), **values).rows[1]
    assert row.eliminated[0].by == "score" and row.eliminated[0].against == "best" and row.simulated_s == pytest.approx(0.12)
    row = search(tmp_path / "none", Scripted(LOW, start=HIGH), **values).rows[1]
    assert not row.eliminated and row.candidate == 0 and not row.kept
    # On seed 1 the best falls in the end: what is behind at half time may still win by the gates, and does.
    row = search(tmp_path / "fallen", Scripted(LOW, start=HIGH, way=True), **{**values, "seeds": (1,)}).rows[1]
    assert not row.eliminated and row.kept


def test_the_rungs() -> None:
    def words(seeds: int, length: float = 4.0, **values: Any) -> list[str]:
        config = RunConfig(seeds=tuple(range(seeds)), **values)
        return [rung.words for rung in racing.rungs(config, values.get("number", 1), length)]

    assert words(1) == ["2 s of seed 0"]
    assert words(3) == ["2 s of seed 0", "seed 0", "seeds 0, 1"]
    assert words(6) == ["2 s of seed 0", "seed 0", "seeds 0, 1", "seeds 0, 1, 2, 3"]
    assert words(2, length=2.0) == ["seed 0"] and words(1, length=2.0) == []
    assert words(3, race=race_config.OFF) == words(3, tune=InnerTune(2, "random")) == []
    assert racing.rungs(RunConfig(seeds=(0, 1)), 0, 4.0) == []
    # An engine that runs all of them at once has nothing to gain; one that cannot, or of a single one, has.
    assert racing.rungs(RunConfig(seeds=(0, 1)), 1, 4.0, width=2) == []
    assert racing.rungs(RunConfig(seeds=(0, 1)), 1, 4.0, width=1) and racing.rungs(RunConfig(seeds=(0,)), 1, 4.0, width=1)


def did(*episodes: tuple[float, bool], moved: bool = True, lasted: float = 1.5) -> Measured:
    """Return what a motion did: score and fall of each episode; those that fell did after so many seconds of four."""
    scores, falls = tuple(s for s, _ in episodes), sum(f for _, f in episodes)
    gates = {"fell": falls > 0, "diverged": False, "moved": moved}
    records = [{"fell": f, "seconds": lasted if f else 4.0} for _, f in episodes]
    return Measured({"score": sum(scores) / len(scores), "falls": falls, "episodes": records, "gates": gates}, scores)


def judge(part: float | None, best: Measured, whole: Measured | None = None, way: bool = True, seeds: int = 3, **values: Any) -> Judge:
    rung = Rung(0, tuple(range(len(best.scores))), part)
    config = RunConfig(seeds=tuple(range(seeds)), **values)
    return Judge(config, rung, (best, (whole or did(*[(70.0, False)] * seeds)).metrics), "iteration 4", 4.0, way)


def test_the_rule_against_the_best() -> None:
    best, fell = did((70.0, False)), did((20.0, True))

    def by(judge: Judge, candidate: Measured) -> str | None:
        verdict = judge.eliminated({0: candidate}).get(0)
        return verdict and verdict.by

    # Certain: with one fall it cannot beat a best that never fell, whatever its score.
    assert by(judge(2.0, best), did((99.0, True))) == "gates"
    assert by(judge(2.0, best, critic="gemini"), did((99.0, True))) == "gates"
    # So it is with a fall near the end, which is less grave, but with one that is told apart by less it is not.
    assert by(judge(None, best), did((69.0, True), lasted=3.9)) == "gates"
    still = did((70.0, False), (70.0, False), (70.0, False), moved=False)
    assert by(judge(None, best, still), did((69.0, True), lasted=3.9)) is None
    assert by(judge(None, best, still), did((69.0, True), lasted=2.0)) == "gates"
    # But one that fell on two of three, it can.
    fallen = did((70.0, False), (30.0, True), (30.0, True))
    assert by(judge(2.0, best, fallen), did((69.0, True))) is None
    assert by(judge(2.0, best, fallen), did((10.0, False))) is None
    # By score: beyond the margin, a share of the best's, and no other way round.
    assert by(judge(2.0, best), did((48.0, False))) == "score" and by(judge(2.0, best), did((50.0, False))) is None
    assert by(judge(2.0, best, race=RaceConfig(margin=0.1)), did((50.0, False))) == "score"
    assert by(judge(2.0, best, way=False), did((10.0, False))) is None and by(judge(None, best, way=False), did((10.0, False))) == "score"
    assert by(judge(None, best, critic="gemini"), did((10.0, False))) is None
    assert by(judge(None, best, critic="gemini", method="harmon"), did((10.0, False))) is None
    assert by(judge(None, best, method="eureka"), did((10.0, False))) == "score"
    # Standing still on one seed is no certain loss.
    assert by(judge(None, best), did((60.0, False), moved=False)) is None
    # Several pairs: their spread decides, not the margin.
    steady, wide = did((70.0, False), (60.0, False)), did((70.0, False), (95.0, False))
    assert by(judge(None, steady), did((55.0, False), (45.0, False))) == "score"
    assert by(judge(None, wide), did((69.0, False), (40.0, False))) is None
    # Of one seed, which fell for both: only the score is left.
    assert by(judge(2.0, did((45.0, True)), fell, seeds=1), did((20.0, True))) == "score"
    assert by(judge(2.0, did((45.0, True)), fell, seeds=1), did((40.0, True))) is None


def test_the_rule_against_the_leader() -> None:
    best = did((30.0, True))
    whole = did((30.0, True), (30.0, True), (30.0, True))
    ahead = did((70.0, False))
    begun, run = judge(2.0, best, whole), judge(None, best, whole)
    assert begun.eliminated({0: ahead, 1: did((30.0, False))}) == {}, "a leader that is only begun may yet fall"
    assert run.eliminated({0: ahead, 1: did((30.0, False))})[1].against == "leader"
    assert begun.eliminated({0: did((20.0, True)), 1: ahead})[0].by == "gates"
    assert begun.eliminated({0: did((69.0, True)), 1: ahead}) == {}, "a fall at the end of it is no clear loss"
    assert run.eliminated({0: ahead, 1: ahead, 2: did((60.0, False))}) == {}


def test_an_earlier_versions_folder_goes_on_without_a_race(tmp_path: Path) -> None:
    config = RunConfig(seeds=(0, 1))
    assert config.race.on, "the default"
    (tmp_path / "config.yaml").write_text(config.to_yaml())
    assert RunConfig.recorded(tmp_path / "config.yaml") == config
    lines, old = config.to_yaml().splitlines(), []
    for line in lines:
        if not line.startswith(" "):
            skipped = line.startswith("race:")
        if not skipped:
            old.append(line)
    (tmp_path / "config.yaml").write_text("\n".join(old))
    assert RunConfig.recorded(tmp_path / "config.yaml") == dataclasses.replace(config, race=race_config.OFF)
    assert RunConfig.load(tmp_path / "config.yaml") == config, "a file of the user's has the default"
    with pytest.raises(MovlrError, match="Cannot read"):
        RunConfig.recorded(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"seconds": -1.0}, r"race.seconds is -1: give 0 \(no race\)"),
        ({"margin": 0.0}, "race.margin is 0: give a finite number above 0"),
        ({"extra_seeds": -1}, "race.extra_seeds is -1: give from 0"),
    ],
)
def test_mistakes(values: dict[str, Any], said: str) -> None:
    with pytest.raises(MovlrError, match=said):
        RaceConfig(**values)
    again = RunConfig(race=RaceConfig(1.5, 0.2, 3))
    assert RunConfig.from_yaml(again.to_yaml()) == again


def test_a_spoilt_record_of_a_race_is_one_sentence(tmp_path: Path) -> None:
    search(tmp_path, Scripted(WILD, start=CALM, frail=0.8))
    record = tmp_path / "iterations/001/race/00.json"
    atomic.write_json(record, {**json.loads(record.read_text()), "eliminated": [{"candidate": "all"}]})
    with pytest.raises(BadFile, match=r"race/00.json is not what a run writes there \(eliminated.0"):
        RunFolder(tmp_path, (0, 2)).iteration(1).eliminated()


def test_a_folder_without_what_its_race_says_is_one_sentence(tmp_path: Path) -> None:
    stages = Scripted(WILD, LOW, start=CALM, frail=0.8)
    search(tmp_path, stages)
    for name in ("facts.json", "metrics.json"):
        (tmp_path / "iterations/001/candidates/0/rungs/00" / name).unlink()
    with pytest.raises(BadFile, match="holds nothing of the race that it was eliminated in: restore its rungs/"):
        search(tmp_path, stages, iterations=2)


def test_the_real_stages_go_on_with_what_they_began(tmp_path: Path) -> None:
    planner = MPPI(candidates=4, elites=2, instant=2, horizon=0.04)
    config = RunConfig(task="walk_flat", seconds=0.12, planner=planner, threads=1)
    stages = RealStages(config, assembly.open_gateway(config, tmp_path))
    try:
        source = stages.task.rewards["human"]
        reward = Trusted("human", source, literal_weights(source), tmp_path)
        told: list[float] = []
        (whole,) = stages.move([(reward, 0)], told.append)
        (begun,) = stages.begin([(reward, 0)], 0.04, told.append)
        assert begun.after is not None and atomic.npz_bytes(stages.cut(whole, 0.04)) == atomic.npz_bytes(begun.rollout)
        atomic.write_npz(tmp_path / "after.npz", begun.after)
        told.clear()
        (again,) = stages.go_on([(reward, Begun(begun.rollout, atomic.read_npz(tmp_path / "after.npz")))], told.append)
        assert atomic.npz_bytes(again) == atomic.npz_bytes(whole) and told == pytest.approx([0.06, 0.08, 0.1, 0.12])
        # A part is measured as an episode of that length: who goes on well is upright for all of it.
        facts, metrics = measured(stages, reward, [begun.rollout])
        assert facts.seconds == 0.04 and metrics["mean"]["seconds"] == pytest.approx(0.04) and metrics["score"] > 40.0
        assert stages.seconds == 0.12 and racing.is_way(facts)
    finally:
        stages.close()


def test_killed_anywhere_and_resumed_equals_undisturbed(tmp_path: Path) -> None:
    def drive(*words: str) -> str:
        done = subprocess.run([sys.executable, str(DRIVER), "raced", str(tmp_path), *words], capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    events = json.loads(drive())
    whole = tree(tmp_path / "whole")
    races = [what["eliminated"] for name, what in whole.items() if "/race/" in name]
    extra = [name for name in whole if "/extra/" in name]
    assert any(races) and not all(races) and len(extra) > 2, "this search should eliminate programs, and extend decisions"
    labels = ("before saving after.npz", "before saving part.npz", "before go_on", "after go_on")
    moments = {events.index(label) for label in labels}
    for name in (extra[0], extra[-1]):
        moments |= {events.index(f"before saving {Path(name).name}")}
    drive(*map(str, sorted(moments)))
    for at in sorted(moments):
        found = tree(tmp_path / f"killed-{at}")
        assert sorted(name for name in whole.keys() | found.keys() if whole.get(name) != found.get(name)) == [], events[at]
    assert int(drive("every", "97")) > 4
    assert tree(tmp_path / "hounded") == whole
