"""What a terminal value learns from: recorded episodes, the instants of each with the time that was left to a fall.

In: files of episodes (rollout.npz) and folders that hold some, at any depth. Out: Episodes. An episode that ended before its time fell.
What cannot be known is left out: of an episode that did not fall, the last window, since a fall may have come after it; of one that was
pushed (episode.json beside it says when) the window before the push that it fell of, which no state foretells. Episodes of the half of a
fall bank that measures planners (their episode.json says "split": "test") are left out: nothing is measured on what was learnt.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from movlr_jax import atomic
from movlr_jax.control.episode import Rollout
from movlr_jax.errors import BadFile, MovlrError
from movlr_jax.evaluation.fall_bank import walk_of

FELL = ("fell", "diverged")
_BESIDE = "episode.json"


@dataclass(frozen=True, eq=False)
class Episodes:
    """Instants of recorded episodes.

    Attributes:
        instants: float32[N, f].
        left: float32[N], time to the fall (s); inf where none is known to come.
        episode: int[N], which episode each is of.
        names: the episodes' files.
        digests: SHA-256 of each, 16 digits.
        fallen: bool[episodes].
        walk: int[episodes], which walk each is of: episodes of a fall bank that branch off one walk are one.
    """

    instants: np.ndarray
    left: np.ndarray
    episode: np.ndarray
    names: tuple[str, ...]
    digests: tuple[str, ...]
    fallen: np.ndarray
    walk: np.ndarray


def files(words: Sequence[str | Path]) -> list[Path]:
    """Return the episodes that words stand for, each once: files, and all episodes below folders.

    Raises:
        MovlrError: a word stands for nothing, or for an episode that planners are measured on.
    """
    found: dict[Path, Path] = {}
    for word in words:
        path = Path(word)
        inside = sorted(path.rglob("rollout*.npz")) if path.is_dir() else [path]
        if not path.exists():
            raise MovlrError(f"There is no episode {word}: name a rollout.npz, or a folder that holds some.")
        if not inside:
            raise MovlrError(f"{word} holds no episode (no rollout.npz): name a run's folder, or save one with movlr rollout --out.")
        for file in inside:
            if _record(file).get("split") != "test":
                found[file.resolve()] = file
            elif not path.is_dir():
                raise MovlrError(f"{file} is of the half of a fall bank that planners are measured on: learn from the other half.")
    if not found:
        raise MovlrError("All these episodes are of the half of a fall bank that planners are measured on: name others.")
    return list(found.values())


def read(paths: Iterable[Path], width: int, window: float) -> Episodes:
    """Return the instants of episodes, those of which is known whether a fall comes within the window.

    Args:
        paths: the episodes' files.
        width: f, numbers of an instant of the body.
        window: (s).

    Raises:
        MovlrError: a file is no episode, or one of another body.
    """
    parts: list[tuple[np.ndarray, np.ndarray]] = []
    names, digests, fallen, walks = [], [], [], []
    for path in paths:
        try:
            rollout, digest = Rollout.load(path), hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        except (OSError, BadFile) as error:
            raise MovlrError(f"{path} is no recorded episode ({' '.join(str(error).split())[:100]}): name a rollout.npz.") from None
        if rollout.instants.shape[1] != width:
            raise MovlrError(
                f"{path} is of another body (an instant has {rollout.instants.shape[1]} numbers, not {width}): name episodes of one body, "
                "and say which with --morphology."
            )
        parts.append(_known(rollout, window, _pushed(path)))
        names.append(str(path))
        digests.append(digest)
        fallen.append(rollout.ended in FELL)
        seed = _record(path).get("seed")
        walks.append(f"walk {walk_of(seed)}" if isinstance(seed, int) else str(path))
    if not parts:
        raise MovlrError("There is nothing to learn from: name episodes.")
    instants, left = (np.concatenate(column) for column in zip(*parts, strict=True))
    episode = np.repeat(np.arange(len(parts)), [len(one) for one, _ in parts])
    return Episodes(instants, left, episode, tuple(names), tuple(digests), np.array(fallen), np.unique(walks, return_inverse=True)[1])


def _known(rollout: Rollout, window: float, pushed: Sequence[tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
    """Return the instants of an episode of which is known what comes, and the time that each has left (s).

    Args:
        rollout: the episode.
        window: (s).
        pushed: start and end of the pushes on it (s).
    """
    time, end = rollout.time, float(rollout.time[-1]) + rollout.dt
    known = np.isfinite(rollout.instants).all(axis=1)
    if rollout.ended in FELL:
        left = end - time
        causes = [push for push in pushed if end - push[1] <= window]
        if causes:
            first, last = min(start for start, _ in causes), max(stop for _, stop in causes)
            known &= (time < first - window) | (time >= last)
            left = np.where(time < last, np.inf, left)  # unpushed it would not have fallen then
    else:
        left = np.full(len(time), np.inf)
        known &= time < end - window
    return rollout.instants[known].astype(np.float32), left[known].astype(np.float32)


def _record(path: Path) -> dict[str, Any]:
    """Return what the record beside an episode says; {} where there is none."""
    try:
        content = atomic.read_json(path.with_name(_BESIDE))
    except OSError:
        return {}
    return content if isinstance(content, dict) else {}


def _pushed(path: Path) -> list[tuple[float, float]]:
    """Return start and end of the pushes on an episode (s)."""
    pushes = _record(path).get("pushes", [])
    try:
        return [(float(push["start"]), float(push["start"]) + float(push["seconds"])) for push in pushes]
    except (KeyError, TypeError, ValueError):
        raise MovlrError(f"{path.with_name(_BESIDE)} does not say when the body was pushed: mend or remove it.") from None


def body_of(paths: Sequence[Path]) -> str | None:
    """Return the body that the records beside episodes name (metrics.json of a rollout's folder, episode.json of a bank's), if any does."""
    for path in paths:
        for name, field in ((_BESIDE, "body"), ("metrics.json", "morphology")):
            try:
                record = atomic.read_json(path.with_name(name))
            except (OSError, BadFile):
                continue
            if isinstance(record, dict) and isinstance(record.get(field), str):
                return str(record[field])
    return None
