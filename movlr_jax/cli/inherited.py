"""Settings that a reward brings along: where it is given as a run's folder, the run's own hold for what no option says otherwise.

In: a verb's options and words. Out: the options, filled. The planner's settings go with the reward everywhere; length and goal speed belong
to the run's task, and injuries to its body, and hold there alone.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from movlr_jax import code_names
from movlr_jax.cli import console, flags
from movlr_jax.cli.eval import Where
from movlr_jax.control.planners import PLANNERS
from movlr_jax.errors import MovlrError
from movlr_jax.morphologies import custom
from movlr_jax.runs.config import RunConfig

T = TypeVar("T", bound=Where)


def parse(record: type[T], words: Sequence[str], verb: str, about: Callable[[T], tuple[str, Sequence[str]]]) -> tuple[T, str]:
    """Read the flags of a verb, and say on stderr which settings of a run they are completed by.

    Args:
        record: the options' dataclass.
        words: the words after the verb.
        verb: its name.
        about: options -> the reward and the tasks that they name; no task: the run's own.

    Returns:
        The options, and the run's goal sentence; "" where it has none of its own, or is not tried on its task.

    Raises:
        MovlrError: a flag, a value or the run's configuration cannot be understood.
    """
    from movlr_jax.cli import task_names

    options, refusal = _before_the_run_is_known(record, words, verb)
    reward, tasks = about(options)
    file = Path(reward) / "config.yaml"
    task, body = task_names.home(reward)
    if not task or not file.is_file():
        if refusal is not None:
            raise refusal
        return options, ""
    run = RunConfig.load(file)
    at_home = {code_names.settled(word) for word in tasks} <= {task}
    own: dict[str, Any] = {"planner": run.planner}
    if at_home:
        own |= {"seconds": run.seconds, "goal_speed": run.goal_speed}
    if at_home and {custom.settled(word) for word in options.morphologies} <= {body}:
        own["injury"] = run.injury
    settled = flags.parse(record, words, verb, dataclasses.replace(record(), **own))
    told = _told(settled, options, own)
    if told:
        console.stderr().print(f"As in {reward}: {', '.join(told)}; options override.", markup=False, soft_wrap=True)
    return settled, (run.goal or "").strip() if at_home else ""


def _before_the_run_is_known(record: type[T], words: Sequence[str], verb: str) -> tuple[T, MovlrError | None]:
    """Return what the words say by themselves, and what keeps them from saying it: a setting may be of the planner of the run."""
    try:
        return flags.parse(record, words, verb), None
    except MovlrError as error:
        for name in PLANNERS:
            with contextlib.suppress(MovlrError):
                return flags.parse(record, [*words, "--planner.name", name], verb), error
        raise


def _told(settled: Where, options: Where, own: Sequence[str] | dict[str, Any]) -> list[str]:
    """Return what the run decided: every value that would be another without it."""
    pairs = []
    for name in own:
        new, old = getattr(settled, name), getattr(options, name)
        if dataclasses.is_dataclass(new):
            pairs += [(f"{name}.{f.name}", getattr(new, f.name), getattr(old, f.name, f.default)) for f in dataclasses.fields(new)]
        else:
            pairs.append((name, new, old))
    return [f"{name} {' '.join(map(str, new)) if isinstance(new, tuple) else new}" for name, new, old in pairs if new != old]
