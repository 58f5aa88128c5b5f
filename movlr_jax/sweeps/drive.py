"""The driver of a sweep: gives trials to whoever runs them, takes in how they ended, keeps the results.

Flows in: a sweep's file, and an executor (Ray's, or this process). Flows out: the sweep's folder. The driver keeps nothing in memory that
counts: a trial's state is its run's folder, and the same command goes on after any kill.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from movlr_jax.llm import addresses
from movlr_jax.media import sweep_page
from movlr_jax.runs import permissions
from movlr_jax.sweeps import plan as plans
from movlr_jax.sweeps import results
from movlr_jax.sweeps.definition import SweepFile
from movlr_jax.sweeps.plan import Plan, Trial
from movlr_jax.sweeps.proposals import Proposer
from movlr_jax.sweeps.worker import Ended, Job, TrialDied, attend

Report = Callable[[str], None]


class Executor(Protocol):
    """Who runs trials."""

    def start(self, job: Job) -> Any:
        """Begin a trial when there is room for it, and return its handle at once."""
        ...

    def wait(self, handles: Sequence[Any]) -> list[tuple[Any, Ended]]:
        """Wait until at least one trial has ended."""
        ...


class LocalExecutor:
    """Runs one trial after the other, here, without Ray.

    Args:
        retries: times that a trial whose process died goes on.
    """

    def __init__(self, retries: int = 3):
        self._retries = retries

    def start(self, job: Job) -> Job:
        """Remember it."""
        return job

    def wait(self, handles: Sequence[Job]) -> list[tuple[Job, Ended]]:
        """Run the first."""
        job = handles[0]
        died = ""
        for _ in range(self._retries + 1):
            try:
                return [(job, attend(job))]
            except TrialDied as how:
                died = str(how)
        return [(job, Ended(job.number, False, gave_up(job.number, self._retries, died)))]


def gave_up(number: int, retries: int, how: str) -> str:
    """Return the sentence for a trial that died too often."""
    return f"It died {retries + 1} times, at last because {how}; logs/{number:03d}.log has what it said."


@dataclass
class Outcome:
    """What came of a sweep.

    Attributes:
        plan: its plan.
        rows: one a trial.
        failed: number -> why, of the trials that could not be brought to their end this time.
        interrupted: whether the user stopped it.
    """

    plan: Plan
    rows: list[dict[str, Any]] = field(default_factory=list)
    failed: dict[int, str] = field(default_factory=dict)
    interrupted: bool = False


def run(
    sweep: SweepFile,
    executor: Callable[[], Any],
    report: Report,
    *,
    command: tuple[str, ...] = (),
    environment: tuple[tuple[str, str], ...] = (),
) -> Outcome:
    """Bring every trial of a sweep to its end.

    Args:
        sweep: what to run.
        executor: opens what runs trials; a context.
        report: called with a sentence at a time, of what happens.
        command: the words that run a trial, if not this installation's.
        environment: variables of the trials.

    Raises:
        MovlrError: nothing can be run; what stands in the folder stays.
    """
    plan = plans.make(sweep)
    with plans.locked(plan.out):
        driver = _Driver(sweep, plans.settle(plan), report)
        outcome = driver.outcome
        done = sum(row["state"] == "done" for row in outcome.rows)
        report(f"{outcome.plan.out}: {done} of {wanted(sweep, outcome.plan)} trials are done.")
        try:
            if done < wanted(sweep, outcome.plan):
                with executor() as opened:
                    driver.drive(opened, lambda number: job_of(sweep, outcome.plan, number, command, environment))
        except KeyboardInterrupt:
            outcome.interrupted = True
        finish(outcome)
    return outcome


def finish(outcome: Outcome) -> None:
    """Write what there is of the results: tables and page.

    Raises:
        MovlrError: they cannot be written.
    """
    results.write_tables(outcome.plan, outcome.rows)
    sweep_page.write_page(outcome.plan.out, outcome.plan.name, outcome.rows, outcome.plan.paths)


def wanted(sweep: SweepFile, plan: Plan) -> int:
    """Return how many trials there are to be."""
    return len(plan.trials) if sweep.optuna is None else max(sweep.optuna.trials, len(plan.trials))


def job_of(sweep: SweepFile, plan: Plan, number: int, command: tuple[str, ...] = (), environment: tuple[tuple[str, str], ...] = ()) -> Job:
    """Return what a worker is told of a trial."""
    return Job(str(plan.out), number, sweep.resources.cpus, sweep.resources.gpus, command, str(Path.cwd()), environment)


class _Driver:
    def __init__(self, sweep: SweepFile, plan: Plan, report: Report):
        self.report, self.outcome = report, Outcome(plan)
        self.outcome.rows = [results.row(plan, trial) for trial in plan.trials]
        self.planned = [trial for trial in plan.trials if not plan.ended(trial)]
        self.proposer = None if sweep.optuna is None else Proposer(sweep, plan)

    def drive(self, executor: Executor, job: Callable[[int], Job]) -> None:
        running: dict[Any, Trial] = {}
        while True:
            while (trial := self._next()) is not None:
                running[executor.start(job(trial.number))] = trial
            if not running:
                return
            for handle, ended in executor.wait(list(running)):
                self._ended(running.pop(handle), ended)

    def _next(self) -> Trial | None:
        """Return a trial that can begin: one that is planned and not done, else one that can be proposed by now."""
        if self.planned:
            return self.planned.pop(0)
        trial = None if self.proposer is None else self.proposer.ask(self.outcome.rows, self.outcome.failed)
        if trial is not None and self.proposer is not None:
            self.outcome.plan = self.proposer.plan
            self.outcome.rows.append(results.row(self.outcome.plan, trial))
        return trial

    def _ended(self, trial: Trial, ended: Ended) -> None:
        row = self.outcome.rows[trial.number] = results.row(self.outcome.plan, trial, ended.sentence)
        if row["state"] == "done":
            self.report(f"{trial.name}: done, score {results.score(row)}")
        else:
            self.outcome.failed[trial.number] = ended.sentence
            self.report(f"{trial.name}: {ended.sentence}")
        results.write_tables(self.outcome.plan, self.outcome.rows)


def allowed(sweep: SweepFile) -> tuple[tuple[str, str], ...]:
    """Refuse a sweep whose keys would go where only its file says; return the variables that tell its trials, anywhere, what is allowed.

    Raises:
        MovlrError: an address of a trial is not known.
    """
    made = plans.make(sweep)
    configs = [made.config(trial) for trial in made.trials] or [made.config(Trial(0, {}))]
    for config in configs:
        permissions.require_keys_known(config)
        permissions.remember(config)
    return addresses.environment(dict.fromkeys(target for config in configs for target in permissions.targets(config)))
