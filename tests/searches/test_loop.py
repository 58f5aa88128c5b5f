"""The loop's logic on small real stages: what is kept, what a writer is told, refusals, patience, budget, interruption."""

from __future__ import annotations

import errno
import itertools
import json
import os
from pathlib import Path

import pytest
from support.pendulum_stages import PendulumStages, Silent, source_of, tree, weights_of

from movlr_jax.critics.critique import Preference
from movlr_jax.errors import MovlrError
from movlr_jax.runs.config import RunConfig
from movlr_jax.runs.run_folder import RunFolder
from movlr_jax.searches.events import Event
from movlr_jax.searches.loop import Loop
from movlr_jax.searches.result import RunResult
from movlr_jax.searches.stages import Stages
from movlr_jax.tracking import LocalTracker
from movlr_jax.writers.base import Draft, WriteRequest


@pytest.fixture(autouse=True)
def _unflushed(monkeypatch):
    """Flushing to the disk is for power cuts, and is most of the time of a search this small."""
    monkeypatch.setattr("os.fsync", lambda descriptor: None)


def search(path: Path, stages: Stages | None = None, events: list[Event] | None = None, clock=None, **values) -> RunResult:
    config = RunConfig(**{"iterations": 4, "seeds": (0, 1), "stagnation": 2, **values})
    if (path / "run.json").exists():
        folder = RunFolder(path, config.seeds)
    else:
        folder = RunFolder.create(path, config.to_yaml(), {"seed": config.seed}, config.seeds)
    more = {} if clock is None else {"clock": clock}
    progress = None if events is None else events.append
    return Loop(folder, config, stages or PendulumStages(), (LocalTracker(path),), progress, {"task": "swing"}, **more).run()


class Scripted(PendulumStages):
    """Writes given weights, one after the other."""

    def __init__(self, *drafts: dict[str, float], **more):
        super().__init__(**more)
        self.drafts = drafts

    def write(self, request: WriteRequest) -> Draft:
        self.requests.append(request)
        number = len(self.requests) - 1
        if number >= len(self.drafts):
            return super().write(request)
        return Draft(source_of(self.drafts[number]), f"draft {number}", name=f"iteration {request.iteration}")


def test_folder_is_the_documented_interface(tmp_path):
    result = search(tmp_path / "run", candidates=2)
    folder = tmp_path / "run"
    assert result.stopped == "iterations" and len(result.rows) == 5
    for number, row in enumerate(result.rows):
        place = folder / "iterations" / f"{number:03d}"
        for name in (
            "reward.py",
            "reward.stablehlo",
            "verdict.json",
            "rollout.npz",
            "rollout_1.npz",
            "metrics.json",
            "clip.mp4",
            "critique.json",
        ):
            assert (place / name).is_file(), name
        assert weights_of((place / "reward.py").read_text()) == row.weights
    others = [p for p in (folder / "iterations").glob("*/candidates/*") if (p / "metrics.json").exists()]
    assert others and all((p / "rollout.npz").exists() and not (p / "clip.mp4").exists() for p in others)
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["best"] == result.best and summary["task"] == "swing"
    assert (folder / "best").readlink() == Path(f"iterations/{result.best:03d}")
    assert set(summary["iterations"][1]["seconds"]) == {"write", "prove", "move", "film", "judge", "save"}
    assert summary["iterations"][1]["metrics"]["fell"] in (True, False)
    assert not list(folder.rglob(".unfinished-*"))


def test_the_best_never_gets_worse_and_is_what_the_writer_edits(tmp_path):
    stages = PendulumStages(bad_share=0.0)
    result = search(tmp_path / "run", stages, iterations=8)
    scores = [row.score for row in result.rows if row.kept and not row.gates["fell"]]
    assert scores == sorted(scores) and result.best is not None
    rejected = [row.iteration for row in result.rows if not row.kept]
    assert rejected, "the seed should bring at least one edit that is not kept, or this test shows nothing"
    for request in stages.requests:
        best = max(row.iteration for row in result.rows[: request.iteration] if row.kept)
        assert weights_of(request.best_source) == result.rows[best].weights
        assert request.critique.summary == result.rows[best].critique
        told = [(h.iteration, h.kept) for h in request.history if h.chosen]
        assert told == [(row.iteration, row.kept) for row in result.rows[: request.iteration]]


def test_gates_outrank_a_critic_that_prefers_the_fallen(tmp_path):
    class Perverse(Scripted):
        def compare(self, a, b):
            return Preference(winner="a", reason="I like it."), ()

    fallen = {"straight": -5.0}
    calm = {"straight": 5.0, "effort": 1.0}
    result = search(tmp_path / "a", Perverse(fallen, start=calm), iterations=1)
    assert [row.gates["fell"] for row in result.rows] == [False, True], "the two rewards should differ by a fall"
    assert result.best == 0 and "Physics" in result.rows[1].why
    result = search(tmp_path / "b", Perverse(calm, start=fallen), iterations=1)
    assert result.best == 1


def test_a_refused_draft_comes_back_to_its_writer_with_the_reason(tmp_path):
    stages = Scripted({"speed": 1.0, "levitation": 1.0}, {"speed": 2.0})
    events: list[Event] = []
    result = search(tmp_path / "run", stages, events, iterations=1)
    second = stages.requests[1]
    assert second.attempt == 1 and second.refusal == "There is no term levitation. (line 1)"
    assert "levitation" in second.refused_source
    assert result.rows[1].refusals == ["There is no term levitation."] and result.rows[1].weights == {"speed": 2.0}
    assert [e.message for e in events if e.kind == "refused"] == ["There is no term levitation."]


def test_an_iteration_whose_drafts_are_all_refused_is_recorded_and_loses_nothing(tmp_path):
    bad = [{"speed": 1.0, "levitation": float(k)} for k in range(3)]
    stages = Scripted(*bad, {"speed": 2.0}, bad_share=0.0)
    result = search(tmp_path / "run", stages, iterations=2, attempts=3)
    row = result.rows[1]
    assert len(row.refusals) == 3 and row.score is None and not row.kept
    assert result.rows[2].weights == {"speed": 2.0}
    outcomes = [h.outcome for h in stages.requests[3].history]
    assert sum(o.startswith("refused") for o in outcomes) == 3


def test_a_program_that_was_tried_is_refused_without_being_moved(tmp_path):
    stages = Scripted({"speed": 1.0}, {"speed": 3.0})
    result = search(tmp_path / "run", stages, iterations=1)
    assert result.rows[1].refusals == ["This very program was tried in iteration 0: change something else."]


def test_a_start_reward_that_is_refused_ends_the_run_in_one_sentence(tmp_path):
    with pytest.raises(MovlrError, match=r"start reward is refused \(line 1\): There is no term levitation"):
        search(tmp_path / "run", PendulumStages(start={"levitation": 1.0}))


def test_a_writer_without_drafts_ends_the_run(tmp_path):
    result = search(tmp_path / "run", Silent())
    assert result.stopped == "exhausted" and len(result.rows) == 2 and result.best == 0
    assert "Every edit was tried" in result.message


def test_patience_stops_after_that_many_iterations_without_a_best(tmp_path):
    class Loyal(PendulumStages):
        def compare(self, a, b):
            return Preference(winner="b", reason="I know what I like."), ()

        def summarize(self, episodes):
            return {**super().summarize(episodes), "falls": 0, "gates": {"fell": False, "diverged": False}}

    result = search(tmp_path / "run", Loyal(bad_share=0.0), iterations=9, patience=3, stagnation=2)
    assert result.stopped == "patience" and len(result.rows) == 4 and result.best == 0
    assert [(f.name, f.iteration) for f in result.named_failures if f.name == "stagnation"] == [("stagnation", 2)]


def test_a_spent_budget_stops_cleanly_and_the_run_goes_on_to_the_same_end(tmp_path):
    ticks = itertools.count()
    first = search(tmp_path / "run", clock=lambda: float(next(ticks)), max_minutes=0.5)
    assert first.stopped == "budget" and len(first.rows) < 5 and "movlr resume" in first.message
    search(tmp_path / "run")
    search(tmp_path / "whole")
    assert tree(tmp_path / "run") | {"config.yaml": 0} == tree(tmp_path / "whole") | {"config.yaml": 0}


def test_an_interrupt_is_saved_and_the_run_goes_on_to_the_same_end(tmp_path):
    class Interrupted(PendulumStages):
        def move(self, jobs, advanced):
            if jobs[0][1] == 1 and len(self.requests) == 2:
                raise KeyboardInterrupt
            return super().move(jobs, advanced)

    result = search(tmp_path / "run", Interrupted(bad_share=0.0))
    assert result.stopped == "interrupted" and f"movlr resume {tmp_path / 'run'}" in result.message
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["stopped"] == "interrupted"
    search(tmp_path / "run", PendulumStages(bad_share=0.0))
    search(tmp_path / "whole", PendulumStages(bad_share=0.0))
    assert tree(tmp_path / "run") == tree(tmp_path / "whole")


def test_the_same_seed_gives_the_same_run_and_another_seed_another(tmp_path):
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        search(tmp_path / name, candidates=2, seed=seed)
    same, other = tree(tmp_path / "a") == tree(tmp_path / "b"), tree(tmp_path / "a") == tree(tmp_path / "c")
    assert same and not other


def test_more_iterations_continue_a_finished_run_as_if_asked_for_at_once(tmp_path):
    search(tmp_path / "run", iterations=2)
    search(tmp_path / "run", iterations=5)
    search(tmp_path / "whole", iterations=5)
    assert tree(tmp_path / "run") | {"config.yaml": 0} == tree(tmp_path / "whole") | {"config.yaml": 0}


def test_a_report_that_fails_costs_a_warning(tmp_path):
    class Blind(PendulumStages):
        def illustrate(self, folder):
            raise ValueError("no ink")

    events: list[Event] = []
    assert search(tmp_path / "run", Blind(), events, iterations=1).stopped == "iterations"
    assert any(e.kind == "warning" and "no ink" in e.message for e in events)


def test_a_machine_that_cannot_draw_still_searches(tmp_path):
    class Dark(PendulumStages):
        def film(self, rollout, path):
            path.write_bytes(b"half")
            raise MovlrError("No OpenGL works: install libegl1.")

    events: list[Event] = []
    assert search(tmp_path / "run", Dark(), events, iterations=1).stopped == "iterations"
    assert any(e.kind == "warning" and "No OpenGL works" in e.message for e in events)
    assert not list((tmp_path / "run").rglob("*clip.mp4"))


def test_a_disk_that_is_full_while_filming_stops_the_run_which_goes_on_to_the_same_end(tmp_path):
    class Full(PendulumStages):
        def film(self, rollout, path):
            path.write_bytes(b"half")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    with pytest.raises(OSError, match="No space left"):
        search(tmp_path / "run", Full(), iterations=2)
    assert not list((tmp_path / "run").rglob("*clip.mp4")) and not list((tmp_path / "run").rglob("no_clip.json"))
    assert search(tmp_path / "run", iterations=2).stopped == "iterations"
    search(tmp_path / "whole", iterations=2)
    assert tree(tmp_path / "run") == tree(tmp_path / "whole")


def test_events_tell_iterations_stages_simulated_time_and_the_best(tmp_path):
    events: list[Event] = []
    result = search(tmp_path / "run", events=events, iterations=2)
    assert [e.iteration for e in events if e.kind == "iteration"] == [0, 1, 2]
    assert {e.stage for e in events if e.kind == "stage"} == {"write", "prove", "move", "film", "judge", "save"}
    simulated = [e.simulated_s for e in events if e.kind == "simulated" and e.iteration == 1 and e.candidate == 0 and e.seed == 1]
    assert simulated == sorted(simulated) and simulated[-1] == pytest.approx(0.24)
    judged = [e for e in events if e.kind == "judged"]
    assert [e.kept for e in judged] == [row.kept for row in result.rows]
    assert events[-1].kind == "finished" and events[-1].best == result.best and events[-1].best_score == result.score
