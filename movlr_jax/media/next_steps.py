"""Commands that go on with a run, for tables, the report and the sentences of errors: they can be pasted into a shell."""

from __future__ import annotations

import shlex
from pathlib import Path


def resume(folder: Path | str, more: str = "") -> str:
    """Return the command that goes on with a run.

    Args:
        folder: the run's folder.
        more: further flags.
    """
    return f"movlr resume {shlex.quote(str(folder))}{more}"


def train(folder: Path | str) -> str:
    """Return the command that goes on with a training."""
    return f"movlr train --resume {shlex.quote(str(folder))}"


def moved_by(folder: Path | str) -> str:
    """Return the command that moves a body with a training's policy."""
    return f"movlr rollout --policy {shlex.quote(str(folder))}"


def check(file: Path | str) -> str:
    """Return the command that puts a reward through the sandbox."""
    return f"movlr check {shlex.quote(str(file))}"


def report(folder: Path | str) -> str:
    """Return the command that draws a run's report."""
    return f"movlr report {shlex.quote(str(folder))}"


def with_best(folder: Path | str, task: str, morphology: str | None) -> list[tuple[str, str]]:
    """Return the commands that use a run's best reward, each with what it does.

    Args:
        folder: the run's folder.
        task: name of its task.
        morphology: name of its body; None: the task's own.
    """
    body = f" --morphology {shlex.quote(morphology)}" if morphology else ""
    best = shlex.quote(f"{folder}/best/reward.py")
    task = shlex.quote(task)  # read from the run, which may come from someone else
    return [
        (f"movlr rollout {task} --reward {shlex.quote(str(folder))}{body} --seeds 1 2 3", "the best reward on other seeds"),
        (f"movlr check {best} --task {task}{body}", "the sandbox's verdict on it"),
    ]
