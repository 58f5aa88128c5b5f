"""Tuning inside a search: what is kept was proven, every trial is on record, gates stand, and a kill at any point changes nothing."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.pendulum_stages import PendulumStages, artifact_of, refused, tree, weights_of

from movlr_jax import atomic, searches
from movlr_jax.control.planners import MPPI
from movlr_jax.errors import MovlrError
from movlr_jax.feedback import judging
from movlr_jax.media import report
from movlr_jax.rewards.parameters import values_of
from movlr_jax.rewards.program import literal_parameters, literal_weights
from movlr_jax.runs import methods, race_config
from movlr_jax.runs.config import RunConfig
from movlr_jax.runs.run_folder import RunFolder
from movlr_jax.runs.tune_config import InnerTune
from movlr_jax.sandbox.proof import Proof
from movlr_jax.searches.events import Event
from movlr_jax.searches.loop import Loop
from movlr_jax.searches.result import RunResult
from movlr_jax.searches.stages import Judged, Trusted
from movlr_jax.tracking import LocalTracker
from movlr_jax.tuning.weight_study import Drawn
from movlr_jax.writers.base import Draft, WriteRequest

pytest.importorskip("optuna")

DRIVER = Path(__file__).parents[1] / "support" / "kill_driver.py"


@pytest.fixture(autouse=True)
def _unflushed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda descriptor: None)


class Watched(PendulumStages):
    """Keeps the texts that were proven, and refuses those that `refuse` says so of."""

    def __init__(self, refuse: Any = lambda weights: False):
        super().__init__(bad_share=0.3)
        self.refuse, self.proven = refuse, []

    def prove(self, draft: Draft, archive: Sequence[Judged]) -> Proof:
        if self.refuse(weights_of(draft.source)):
            return refused("Lying still is worth more than standing.")
        self.proven.append(draft.source)
        return super().prove(draft, archive)


def run(path: Path, stages: PendulumStages | None = None, events: list[Event] | None = None, **values: Any) -> RunResult:
    own = {"iterations": 3, "candidates": 2, "seeds": (0, 1), "tune": InnerTune(4, "random"), "race": race_config.OFF}
    config = RunConfig(**{**own, **values})
    known = (path / "run.json").exists()
    folder = RunFolder(path, config.seeds) if known else RunFolder.create(path, config.to_yaml(), {"seed": 0}, config.seeds)
    progress = None if events is None else events.append
    return Loop(folder, config, stages or Watched(), (LocalTracker(path),), progress, {"task": "swing"}).run()


def test_the_best_weights_are_kept_proven_and_every_trial_is_on_record(tmp_path: Path) -> None:
    stages, events = Watched(), []
    result = run(tmp_path, stages, events)
    better = 0
    for row in result.rows[1:]:
        place = tmp_path / "iterations" / f"{row.iteration:03d}"
        trials = [json.loads((place / "tune" / f"{n:02d}" / "trial.json").read_text()) for n in range(4)]
        written, text = ((place / name).read_text() for name in ("written/reward.py", "reward.py"))
        assert trials[0]["weights"] == weights_of(written) and len({json.dumps(t["weights"]) for t in trials}) == 4
        best, _ = judging.choose(list(enumerate(trials)))
        assert best == row.tuned.trial and row.tuned.trials == 4 and row.score == trials[best]["score"]
        # The very text that was proven stands there, with the proof's weights, under the structure that was written.
        assert text in stages.proven and weights_of(text) == trials[best]["weights"] == row.weights
        assert text.split("\n", 1)[1] == written.split("\n", 1)[1] and (place / "reward.stablehlo").read_bytes() == artifact_of(text)
        ratio = [abs(w / weights_of(written)[t]) for t, w in row.weights.items()]
        assert all(1 / 3.01 <= r <= 3.01 for r in ratio)
        # Four trials of two candidates on two seeds of 0.24 s; the best trial's episodes are not run again, and are all that is left.
        assert row.simulated_s == pytest.approx(16 * 0.24) and not row.tuned.moved_again
        left = [str(p.relative_to(place)) for p in place.rglob("rollout*.npz") if "candidates" not in p.parts]
        assert sorted(left) == ["rollout.npz", "rollout_1.npz"]
        own = Trusted("again", text, weights_of(text), place)
        assert np.array_equal(stages._episode(own, 1, lambda t: None)["rows"], atomic.read_npz(place / "rollout_1.npz")["rows"])
        better += best > 0
    assert better, "the seed should bring at least one text whose weights are bettered, or this test shows little"
    assert result.rows[0].simulated_s == pytest.approx(2 * 0.24) and result.rows[0].tuned is None
    begun = [e for e in events if e.kind == "stage"]
    assert {(e.iteration, e.trial) for e in begun if e.trial is not None} == {(i, n) for i in (1, 2, 3) for n in range(4)}
    assert {e.iteration for e in begun if e.stage == "move"} == {0}
    # What a writer is told: its own edit, and that others chose the weights.
    assert "score" in stages.requests[-1].history[-1].outcome
    outcomes = [record.outcome for row in result.rows for record in row.tried]
    assert any("under tuned weights (score" in said for said in outcomes)


def test_weights_that_the_sandbox_refuses_give_way_to_the_next_best(tmp_path: Path) -> None:
    free = run(tmp_path / "free", iterations=1, candidates=1)
    best = free.rows[1].tuned.trial
    assert best > 0, "the seed should bring weights that are better than those written"
    events: list[Event] = []
    stages = Watched(lambda weights: weights == free.rows[1].weights)
    row = run(tmp_path / "run", stages, events, iterations=1, candidates=1).rows[1]
    place = tmp_path / "run" / "iterations" / "001"
    trials = [json.loads((place / "tune" / f"{n:02d}" / "trial.json").read_text()) for n in range(4)]
    assert json.loads((place / "tune" / f"{best:02d}" / "refusal.json").read_text())["sentence"].startswith("Lying still")
    assert row.tuned.trial == judging.choose([(n, t) for n, t in enumerate(trials) if n != best])[0] != best
    assert [e.message for e in events if e.kind == "refused" and "next best" in e.message] and row.refusals == free.rows[1].refusals


def test_killed_again_and_again_equals_undisturbed(tmp_path: Path) -> None:
    def drive(*words: str) -> str:
        done = subprocess.run([sys.executable, str(DRIVER), "tuned", str(tmp_path), *words], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    assert "before saving trial.json" in json.loads(drive())
    assert int(drive("every", "61")) > 10
    assert tree(tmp_path / "hounded") == tree(tmp_path / "whole")


def test_weights_that_were_tried_are_not_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from movlr_jax.searches import inner_tuning

    monkeypatch.setattr(inner_tuning.InnerTuner, "drawn", lambda self, iteration, candidate, trial: Drawn(weights_of(_written(candidate))))
    row = run(tmp_path, iterations=1, candidates=1).rows[1]
    assert row.simulated_s == pytest.approx(2 * 0.24) and row.tuned.trial == 0
    records = [json.loads((tmp_path / f"iterations/001/tune/{n:02d}/trial.json").read_text()) for n in range(4)]
    assert [r.get("same_as") for r in records] == [None, 0, 0, 0]


def _written(candidate: Any) -> str:
    return (candidate.written.path / "reward.py").read_text()


def test_a_changed_trial_is_told(tmp_path: Path) -> None:
    class Stopped(Watched):
        def move(self, jobs: Any, advanced: Any) -> Any:
            if len(list(tmp_path.rglob("trial.json"))) == 2:
                raise KeyboardInterrupt
            return super().move(jobs, advanced)

    assert run(tmp_path, Stopped(), candidates=1).stopped == "interrupted"
    (second,) = tmp_path.glob("iterations/001/candidates/0/tune/01/trial.json")
    record = json.loads(second.read_text())
    second.write_text(json.dumps({**record, "weights": {t: 2 * w for t, w in record["weights"].items()}}))
    with pytest.raises(MovlrError, match="holds other values than are drawn here"):
        run(tmp_path, candidates=1)


def test_off_by_default_and_then_there_is_no_trace_of_it(tmp_path: Path) -> None:
    assert RunConfig().tune == InnerTune() and InnerTune().trials == 0
    result = run(tmp_path, tune=InnerTune())
    assert not [name for name in tree(tmp_path) if "/tune/" in name or "/written/" in name or "tuned.json" in name]
    assert all(row.tuned is None and "tune" not in row.seconds for row in result.rows)
    assert [row.simulated_s for row in result.rows] == pytest.approx([0.48, 0.96, 0.96, 0.96])


def test_a_budget_of_executed_motion_stops_between_iterations_and_can_be_raised(tmp_path: Path) -> None:
    tune = InnerTune(2, "random")
    first = run(tmp_path / "run", iterations=4, tune=tune, max_simulated=2.5)
    assert first.stopped == "budget" and len(first.rows) == 3 and "2.5 simulated seconds is spent" in first.message
    assert sum(row.simulated_s for row in first.rows) >= 2.5 > sum(row.simulated_s for row in first.rows[:2])
    run(tmp_path / "run", iterations=4, tune=tune)
    run(tmp_path / "whole", iterations=4, tune=tune)
    assert tree(tmp_path / "run") | {"config.yaml": 0} == tree(tmp_path / "whole") | {"config.yaml": 0}


def test_mistakes() -> None:
    for changed, said in (
        ({"trials": 1}, "0 .off., or 2 or more"),
        ({"sampler": "cma"}, "did you mean cmaes"),
        ({"span": 1.0}, "tune.span is 1"),
    ):
        with pytest.raises(MovlrError, match=said):
            InnerTune(**changed)  # type: ignore[arg-type]
    with pytest.raises(MovlrError, match="leave out --tune"):
        methods.settled(RunConfig(method="human", tune=InnerTune(2)))
    with pytest.raises(MovlrError, match="max_simulated is -1"):
        RunConfig(max_simulated=-1.0)
    again = RunConfig(tune=InnerTune(5, "tpe", 2.0))
    assert RunConfig.from_yaml(again.to_yaml()) == again


def test_on_the_real_body(tmp_path: Path) -> None:
    planner = MPPI(candidates=4, elites=2, instant=2, horizon=0.04)
    config = RunConfig(task="walk_flat", start_reward="human", iterations=1, seconds=0.06, planner=planner, out=tmp_path / "run", threads=1)
    row = searches.run(RunConfig(**{**vars(config), "tune": InnerTune(2, "random")})).rows[1]
    place = tmp_path / "run" / "iterations" / "001"
    tuned, rollout = json.loads((place / "tuned.json").read_text()), atomic.read_npz(place / "rollout.npz")
    trials = [json.loads((place / "tune" / f"{n:02d}" / "trial.json").read_text()) for n in range(2)]
    weights = literal_weights((place / "reward.py").read_text())
    assert tuned["trial"] == 1, "the seed should bring weights that are better than those written"
    # The artifact holds no weights, so the trial's episode is that of the text that was proven.
    assert not tuned["moved_again"] and row.simulated_s == pytest.approx(0.12) and weights == trials[tuned["trial"]]["weights"]
    assert dict(zip(rollout["term_names"].tolist(), rollout["weights"], strict=True)) == {t: np.float32(w) for t, w in weights.items()}
    assert (
        json.loads((place / "verdict.json").read_text())["source_sha256"] == hashlib.sha256((place / "reward.py").read_bytes()).hexdigest()
    )
    report = (tmp_path / "run" / "report.html").read_text()
    assert "Weights tuned" in report and "1 (★ taken)" in report and "0 (as written)" in report


DECLARATION = 'PARAMETERS = {{"tempo": ({}, 0.5, 2.0)}}'


class Declared(Watched):
    """Its texts declare a parameter, which the weight of speed is multiplied by."""

    def start(self) -> Draft:
        return self._declared(super().start(), 1.0)

    def write(self, request: WriteRequest) -> Draft:
        tempo = literal_parameters(request.best_source)["tempo"].value
        return self._declared(super().write(request), round(tempo + (0.05 if tempo < 1.5 else -0.05), 6))

    @staticmethod
    def _declared(draft: Draft, tempo: float) -> Draft:
        weights, rest = draft.source.split("\n", 1)
        return dataclasses.replace(draft, source=f"{weights}\n{DECLARATION.format(tempo)}\n{rest}")

    def prove(self, draft: Draft, archive: Sequence[Judged]) -> Proof:
        proof = super().prove(draft, archive)
        if proof.reward is None:
            return proof
        return Proof(proof.verdict, dataclasses.replace(proof.reward, artifact=artifact_of(plain(draft.source))))

    def _episode(self, reward: Trusted, seed: int, advanced: Any) -> Any:
        values = {**values_of(literal_parameters(reward.source)), **reward.parameters}
        weights = {term: weight * (values["tempo"] if term == "speed" else 1.0) for term, weight in reward.weights.items()}
        return super()._episode(dataclasses.replace(reward, weights=weights, source=plain(reward.source)), seed, advanced)


def plain(source: str) -> str:
    return "\n".join(line for line in source.split("\n") if not line.startswith("PARAMETERS"))


def test_parameters_are_tuned_beside_the_weights_and_on_record(tmp_path: Path) -> None:
    stages = Declared()
    result = run(tmp_path / "run", stages)
    moved = 0
    for row in result.rows[1:]:
        place = tmp_path / "run" / "iterations" / f"{row.iteration:03d}"
        trials = [json.loads((place / "tune" / f"{n:02d}" / "trial.json").read_text()) for n in range(4)]
        written, text = (literal_parameters((place / name).read_text()) for name in ("written/reward.py", "reward.py"))
        assert trials[0]["parameters"] == values_of(written) and all(0.5 <= t["parameters"]["tempo"] <= 2.0 for t in trials)
        assert len({t["parameters"]["tempo"] for t in trials}) == 4 and not row.tuned.moved_again
        assert values_of(text) == trials[row.tuned.trial]["parameters"] == row.parameters
        before = result.rows[row.parent].parameters["tempo"]
        assert row.parameter_changes == {"tempo": f"{before!r} -> {written['tempo'].value!r}"}
        chosen = next(attempt for attempt in row.tried if attempt.chosen)
        assert chosen.parameters == row.parameters and chosen.parameter_changes == row.parameter_changes
        moved += row.tuned.trial > 0
    assert moved, "the seed should bring at least one text whose values are bettered, or this test shows little"
    assert result.rows[0].parameters == {"tempo": 1.0} and result.rows[0].parameter_changes == {}
    again = json.loads((tmp_path / "run" / "summary.json").read_text())["iterations"][1]
    assert again["parameters"] == result.rows[1].parameters
    page = report.write_report(tmp_path / "run").read_text()
    assert "<h3>Parameters</h3>" in page and "<h3>Weights and parameters tuned</h3>" in page
    assert result.rows[1].parameter_changes["tempo"].replace(">", "&gt;") in page


def test_parameters_stay_as_written_where_that_is_asked(tmp_path: Path) -> None:
    result = run(tmp_path / "run", Declared(), iterations=2, tune=InnerTune(4, "random", parameters=False))
    for row in result.rows[1:]:
        place = tmp_path / "run" / "iterations" / f"{row.iteration:03d}"
        trials = [json.loads((place / "tune" / f"{n:02d}" / "trial.json").read_text()) for n in range(4)]
        assert not any("parameters" in trial for trial in trials)
        written, text = (literal_parameters((place / name).read_text()) for name in ("written/reward.py", "reward.py"))
        assert written == text and row.parameters == values_of(text)


def test_a_run_of_texts_without_parameters_says_nothing_of_them(tmp_path: Path) -> None:
    run(tmp_path / "run", iterations=1)
    texts = [path.read_text() for path in (tmp_path / "run").rglob("*.json")]
    assert texts and not any("parameter" in text for text in texts)
