"""Helpers: processes that share the measuring of works with this one, through a file of episodes.

In: works, all of one reward on one task and body. Out: nothing but episodes in the file: each process, this one too, measures those works
of which no other has claimed the episode. So a helper that dies costs time and nothing else, and the numbers do not depend on how many
there are. A helper ends when the process that started it does, however it ends.
"""

from __future__ import annotations

import contextlib
import dataclasses
import multiprocessing
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from movlr_jax import tasks
from movlr_jax.clip.config import ClipConfig
from movlr_jax.errors import MovlrError
from movlr_jax.processes import find_modules_where_installed
from movlr_jax.search import measures
from movlr_jax.search.ablation import work
from movlr_jax.search.episode_store import EpisodeStore
from movlr_jax.search.evaluation import Evaluation, Settings, Work
from movlr_jax.search.reward_texts import RewardText


@dataclass(frozen=True)
class Errand:
    """What helpers measure.

    Attributes:
        text: the reward.
        task, morphology: the words that name them.
        settings: how episodes are run.
        store: the file of episodes.
        metric: what has to be known of each.
        clip: CLIP, where the metric needs it.
        facts: where what critics are told of each episode goes, or None.
        clips: where the clips go, or None.
        goal: the goal sentence; "": the task's own.
    """

    text: RewardText
    task: str
    morphology: str
    settings: Settings
    store: Path
    metric: str
    clip: ClipConfig
    facts: Path | None = None
    clips: Path | None = None
    goal: str = ""


def serve(errand: Errand, line: Connection) -> None:
    """Measure what comes along a line until it is closed; the other end is told when a share is done."""
    warnings.filterwarnings("ignore")
    task = tasks.find(errand.task)  # named by the process that sent the errand
    task = dataclasses.replace(task, sentence=errand.goal or task.sentence)
    with contextlib.suppress(EOFError, BrokenPipeError, KeyboardInterrupt, MovlrError), EpisodeStore(errand.store) as store:
        # A mistake is told by the process that asked, which makes it, too.
        facts = None if errand.facts is None else (errand.facts, measures.described)
        more = measures.named(errand.metric, task.sentence, errand.clip)
        evaluation = Evaluation(errand.settings, store, errand.clips, measures=more, facts=facts)
        while True:
            shares: list[tuple[str, dict[str, float]]] = line.recv()
            evaluation.run([work(errand.text, (task, errand.morphology), name, weights) for name, weights in shares])
            line.send(len(shares))


class Helpers:
    """Some helpers, for as long as the context stands.

    Args:
        errand: what they measure.
        count: how many.
    """

    def __init__(self, errand: Errand, count: int):
        find_modules_where_installed()
        self._context = multiprocessing.get_context("spawn")
        self._errand, self._count = errand, count
        self._staff: list[tuple[multiprocessing.process.BaseProcess, Connection]] = []

    def __enter__(self) -> Helpers:
        for _ in range(self._count):
            mine, theirs = self._context.Pipe()
            process = self._context.Process(target=serve, args=(self._errand, theirs), daemon=True)
            process.start()
            theirs.close()  # the helper's alone: when it dies the line breaks
            self._staff.append((process, mine))
        return self

    def __exit__(self, *error: object) -> None:
        for _, line in self._staff:
            line.close()
        for process, _ in self._staff:
            if error[0] is not None:
                process.terminate()
            process.join(timeout=10)
            if process.is_alive():
                process.kill()

    @contextlib.contextmanager
    def sharing(self, works: Sequence[Work]) -> Iterator[None]:
        """Have the helpers measure their share of works while the context's body measures this process's; last ones first."""
        shares: list[tuple[str, Mapping[str, float]]] = [(w.name, dict(w.weights)) for w in works]
        busy: list[Connection] = []
        for i, (_, line) in enumerate(self._staff, 1):
            with contextlib.suppress(OSError):
                line.send(shares[i % len(shares) :] + shares[: i % len(shares)])
                busy.append(line)
        yield
        for line in busy:
            with contextlib.suppress(OSError, EOFError):
                line.recv()
