"""`movlr train`: trains a policy by PPO on a task, with the same reward that MPC2 plans with; `movlr train --resume DIR` goes on.

In: TrainConfig, from code defaults < the YAML file of --config < flags. Out: a training's folder (`movlr_jax.learning.rl.train`), and its
last evaluation on stdout. Ctrl-C stops after the update under way, with everything saved.
"""

from __future__ import annotations

import dataclasses
import itertools
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from movlr_jax import atomic, code_names, folders, typed_yaml
from movlr_jax.cli import console, options, task_names
from movlr_jax.cli.main import INTERRUPTED
from movlr_jax.errors import MovlrError
from movlr_jax.learning.rl.config import TrainConfig
from movlr_jax.media import next_steps
from movlr_jax.morphologies import custom

if TYPE_CHECKING:
    from movlr_jax.control.episode import Rollout
    from movlr_jax.learning.rl.train import Asked

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
    file, words = options.take_config(argv)
    default = typed_yaml.load(file, TrainConfig) if file else TrainConfig()
    if words and not words[0].startswith("-"):
        words = ["--task", *words]
    config = options.parse(TrainConfig, words, "train [TASK] [--config FILE] [--resume DIR]", default, ABOUT)
    settled = task_names.settled if options.names(words, "task") else code_names.settled
    return dataclasses.replace(config, task=settled(config.task), morphology=config.morphology and custom.settled(config.morphology))


def found(folder: Path) -> TrainConfig:
    """Return the configuration of the training in a folder.

    Raises:
        MovlrError: there is none.
    """
    if not (folder / "run.json").is_file() or not (folder / "reward.py").is_file() or not (folder / "config.yaml").is_file():
        raise MovlrError(f"{folder} holds no training (no config.yaml, run.json, reward.py): give the folder that `movlr train` printed.")
    folders.admit(folder)
    return typed_yaml.load(folder / "config.yaml", TrainConfig)


def asked_of(config: TrainConfig, reward: str, group_of: Sequence[int] | None = None, where: Path | str = "The configuration") -> Asked:
    """Return what a training is about.

    Args:
        config: its values.
        reward: the word for its reward.
        group_of: the actions that its muscles follow, where they are known.
        where: what the values are from, for people.

    Raises:
        MovlrError: a name stands for nothing, or the reward does not suit the body.
    """
    import numpy as np

    from movlr_jax.evaluation import reward_texts
    from movlr_jax.learning.rl import dynsyn
    from movlr_jax.learning.rl.train import Asked
    from movlr_jax.runs import permissions

    task = permissions.task(config.task, where).configured(config.goal, config.seconds, config.goal_speed)
    text = reward_texts.find(reward, [task])
    morphology = task.load(config.morphology, config.injury)
    compiled = reward_texts.compiled(text, morphology, task.goal_speed, lying=task.lies)
    if group_of is not None:
        follows = np.asarray(group_of, int)
    else:
        follows = dynsyn.grouping(morphology, config.groups) if config.actions == "groups" else np.arange(morphology.model.nu)
    return Asked(config, task, morphology, compiled, follows)


def of_folder(folder: Path, config: TrainConfig | None = None) -> Asked:
    """Return what the training in a folder is about.

    Raises:
        MovlrError: there is none, or it is damaged.
    """
    config, header = config or found(folder), header_of(folder)
    return asked_of(config, str(folder / "reward.py"), header["group_of"], folder / "config.yaml")


def header_of(folder: Path) -> dict[str, Any]:
    """Return what a training's run.json says.

    Raises:
        MovlrError: it is damaged, or not a training's.
    """
    path = folder / "run.json"
    try:
        header = atomic.read_json(path)
    except OSError as error:
        raise MovlrError(f"{path} cannot be read ({error.strerror}): restore it, or start the training again.") from None
    known = header if isinstance(header, dict) else {}
    missing = [name for name in ("run_id", "task", "morphology", "group_of") if name not in known]
    groups = known.get("group_of", [])
    if (
        missing
        or not isinstance(groups, list)
        or not all(isinstance(g, int) and not isinstance(g, bool) and 0 <= g < len(groups) for g in groups)
    ):
        said = f"without {missing[0]}" if missing else "with another kind of group_of"
        raise MovlrError(f"{path} is not of a training ({said}): give the folder that `movlr train` printed.")
    return known


def refuse_unready(engine: str) -> None:
    """Raise MovlrError, in one sentence, if this machine lacks what a training on an engine needs."""
    from movlr_jax.learning.rl import brax_compat
    from movlr_jax.physics import engines

    brax_compat.parts()
    engines.choose(engine)


def create(config: TrainConfig) -> tuple[Path, Asked]:
    """Make a new training's folder, whole or not at all.

    Raises:
        MovlrError: it is taken or cannot be written, this machine lacks something, or as `asked_of`.
    """
    from movlr_jax._versions import installed
    from movlr_jax.learning.rl import distil
    from movlr_jax.runs.run_folder import RunFolder

    first = config.out or Path("runs") / f"train-{config.name or f'{code_names.label(config.task)}-{config.seed}'}"
    numbered = itertools.chain([first], (first.with_name(f"{first.name}-{n}") for n in itertools.count(2)))
    folder = first if config.out else next(f for f in numbered if not f.exists())
    if (folder / "checkpoints").exists():
        raise MovlrError(f"{folder} already holds a training: go on with `{next_steps.train(folder)}`, or choose another --out.")
    RunFolder.refuse_taken(folder)
    refuse_unready(config.engine)
    # Of what is read later, absolute paths: a training goes on from any folder.
    cloned = tuple(str(Path(name).resolve()) for name in config.distil.rollouts)
    config = dataclasses.replace(config, out=folder, distil=dataclasses.replace(config.distil, rollouts=cloned))
    asked = asked_of(config, config.reward)
    distil.files(cloned)
    packages = ("movlr-jax", "mujoco", "mujoco-mjx", "jax", "jaxlib", "numpy", "brax", "warp-lang")
    header = {
        "run_id": f"{folder.name}-{uuid.uuid4().hex[:8]}",
        "task": asked.task.name,
        **({"task_sha256": asked.task.code_sha256} if asked.task.code_sha256 else {}),
        "morphology": asked.morphology.name,
        "engine": config.engine,
        "reward": config.reward,
        "goal_speed_mps": asked.goal_speed,
        "seconds": asked.seconds,
        "seed": config.seed,
        "versions": {package: installed(package) for package in packages},
        "group_of": asked.group_of.tolist(),
    }
    try:
        with atomic.new_folder(folder) as partial:
            atomic.write_text(partial / "config.yaml", typed_yaml.dump(config))
            atomic.write_text(partial / "reward.py", asked.reward.source)
            atomic.write_json(partial / "run.json", header)
    except OSError as error:
        raise MovlrError(f"Cannot write {folder} ({error.strerror}): choose another --out.") from error
    return folder, asked


def main(argv: Sequence[str]) -> int:
    """Run the verb."""
    if any(word.partition("=")[0] == "--resume" for word in argv):
        wanted = options.parse(Resume, argv, "train")
        folder = wanted.resume
        config = found(folder)
        if wanted.steps:
            config = dataclasses.replace(config, steps=wanted.steps)
        refuse_unready(config.engine)
        if config.tracking == "online":
            said = f"Weights & Biases: {folder / 'config.yaml'} has this training sent to your own account, project {config.project}."
            console.stderr().print(said, markup=False, soft_wrap=True)
        done = follow(folder, of_folder(folder, config))
    else:
        config = configure(argv)
        folder, asked = create(config)
        done = follow(folder, asked)
    if not done:
        return INTERRUPTED
    header = header_of(folder)
    last: dict[str, Any] = atomic.read_json(max((folder / "evaluations").glob("*/metrics.json")))
    out = console.stdout()
    title = f"{header['task']} on {header['morphology']}, policy after {config.updates} updates, engine native"
    out.print(console.metrics_table(title, last["episodes"], last["mean"], last["std"]))
    out.print(f"saved in {folder}   move the body with it: {next_steps.moved_by(folder)}", markup=False, soft_wrap=True)
    return 0


def follow(folder: Path, asked: Asked) -> bool:
    """Train in a folder and show how it goes.

    Returns:
        False if it was interrupted, with everything saved.
    """
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from movlr_jax.cli.rollout import paced
    from movlr_jax.learning.rl.train import train
    from movlr_jax.processes import terminable
    from movlr_jax.runs.run_folder import RunFolder
    from movlr_jax.tracking import open_trackers

    config, err, pace = asked.config, console.stderr(), paced()
    err.print(f"Training folder: {folder}", markup=False, soft_wrap=True)

    def warn(sentence: str) -> None:
        err.print(sentence, markup=False, soft_wrap=True)

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:.0f} of {task.total:.0f} updates"))
    with (
        RunFolder(folder).locked(),
        terminable(),
        Progress(*columns, TimeElapsedColumn(), console=err, transient=True, disable=not err.is_terminal) as progress,
    ):
        atomic.sweep(folder)
        if found(folder) != config:
            atomic.write_text(folder / "config.yaml", typed_yaml.dump(config))
        bar = progress.add_task("compiling", total=config.updates)

        pace.tell("compiling")

        def told(update: int, scalars: dict[str, float]) -> None:
            words = f"reward {scalars['reward']:.3g}, {scalars['steps_per_s']:.3g} steps/s"
            progress.update(bar, completed=update, description=words)
            pace.moved(f"update {update} of {config.updates}: {words}")

        trackers = open_trackers(config.tracking, folder, config.project, config.name or folder.resolve().name, warn)
        run_id = header_of(folder)["run_id"]
        for tracker in trackers:
            tracker.start(atomic.plain(dataclasses.asdict(config)), run_id)
        try:
            train(asked, folder, trackers, _films(asked, warn), told)
        except KeyboardInterrupt:
            warn(f"Interrupted. Go on with: {next_steps.train(folder)}")
            return False
        finally:
            for tracker in trackers:
                tracker.finish()
    return True


def _films(asked: Asked, warn: Callable[[str], None]) -> Callable[[Rollout, Path], None]:
    """Return what writes clips; a machine that cannot draw is told of once, and trains on."""
    from movlr_jax.evaluation import filming

    failed = False

    def film(rollout: Rollout, path: Path) -> None:
        nonlocal failed
        if failed:
            return
        try:
            filming.film(asked.morphology, rollout, path, f"{asked.task.name}, policy, reward {asked.reward.name}")
        except MovlrError as error:
            failed = True
            warn(f"No clips: {error}")

    return film
