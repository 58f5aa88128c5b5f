"""The front door: what a researcher calls from Python, on the real body, at a tenth of a second an episode."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

import movlr_jax as movlr
from movlr_jax import atomic
from movlr_jax.cli.main import main

SMALL = movlr.planners.MPPI(candidates=8, elites=2, horizon=0.08)
QUICK = {"seconds": 0.06, "planner": SMALL, "threads": 1}
SOURCE = 'WEIGHTS = {"height": 2.0}\n\n\ndef terms(m):\n    return {"height": m.head.height - m.standing.head_height}\n'


@pytest.fixture(scope="module")
def body() -> movlr.Morphology:
    return movlr.load_body("myolegs")


@pytest.fixture(scope="module")
def runs(body) -> movlr.Runs:  # type: ignore[no-untyped-def]
    return movlr.plan(body, movlr.load_task("walk_flat"), "human", seeds=[0, 1], **QUICK)


def test_importing_loads_nothing_heavy_and_names_everything() -> None:
    code = (
        "import sys, time; t = time.perf_counter(); import movlr_jax; s = time.perf_counter() - t\n"
        "heavy = sorted({'jax', 'mujoco', 'numpy', 'pydantic'} & set(sys.modules))\n"
        "assert not heavy, heavy\n"
        "assert set(movlr_jax.__all__) == set(movlr_jax._PLACES) and set(movlr_jax.__all__) <= set(dir(movlr_jax))\n"
        "missing = [name for name in movlr_jax.__all__ if getattr(movlr_jax, name, None) is None]\n"
        "assert not missing, missing\n"
        "import movlr_jax.searches, movlr_jax.sweeps\n"
        "assert all(callable(getattr(movlr_jax, n)) for n in movlr_jax.__all__ if n not in movlr_jax._MODULES)\n"
        "assert callable(movlr_jax.search) and callable(movlr_jax.sweep) and callable(movlr_jax.plan)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'wobble'"):
        movlr.wobble


def test_plan_gives_what_the_verb_prints_and_saves(runs, tmp_path, capsys) -> None:  # type: ignore[no-untyped-def]
    words = "rollout walk_flat --reward human --seeds 0 1 --seconds 0.06 --threads 1 --json"
    planner = "--planner.candidates 8 --planner.elites 2 --planner.horizon 0.08"
    assert main([*words.split(), *planner.split(), "--out", str(tmp_path / "verb")]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads(json.dumps(atomic.plain(runs.document())))
    runs.save(tmp_path / "library")
    for name in ("rollout.npz", "rollout_1.npz", "reward.py", "metrics.json"):
        assert (tmp_path / "library" / name).read_bytes() == (tmp_path / "verb" / name).read_bytes(), name


def test_runs_are_metrics_facts_arrays_and_tables(runs) -> None:  # type: ignore[no-untyped-def]
    assert len(runs) == 2 and [run.seed for run in runs] == [0, 1] and runs[1:][0] is runs[1]
    assert str(runs.metrics).splitlines()[0].split()[:2] == ["seed", "lasted"] and len(str(runs.metrics).splitlines()) == 6
    assert runs.metrics[0] == runs[0].metrics and runs[0].metrics["seed"] == 0
    assert runs[0].facts.metrics.number("distance_m") == pytest.approx(runs[0].metrics["distance_m"])
    assert runs[0].arrays["qpos"].shape[0] == runs[0].arrays["time"].shape[0] == 3
    assert "<table>" in runs.metrics._repr_html_()
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    table = runs.to_pandas()
    assert isinstance(table, pandas.DataFrame) and list(table["seed"]) == [0, 1]
    over_time = runs[0].to_pandas()
    terms = np.stack([over_time[f"term/{name}"] for name in runs[0].rollout.term_names], axis=1)
    assert np.allclose(over_time["reward"], terms @ runs[0].rollout.weights)


@pytest.mark.gl
def test_a_run_is_filmed_and_shown(runs, tmp_path) -> None:  # type: ignore[no-untyped-def]
    clip = runs[0].film(tmp_path / "walk.mp4", width=128)
    assert clip.stat().st_size > 1000
    pytest.importorskip("IPython", reason="IPython is not installed")
    assert "video/mp4" in runs[0].show(width=128)._repr_html_()


def test_a_function_of_ones_own_is_the_reward_of_its_text(body) -> None:  # type: ignore[no-untyped-def]
    def height(m):  # type: ignore[no-untyped-def]
        return {"height": m.head.height - m.standing.head_height}

    mine = movlr.Reward.from_function(height, {"height": 2.0}, body)
    text = movlr.Reward.from_source(SOURCE, body)
    assert mine.name == "height" and mine.term_names == text.term_names and isinstance(mine, movlr.Reward)
    both = [movlr.plan(body, "stand", reward, **QUICK)[0] for reward in (mine, text)]
    assert np.array_equal(both[0].rollout.qpos, both[1].rollout.qpos) and np.array_equal(both[0].rollout.terms, both[1].rollout.terms)
    assert mine.with_weights({"height": 3.0}).weight_of() == {"height": 3.0}


@pytest.mark.parametrize(
    ("terms", "weights", "part"),
    [
        (lambda m: {"a": m.wobble.height}, {"a": 1.0}, "wobble"),
        (lambda m: {"a": jnp.zeros(2)}, {"a": 1.0}, "reduce it to a scalar"),
        (lambda m: {"a": m.head.height}, {"b": 1.0}, "name different terms"),
        (lambda m: {"a": m.head.height}, {"a": float("nan")}, "must be a finite number"),
    ],
)
def test_a_function_that_breaks_the_contract_is_refused(body, terms, weights, part) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(movlr.MovlrError, match=part):
        movlr.Reward.from_function(terms, weights, body)


def test_a_text_is_proven_and_a_hostile_one_refused(body) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(movlr.MovlrError, match="import"):
        movlr.Reward.from_source("import os\n" + SOURCE, body)


def test_a_reward_of_another_body_and_settings_that_cannot_be_are_refused(body, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    reward = movlr.Reward.from_function(lambda m: {"a": m.head.height}, {"a": 1.0}, body)
    object.__setattr__(reward, "layout_fingerprint", "another")
    with pytest.raises(movlr.MovlrError, match="made for another body than myolegs"):
        movlr.plan(body, "stand", reward, **QUICK)
    with pytest.raises(movlr.MovlrError, match="seconds is 0: give more than 0"):
        movlr.plan(body, "stand", "human", seconds=0)
    with pytest.raises(movlr.MovlrError, match="There is no task 'wlak_flat'"):
        movlr.plan(body, "wlak_flat", "human")


def test_a_body_is_prepared_for_the_task_and_keeps_its_injuries() -> None:
    hurt = movlr.load_body("myolegs", injury=["soleus_*=0.25"])
    slope = movlr.load_task("walk_slope").prepared(hurt)
    assert slope.terrain == movlr.load_task("walk_slope").scene.terrain and slope.scene.injuries == (("soleus_*", 0.25),)
    assert np.array_equal(slope.muscles.peak_force, hurt.muscles.peak_force)
    walk = movlr.load_task("walk_flat")
    assert walk.prepared(hurt) is walk.prepared(hurt) and walk.prepared(None).name == "myolegs"


def own_task() -> movlr.Task:
    from movlr_jax.tasks import walk_flat

    return movlr.Task("hop_around", "hop around on one leg", 0.4, 0.1, True, {"start": walk_flat.TASK.rewards["start"]})


def test_a_task_made_here_plans_and_is_searched(tmp_path) -> None:  # type: ignore[no-untyped-def]
    task, events = own_task(), []
    found = movlr.search(task, "myolegs", iterations=1, out=tmp_path / "run", on_event=events.append, planner=SMALL, threads=1)
    assert [row.iteration for row in found.rows] == [0, 1] and {event.kind for event in events} >= {"judged", "finished"}
    assert found.best is not None and found.best.source.startswith("WEIGHTS") and "score" in str(found)
    runs = movlr.plan(None, task, found.best, **QUICK)
    assert runs.document()["reward"].endswith(f"iterations/{found.best.iteration:03d}")
    again = movlr.resume(tmp_path / "run", iterations=2)
    assert [row.iteration for row in again.rows] == [0, 1, 2]
    with pytest.raises(movlr.MovlrError, match="another task hop_around already"):
        movlr.search(movlr.Task("hop_around", "hop", 0.5, 1.0, True, task.rewards), iterations=0, out=tmp_path / "other")


KILLED = """
import os, signal, sys
import movlr_jax as movlr

def die(event):
    if event.kind == "simulated" and event.iteration == 1:
        os.kill(os.getpid(), signal.SIGKILL)

planner = movlr.planners.MPPI(candidates=8, elites=2, horizon=0.08)
movlr.search(movlr.load_task("walk_flat", seconds=0.06), iterations=1, out=sys.argv[1], on_event=die, planner=planner, threads=1)
"""


def test_a_search_that_was_killed_goes_on_through_this_door(tmp_path) -> None:  # type: ignore[no-untyped-def]
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "cut")], capture_output=True, text=True, timeout=300)
    assert done.returncode == -9, done.stderr
    went_on = movlr.resume(tmp_path / "cut")
    whole = movlr.search(movlr.load_task("walk_flat", seconds=0.06), iterations=1, out=tmp_path / "whole", planner=SMALL, threads=1)
    assert [row.metrics for row in went_on.rows] == [row.metrics for row in whole.rows]
    assert went_on.best is not None and whole.best is not None and went_on.best.source == whole.best.source


def test_evaluations_go_on_where_they_were_and_print_as_tables(tmp_path: Path) -> None:
    class Ran(list):
        def __getattr__(self, name):  # type: ignore[no-untyped-def]
            return lambda *what: self.append(name)

    first, second = Ran(), Ran()
    kinds = {"seconds": 0.06, "planner": SMALL, "threads": 1, "out": tmp_path}
    movlr.evaluate(["start"], ["stand"], ["myolegs"], seeds=[0], watcher=first, **kinds)
    study = movlr.evaluate(["start"], ["stand"], ["myolegs"], seeds=[0, 1], watcher=second, **kinds)
    assert first.count("measured") == 1 and second.count("measured") == 1
    assert "stand" in str(study) and (tmp_path / "eval.md").is_file() and len(study.rows[0].episodes) == 2
    pytest.importorskip("pandas", reason="pandas is not installed")
    assert list(study.to_pandas()["seed"]) == [0, 1]


def test_ablation_and_tuning(tmp_path: Path) -> None:
    terms = '{"height": m.head.height - m.standing.head_height, "still": m.com.position[2]}'
    (tmp_path / "two.py").write_text(f'WEIGHTS = {{"height": 2.0, "still": 1.0}}\n\n\ndef terms(m):\n    return {terms}\n')
    found = movlr.ablate(tmp_path / "two.py", ["stand"], ["myolegs"], factors=[0.0], seeds=[0, 1], out=tmp_path / "ablate", **QUICK)
    assert {rank.term for rank in found.ablation.ranking()} == {"height", "still"} and (tmp_path / "ablate" / "ablation.md").is_file()
    pytest.importorskip("optuna", reason="optuna is not installed")
    config = movlr.TuneConfig(trials=2, sampler="random", objective="effort", held_out=())
    tuned = movlr.tune(tmp_path / "two.py", "stand", "myolegs", config=config, out=tmp_path / "tune", **QUICK)
    assert len(tuned.tuned.trials) == 2 and "trial" in str(tuned) and (tmp_path / "tune" / "tuned.py").is_file()


def test_a_sweep_runs_here(tmp_path: Path) -> None:
    planner = "{candidates: 8, elites: 2, horizon: 0.08}"
    text = f"name: two\nbase: {{task: stand, iterations: 0, seconds: 0.06, threads: 1, planner: {planner}}}\ngrid: {{seed: [0, 1]}}\n"
    (tmp_path / "sweep.yaml").write_text(text)
    outcome = movlr.sweep(tmp_path / "sweep.yaml", out=tmp_path / "out")
    assert [row["state"] for row in outcome.rows] == ["done", "done"] and not outcome.failed


def test_transfer_and_check(body, tmp_path) -> None:  # type: ignore[no-untyped-def]
    study = movlr.transfer(["start"], ["stand"], ["stand", "free"], ["myolegs"], seeds=[0], out=tmp_path, metric="effort", **QUICK)
    assert len(study.matrix.rows) == 2 and (tmp_path / "transfer.png").is_file() and "stand" in str(study)
    assert movlr.check(SOURCE, body, "stand").trusted
    refused = movlr.check("WEIGHTS = {'a': 1.0}\n\n\ndef terms(m):\n    return {'a': 1.0}\n", body)
    assert not refused.trusted and refused.verdict.reason


def test_report_and_replay_of_a_run(tmp_path) -> None:  # type: ignore[no-untyped-def]
    task = movlr.load_task("stand", seconds=0.06)
    run = movlr.search(task, iterations=0, out=tmp_path / "run", planner=SMALL, threads=1)
    assert movlr.report(run.folder) == tmp_path / "run" / "report.html"
    assert movlr.replay(run.folder, tmp_path / "again").differences == ()
