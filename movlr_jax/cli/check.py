"""`movlr check FILE`: puts a reward file through the whole sandbox and explains the verdict.

In: a file that nobody trusts. Out: the verdict on stdout; the exit code is 0 only if the reward is trusted, 1 if it is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from movlr_jax.cli import console, flags
from movlr_jax.cli.progress import Pace

REFUSED = 1


@dataclass(frozen=True)
class Options:
    """Put a reward file through the sandbox and explain the verdict; exit with 0 only if it is trusted."""

    file: Annotated[Path, tyro.conf.Positional]
    """The reward file."""
    task: str = "walk_flat"
    """The task it is for, with its goal speed and its object: a name from `movlr tasks`, or your own (my_task.py)."""
    goal: str = ""
    """The goal as a sentence of your own, where it is not the task's: a reward for lying down may reward lying."""
    morphology: str = ""
    """The body it is for: a name from `movlr morphologies`, or the YAML file of your own; the task's default if left out."""
    json: bool = False
    """Print the verdict as JSON, as in verdict.json."""


def main(argv: Sequence[str]) -> int:
    """Run the verb."""
    options = flags.parse(Options, argv, "check")
    from movlr_jax import jax_environment
    from movlr_jax.cli import task_names
    from movlr_jax.evaluation import reward_texts
    from movlr_jax.sandbox.proof import explain

    jax_environment.require_devices()
    pace = Pace(console.stderr())
    source = reward_texts.read(options.file, tell=pace.tell)
    task = task_names.task(options.task)
    pace.tell("loading and settling the body")
    morphology = task.load(options.morphology)
    lying = task.with_sentence(options.goal).lies
    proof = reward_texts.prove(source, str(options.file), morphology, task.goal_speed, lying=lying, tell=pace.tell)
    if options.json:
        console.print_json(proof.verdict.to_json())
    else:
        console.say(f"{options.file} for {morphology.name}")
        console.say(explain(proof.verdict, source))
    return 0 if proof.trusted else REFUSED
