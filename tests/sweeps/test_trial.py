"""One trial: what it says when it cannot go on, when it is held, and what it may use."""

from __future__ import annotations

import errno
import os

import pytest
import yaml

from movlr_jax.errors import MovlrError
from movlr_jax.runs.run_folder import RunFolder
from movlr_jax.sweeps import definition, pinning, trial
from movlr_jax.sweeps import plan as plans
from movlr_jax.sweeps.worker import Ended, Job, attend


@pytest.fixture
def plan(tmp_path):
    file = tmp_path / "one.yaml"
    file.write_text(yaml.safe_dump({"out": str(tmp_path / "out"), "grid": {"seed": [0]}}))
    made = plans.make(definition.read(file))
    with plans.locked(made.out):
        return plans.settle(made)


def test_a_full_disk_is_one_sentence_and_the_trial_goes_on_later(plan):
    def full(config, going_on, progress):
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        except OSError as error:
            raise MovlrError("Cannot write the run.") from error

    ended = trial.run(plan.out, 0, runs=full)
    assert not ended.done and ended.sentence == f"The disk that holds {plan.folder(plan.trials[0])} is full: make room; nothing is lost."
    assert trial.run(plan.out, 0, runs=lambda config, going_on, progress: "patience") == Ended(0, True)
    with pytest.raises(KeyboardInterrupt):
        trial.run(plan.out, 0, runs=lambda config, going_on, progress: "interrupted")
    with pytest.raises(MovlrError, match="has no trial 3: it has 1"):
        trial.run(plan.out, 3)


def test_a_folder_that_is_still_held_is_waited_for(tmp_path):
    folder, slept = RunFolder(tmp_path), []
    with folder.locked():
        trial.wait_for(tmp_path, clock=lambda: float(len(slept)), sleep=slept.append)
    assert len(slept) == 120
    trial.wait_for(tmp_path, clock=lambda: 0.0, sleep=slept.append)
    assert len(slept) == 120


def test_trials_hold_different_cores_and_let_them_go(tmp_path):
    there = sorted(os.sched_getaffinity(0))
    with pinning.cores(1, tmp_path) as first:
        assert first == (there[0],)
        with pinning.cores(len(there), tmp_path) as too_many, pinning.cores(0.5, tmp_path) as shared:
            assert too_many == shared == ()
        with pinning.cores(1, tmp_path) as second:
            assert second == tuple(there[1:2])
    with pinning.cores(len(there), tmp_path) as every:
        assert every == tuple(there)


def test_a_trial_is_told_its_threads_and_its_share_of_a_gpu():
    made = pinning.environment(2, 0.5, {"PATH": "/bin", "XLA_FLAGS": "--mine"})
    assert made["OMP_NUM_THREADS"] == made["NPROC"] == "2" and made["PATH"] == "/bin"
    assert made["XLA_FLAGS"] == "--mine --xla_cpu_multi_thread_eigen=true"
    assert made["XLA_PYTHON_CLIENT_MEM_FRACTION"] == "0.400" and made["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false"
    assert "XLA_PYTHON_CLIENT_MEM_FRACTION" not in pinning.environment(1, 1, {})


def test_a_worker_without_the_folder_says_so(tmp_path):
    ended = attend(Job(str(tmp_path / "elsewhere"), 0))
    assert not ended.done and "all machines share" in ended.sentence
