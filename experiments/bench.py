"""What the experiments share: their flags, their two sizes, the searches behind "learned" rewards, and how a mistake is told.

A search is looked up by its settings: an experiment goes on with the run folder that another one with the same settings left. The same
command started twice, each with --threads 1, shares searches and episodes: a lock says which search a process is at.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import hashlib
import json
import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from movlr_jax import atomic, folders, library_noise, processes, searches
from movlr_jax.control.episode_config import EpisodeSettings
from movlr_jax.control.planners import MPPI
from movlr_jax.errors import MovlrError
from movlr_jax.evaluation import reward_texts, study
from movlr_jax.evaluation.evaluation import Evaluation, Measure
from movlr_jax.evaluation.work_items import Row, Watcher, Work
from movlr_jax.llm.base import ModelFault
from movlr_jax.media import tables
from movlr_jax.plain_words import plain_text
from movlr_jax.runs import methods
from movlr_jax.runs.iteration_record import IterationRecord
from movlr_jax.runs.run_folder import RunFolder
from movlr_jax.searches import RunConfig, state
from movlr_jax.searches.events import Event
from movlr_jax.tasks import TASKS, Task, get

INTERRUPTED = 130  # exit code of a program that Ctrl-C ended
SHORTEST_S = 1.0  # s of motion that an iteration executes about, where the body falls at once: what a budget of motion divides into
_POLL_S = 5.0  # between looks at searches that another process is at
_LOCKS = ".locks"
# The tasks `free` and `move` are whatever a sentence asks for: without one nobody has designed a reward to compare with.
MEASURED = tuple(name for name in TASKS if name not in ("free", "move"))


@dataclass(frozen=True)
class Size:
    """How much is computed: length of an episode (s; None: the task's own), seeds, iterations of a search, the planner."""

    seconds: float | None
    seeds: tuple[int, ...]
    iterations: int
    planner: MPPI


# Searches judge on seed 0; what is reported is measured on others. 15 iterations as in the paper (MoVLR, arXiv 2512.23077).
FULL = Size(None, (1, 2, 3, 4, 5), 15, MPPI())
SMALL = Size(1.0, (1,), 2, replace(MPPI().with_candidates(16), horizon=0.2))


def parser(about: str | None, name: str, *, plan: bool = False, tasks: bool = True) -> argparse.ArgumentParser:
    """Return a parser with the flags that every experiment has.

    Args:
        about: its docstring.
        name: its file.
        plan: whether it can tell beforehand what it will execute, and has --plan.
        tasks: whether it is over tasks and bodies.
    """
    made = argparse.ArgumentParser(prog=f"{name}.py", description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--small", action="store_true", help="short episodes, few candidates, two iterations: minutes on two cores")
    if tasks:
        made.add_argument("--tasks", nargs="+", default=list(MEASURED), metavar="TASK", help="tasks; all that can be measured by default")
        made.add_argument("--morphologies", nargs="+", default=[], metavar="BODY", help="bodies; those each task is meant for by default")
    made.add_argument("--seeds", nargs="+", type=int, help="seeds of the episodes that are reported")
    made.add_argument("--seconds", type=float, help="length of an episode [s]; 0: the task's own")
    made.add_argument("--iterations", type=int, help="iterations of each search, at most")
    made.add_argument("--max-simulated", type=float, default=0.0, metavar="S", help="motion that each search executes [s]; 0: no limit")
    made.add_argument("--candidates", type=int, help="candidates of a plan")
    made.add_argument("--horizon", type=float, help="time looked ahead [s]")
    made.add_argument("--replan", type=float, help="time between plans [s]")
    made.add_argument("--engine", default="auto", help="auto, native, warp or jax")
    made.add_argument("--threads", type=int, default=0, help="threads of the native engine; 0: one a core")
    made.add_argument("--searches", type=Path, default=Path("runs") / "searches", help="folder of the searches, shared by the experiments")
    made.add_argument("--out", type=Path, default=Path("runs") / name, help="folder for the table and the figure")
    if plan:
        made.add_argument("--plan", action="store_true", help="execute nothing: print searches, episodes, motion and hours of one core")
    return made


def size(asked: argparse.Namespace) -> Size:
    """Return the size that the flags ask for; a budget of motion, where there is one, ends a search before its iterations do."""
    base = SMALL if asked.small else FULL
    planner = base.planner if asked.candidates is None else base.planner.with_candidates(asked.candidates)
    given = {name: vars(asked)[name] for name in ("horizon", "replan") if vars(asked)[name] is not None}
    iterations = math.ceil(asked.max_simulated / SHORTEST_S) if asked.max_simulated and not asked.small else base.iterations
    return Size(
        base.seconds if asked.seconds is None else asked.seconds or None,
        base.seeds if asked.seeds is None else tuple(asked.seeds),
        iterations if asked.iterations is None else asked.iterations,
        replace(planner, **given),
    )


def settings(asked: argparse.Namespace) -> EpisodeSettings:
    """Return how reported episodes are run."""
    s = size(asked)
    return EpisodeSettings(seeds=s.seeds, seconds=s.seconds, engine=asked.engine, planner=s.planner, threads=asked.threads)


def tasks(asked: argparse.Namespace) -> list[Task]:
    """Return the tasks asked for."""
    return [get(name) for name in asked.tasks]


@dataclass(frozen=True, eq=False)
class Search:
    """A search of an experiment.

    Attributes:
        task: the task.
        body: name of the body.
        more: values of the run's configuration beside those that the flags give.
        iterations: in place of the flags' own.
    """

    task: Task
    body: str
    more: Mapping[str, Any] = field(default_factory=dict)
    iterations: int | None = None


def config(asked: argparse.Namespace, search: Search) -> RunConfig:
    """Return the configuration of a search; its folder is named by all that decides it.

    Raises:
        MovlrError: it can be none, or a seed that is reported is one of its own.
    """
    s = size(asked)
    made = RunConfig(
        **{
            "task": search.task.name,
            "morphology": search.body,
            "engine": asked.engine,
            "iterations": s.iterations if search.iterations is None else search.iterations,
            "max_simulated": asked.max_simulated,
            "seconds": s.seconds,
            "planner": s.planner,
            "threads": asked.threads,
            **search.more,
        }
    )
    if shared := sorted(set(made.seeds) & set(s.seeds)):
        raise MovlrError(f"Searches see the seeds {', '.join(map(str, shared))}: report others (--seeds).")
    told = {k: v for k, v in dataclasses.asdict(made).items() if k not in ("iterations", "threads", "out")}
    # Which models, not where they are served.
    told["models"] = {k: v for k, v in told["models"].items() if k in ("critic_model", "writer_model")}
    digest = hashlib.sha256(json.dumps(atomic.plain(told), sort_keys=True).encode()).hexdigest()[:8]
    return replace(made, out=asked.searches / f"{search.task.name}-{Path(search.body).stem}-{digest}")


def refusal(asked: argparse.Namespace, search: Search) -> str:
    """Say why a search cannot be run, as far as its configuration tells; "" where it can."""
    try:
        methods.settled(config(asked, search))
    except MovlrError as error:
        return str(error)
    return ""


def finished(wanted: RunConfig) -> bool:
    """Say whether nothing is left of a search."""
    assert wanted.out is not None
    return (wanted.out / "run.json").exists() and _over(RunFolder.find(wanted.out).rows(), wanted.iterations, wanted.max_simulated)


def executed(asked: argparse.Namespace, search: Search) -> float:
    """Return how much motion a search has executed so far (s)."""
    wanted = config(asked, search)
    assert wanted.out is not None
    return state.simulated(RunFolder(wanted.out, wanted.seeds).rows())


def searched(asked: argparse.Namespace, task: Task, body: str, *, iterations: int | None = None, **more: Any) -> RunFolder:
    """Return the folder of a finished search on a task and body; what is missing of it is run.

    Args:
        asked: the flags.
        task: the task.
        body: name of the body.
        iterations: in place of the flags' own.
        more: further values of the run's configuration.

    Raises:
        MovlrError: the search cannot be run.
        Stopped: the user interrupted; the search is saved.
    """
    wanted = config(asked, Search(task, body, more, iterations))
    assert wanted.out is not None
    if finished(wanted):
        return RunFolder.find(wanted.out)
    say(f"Search: {wanted.out}")
    if (wanted.out / "run.json").exists():
        result = searches.resume(wanted.out, progress=_event, iterations=wanted.iterations)
    else:
        result = searches.run(wanted, progress=_event)
    if result.stopped == "interrupted":
        raise Stopped(f"Interrupted: the search is saved in {wanted.out}; the same command goes on.")
    return RunFolder.find(wanted.out)


def search_all(asked: argparse.Namespace, wanted: Sequence[Search]) -> None:
    """Run what is missing of searches, sharing them with the processes that run the same; returns when none is left.

    A search that cannot be run is left to who asks for it with `searched`, which says why.

    Args:
        asked: the flags.
        wanted: the searches.

    Raises:
        ModelFault: a model cannot be asked; the search is saved.
        Stopped: the user interrupted; the search is saved.
    """
    left = {config(asked, search).out: search for search in wanted}
    waited = False
    while left := {out: search for out, search in left.items() if not finished(config(asked, search))}:
        mine = 0
        for out, search in list(left.items()):
            with _claimed(out) as claimed:
                if not claimed:
                    continue
                mine += 1
                del left[out]
                try:
                    searched(asked, search.task, search.body, iterations=search.iterations, **search.more)
                except ModelFault:
                    raise
                except MovlrError as error:
                    say(f"{out.name}: {error}")
        if not mine:
            if not waited:
                say(f"waiting for {len(left)} searches that another process is at")
            waited = True
            time.sleep(_POLL_S)


@contextlib.contextmanager
def _claimed(out: Path) -> Iterator[bool]:
    """Hold a search's folder, which need not exist, if no other process does.

    Raises:
        MovlrError: the folder of the searches cannot be written.
    """
    locks = out.parent / _LOCKS
    with contextlib.ExitStack() as stack:
        try:
            locks.mkdir(parents=True, exist_ok=True)
            mine = stack.enter_context(processes.claimed(locks / out.name))
        except OSError as error:
            raise folders.unwritable(locks, error) from None
        yield mine


def _over(rows: Sequence[IterationRecord], iterations: int, max_simulated: float) -> bool:
    """Say whether nothing is left of a search: its iterations, its budget of executed motion, or its writer's drafts."""
    if not rows:
        return False
    spent = bool(max_simulated) and state.simulated(rows) >= max_simulated
    return len(rows) > iterations or spent or rows[-1].exhausted


def learned(asked: argparse.Namespace, task: Task, body: str, name: str = "learned", **more: Any) -> Work:
    """Return the work of the reward that a search found, to be measured where it was found; one that says why there is none.

    Args:
        asked: the flags.
        task: the task.
        body: name of the body.
        name: what tables call it.
        more: further values of the run's configuration.

    Raises:
        ModelFault: a model cannot be asked; the search is saved.
        Stopped: the user interrupted; the search is saved.
    """
    try:
        text = reward_texts.find(str(searched(asked, task, body, **more).path), [task])
    except ModelFault:
        raise
    except MovlrError as error:
        return Work(None, name, task, body, f"The search cannot be run: {error}")
    return Work(replace(text, name=name), name, task, body)


class Stopped(KeyboardInterrupt):
    """Ctrl-C, with a sentence that says what is saved."""


class Lines(Watcher):
    """Says how an evaluation goes, a line an episode.

    Args:
        store: the folder of the episodes.
    """

    def __init__(self, store: Path):
        self.store, self.done, self.wanted = store, 0, 0

    def found(self, there: int, wanted: int) -> None:
        """Say what the store had."""
        self.done, self.wanted = there, wanted
        say(f"{there} of {wanted} episodes found in {self.store}")

    def measured(self, work: Work, record: dict[str, Any]) -> None:
        """Say what was measured."""
        self.done += 1
        value = tables.cell(record, work.task.metric)
        say(f"{work.task.name}, {work.body}, {work.name}{work.at()}, seed {record['seed']}: {tables.heading(work.task.metric)} {value}")

    def remark(self, sentence: str) -> None:
        """Say it."""
        say(sentence)


@contextlib.contextmanager
def evaluation(
    asked: argparse.Namespace, folder: Path | None = None, measures: Mapping[str, Measure] | None = None
) -> Iterator[Evaluation]:
    """Give the evaluation in an experiment's folder.

    Args:
        asked: the flags.
        folder: another folder for the episodes.
        measures: what else is measured on each episode, by name.

    Raises:
        Stopped: the user interrupted; everything finished is saved.
    """
    folder = asked.out if folder is None else folder
    lines = Lines(folder / study.EPISODES)
    with study.opened(settings(asked), folder, lines, measures=measures) as opened:
        try:
            yield opened
        except KeyboardInterrupt:
            raise Stopped(f"Interrupted: {lines.done} of {lines.wanted} episodes are saved; the same command goes on.") from None


def measure(asked: argparse.Namespace, works: Sequence[Work]) -> list[Row]:
    """Measure works into an experiment's folder.

    Raises:
        MovlrError: the engine is unknown or refuses a setting.
        Stopped: the user interrupted; everything finished is saved.
    """
    with evaluation(asked) as opened:
        return opened.run(works)


def say(sentence: str) -> None:
    """Print a line on how it goes."""
    print(plain_text(sentence), file=sys.stderr, flush=True)


def _event(event: Event) -> None:
    """Say what of a search is worth a line."""
    if event.message and event.kind in ("refused", "judged", "failure", "warning", "finished"):
        say(f"iteration {event.iteration} of {event.iterations}: {event.message}")


def print_text(text: str) -> None:
    """Print lines on which no name or sentence can steer the terminal."""
    print("\n".join(map(plain_text, text.splitlines())))


def show(asked: argparse.Namespace, table: tuple[Sequence[str], Sequence[Sequence[Any]]], remarks: Sequence[str], *files: str) -> None:
    """Print a table, what could not be measured, and where it is saved."""
    print_text(tables.markdown(*table, [f"not measured: {remark}" for remark in remarks]))
    print(f"saved in {asked.out} ({', '.join(files)})")


def run(main: Callable[[Sequence[str] | None], int]) -> None:
    """Run an experiment as a program: mistakes in one sentence, exit code 1; Ctrl-C 130."""
    library_noise.silence()
    try:
        sys.exit(main(None))
    except MovlrError as error:
        print(f"{Path(sys.argv[0]).name}: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt as stopped:
        print(f"{Path(sys.argv[0]).name}: {stopped}" if str(stopped) else "Interrupted.", file=sys.stderr)
        sys.exit(INTERRUPTED)
