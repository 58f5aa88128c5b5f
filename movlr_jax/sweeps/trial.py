"""One trial: a normal run in a folder of its own, started or gone on with, in this process.

Flows in: a sweep's folder and a trial's number. Flows out: the run's folder, and an Ended.
"""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from movlr_jax import searches
from movlr_jax.errors import MovlrError
from movlr_jax.runs import permissions
from movlr_jax.runs.config import RunConfig
from movlr_jax.runs.run_folder import RunFolder
from movlr_jax.sandbox import locks
from movlr_jax.searches.events import Progress
from movlr_jax.sweeps.plan import ENDED, PLAN, Plan
from movlr_jax.sweeps.worker import Ended

# A killed driver's trials end some seconds after it: that long a folder may still be held [s].
_WAIT_FOR_FOLDER = 120.0
_POLL = 0.5

# (configuration, whether there is a run to go on with, progress) -> why it stopped.
Run = Callable[[RunConfig, bool, Progress | None], str]


def tie_to(parent: int) -> None:
    """Have this process killed when the process that started it ends, however that ends.

    Args:
        parent: number of the process that started it.
    """
    try:
        locks.prctl(locks.PR_SET_PDEATHSIG, signal.SIGKILL)
    except OSError:
        return
    if os.getppid() != parent:  # it was gone before the wish was granted
        os.kill(os.getpid(), signal.SIGKILL)


def real(config: RunConfig, going_on: bool, progress: Progress | None) -> str:
    """Start a run, or go on with it; return why it stopped."""
    if not going_on:
        return searches.run(config, progress=progress).stopped
    assert config.out is not None
    return searches.resume(config.out, progress=progress).stopped


def run(out: Path, number: int, *, progress: Progress | None = None, runs: Run = real) -> Ended:
    """Bring a trial to its end; one that has ended is left as it is.

    Args:
        out: the sweep's folder.
        number: the trial.
        progress: shows the run's events.
        runs: does the run.

    Raises:
        MovlrError: there is no such trial.
        KeyboardInterrupt: the user interrupted; everything is saved.
    """
    plan = Plan.load(out)
    trial = next((t for t in plan.trials if t.number == number), None)
    if trial is None:
        raise MovlrError(f"{out} has no trial {number}: it has {len(plan.trials)}, counted from 0.")
    if plan.ended(trial):
        return Ended(number, True)
    folder = plan.folder(trial)
    try:
        config = plan.config(trial)
        permissions.require_known(config, folder, out / PLAN)
        going_on = (folder / "run.json").exists()
        if going_on:
            wait_for(folder)
        stopped = runs(config, going_on, progress)
    except (MovlrError, OSError) as error:
        return Ended(number, False, _why(error, folder))
    if stopped == "interrupted":
        raise KeyboardInterrupt
    return Ended(number, stopped in ENDED)


def wait_for(folder: Path, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep) -> None:
    """Wait, for a bounded time, until no other process works in a run's folder; the run itself says if one still does."""
    end = clock() + _WAIT_FOR_FOLDER
    while clock() < end:
        try:
            with RunFolder(folder).locked():
                return
        except MovlrError:
            sleep(_POLL)


def _why(error: BaseException, folder: Path) -> str:
    """Return one sentence for what a trial cannot get over."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT):
            return f"The disk that holds {folder} is full: make room; nothing is lost."
        cause = cause.__cause__ or cause.__context__
    return str(error) if isinstance(error, MovlrError) else f"{type(error).__name__}: {error}."
