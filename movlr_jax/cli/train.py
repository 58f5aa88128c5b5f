"""`movlr train`: trains a policy by PPO on a task, with the same reward that MPC2 plans with; `movlr train --resume DIR` goes on.

In: TrainConfig, from code defaults < the YAML file of --config < flags. Out: a training's folder (`movlr_jax.learning.rl.train`), and its
last evaluation on stdout. Ctrl-C stops after the update under way, with everything saved.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from movlr_jax import atomic, code_names, typed_yaml
from movlr_jax.cli import console, flags, task_names
from movlr_jax.cli.main import INTERRUPTED
from movlr_jax.cli.progress import paced
from movlr_jax.learning.rl.config import TrainConfig
from movlr_jax.media import next_steps
from movlr_jax.morphologies import custom

if TYPE_CHECKING:
    from movlr_jax.learning.rl.train import TrainingSetup

ABOUT = """Train a policy by PPO on a task, with the same reward that MPC2 plans with.

TASK may be given as the first word. --config FILE reads values from YAML; flags
override them. Ctrl-C stops cleanly; movlr train --resume DIR goes on (--steps N
with it: until so many)."""


@dataclasses.dataclass(frozen=True)
class Resume:
    """Go on with a training, from its newest checkpoint."""

    resume: Path
    """The training's folder."""
    steps: int = 0
    """A new total of control steps; 0: the training's own."""


def configure(argv: Sequence[str]) -> TrainConfig:
    """Read the configuration of a training from the words after `movlr train`.

    Raises:
        MovlrError: the file or a flag cannot be understood, or a value is one that no training can have.
    """
    file, words = flags.take_config(argv)
    default = typed_yaml.load(file, TrainConfig) if file else TrainConfig()
    if words and not words[0].startswith("-"):
        words = ["--task", *words]
    config = flags.parse(TrainConfig, words, "train [TASK] [--config FILE] [--resume DIR]", default, ABOUT)
    settled = task_names.settled if flags.names(words, "task") else code_names.settled
    return dataclasses.replace(config, task=settled(config.task), morphology=config.morphology and custom.settled(config.morphology))


def main(argv: Sequence[str]) -> int:
    """Run the verb."""
    from movlr_jax.learning.rl import training_folder

    if any(word.partition("=")[0] == "--resume" for word in argv):
        wanted = flags.parse(Resume, argv, "train")
        folder = wanted.resume
        config = training_folder.found(folder)
        if wanted.steps:
            config = dataclasses.replace(config, steps=wanted.steps)
        training_folder.refuse_unready(config.engine)
        if config.tracking == "online":
            said = f"Weights & Biases: {folder / 'config.yaml'} has this training sent to your own account, project {config.project}."
            console.stderr().print(said, markup=False, soft_wrap=True)
        done = follow(folder, training_folder.of_folder(folder, config))
    else:
        config = configure(argv)
        folder, setup = training_folder.create(config)
        done = follow(folder, setup)
    if not done:
        return INTERRUPTED
    header = training_folder.header_of(folder)
    last: dict[str, Any] = atomic.read_json(max((folder / "evaluations").glob("*/metrics.json")))
    out = console.stdout()
    title = f"{header['task']} on {header['morphology']}, policy after {config.updates} updates, engine native"
    out.print(console.metrics_table(title, last["episodes"], last["mean"], last["std"]))
    out.print(f"saved in {folder}   move the body with it: {next_steps.moved_by(folder)}", markup=False, soft_wrap=True)
    return 0


def follow(folder: Path, setup: TrainingSetup) -> bool:
    """Train in a folder and show how it goes.

    Returns:
        False if it was interrupted, with everything saved.
    """
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from movlr_jax.learning.rl import training
    from movlr_jax.processes import terminable

    config, err, pace = setup.config, console.stderr(), paced()

    def warn(sentence: str) -> None:
        err.print(sentence, markup=False, soft_wrap=True)

    warn(f"Training folder: {folder}")
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:.0f} of {task.total:.0f} updates"))
    with (
        terminable(),
        Progress(*columns, TimeElapsedColumn(), console=err, transient=True, disable=not err.is_terminal) as progress,
    ):
        bar = progress.add_task("compiling", total=config.updates)
        pace.tell("compiling")

        def advanced(update: int, scalars: dict[str, float]) -> None:
            words = f"reward {scalars['reward']:.3g}, {scalars['steps_per_s']:.3g} steps/s"
            progress.update(bar, completed=update, description=words)
            pace.moved(f"update {update} of {config.updates}: {words}")

        return training.run(folder, setup, advanced, warn)
