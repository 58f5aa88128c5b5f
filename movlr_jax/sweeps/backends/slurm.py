"""Trials as an array of Slurm jobs, through submitit: one job a trial, queued again when its time is up.

Flows in: a plan. Flows out: submitted jobs, whose numbers stand in `OUT/slurm/jobs.json`. No driver stays: a job keeps its trial's state in
the run's folder, and the same command later tells how the trials are and submits those that are neither done nor queued.
"""

from __future__ import annotations

import getpass
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from movlr_jax import atomic
from movlr_jax.errors import MovlrError
from movlr_jax.processes import private
from movlr_jax.sweeps import plan as plans
from movlr_jax.sweeps import results
from movlr_jax.sweeps.definition import SweepFile
from movlr_jax.sweeps.drive import Outcome, Report, finish, job_of
from movlr_jax.sweeps.worker import Ended, Job, TrialDied, attend

FOLDER = "slurm"
# The job is warned so long before its time is up [s].
_NOTICE = 90


class SlurmTrial:
    """What a job does: attend its trial; when its time is up, be queued again and go on."""

    def __call__(self, job: Job) -> Ended:
        """Attend the trial and leave word of how it ended."""
        try:
            ended = attend(job)
        except TrialDied as died:
            ended = Ended(job.number, False, f"{str(died)[:1].upper()}{str(died)[1:]}; logs/{job.number:03d}.log has what it said.")
        atomic.write_json(_word(Path(job.out), job.number), asdict(ended))
        return ended

    def checkpoint(self, job: Job) -> Any:
        """Return what is queued again; the trial's state is in its run's folder."""
        import submitit

        return submitit.helpers.DelayedSubmission(self, job)


def run(
    sweep: SweepFile,
    report: Report,
    *,
    cluster: str = "slurm",
    command: tuple[str, ...] = (),
    environment: tuple[tuple[str, str], ...] = (),
    queued: Callable[[], set[str]] | None = None,
    executor: Any = None,
) -> Outcome:
    """Submit the trials that are neither done nor queued, and write the results there are.

    Args:
        sweep: what to run.
        report: called with a sentence at a time, of what happens.
        cluster: submitit's name of who runs the jobs.
        command: the words that run a trial, if not this installation's.
        environment: variables of the trials.
        queued: returns the numbers of the jobs that wait or run; asks `squeue` by default.
        executor: makes submitit's executor of a folder, if not that of the cluster.

    Raises:
        MovlrError: there is no Slurm here, it refuses the jobs, or the sweep needs a driver that stays.
    """
    if sweep.optuna is not None:
        raise MovlrError(
            "Optuna needs a driver that stays: start Ray in a Slurm job and use --address auto, or sweep a grid or drawn trials."
        )
    wanted = plans.make(sweep)
    with plans.locked(wanted.out):
        plan = plans.settle(wanted)
        before: dict[str, str] = _jobs(plan.out)
        alive = (queued or _squeue)()
        outcome = Outcome(plan)
        left: list[Job] = []
        waiting = 0
        for trial in plan.trials:
            waits = before.get(str(trial.number)) in alive
            word = _word(plan.out, trial.number)
            sentence = "" if waits or not word.exists() else _sentence(word)
            outcome.rows.append(results.row(plan, trial, sentence))
            waiting += waits and outcome.rows[-1]["state"] != "done"
            if outcome.rows[-1]["state"] != "done" and not waits:
                left.append(job_of(sweep, plan, trial.number, command, environment))
                if sentence:
                    report(f"{trial.name}: {sentence}")
        done = sum(row["state"] == "done" for row in outcome.rows)
        report(f"{plan.out}: {done} of {len(plan.trials)} trials are done, {waiting} are queued or run.")
        if left:
            numbers = submit(sweep, plan.out, left, cluster, executor)
            atomic.write_json(plan.out / FOLDER / "jobs.json", {**before, **{str(j.number): n for j, n in zip(left, numbers, strict=True)}})
            array = numbers[0].partition("_")[0]
            report(f"{len(left)} trials were submitted as {array}; the same command tells how they are, and submits again what died.")
        finish(outcome)
    return outcome


def submit(sweep: SweepFile, out: Path, jobs: Sequence[Job], cluster: str = "slurm", makes: Any = None) -> list[str]:
    """Submit jobs as one array and return their numbers.

    Raises:
        MovlrError: submitit is not installed, or Slurm refuses.
    """
    try:
        import submitit
    except ImportError:
        raise MovlrError("submitit is not installed: pip install 'movlr-jax[sweep]'.") from None
    if cluster == "slurm" and shutil.which("sbatch") is None:
        raise MovlrError("Slurm's sbatch is not on this machine: submit from a login node of the cluster.")
    private(out / FOLDER)  # submitit keeps the jobs there as pickles, which run as this user
    for job in jobs:
        _word(out, job.number).unlink(missing_ok=True)
    executor = makes(out / FOLDER) if makes else submitit.AutoExecutor(folder=out / FOLDER, cluster=cluster)
    executor.update_parameters(**parameters(sweep, len(jobs)))
    try:
        return [job.job_id for job in executor.map_array(SlurmTrial(), list(jobs))]
    except (OSError, RuntimeError, submitit.core.utils.FailedJobError) as error:
        raise MovlrError(f"Slurm refuses the jobs ({' '.join(str(error).split())[-200:]}): mend `slurm` in the sweep's file.") from None


def parameters(sweep: SweepFile, count: int) -> dict[str, Any]:
    """Return what submitit is asked for: the trial's resources and the site's words."""
    site, resources = sweep.slurm, sweep.resources
    if 0 < resources.gpus < 1:
        raise MovlrError(f"Slurm gives whole GPUs, and resources.gpus is {resources.gpus:g}: give 1, or share GPUs with Ray.")
    words = {"partition": site.partition, "account": site.account, "qos": site.qos, "constraint": site.constraint}
    parameters: dict[str, Any] = {f"slurm_{name}": word for name, word in words.items() if word}
    if site.memory_gb:
        parameters["mem_gb"] = site.memory_gb
    if resources.gpus:
        parameters["gpus_per_node"] = int(resources.gpus)
    if site.setup:
        parameters["slurm_setup"] = list(site.setup)
    return {
        "name": f"movlr-{sweep.name}",
        "timeout_min": site.minutes,
        "cpus_per_task": resources.threads,
        "slurm_array_parallelism": site.at_once or count,
        "slurm_signal_delay_s": _NOTICE,
        **parameters,
    }


def _jobs(out: Path) -> dict[str, str]:
    path = out / FOLDER / "jobs.json"
    raw = atomic.read_json(path) if path.exists() else {}
    if not isinstance(raw, dict) or not all(isinstance(number, str) for number in raw.values()):
        raise MovlrError(f"{path} does not say which jobs there are: restore it, or delete it once no job of the sweep runs.")
    return raw


def _sentence(word: Path) -> str:
    raw = atomic.read_json(word)
    if not isinstance(raw, dict) or not isinstance(raw.get("sentence"), str):
        raise MovlrError(f"{word} does not say how a trial ended: delete it.")
    return str(raw["sentence"])


def _word(out: Path, number: int) -> Path:
    return out / FOLDER / f"ended-{number:03d}.json"


def _squeue() -> set[str]:
    """Return the numbers of this user's jobs that wait or run, one for each job of an array."""
    try:
        command = ["squeue", "--noheader", "--array", "--format=%i", f"--user={getpass.getuser()}"]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except FileNotFoundError:
        raise MovlrError("Slurm's squeue is not on this machine: submit from a login node of the cluster.") from None
    except subprocess.TimeoutExpired:
        raise MovlrError("Slurm's controller does not answer: try again later; nothing is lost.") from None
    if ran.returncode:
        raise MovlrError(f"Slurm's controller does not answer ({' '.join(ran.stderr.split())[:200]}): try again later; nothing is lost.")
    return set(ran.stdout.split())
