"""Search: the MoVLR iteration (write, prove, move, judge, keep), its archive and its resumption."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from movlr_jax.runs.config import RunConfig, folder_of, free_folder
from movlr_jax.searches.events import Event, Progress

if TYPE_CHECKING:
    from movlr_jax.searches.result import RunResult
    from movlr_jax.searches.steps import Advisor

__all__ = ["Event", "Progress", "RunConfig", "folder_of", "free_folder", "resume", "run"]


def run(config: RunConfig, *, progress: Progress | None = None, advisor: Advisor | None = None) -> RunResult:
    """Start a new run and go on until it is done, its budget is spent or the user interrupts.

    Args:
        config: what to run.
        progress: shows events.
        advisor: asks a person for advice, where the configuration says `ask`.

    Raises:
        MovlrError: the configuration cannot be run, its folder holds something already, or a stage cannot go on.
    """
    from movlr_jax.searches.assembly import run as run_assembled

    return run_assembled(config, progress=progress, advisor=advisor)


def resume(
    folder: Path,
    *,
    progress: Progress | None = None,
    iterations: int | None = None,
    max_minutes: float | None = None,
    max_calls: int | None = None,
    max_cost: float | None = None,
    max_simulated: float | None = None,
    ask: bool | None = None,
    advisor: Advisor | None = None,
) -> RunResult:
    """Go on with a run that was killed, interrupted or stopped, from the last product it saved.

    Args:
        folder: the run's folder.
        progress: shows events.
        iterations: a new last iteration; None keeps the run's.
        max_minutes: a new time budget for this and later resumes [min]; None keeps the run's.
        max_calls: a new budget of model calls, those already made included; None keeps the run's.
        max_cost: a new budget of money, what is already spent included [USD]; None keeps the run's.
        max_simulated: a new budget of executed motion, what was executed included [s]; None keeps the run's.
        ask: whether a person is asked for advice; None keeps the run's.
        advisor: asks the person.

    Raises:
        MovlrError: there is no run, another process works on it, its folder names a server or a folder elsewhere that this user has not
            (`llm.addresses.allow`), or a stage cannot go on.
    """
    from movlr_jax.searches.assembly import resume as resume_assembled

    return resume_assembled(
        folder,
        progress=progress,
        iterations=iterations,
        max_minutes=max_minutes,
        max_calls=max_calls,
        max_cost=max_cost,
        max_simulated=max_simulated,
        ask=ask,
        advisor=advisor,
    )
