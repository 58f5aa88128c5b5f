"""A sweep's file: what is refused, in one sentence that names the place, and what trials it makes."""

from __future__ import annotations

import statistics
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from movlr_jax.cli.main import main
from movlr_jax.control.planners import CEM, CMA, ICEM
from movlr_jax.errors import MovlrError
from movlr_jax.sweeps import definition
from movlr_jax.sweeps import plan as plans

GOOD = {"base": {"iterations": 1}, "grid": {"method": ["movlr", "eureka"], "seed": [0, 1, 2], "planner.noise": [0.05]}}


def sweep(folder: Path, **changed: object) -> definition.SweepFile:
    file = folder / "mine.yaml"
    file.write_text(yaml.safe_dump({**{k: v for k, v in GOOD.items() if k not in changed}, **changed}, sort_keys=False))
    return definition.read(file)


def drawn(**space: object) -> dict:
    return {"grid": {}, "random": {"trials": 400, "seed": 3, "space": space}}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"grid": {}}, "one of grid, random and optuna, and it has none"),
        ({"random": {"trials": 2, "space": {"seed": [1]}}}, "it has grid and random"),
        ({"grids": {}}, "unknown value grids"),
        ({"resources": {"cpu": 1}}, "unknown value resources.cpu"),
        ({"resources": {"gpus": 1.5}}, r"resources.gpus is 1.5"),
        ({"grid": {"planner.niose": [1]}}, r"grid has an unknown value planner.niose: did you mean noise\?"),
        ({"grid": {"planner": [1]}}, "planner is a group of values"),
        ({"grid": {"planner.name": ["mppi", "mpi"]}}, r"trial 1 \(name mpi\): planner: There is no planner 'mpi': did you mean mppi\?"),
        ({"grid": {"out": ["a"]}}, "grid.out cannot be given in a sweep"),
        ({"grid": {"seed": []}}, "grid.seed is empty"),
        ({"grid": {"seed": [1, 1]}}, "trials 0 and 1 are the same"),
        ({"grid": {"candidates": [1, 0]}}, r"trial 1 \(candidates 0\): candidates is 0"),
        ({"grid": {"task": ["stand", "fly"]}}, r"trial 1 \(task fly\): There is no task 'fly'"),
        ({"grid": {"method": ["harmon"]}}, r"trial 0 \(method harmon\): The method harmon needs a model that watches"),
        ({"base": {"iterations": "many"}}, "base: iterations is 'many'"),
        ({"base": {"ask": True}}, "base.ask cannot be given"),
        ({"base": {"mjx": {"hosts": True}}}, "base.mjx.hosts cannot be given"),
        (drawn(goal_speed={"low": 2, "high": 1}), "low is 2, above high"),
        (drawn(goal_speed={"low": 0, "high": 1, "log": True}), "a logarithmic range begins above 0"),
        (drawn(iterations={"low": 0.5, "high": 3}), "iterations is a whole number"),
        (drawn(goal_speed={"low": "1e-3", "high": 1}), "YAML reads 1e-3 as a word"),
        (drawn(goal_speed=0.8), "give a list"),
        ({"grid": {}, "optuna": {"trials": 2, "space": {"goal_speed": {"mean": 1, "std": 1}}}}, "does not propose from"),
        ({"grid": {}, "optuna": {"trials": 2, "space": {"method": ["movlr"]}, "sampler": "cmaes"}}, "cmaes moves numbers alone"),
        ({"grid": {}, "optuna": {"trials": 2, "space": {"seed": [1]}, "objective": "speed"}}, "optuna.objective is 'speed'"),
    ],
)
def test_a_mistake_is_one_sentence_with_its_place(tmp_path, changed, said):
    with pytest.raises(MovlrError, match=said):
        plans.make(sweep(tmp_path, **changed))


def test_a_grid_is_every_combination_over_the_base(tmp_path):
    (tmp_path / "shared.yaml").write_text("task: stand\nplanner: {candidates: 16, elites: 3}\n")
    made = plans.make(sweep(tmp_path, config="shared.yaml", base={"planner.candidates": 8, "planner": {"horizon": 0.2}}))
    assert [(t.values["method"], t.values["seed"]) for t in made.trials] == [(m, s) for m in ("movlr", "eureka") for s in (0, 1, 2)]
    config = made.config(made.trials[4])
    assert (config.task, config.method, config.seed, config.planner.noise) == ("stand", "eureka", 1, 0.05)
    assert (config.planner.candidates, config.planner.elites, config.planner.horizon) == (8, 3, 0.2)
    assert config.group == "mine" and config.threads == 1 and config.out == made.out / "trials" / "004-method-eureka-seed-1-noise-0.05"


def test_draws_follow_their_distributions_and_more_trials_leave_the_first_as_they_are(tmp_path):
    space = {
        "planner.noise": {"low": 0.01, "high": 1.0, "log": True},
        "planner.candidates": {"low": 16, "high": 64, "step": 16},
        "goal_speed": {"mean": 0.8, "std": 0.1},
        "critic": ["offline"],
    }
    found = sweep(tmp_path, **drawn(**space))
    values = [t.values for t in plans.make(found).trials]
    assert 0.4 < statistics.fmean(v["planner.noise"] < 0.1 for v in values) < 0.6
    assert {v["planner.candidates"] for v in values} == {16, 32, 48, 64}
    assert abs(statistics.fmean(v["goal_speed"] for v in values) - 0.8) < 0.02
    assert found.random is not None
    more = replace(found, random=replace(found.random, trials=401))
    assert [t.values for t in plans.make(more).trials][:400] == values


def test_a_folder_keeps_its_sweep(tmp_path):
    out = str(tmp_path / "out")
    first = plans.make(sweep(tmp_path, out=out))
    with plans.locked(first.out):
        held = plans.settle(first)
        with pytest.raises(MovlrError, match="Another process drives the sweep"), plans.locked(first.out):
            pass
        assert plans.settle(plans.make(sweep(tmp_path, out=out, resources={"cpus": 2}))).trials == held.trials
        grid = {**GOOD["grid"], "seed": [0, 2, 1]}
        with pytest.raises(MovlrError, match="differs in its first trials"):
            plans.settle(plans.make(sweep(tmp_path, out=out, grid=grid)))
        with pytest.raises(MovlrError, match="differs in base"):
            plans.settle(plans.make(sweep(tmp_path, out=out, base={"iterations": 2})))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").touch()
    with pytest.raises(MovlrError, match="is not empty"):
        plans.settle(plans.make(sweep(tmp_path, out=str(tmp_path / "full"))))
    assert plans.Plan.load(first.out) == plans.make(sweep(tmp_path, out=out, resources={"cpus": 2}))


def test_a_dry_run_prints_the_trials_and_makes_nothing(tmp_path, capsys):
    sweep(tmp_path, out=str(tmp_path / "out"))
    assert main(["sweep", str(tmp_path / "mine.yaml"), "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert "005-method-eureka-seed-2-noise-0.05" in told and "nothing was run" in told and not (tmp_path / "out").exists()
    (tmp_path / "broken.yaml").write_text("grid: [")
    assert main(["sweep", str(tmp_path / "broken.yaml")]) == 1
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("said", "direction"),
    [
        ({}, "maximize"),
        ({"objective": "metrics.effort"}, "minimize"),
        ({"objective": "metrics.effort", "direction": "maximize"}, "maximize"),
        ({"objective": "metrics.distance_m"}, "maximize"),
        ({"direction": "minimize"}, "minimize"),
    ],
)
def test_the_registry_says_which_way_an_objective_is_better(tmp_path, said, direction):
    found = sweep(tmp_path, grid={}, optuna={"trials": 2, "space": {"seed": [1, 2]}, **said})
    assert found.optuna is not None and found.optuna.direction == direction


def test_planners_are_swept_by_name_and_keep_what_they_have_in_common(tmp_path):
    (tmp_path / "run.yaml").write_text("planner: {candidates: 32, temperature: 0.3}")
    made = plans.make(sweep(tmp_path, config="run.yaml", grid={"planner.keep": [1], "planner.name": ["icem", "cma"]}))
    assert [made.config(trial).planner for trial in made.trials] == [k(candidates=32, temperature=0.3, keep=1) for k in (ICEM, CMA)]
    made = plans.make(sweep(tmp_path, config="run.yaml", base={"planner": {"name": "cem", "elites": 3}}, grid={"seed": [0]}))
    assert made.config(made.trials[0]).planner == CEM(candidates=32, elites=3)
