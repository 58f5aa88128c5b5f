"""A worker's part: start a trial as a process of its own, hold it to its cores, and say how it ended.

Flows in: a Job. Flows out: an Ended, or TrialDied where the process was killed. The process is the worker's child and dies with it, so that
the trial can go on elsewhere; what it had finished stands in its run's folder.
"""

from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from movlr_jax.processes import PYTHON
from movlr_jax.sweeps import pinning

COMMAND = (*PYTHON, "-m", "movlr_jax", "trial")
LOGS = "logs"
_PATIENCE = 5.0  # seconds that a trial has to save itself when the worker has to stop


@dataclass(frozen=True)
class Job:
    """What a worker is given.

    Attributes:
        out: the sweep's folder.
        number: the trial.
        cpus, gpus: what it may use.
        command: the words that run a trial; its folder, number and the worker's process follow. Empty: this installation's `movlr trial`.
        where: the folder it is started in, against which relative paths of its configuration hold.
        environment: variables beside the worker's own.
    """

    out: str
    number: int
    cpus: float = 1.0
    gpus: float = 0.0
    command: tuple[str, ...] = ()
    where: str = ""
    environment: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Ended:
    """How a trial ended.

    Attributes:
        number: the trial.
        done: whether its run has come to its end.
        sentence: if not, why, for people.
    """

    number: int
    done: bool
    sentence: str = ""


class TrialDied(Exception):
    """A trial's process was killed or crashed; it can go on in another."""


def attend(job: Job) -> Ended:
    """Run a trial to its end, or until it can say why it cannot.

    Raises:
        TrialDied: its process was killed or crashed.
    """
    threads = max(1, int(job.cpus))
    environment = pinning.environment(threads, job.gpus, {**os.environ, **dict(job.environment)})
    out = Path(job.out)
    if not out.is_dir():
        return Ended(job.number, False, f"{out} is not there on {platform.node()}: choose an out that all machines share.")
    command = [*(job.command or COMMAND), str(out), str(job.number), "--tied-to", str(os.getpid())]
    with pinning.cores(job.cpus) as cores, _log(out, job.number) as log:
        where = job.where if Path(job.where).is_dir() else str(out)
        # A session of its own: what a terminal or a scheduler tells the worker's group, the worker passes on as it sees fit.
        process = subprocess.Popen(
            command,
            cwd=where,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
        if cores:
            os.sched_setaffinity(process.pid, cores)
        try:
            output, _ = process.communicate()
        except BaseException:
            _stop(process)
            raise
    return _ended(job, process.returncode, output)


def _log(out: Path, number: int) -> IO[bytes]:
    """Open a trial's log; nothing is logged where the disk is full."""
    try:
        (out / LOGS).mkdir(exist_ok=True)
        return (out / LOGS / f"{number:03d}.log").open("ab")
    except OSError:
        return Path(os.devnull).open("wb")


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _ended(job: Job, code: int, output: str) -> Ended:
    """Return what a trial's process said as its last line."""
    lines = output.strip().splitlines()
    try:
        last: dict[str, Any] = json.loads(lines[-1])
        return Ended(job.number, bool(last["done"]), str(last["sentence"]))
    except (IndexError, ValueError, KeyError, TypeError):
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        raise TrialDied(f"its process was {how}" if code < 0 else f"its process {how}") from None
