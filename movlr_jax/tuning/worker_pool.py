"""WorkerPool: processes that share the measuring of works with this one, through a folder of episodes.

In: works, all of one reward on one task and body. Out: nothing but episodes in the folder: each process, this one too, measures those works
of which no other has claimed the episode. So a worker that dies costs time and nothing else, and the numbers do not depend on how many
there are. A worker ends when the process that started it does, however it ends.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from movlr_jax import tasks
from movlr_jax.control.episode_config import EpisodeSettings
from movlr_jax.errors import MovlrError
from movlr_jax.evaluation import measures
from movlr_jax.evaluation.episode_store import EpisodeStore
from movlr_jax.evaluation.evaluation import Evaluation
from movlr_jax.evaluation.reward_texts import RewardText
from movlr_jax.evaluation.work_items import Work
from movlr_jax.processes import find_modules_where_installed
from movlr_jax.tuning.ablation import work
from movlr_jax.vision.config import ClipConfig

_Share = tuple[str, dict[str, float], dict[str, float]]  # name, weights, parameters of a work


@dataclass(frozen=True)
class WorkerTask:
    """What workers measure.

    Attributes:
        text: the reward.
        task, morphology: the words that name them.
        settings: how episodes are run.
        store: the folder of episodes.
        metric: what has to be measured of each.
        clip: CLIP, where the metric needs it.
        facts: where the facts of each episode go, or None.
        clips: where the clips go, or None.
        goal: the goal sentence; "": the task's own.
    """

    text: RewardText
    task: str
    morphology: str
    settings: EpisodeSettings
    store: Path
    metric: str
    clip: ClipConfig
    facts: Path | None = None
    clips: Path | None = None
    goal: str = ""


def serve(worker_task: WorkerTask, line: Connection) -> None:
    """Measure what comes along a line until it is closed, and answer when a share is done."""
    warnings.filterwarnings("ignore")
    task = tasks.find(worker_task.task)  # named by the process that started this one
    task = task.with_sentence(worker_task.goal)
    with contextlib.suppress(EOFError, BrokenPipeError, KeyboardInterrupt, MovlrError), EpisodeStore(worker_task.store) as store:
        # The process that started this one makes a mistake, too, and tells of it.
        facts = None if worker_task.facts is None else (worker_task.facts, measures.described)
        more = measures.named(worker_task.metric, task.sentence, worker_task.clip)
        evaluation = Evaluation(worker_task.settings, store, worker_task.clips, measures=more, facts=facts)
        while True:
            shares: list[_Share] = line.recv()
            place = (task, worker_task.morphology)
            evaluation.run([work(worker_task.text, place, name, weights, parameters) for name, weights, parameters in shares])
            line.send(len(shares))


class WorkerPool:
    """Some workers, for as long as the context stands.

    Args:
        worker_task: what they measure.
        count: how many.
    """

    def __init__(self, worker_task: WorkerTask, count: int):
        find_modules_where_installed()
        self._context = multiprocessing.get_context("spawn")
        self._task, self._count = worker_task, count
        self._workers: list[tuple[multiprocessing.process.BaseProcess, Connection]] = []

    def __enter__(self) -> WorkerPool:
        for _ in range(self._count):
            own, other = self._context.Pipe()
            process = self._context.Process(target=serve, args=(self._task, other), daemon=True)
            process.start()
            other.close()  # the worker's alone: when it dies the line breaks
            self._workers.append((process, own))
        return self

    def __exit__(self, *error: object) -> None:
        for _, line in self._workers:
            line.close()
        for process, _ in self._workers:
            if error[0] is not None:
                process.terminate()
            process.join(timeout=10)
            if process.is_alive():
                process.kill()

    @contextlib.contextmanager
    def sharing(self, works: Sequence[Work]) -> Iterator[None]:
        """Have the workers measure their share of works while the context's body measures this process's; last ones first."""
        shares: list[_Share] = [(w.name, dict(w.weights), dict(w.parameters)) for w in works]
        busy: list[Connection] = []
        for i, (_, line) in enumerate(self._workers, 1):
            with contextlib.suppress(OSError):
                line.send(shares[i % len(shares) :] + shares[: i % len(shares)])
                busy.append(line)
        yield
        for line in busy:
            with contextlib.suppress(OSError, EOFError):
                line.recv()
