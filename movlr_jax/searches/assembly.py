"""A search, put together and run: stages, folder, gateway, trackers.

Flows in: a RunConfig, or the folder of a run. Flows out: the folder, filled, and a RunResult.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict, Unpack

from movlr_jax import atomic
from movlr_jax.llm import ledger
from movlr_jax.llm.gateway import Gateway
from movlr_jax.processes import terminable
from movlr_jax.runs import methods, permissions, records
from movlr_jax.runs.config import RunConfig, folder_of
from movlr_jax.runs.run_folder import RunFolder
from movlr_jax.searches.events import Event, Progress
from movlr_jax.searches.loop import Loop
from movlr_jax.searches.real_stages import Films, RealStages, find_start
from movlr_jax.searches.result import RunResult
from movlr_jax.searches.run_header import describe_run
from movlr_jax.searches.steps import Advisor
from movlr_jax.tracking import open_trackers


def _warner(progress: Progress | None) -> Callable[[str], None]:
    def warn(sentence: str) -> None:
        if progress is not None:
            progress(Event("warning", message=sentence))

    return warn


def open_gateway(config: RunConfig, folder: Path, progress: Progress | None = None, replay: Path | None = None) -> Gateway:
    """Return the gateway of a run, which keeps its records in the run's folder.

    Args:
        config: the run's configuration.
        folder: the run's folder.
        progress: is told of waits.
        replay: the folder of a run whose recorded answers are given instead of a service's.

    Raises:
        MovlrError: the prices cannot be read, or a record is damaged.
    """
    return Gateway.open(
        folder / ledger.FOLDER,
        config.models,
        max_calls=config.max_calls,
        max_cost=config.max_cost,
        replay=None if replay is None else replay / ledger.FOLDER,
        tell=_warner(progress),
    )


def run(
    config: RunConfig,
    *,
    progress: Progress | None = None,
    gateway: Gateway | None = None,
    films: Films | None = None,
    advisor: Advisor | None = None,
) -> RunResult:
    """Start a new run and go on until it is done, its budget is spent or the user interrupts.

    Args:
        config: what to run.
        progress: shows events.
        gateway, films: a replay's own.
        advisor: asks a person for advice, where the configuration says `ask`.

    Raises:
        MovlrError: the configuration cannot be run, its folder holds something already, or a stage cannot go on.
    """
    config, path = methods.settled(config), folder_of(config)
    RunFolder.refuse_taken(path)
    # Before the body is loaded: a name that stands for nothing is told at once.
    start = find_start(config.start_reward, permissions.task(config.task))
    stages = RealStages(config, gateway or open_gateway(config, path, progress), films)
    try:
        header = stages.header()
        folder = RunFolder.create(path, config.to_yaml(), describe_run(config, header, path.name), config.seeds, start)
        if gateway is None:  # a replay asks nobody, and its configuration may be anyone's
            permissions.remember(config)
        return _go(folder, config, stages, progress, advisor)
    finally:
        stages.close()


class Changes(TypedDict, total=False):
    """What may change when a run goes on; None keeps the run's own.

    Attributes:
        iterations: a new last iteration.
        max_minutes: a new time budget for this and later resumes (min).
        max_calls: a new budget of model calls, those already made included.
        max_cost: a new budget of money, what is already spent included (USD).
        max_simulated: a new budget of executed motion, what was executed included (s).
        ask: whether a person is asked for advice.
    """

    iterations: int | None
    max_minutes: float | None
    max_calls: int | None
    max_cost: float | None
    max_simulated: float | None
    ask: bool | None


def resume(folder: Path, *, progress: Progress | None = None, advisor: Advisor | None = None, **changes: Unpack[Changes]) -> RunResult:
    """Go on with a run that was killed, interrupted or stopped, from the last product it saved.

    Args:
        folder: the run's folder.
        progress: shows events.
        advisor: asks the person.
        changes: what changes.

    Raises:
        MovlrError: there is no run, another process works on it, its folder names a server or a folder elsewhere that this user has not
            (`llm.addresses.allow`), or a stage cannot go on.
    """
    recorded = RunFolder.find(folder)
    config = RunConfig.recorded(recorded["config.yaml"])
    changed: dict[str, Any] = {name: value for name, value in changes.items() if value is not None}
    config = methods.settled(dataclasses.replace(config, **changed))
    permissions.require_known(config, folder)
    if config.tracking == "online":
        sentence = f"Weights & Biases: {recorded['config.yaml']} has this run sent to your own account, project {config.project}."
        _warner(progress)(sentence)
    stages = RealStages(config, open_gateway(config, folder, progress))
    began_with = records.read(recorded["run.json"]).get("task_sha256", stages.task.code_sha256)
    if stages.task.code_sha256 != began_with:
        _warner(progress)(f"The task {stages.task.word} has changed since the run began: what was measured then is not measured again.")
    try:
        return _go(RunFolder(folder, config.seeds), config, stages, progress, advisor)
    finally:
        stages.close()


def _go(folder: RunFolder, config: RunConfig, stages: RealStages, progress: Progress | None, advisor: Advisor | None) -> RunResult:
    run_id = str(records.read(folder["run.json"]).get("run_id") or folder.path.resolve().name)
    name = config.name or folder.path.resolve().name
    with folder.locked(), terminable():
        if RunConfig.load(folder["config.yaml"]) != config:
            atomic.write_text(folder["config.yaml"], config.to_yaml())
        trackers = open_trackers(config.tracking, folder.path, config.project, name, _warner(progress), config.group)
        for tracker in trackers:
            tracker.start({**atomic.plain(dataclasses.asdict(config)), **stages.header()}, run_id)
        try:
            return Loop(folder, config, stages, trackers, progress, stages.header(), advisor=advisor).run()
        finally:
            for tracker in trackers:
                tracker.finish()
