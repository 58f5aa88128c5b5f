"""A sweep as an array of jobs: what Slurm is asked for, what its script says, and that the same command submits only what is missing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml

from movlr_jax import atomic
from movlr_jax.errors import MovlrError
from movlr_jax.sweeps import definition
from movlr_jax.sweeps.backends import slurm
from movlr_jax.sweeps.worker import Ended, Job, TrialDied

TRIAL = """
import json, sys
from pathlib import Path
out, number = Path(sys.argv[1]), int(sys.argv[2])
plan = json.loads((out / "plan.json").read_text())
if number == 1 and not (out / "tried").exists():
    (out / "tried").touch()
    sys.exit(print(json.dumps({"number": 1, "done": False, "sentence": "The disk is full."})))
folder = out / "trials" / plan["trials"][number]["name"]
folder.mkdir(parents=True)
row = {"iteration": 0, "score": 1.0 + number, "kept": True, "metrics": {}, "seconds": {}}
(folder / "summary.json").write_text(json.dumps({"stopped": "iterations", "best": 0, "iterations": [row], "calls": {}}))
print(json.dumps({"number": number, "done": True, "sentence": ""}))
"""


def sweep(folder: Path, **more: object) -> definition.SweepFile:
    file = folder / "array.yaml"
    file.write_text(yaml.safe_dump({"name": "array", "out": str(folder / "out"), "grid": {"seed": [0, 1, 2]}, **more}))
    return definition.read(file)


def test_jobs_run_and_only_what_is_missing_is_submitted_again(tmp_path):
    submitit = pytest.importorskip("submitit", reason="submitit is not installed")
    (tmp_path / "trial.py").write_text(TRIAL)
    command = (sys.executable, str(tmp_path / "trial.py"))
    found, told = sweep(tmp_path), []

    class AtOnce(submitit.local.debug.DebugExecutor):
        """Runs a job when it is submitted."""

        def submit(self, fn, *given):
            job = super().submit(fn, *given)
            job.result()
            return job

        def map_array(self, fn, jobs):
            return [self.submit(fn, job) for job in jobs]

    first = slurm.run(found, told.append, cluster="debug", command=command, queued=set, executor=AtOnce)
    assert "3 trials were submitted" in told[-1] and [row["state"] for row in first.rows] == ["planned"] * 3
    told.clear()
    second = slurm.run(found, told.append, cluster="debug", command=command, queued=set, executor=AtOnce)
    assert [row["state"] for row in second.rows] == ["done", "failed", "done"]
    assert "2 of 3 trials are done, 0 are queued" in told[1] and told[0] == "001-seed-1: The disk is full." and "1 trials" in told[2]
    third = slurm.run(found, told.append, cluster="debug", command=command, queued=set, executor=AtOnce)
    assert [row["score"] for row in third.rows] == [1.0, 2.0, 3.0]
    assert "| 1 | 1 | done |" in (tmp_path / "out" / "table.md").read_text()


def test_what_is_queued_is_left_alone(tmp_path, monkeypatch):
    found, told = sweep(tmp_path), []
    monkeypatch.setattr(slurm, "submit", lambda sweep, out, jobs, *more: [f"77_{job.number}" for job in jobs])
    slurm.run(found, told.append, queued=set)
    assert atomic.read_json(tmp_path / "out" / "slurm" / "jobs.json") == {"0": "77_0", "1": "77_1", "2": "77_2"}
    told.clear()
    slurm.run(found, told.append, queued=lambda: {"77_0", "77_1", "77_2", "5"})
    assert told == [f"{tmp_path / 'out'}: 0 of 3 trials are done, 3 are queued or run."]


def test_the_batch_script_asks_for_what_the_file_says(tmp_path, monkeypatch):
    submitit = pytest.importorskip("submitit", reason="submitit is not installed")
    from submitit.slurm import slurm as executors

    monkeypatch.setattr(executors.SlurmExecutor, "affinity", classmethod(lambda cls: 1))

    site = {"partition": "gpu", "account": "lab", "minutes": 90, "memory_gb": 12, "at_once": 2, "setup": ["module load cuda"]}
    found = sweep(tmp_path, resources={"cpus": 4, "gpus": 1}, slurm=site)
    # What submitit's own executor makes of the parameters, without an sbatch.
    executor = submitit.AutoExecutor(folder=tmp_path, cluster="slurm")
    executor.update_parameters(**slurm.parameters(found, 3))
    told = executor._executor.parameters
    script = executors._make_sbatch_string(command="run-it", folder=tmp_path, map_count=3, **told)
    for line in ("--partition=gpu", "--account=lab", "--time=90", "--mem=12GB", "--array=0-2%2", "--cpus-per-task=4", "--gpus-per-node=1"):
        assert f"#SBATCH {line}\n" in script
    assert "#SBATCH --signal=USR2@90\n" in script and "\nmodule load cuda\n" in script and "#SBATCH --job-name=movlr-array\n" in script
    with pytest.raises(MovlrError, match="Slurm gives whole GPUs"):
        slurm.parameters(sweep(tmp_path, resources={"gpus": 0.5}), 3)


def test_a_job_whose_time_is_up_is_queued_again_with_its_trial(tmp_path, monkeypatch):
    pytest.importorskip("submitit", reason="submitit is not installed")
    job = Job(str(tmp_path), 2)
    again = slurm.SlurmTrial().checkpoint(job)
    assert isinstance(again.function, slurm.SlurmTrial) and again.args == (job,)

    def died(job):
        raise TrialDied("its process was killed by SIGKILL")

    monkeypatch.setattr(slurm, "attend", died)
    assert slurm.SlurmTrial()(job) == Ended(2, False, "Its process was killed by SIGKILL; logs/002.log has what it said.")


def test_no_slurm_and_optuna_are_refused_in_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MovlrError, match="login node"):
        slurm.run(sweep(tmp_path), print)
    proposed = {"trials": 2, "space": {"goal_speed": {"low": 0.5, "high": 1}}}
    with pytest.raises(MovlrError, match="needs a driver that stays"):
        slurm.run(sweep(tmp_path, grid={}, optuna=proposed), print)
