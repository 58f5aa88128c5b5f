"""The live view of a run: which iteration, which stage, how much is simulated, what is best so far.

In: the events of movlr_jax.searches.events. Out: on a terminal a live table and bar (rich); elsewhere a plain line for
each event that is worth one, so that a log stays readable. Everything goes to stderr: stdout is for results.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from movlr_jax.cli import console
from movlr_jax.searches.events import Event

STAGES = {
    "write": "writing the reward",
    "prove": "proving it safe",
    "tune": "tuning its weights",
    "move": "moving the body",
    "film": "filming",
    "judge": "judging",
    "save": "saving",
}
_MOVING = ("tune", "move")
_REMARKS = ("refused", "eliminated", "failure", "warning")
_ROWS_SHOWN = 12


class Pace:
    """Lines on what is waited for, as `[m:ss] words`, with a terminal or without; of what moves on, one every so often.

    Args:
        to: where to print.
        every: time between two lines of one thing that moves on [s].
    """

    def __init__(self, to: Console, every: float = 10.0):
        self._console, self._every = to, every
        self._began = self._told = time.monotonic()

    def tell(self, words: str) -> None:
        """Print a line now."""
        self._told = time.monotonic()
        self._console.print(f"[{_clock(self._told - self._began)}] {words}", markup=False, soft_wrap=True)

    def moved(self, words: str) -> None:
        """Print a line if the last is long enough ago."""
        if time.monotonic() - self._told >= self._every:
            self.tell(words)


class View:
    """A Progress callback that is also a context: the live display stands while the context does.

    Args:
        to: where to print; stderr by default. The live display needs a terminal there.
        heading: printed above it once the run has begun.
    """

    def __init__(self, to: Console | None = None, heading: str = ""):
        self._console = to or console.stderr()
        self._heading = heading
        self._live: Live | None = None
        self._event = Event("run")
        self._began = self._stage_began = time.monotonic()
        self._rows: list[tuple[Text, ...]] = []
        self._remark = ""
        self._last_line = ""

    def __enter__(self) -> View:
        if self._console.is_terminal:
            self._live = Live(self, console=self._console, refresh_per_second=4, transient=False)
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Give the terminal away for the time of the context."""
        if self._live is None:
            yield
            return
        self._live.stop()
        self._live = None
        try:
            yield
        finally:
            self.__enter__()

    def __call__(self, event: Event) -> None:
        """Take one event."""
        if self._heading:
            self._console.print(self._heading, markup=False, soft_wrap=True)
            self._heading = ""
        if _at(event) != _at(self._event):
            self._stage_began = time.monotonic()
        if event.kind in ("stage", "simulated", "judged", "iteration", "finished", "run"):
            self._event = event
        if event.kind == "judged":
            self._rows.append(_row(event))
        if event.kind in _REMARKS:
            self._remark = f"{event.kind}: {event.message}"
        if self._live is None:
            line = _line(event)
            if line and line != self._last_line:
                self._console.print(f"[{_clock(time.monotonic() - self._began)}] {line}", markup=False, soft_wrap=True)
                self._last_line = line

    def __rich__(self) -> Group:
        """Draw the present state."""
        event = self._event
        parts: list[Text | Table] = []
        if self._rows:
            judged = Table(box=None, pad_edge=False, header_style="dim")
            judged.add_column("iteration", justify="right")
            judged.add_column("score", justify="right")
            judged.add_column("kept")
            judged.add_column("what was seen and changed", overflow="ellipsis", no_wrap=True)
            for row in self._rows[-_ROWS_SHOWN:]:
                judged.add_row(*row)
            parts.append(judged)
        if event.kind == "run":
            parts.append(Text("preparing the body, the engine and the sandbox"))
        elif event.kind != "finished":
            moving = event.stage in _MOVING and event.seconds > 0
            line = Table.grid(padding=(0, 2))
            line.add_row(
                Text(f"iteration {event.iteration} of {event.iterations}", style="bold"),
                Text(_doing(event)),
                ProgressBar(total=event.seconds, completed=event.simulated_s, width=24) if moving else "",
                Text(f"{event.simulated_s:.2f} of {event.seconds:g} s" if moving else ""),
                Text(_clock(time.monotonic() - self._stage_began), style="dim"),
            )
            parts.append(line)
        best = f"iteration {event.best}, score {event.best_score:.3f}" if _has_best(event) else "none yet"
        elapsed = _clock(time.monotonic() - self._began)
        parts.append(Text(f"best so far: {best}   elapsed {elapsed}", style="dim"))
        if self._remark:
            parts.append(Text(self._remark, style="yellow"))
        return Group(*parts)


def _at(event: Event) -> tuple[object, ...]:
    return event.iteration, event.stage, event.candidate, event.trial, event.seed


def _has_best(event: Event) -> bool:
    return event.best is not None and event.best_score is not None


def _doing(event: Event) -> str:
    what = STAGES.get(event.stage, event.stage)
    if event.trial is not None:
        what += f", trial {event.trial}"
    if event.stage in _MOVING and event.seed is not None:
        what += f" (seed {event.seed})"
    return what + (f", candidate {event.candidate}" if event.candidate else "")


def _row(event: Event) -> tuple[Text, ...]:
    score = "-" if event.score is None else f"{event.score:.3f}"
    style = "green" if event.kept else ""
    kept = Text("best" + sure(event.confidence) if event.kept else "", style=style)
    return Text(str(event.iteration)), Text(score), kept, Text(event.message, style=style)


def sure(confidence: float | None) -> str:
    """Say how sure it is that a motion is better than the best before it; "" where that cannot be stated."""
    return "" if confidence is None else f" ({confidence:.0%} that it is better)"


def _line(event: Event) -> str:
    """Return the plain line of an event, or "" for those that are only worth a live display."""
    at = f"iteration {event.iteration} of {event.iterations}"
    if event.kind == "stage" and event.stage in _MOVING and event.seed is not None:
        return f"{at}: {_doing(event)} for {event.seconds:g} s" if event.seconds else f"{at}: {_doing(event)}"
    if event.kind == "judged":
        score = "no score" if event.score is None else f"score {event.score:.3f}"
        best = f", best is iteration {event.best}" if _has_best(event) and not event.kept else ""
        return f"{at}: {score}, {'kept as best' if event.kept else 'not kept'}{sure(event.confidence)}{best}. {event.message}".rstrip()
    if event.kind in _REMARKS:
        return f"{at}: {event.kind}: {event.message}"
    return event.message if event.kind in ("run", "finished") else ""


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def paced() -> Pace:
    """Return what tells how it goes where there is no terminal, which a bar does."""
    err = console.stderr()
    return Pace(Console(quiet=True) if err.is_terminal else err)
