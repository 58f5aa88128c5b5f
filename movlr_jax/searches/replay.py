"""Replay: a run made again from its records, with no model asked, to see that it comes to the same rewards.

Flows in: a run's folder. Flows out: a new folder, in which every episode was run, measured and judged anew, and what differs from the
first. A motion that is the same to the last bit keeps its clip.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from movlr_jax import atomic
from movlr_jax.errors import MovlrError
from movlr_jax.llm import addresses
from movlr_jax.media import next_steps
from movlr_jax.runs import records
from movlr_jax.runs.config import RunConfig
from movlr_jax.runs.run_folder import Candidate, RunFolder
from movlr_jax.searches import assembly
from movlr_jax.searches.events import Progress
from movlr_jax.searches.result import RunResult
from movlr_jax.searches.stages import Arrays
from movlr_jax.searches.steps import Advisor

MOST_CLIP = 1 << 30  # bytes


@dataclass(frozen=True)
class Replayed:
    """What a replay came to.

    Attributes:
        result: the new run.
        differences: one sentence for each thing that is not bit for bit as it was; empty where all is.
        redrawn: recorded answers whose request had the same words and another clip, drawn anew on this machine.
    """

    result: RunResult
    differences: tuple[str, ...]
    redrawn: int


def free_folder(folder: Path) -> Path:
    """Return a folder beside the run that holds nothing yet: RUN-replay, else RUN-replay-2, ..."""
    first = folder.resolve().with_name(f"{folder.resolve().name}-replay")
    numbered = (first.with_name(f"{first.name}-{n}") for n in itertools.count(2))
    return next(path for path in itertools.chain([first], numbered) if not path.exists())


def configure(folder: Path, out: Path) -> RunConfig:
    """Return the configuration that repeats a run's closed iterations in another folder.

    Raises:
        MovlrError: there is no run, or none of its iterations was closed.
    """
    recorded = RunFolder.find(folder)
    config = RunConfig.recorded(recorded["config.yaml"])
    rows = RunFolder(folder, config.seeds).rows()
    if not rows:
        raise MovlrError(f"{folder} has no finished iteration to repeat: go on with `{next_steps.resume(folder)}` first.")
    # The start reward is repeated as it was: the file or the run that it came from may have changed since.
    start = config.start_reward if config.start_reward in ("start", "human") else str(recorded.iteration(0)["reward.py"])
    return dataclasses.replace(
        config,
        engine=str(records.read(recorded["run.json"]).get("engine", config.engine)),
        iterations=len(rows) - 1,
        start_reward=start,
        max_minutes=0.0,
        max_calls=0,
        max_cost=0.0,
        max_simulated=0.0,
        tracking="off",
        out=out,
    )


def replay(folder: Path, out: Path, *, progress: Progress | None = None) -> Replayed:
    """Repeat a run from its records; see the module's text.

    Raises:
        MovlrError: there is no run, `out` is taken, or a stage cannot go on.
        ModelFault: the repeated run asks what the records do not hold.
    """
    config = configure(folder, out)
    addresses.require_code(config.task, folder / "config.yaml")
    gateway = assembly.open_gateway(config, out, progress, replay=folder)
    recorded = RunFolder(folder, config.seeds)
    result = assembly.run(config, progress=progress, gateway=gateway, films=_Films(recorded), advisor=_adviser(recorded))
    return Replayed(result, tuple(differences(folder, out, config.seeds)), gateway.redrawn)


class _Films:
    """The clips of a run, by the motion that they show.

    A motion that is repeated to the last bit keeps its clip: machines draw in other pixels, and a critic that was shown one clip has not
    answered to another. What could not be filmed then is not filmed now.
    """

    def __init__(self, run: RunFolder):
        self._films: dict[str, tuple[Candidate, Path]] = {}
        for row in run.rows():
            chosen = run.iteration(row.iteration).chosen()
            for seed in run.seeds if chosen is not None else ():
                if chosen is not None and chosen.rollout(seed).exists():
                    motion = atomic.read_bytes(chosen.rollout(seed), atomic.MOST_ARRAYS)
                    self._films[hashlib.sha256(motion).hexdigest()] = chosen, chosen.clip(seed)

    def __call__(self, rollout: Arrays, path: Path) -> bool:
        filmed = self._films.get(hashlib.sha256(atomic.npz_bytes(rollout)).hexdigest())
        if filmed is None:
            return False
        chosen, clip = filmed
        if clip.exists():
            path.write_bytes(atomic.read_bytes(clip, MOST_CLIP))
            return True
        if chosen.has("no_clip.json"):
            raise MovlrError(chosen.read("no_clip.json")["sentence"])
        return False


def _adviser(run: RunFolder) -> Advisor:
    """Return what gives the advice that a person gave in a run."""

    def advise(number: int, clips: Mapping[str, Path], critique: Mapping[str, Any]) -> str:
        chosen = run.iteration(number).chosen()
        return "" if chosen is None else chosen.critique().advice

    return advise


def differences(first: Path, second: Path, seeds: tuple[int, ...]) -> list[str]:
    """Return what sets two runs apart: decisions, reward texts, and every episode, to the last bit."""
    one, other = RunFolder(first, seeds), RunFolder(second, seeds)
    rows, again = one.rows(), other.rows()
    differing = [] if len(rows) == len(again) else [f"There are {len(again)} iterations instead of {len(rows)}."]
    for row, row_again in zip(rows, again, strict=False):
        number = row.iteration
        for name in ("score", "kept", "confidence", "eliminated", "edit", "weights", "refusals", "metrics"):
            before, after = row.to_json().get(name), row_again.to_json().get(name)
            if before != after:
                differing.append(f"Iteration {number} differs in its {name}: {after} instead of {before}.")
        chosen, chosen_again = one.iteration(number).chosen(), other.iteration(number).chosen()
        if chosen is None or chosen_again is None:
            continue
        for name in ("reward.py", *(chosen.rollout(seed).name for seed in seeds)):
            if not chosen_again.has(name) or _bytes(chosen[name]) != _bytes(chosen_again[name]):
                differing.append(f"Iteration {number} differs in {name}.")
    return differing


def _bytes(path: Path) -> bytes:
    return atomic.read_bytes(path, atomic.MOST_ARRAYS)
