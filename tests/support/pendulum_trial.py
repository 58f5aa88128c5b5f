"""Runs one trial of a sweep as the pendulum's search, in place of `movlr trial`; called by workers as a script.

A file OUT/kill-NUMBER says what dies, once, while the trial moves in iteration 1: "self", "worker" (its parent), or a process's number.
What kills another then waits to be killed with its worker: a trial that outlives it would be seen.

    python pendulum_trial.py OUT NUMBER --tied-to PID
"""

from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import asdict
from pathlib import Path

from movlr_jax.runs.run_folder import RunFolder
from movlr_jax.searches.loop import Loop
from movlr_jax.sweeps import trial
from movlr_jax.tracking import LocalTracker
from support.pendulum_stages import PendulumStages


def runs(config, going_on, progress):
    folder = RunFolder(config.out, config.seeds)
    if not going_on:
        folder = RunFolder.create(config.out, config.to_yaml(), {"seed": config.seed}, config.seeds)
    with folder.locked():
        return Loop(folder, config, PendulumStages(), (LocalTracker(config.out),), progress, header={"task": "pendulum"}).run().stopped


def dying(out: Path, number: int):
    def told(event):
        note = out / f"kill-{number}"
        if event.kind == "simulated" and event.iteration == 1 and note.exists():
            who = note.read_text()
            note.unlink()
            os.kill({"self": os.getpid(), "worker": os.getppid()}.get(who) or int(who), signal.SIGKILL)
            signal.pause()

    return told


class InProcess:
    """Executor that run each trial at once, in this process and undisturbed."""

    def start(self, job):
        return job

    def wait(self, jobs):
        return [(jobs[0], trial.run(Path(jobs[0].out), jobs[0].number, runs=runs))]


if __name__ == "__main__":
    out, number = Path(sys.argv[1]), int(sys.argv[2])
    trial.tie_to(int(sys.argv[4]))
    print(json.dumps(asdict(trial.run(out, number, progress=dying(out, number), runs=runs))))
