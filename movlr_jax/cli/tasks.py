"""`movlr tasks`: the tasks, the sentence of each, its defaults and its named rewards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import tyro

from movlr_jax.cli import console, flags


@dataclass(frozen=True)
class Options:
    """List the tasks: sentence, defaults, named rewards."""

    tasks: Annotated[tuple[str, ...], tyro.conf.Positional] = ()
    """Only these: names, or your own (my_task.py, my_task.py:NAME, package.module:NAME); all of the package if left out."""
    json: bool = False
    """Print JSON instead of a table."""


def main(argv: Sequence[str]) -> int:
    """Run the verb."""
    options = flags.parse(Options, argv, "tasks")
    from movlr_jax.cli import task_names as naming
    from movlr_jax.tasks import TASKS

    tasks = naming.tasks_of(options.tasks) or list(TASKS.usable(lambda sentence: console.stderr().print(sentence, markup=False)))
    records = [
        {
            "name": task.name,
            "sentence": task.sentence,
            "seconds": task.seconds,
            "goal_speed_mps": task.goal_speed,
            "ends_when": task.ends_when(),
            "goal_measures": task.measures(),
            "rewards": {name: task.notes.get(name, "") for name in task.rewards},
        }
        for task in tasks
    ]
    if options.json:
        console.print_json({"tasks": records})
        return 0
    out = console.stdout()
    rows = [(t.name, f"{t.seconds:g}", f"{t.goal_speed:g}", t.sentence) for t in tasks]
    out.print(console.table("", ("task", "seconds", "speed [m/s]", "sentence"), rows))
    ends: dict[str, list[str]] = {}
    for task in tasks:
        ends.setdefault(task.ends_when(), []).append(task.name)
    out.print()
    for when, names in ends.items():
        out.print(f"{', '.join(names)}: {when}", markup=False, soft_wrap=True)
    out.print("With a sentence of your own (--goal) it is, whatever the task: a descent that the sentence does not ask for, as for free.")
    rewards = [(t.name, name, t.notes.get(name, "")) for t in tasks for name in t.rewards]
    out.print()
    title = "named rewards (movlr rollout TASK --reward NAME)"
    out.print(console.table(title, ("task", "reward", "what it is"), rewards))
    out.print("\nYour own sentence: movlr run free --goal 'raise the left knee'; your own task: movlr tasks my_task.py")
    return 0
