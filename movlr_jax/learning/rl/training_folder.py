"""A training's folder: what it holds, what the training in it is about, and how a new one is made.

In: a TrainConfig, or the folder. Out: the folder, whole or not at all, and what a training needs (`train.TrainingSetup`). Beside
config.yaml, run.json and reward.py it holds what `train` writes.
"""

from __future__ import annotations

import dataclasses
import itertools
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from movlr_jax import atomic, code_names, folders, typed_yaml
from movlr_jax._versions import installed
from movlr_jax.errors import MovlrError
from movlr_jax.evaluation import reward_texts
from movlr_jax.learning.rl import brax_compat, distil, dynsyn
from movlr_jax.learning.rl.config import TrainConfig
from movlr_jax.learning.rl.train import TrainingSetup
from movlr_jax.media import next_steps
from movlr_jax.physics import engines
from movlr_jax.runs import permissions
from movlr_jax.runs.run_folder import RunFolder


def found(folder: Path) -> TrainConfig:
    """Return the configuration of the training in a folder.

    Raises:
        MovlrError: there is none.
    """
    if not (folder / "run.json").is_file() or not (folder / "reward.py").is_file() or not (folder / "config.yaml").is_file():
        raise MovlrError(f"{folder} holds no training (no config.yaml, run.json, reward.py): give the folder that `movlr train` printed.")
    folders.admit(folder)
    return typed_yaml.load(folder / "config.yaml", TrainConfig)


def setup_of(
    config: TrainConfig, reward: str, group_of: Sequence[int] | None = None, where: Path | str = "The configuration"
) -> TrainingSetup:
    """Return what a training is about.

    Args:
        config: its values.
        reward: the word for its reward.
        group_of: the actions that its muscles follow, where they are known.
        where: what the values are from, for people.

    Raises:
        MovlrError: a name stands for nothing, or the reward does not suit the body.
    """
    task = permissions.task(config.task, where).configured(config.goal, config.seconds, config.goal_speed)
    text = reward_texts.find(reward, [task])
    morphology = task.load(config.morphology, config.injury)
    compiled = reward_texts.compiled(text, morphology, task.goal_speed, lying=task.lies)
    if group_of is not None:
        follows = np.asarray(group_of, int)
    else:
        follows = dynsyn.grouping(morphology, config.groups) if config.actions == "groups" else np.arange(morphology.model.nu)
    return TrainingSetup(config, task, morphology, compiled, follows)


def of_folder(folder: Path, config: TrainConfig | None = None) -> TrainingSetup:
    """Return what the training in a folder is about.

    Raises:
        MovlrError: there is none, or it is damaged.
    """
    config, header = config or found(folder), header_of(folder)
    return setup_of(config, str(folder / "reward.py"), header["group_of"], folder / "config.yaml")


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
    brax_compat.parts()
    engines.choose(engine)


def create(config: TrainConfig) -> tuple[Path, TrainingSetup]:
    """Make a new training's folder, whole or not at all.

    Raises:
        MovlrError: it is taken or cannot be written, this machine lacks something, or as `setup_of`.
    """
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
    setup = setup_of(config, config.reward)
    distil.files(cloned)
    packages = ("movlr-jax", "mujoco", "mujoco-mjx", "jax", "jaxlib", "numpy", "brax", "warp-lang")
    header = {
        "run_id": f"{folder.name}-{uuid.uuid4().hex[:8]}",
        "task": setup.task.name,
        **({"task_sha256": setup.task.code_sha256} if setup.task.code_sha256 else {}),
        "morphology": setup.morphology.name,
        "engine": config.engine,
        "reward": config.reward,
        "goal_speed_mps": setup.goal_speed,
        "seconds": setup.seconds,
        "seed": config.seed,
        "versions": {package: installed(package) for package in packages},
        "group_of": setup.group_of.tolist(),
    }
    try:
        with atomic.new_folder(folder) as partial:
            atomic.write_text(partial / "config.yaml", typed_yaml.dump(config))
            atomic.write_text(partial / "reward.py", setup.reward.source)
            atomic.write_json(partial / "run.json", header)
    except OSError as error:
        raise folders.unwritable(folder, error) from error
    return folder, setup
