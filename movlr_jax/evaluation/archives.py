"""Archives: the recorded motions in what a user names, folders of runs, of rollouts and of evaluations.

In: paths; a folder may also hold such folders. Out: `Recorded`, one an episode, in an order that depends on the paths alone; of an
evaluation, which keeps figures and no motions, the figures. Nothing is simulated, and no reward's text is run.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from movlr_jax import atomic, code_names
from movlr_jax.control.episode import Rollout
from movlr_jax.errors import BadFile, MovlrError
from movlr_jax.evaluation import motion_changes
from movlr_jax.morphologies import Morphology
from movlr_jax.rewards.features import feature_layout
from movlr_jax.runs import permissions
from movlr_jax.runs.config import RunConfig
from movlr_jax.runs.run_folder import RunFolder
from movlr_jax.tasks import Task

_DEEPEST, _MOST = 3, 5000  # levels of folders, and folders, in which archives are looked for
_NO_MOTION = "give folders of movlr run, of movlr rollout --out or of movlr eval, or episodes (.npz)"


@dataclass(frozen=True, eq=False)
class Recorded:
    """One recorded episode.

    Attributes:
        key: 16 hexadecimal digits of what was read: equal motions have equal keys.
        source: where it stands, from the path that was named on.
        task: its task, with its sentence.
        reward: what moved it, as a hash: the text, weights and parameters; of an episode beside which no text stands its terms' names.
        body: the body; None of figures alone.
        rollout: the motion, without what its reward and its planner say of it; None of figures alone.
        figures: the metric record of an evaluation's episode, which has no motion.
        morphology: the body's name.
        seconds: length asked for (s).
        goal_speed: speed asked for (m/s).
    """

    key: str
    source: str
    task: Task
    reward: str
    body: Morphology | None
    rollout: Rollout | None
    figures: Mapping[str, Any]
    morphology: str
    seconds: float
    goal_speed: float


@dataclass(frozen=True)
class _Beside:
    """What is known of episodes beside their files."""

    task: Task
    morphology: str | None
    injury: tuple[str, ...]


def load_episode(file: Path, body: Morphology) -> Rollout:
    """Return an episode, which has to be one of a body.

    Raises:
        MovlrError: it is no episode, or one of another body or scene.
    """
    rollout = Rollout.load(file)
    widths = {"qpos": body.model.nq, "qvel": body.model.nv, "act": body.model.na, "instants": feature_layout(body).size}
    if any(getattr(rollout, name).shape[1] != width for name, width in widths.items()):
        raise MovlrError(f"{file} is no motion of {body.name} in this scene: name its body and task with --morphology and --task.")
    return rollout


def found(
    paths: Sequence[Path],
    task: str | None = None,
    morphology: str | None = None,
    injury: Sequence[str] = (),
    tell: Callable[[str], None] = lambda sentence: None,
) -> list[Recorded]:
    """Return the motions in archives; of equal ones the first.

    Args:
        paths: folders or episodes' files.
        task, morphology: of episodes beside which nothing says so.
        injury: muscles that were weakened in them, beside the task's own.
        tell: is told what is left out.

    Raises:
        MovlrError: a path holds no motion, nothing says of what it is, or its body is not on this machine.
    """
    if not paths:
        raise MovlrError(f"No motions were named: {_NO_MOTION}.")
    bodies: dict[tuple[str, str | None, tuple[str, ...]], Morphology] = {}

    def body_of(beside: _Beside) -> Morphology:
        key = (beside.task.word, beside.morphology, beside.injury)
        if key not in bodies:
            bodies[key] = beside.task.prepared(beside.morphology, beside.injury)
        return bodies[key]

    out: dict[str, Recorded] = {}
    for path in paths:
        places = list(_places(path, itertools.count(1)))
        if not places:
            raise MovlrError(f"{path} holds no recorded motion: {_NO_MOTION}.")
        for place in places:
            source = str(Path(path.resolve().name) / place.relative_to(path)) if place != path else path.resolve().name
            if (place / "eval.json").is_file():
                motions: Iterator[Recorded] = _of_evaluation(place, source)
            else:
                motions = _of_files(place, source, task, morphology, tuple(injury), body_of, tell)
            for motion in motions:
                out.setdefault(motion.key, motion)
    if not out:
        raise MovlrError(f"No episode could be read in {', '.join(map(str, paths))}: {_NO_MOTION}.")
    return list(out.values())


def _places(path: Path, counter: Iterator[int], depth: int = 0) -> Iterator[Path]:
    """Yield the archives at a path: itself, or those in it.

    Raises:
        MovlrError: it holds more folders than one looks through.
    """
    if next(counter) > _MOST:
        raise MovlrError(f"More than {_MOST} folders stand around {path}: name the archives themselves.")
    if path.is_file() and path.suffix == ".npz" and not depth:
        yield path
    elif path.is_dir() and (path / "run.json").is_file():
        RunFolder.find(path)  # looked through: it may come from someone else
        yield from sorted(folder for folder in (path / "iterations").glob("[0-9]*") if any(folder.glob("rollout*.npz")))
    elif path.is_dir() and ((path / "eval.json").is_file() or any(path.glob("rollout*.npz"))):
        yield path
    elif path.is_dir() and depth < _DEEPEST:
        with contextlib.suppress(PermissionError):
            for inner in sorted(p for p in path.iterdir() if p.is_dir() and not p.is_symlink() and not p.name.startswith(".")):
                yield from _places(inner, counter, depth + 1)


def _of_files(
    place: Path,
    source: str,
    task: str | None,
    morphology: str | None,
    injury: tuple[str, ...],
    body_of: Callable[[_Beside], Morphology],
    tell: Callable[[str], None],
) -> Iterator[Recorded]:
    """Yield the episodes of one folder, or of one file."""
    folder = place.parent if place.is_file() else place
    beside = _beside(folder, task, morphology, injury)
    body = body_of(beside)
    text = b""
    with contextlib.suppress(OSError):
        text = atomic.read_bytes(folder / "reward.py")
    for file in [place] if place.is_file() else sorted(folder.glob("rollout*.npz")):
        try:
            rollout = load_episode(file, body)
        except BadFile as error:
            tell(f"Left out: {error}")
            continue
        except OSError as error:
            raise MovlrError(f"{file} cannot be read ({error.strerror}): make it readable, or leave it out.") from None
        made: dict[str, Any] = {"text": hashlib.sha256(text).hexdigest(), "terms": rollout.term_names, "weights": rollout.weights}
        made |= {"parameters": rollout.parameters}
        yield Recorded(
            _hash({"body": body.word or body.name, "injury": beside.injury, "task": beside.task.word, **_motion(rollout)}),
            source if place.is_file() else f"{source}/{file.name}",
            beside.task,
            _hash(made),
            body,
            motion_changes.without_plans(rollout),
            {},
            body.name,
            rollout.seconds,
            rollout.goal_speed,
        )


def _motion(rollout: Rollout) -> dict[str, Any]:
    """Return what makes two recordings the same motion."""
    states = hashlib.sha256(b"".join(getattr(rollout, name).tobytes() for name in ("time", "qpos", "qvel", "act", "instants")))
    return {"states": states.hexdigest(), "seconds": rollout.seconds, "ended": rollout.ended, "goal_speed": rollout.goal_speed}


def _hash(value: Mapping[str, Any]) -> str:
    return hashlib.sha256(repr(sorted(atomic.plain(value).items())).encode()).hexdigest()[:16]


def _beside(folder: Path, task: str | None, morphology: str | None, injury: tuple[str, ...]) -> _Beside:
    """Return what is known of the episodes in a folder.

    Raises:
        MovlrError: nothing says of what task and body they are.
    """
    above = folder.resolve().parents
    run = next((p for p in above[:2] if (p / "run.json").is_file()), None)
    if run is not None:
        config = RunConfig.load(run / "config.yaml")
        known = permissions.task(task or config.task, run / "config.yaml")
        return _Beside(known.configured(config.goal), morphology or config.morphology, (*config.injury, *injury))
    told: Any = {}
    with contextlib.suppress(OSError, ValueError):
        told = atomic.read_json(folder / "metrics.json")
    said = {name: str(told[name]) for name in ("task", "morphology", "goal") if isinstance(told, dict) and isinstance(told.get(name), str)}
    name, body = task or said.get("task", ""), morphology or said.get("morphology", "")
    if not name or not body:
        raise MovlrError(f"Nothing beside {folder} says of what task and body its episodes are: add --task and --morphology.")
    return _Beside(permissions.task(code_names.settled(name), folder / "metrics.json").with_sentence(said.get("goal")), body, injury)


def _of_evaluation(folder: Path, source: str) -> Iterator[Recorded]:
    """Yield the figures that an evaluation has kept of its episodes.

    Raises:
        MovlrError: the file is damaged.
    """
    file = folder / "eval.json"
    try:
        for row in atomic.read_json(file)["rows"]:
            task = permissions.task(code_names.settled(str(row["task"])), file).with_sentence(str(row.get("goal", "")))
            what = [row.get(name) for name in ("reward", "reward_sha256", "weights", "parameters", "strength", "injury")]
            for record in row["episodes"]:
                yield Recorded(
                    _hash({"row": what, "task": task.name, "morphology": row["morphology"], **record}),
                    f"{source}/{row['reward']}, {task.name}, {row['morphology']}, seed {int(record['seed'])}",
                    task,
                    _hash({"what": what}),
                    None,
                    None,
                    record,
                    str(row["morphology"]),
                    float(row["seconds"]),
                    float(row["goal_speed_mps"]),
                )
    except MovlrError:
        raise
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MovlrError(f"{file} is no evaluation ({type(error).__name__}): run the same movlr eval again.") from None
