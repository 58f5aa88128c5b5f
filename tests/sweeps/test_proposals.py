"""Optuna's proposals depend on the results alone: not on which trial ends first, nor on where the driver was killed."""

from __future__ import annotations

import contextlib
import math

import pytest
import yaml

from movlr_jax import atomic
from movlr_jax.sweeps import definition, drive, proposals, trial
from movlr_jax.sweeps.plan import Plan
from movlr_jax.sweeps.space import Distribution

TRIALS = 12


def measured(config, going_on, progress):
    """A run whose score is known: highest at a noise of 0.1."""
    score = -abs(math.log10(config.planner.noise / 0.1)) - (config.critic == "clip")
    row = {"iteration": 0, "score": score, "kept": True, "metrics": {"distance_m": -score}, "seconds": {}}
    atomic.write_json(config.out / "summary.json", {"stopped": "iterations", "best": 0, "iterations": [row], "calls": {}})
    return "iterations"


class Executor:
    """Runs the trial that began last, first; dies before the n-th end if told to."""

    def __init__(self, last_first, dies_at=None):
        self.last_first, self.dies_at, self.ends, self.most = last_first, dies_at, 0, 0

    def start(self, job):
        return job

    def wait(self, jobs):
        self.most = max(self.most, len(jobs))
        if self.ends == self.dies_at:
            raise SystemExit
        self.ends += 1
        job = jobs[-1 if self.last_first else 0]
        return [(job, trial.run(drive.Path(job.out), job.number, runs=measured))]


def sweep(folder, name, sampler="tpe", **more):
    space = {"planner.noise": {"low": 0.001, "high": 10.0, "log": True}}
    asked = {"trials": TRIALS, "seed": 4, "parallel": 3, "sampler": sampler, "space": {**space, **more}}
    file = folder / f"{name}.yaml"
    file.write_text(yaml.safe_dump({"name": "noise", "out": str(folder / name), "optuna": asked}))
    return definition.read(file)


def run(found, executor):
    return drive.run(found, lambda: contextlib.nullcontext(executor), lambda sentence: None)


@pytest.mark.parametrize(
    ("sampler", "more"), [("tpe", {"critic": ["offline", "clip"]}), ("cmaes", {"planner.anneal": {"low": 0.5, "high": 1.0}})]
)
def test_any_order_and_any_kill_propose_the_same(tmp_path, monkeypatch, sampler, more):
    pytest.importorskip("optuna", reason="Optuna is not installed")
    executor = Executor(last_first=False)
    whole = run(sweep(tmp_path, "whole", sampler, **more), executor)
    assert len(whole.rows) == TRIALS and executor.most == 3
    scores = [row["score"] for row in whole.rows]
    assert max(scores[6:]) > max(scores[:2]) or max(scores) > -0.2, "nothing was learnt from the results"

    found = sweep(tmp_path, "killed", sampler, **more)
    for dies_at in (0, 2, 3):
        with pytest.raises(SystemExit):
            run(found, Executor(last_first=True, dies_at=dies_at))
    # Killed in the middle of asking: Optuna has begun a trial that the plan does not know.
    propose, asked = Distribution.propose, []

    def dying(self, optuna_trial, path):
        asked.append(path)
        if len(asked) == 4:
            raise SystemExit
        return propose(self, optuna_trial, path)

    monkeypatch.setattr(Distribution, "propose", dying)
    with pytest.raises(SystemExit):
        run(found, Executor(last_first=True))
    monkeypatch.setattr(Distribution, "propose", propose)
    known = len(Plan.load(found.folder).trials)
    assert known < TRIALS
    killed = run(found, Executor(last_first=True))
    assert [row["values"] for row in killed.rows] == [row["values"] for row in whole.rows]
    assert [row["trial"] for row in killed.rows] == list(range(TRIALS))
    import optuna

    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(found.folder / proposals.JOURNAL)))
    study = optuna.load_study(study_name="noise", storage=storage)
    assert [t.value for t in study.trials] == scores
