"""What is shown of an evaluation while it goes: a bar on a terminal, elsewhere a line an episode. Everything goes to stderr.

In: what movlr_jax.evaluation.evaluation tells its watcher. Out: text; nothing of it decides anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from movlr_jax.cli import console
from movlr_jax.evaluation.work_items import Watcher, Work
from movlr_jax.media import tables


class Watch(Watcher):
    """A watcher that is also a context: its display stands while the context does.

    Args:
        store: the folder that episodes are saved in, which it names.
        to: where to print; stderr by default.
    """

    def __init__(self, store: Path, to: Console | None = None):
        self._store, self._console = store, to or console.stderr()
        columns = (TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.completed:.4g} of {task.total:g}"))
        live = self._console.is_terminal
        self._progress = Progress(*columns, TimeElapsedColumn(), console=self._console, transient=True, disable=not live)
        self._all: TaskID | None = None
        self._now: TaskID | None = None
        self.done = self.wanted = 0

    def __enter__(self) -> Watch:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._progress.stop()

    def _say(self, sentence: str) -> None:
        self._console.print(sentence, markup=False, soft_wrap=True)

    def found(self, there: int, wanted: int) -> None:
        """Say what the store had, where it had anything."""
        self.done, self.wanted = there, wanted
        if there:
            self._say(f"{there} of {wanted} episodes found in {self._store}")
        if self._all is not None:
            self._progress.remove_task(self._all)
        self._all = self._progress.add_task("episodes", total=wanted, completed=there)

    def began(self, work: Work, seeds: Sequence[int], seconds: float) -> None:
        """Begin a bar."""
        many, at = (f"seed {seeds[0]}", work.at()) if len(seeds) == 1 else (f"{len(seeds)} episodes", "")
        self._now = self._progress.add_task(f"{work.task.name}, {work.body}, {work.name}{at}, {many} [s]", total=seconds)

    def advanced(self, t: float) -> None:
        """Advance the bar."""
        if self._now is not None:
            self._progress.update(self._now, completed=t)

    def measured(self, work: Work, record: dict[str, Any]) -> None:
        """Say what was measured."""
        self.done += 1
        if self._now is not None:
            self._progress.remove_task(self._now)
            self._now = None
        if self._all is not None:
            self._progress.advance(self._all)
        ended = next((word for word in ("fell", "dropped", "diverged") if record.get(word)), "to the end")
        heading, value = tables.heading(work.task.metric), tables.cell(record, work.task.metric)
        self._say(f"{work.task.name}, {work.body}, {work.name}{work.at()}, seed {record['seed']}: {heading} {value}, {ended}")

    def waiting(self, count: int) -> None:
        """Say that another process has the rest."""
        self._say(f"waiting for {count} episodes that another process is at")

    def remark(self, sentence: str) -> None:
        """Say it."""
        self._say(sentence)
