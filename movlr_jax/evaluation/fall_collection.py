"""Collecting a fall bank: walks that are provoked to fall, each kept with the states that the bank takes from it.

In: a body, a reward, a planner. Out: a folder an episode (rollout.npz, episode.json, states.npz), from which a bank is put together; what
is there already is not run again. Provoked are falls by pushes that grow until the body falls, by a goal a fifth faster, by fewer
candidates, by a slope and by stairs; a natural walk stands between them. Two seeds in a row, one of each half, are provoked alike. From a
walk that was pushed over others branch off, pushed elsewhere: their seeds lie a multiple of 10,000 above its own, in the same half.
"""

from __future__ import annotations

import dataclasses
import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from movlr_jax import atomic, tasks
from movlr_jax.control.episode import EpisodeRunner, Job, Rollout, Watch
from movlr_jax.control.planners import Planner
from movlr_jax.control.snapshot import Snapshot
from movlr_jax.errors import MovlrError
from movlr_jax.evaluation import reward_texts
from movlr_jax.evaluation.fall_bank import (
    BRANCH_SEED,
    EARLIEST,
    HARMLESS,
    KINDS,
    LATEST,
    NATURAL,
    BankState,
    FallBank,
    dynamics_of,
    split_of,
    walk_of,
)
from movlr_jax.morphologies import Morphology
from movlr_jax.physics.push import Push
from movlr_jax.rewards.reward import Reward
from movlr_jax.tasks import Task
from movlr_jax.units import GRAVITY

FIRST_SEED = 1002
SECONDS = 10.0
_EVERY = 5  # plans between snapshots
_STEADY = 1.0  # s after which a walk is under way
_PUSH_START, _PUSH_EVERY = 1.5, 1.6  # s
_PUSH_FIRST, _PUSH_MORE = 0.3, 0.15  # m/s that the first push gives the body; how much more each next one does
_PUSH_SECONDS = (0.1, 0.2)
_BRANCH_SECONDS = 2.4  # how long each branch lasts (s)
_MOST, _APART = 2, 0.3  # states of a kind from one episode, and the time between them (s)


@dataclass(frozen=True)
class Provocation:
    """How a fall is brought about.

    Attributes:
        name: what records call it.
        task: whose ground it is on; on another than flat ground the goal is that task's own.
        faster: factor on the goal speed.
        candidates: of the planner; None: its own.
        pushes: whether the body is pushed.
    """

    name: str
    task: str = "walk_flat"
    faster: float = 1.0
    candidates: int | None = None
    pushes: bool = False


_PUSHED = Provocation("push", pushes=True)
_WEAK = Provocation("push-candidates", candidates=24, pushes=True)  # falls sooner, and a plan takes less than half the time
SCHEDULE = (
    *(_WEAK, _WEAK, _WEAK, _WEAK, Provocation("candidates", candidates=24), _WEAK, _PUSHED, _WEAK),
    *(Provocation("stairs", task="walk_stairs"), _WEAK, Provocation("speed", faster=1.2), _WEAK, _PUSHED, _WEAK),
    *(Provocation("slope", task="walk_slope"), _WEAK, Provocation(NATURAL), _WEAK),
)


def provocation_of(seed: int) -> Provocation:
    """Return how the episode of a seed is provoked."""
    return SCHEDULE[(seed - FIRST_SEED) // 2 % len(SCHEDULE)]


def pushes_of(seed: int, body: Morphology) -> tuple[Push, ...]:
    """Return pushes in random directions, each stronger than the one before."""
    rng, mass = np.random.default_rng(np.random.SeedSequence([seed, 0xFA11])), body.weight / GRAVITY
    pushes = []
    for i, start in enumerate(np.arange(_PUSH_START, SECONDS, _PUSH_EVERY)):
        angle, seconds = rng.uniform(0.0, 2 * np.pi), rng.uniform(*_PUSH_SECONDS)
        size = mass * (_PUSH_FIRST + i * _PUSH_MORE) / seconds
        pushes.append(Push(float(start), float(seconds), (float(size * np.cos(angle)), float(size * np.sin(angle)))))
    return tuple(pushes)


def branches(rollout: Rollout, snapshots: Sequence[Snapshot], pushes: Sequence[Push], count: int) -> list[tuple[int, Snapshot, Push]]:
    """Return seed, start and push of the walks that branch off one that was pushed over: where it still walked, from any side, and by
    about the impulse that felled it.

    Args:
        rollout, snapshots, pushes: the walk.
        count: how many.
    """
    felt = [push for push in pushes if push.start <= rollout.time[-1]]
    if not felt or rollout.ended != "fell":
        return []
    rng = np.random.default_rng(np.random.SeedSequence([rollout.seed, 0xB4A2]))
    calm = [s for s in snapshots if _STEADY <= s.time <= felt[-1].start and not any(push.start < s.time < push.end for push in felt)]
    impulse, made = float(np.hypot(*felt[-1].force)) * felt[-1].seconds, []
    for i in range(count):
        one, angle, seconds = calm[int(rng.integers(len(calm)))], rng.uniform(0.0, 2 * np.pi), rng.uniform(*_PUSH_SECONDS)
        size = rng.uniform(0.8, 1.3) * impulse / seconds
        push = Push(one.time, float(seconds), (float(size * np.cos(angle)), float(size * np.sin(angle))))
        made.append((rollout.seed + (i + 1) * BRANCH_SEED, one, push))
    return made


def harvested(rollout: Rollout, snapshots: Sequence[Snapshot], pushes: Sequence[Push]) -> list[tuple[str, Snapshot, float]]:
    """Return the states of an episode that a bank takes: kind, state and the time ahead of it (s); at most two of a kind, 0.3 s apart.

    None lies within a push; after one that a fall follows, no other push comes.

    Args:
        rollout: the episode.
        snapshots: of it.
        pushes: on it.
    """
    rng = np.random.default_rng(np.random.SeedSequence([rollout.seed, 0xBA2C]))
    end, fell = float(rollout.time[-1]), rollout.ended == "fell"
    last = max((push.end for push in pushes if push.start <= end), default=0.0) if fell else 0.0
    calm = [s for s in snapshots if not any(push.start < s.time < push.end for push in pushes)]
    near = [s for s in calm if fell and LATEST <= end - s.time <= EARLIEST and s.time >= max(last, 0.5)]
    far = [s for s in calm if s.time >= _STEADY and end - s.time >= HARMLESS and rollout.ended in ("fell", "time")]
    picked = []
    for kind, some in zip(KINDS, (near, far), strict=True):
        for _ in range(_MOST):
            if some:
                one = some[int(rng.integers(len(some)))]
                picked.append((kind, one, end - one.time))
                some = [s for s in some if abs(s.time - one.time) >= _APART]
    return picked


@dataclass(eq=False)
class _Walk:
    """A walk, and what came of it: its rollout, its snapshots, and the processor time it took (s)."""

    job: Job
    seconds: float
    snapshots: list[Snapshot] = field(default_factory=list)
    cpu: float = 0.0
    rollout: Rollout = field(init=False)


class Collector:
    """Runs the episodes of one body into a folder.

    Args:
        folder: the body's; an episode is a folder in it.
        body: its catalog name or YAML file.
        reward: a reward's name.
        goal_speed: on flat ground (m/s).
        planner: by default settings, the planner whose falls are wanted.
        threads: of the native engine.
        branches: walks that branch off each that was pushed over.
    """

    def __init__(self, folder: Path, body: str, reward: str, goal_speed: float, planner: Planner, threads: int, branches: int = 4):
        self.folder, self.body, self.goal_speed, self.planner = folder, body, goal_speed, planner
        self.threads, self.branches = threads, branches
        self.text = reward_texts.find(reward, [tasks.get("walk_flat")])
        self._bodies: dict[str, tuple[Task, Morphology, Reward]] = {}
        self._runners: dict[tuple[str, int], EpisodeRunner] = {}

    def bank(self) -> FallBank:
        """Return the bank of all episodes that are there, in the order of their seeds.

        Raises:
            MovlrError: there are none.
        """
        files = sorted(self.folder.glob("*/states.npz"), key=lambda path: int(path.parent.name.rsplit("-", 1)[1]))
        if not files:
            raise MovlrError(f"{self.folder} holds no states yet: collect some.")
        return FallBank.joined(FallBank.load(path) for path in files)

    def lacking(self, count: int) -> set[str]:
        """Return the halves that do not have so many states of each kind yet."""
        try:
            bank = self.bank()
        except MovlrError:
            return {"test", "train"}
        return {split for split in ("test", "train") if any(len(bank.of(split=split, kind=kind).states) < count for kind in KINDS)}

    def collect(self, count: int, most: int, watch: Callable[[dict[str, Any]], None]) -> None:
        """Run episodes until each half has so many states of each kind.

        Args:
            count: states.
            most: episodes at the most, those that are there included.
            watch: is given the record of each episode that was run.
        """
        for seed in itertools.islice(itertools.count(FIRST_SEED), most):
            if split_of(seed) in (lacking := self.lacking(count)) and not (self._place(seed) / "episode.json").exists():
                self.episode(seed, watch)
            if not lacking:
                return

    def _place(self, seed: int) -> Path:
        how = provocation_of(walk_of(seed))
        return self.folder / f"{how.task}-{how.name}-{seed}"

    def episode(self, seed: int, watch: Callable[[dict[str, Any]], None]) -> None:
        """Run the walk of a seed and those that branch off it, and save them; the walk itself last: its record says that all are there.

        Args:
            seed: of the walk.
            watch: is given the record of each.
        """
        how = provocation_of(seed)
        task, body, reward = self._prepared(how.task)
        pushes = pushes_of(seed, body) if how.pushes else ()
        start, speed = task.start(body, seed), self.goal_speed * how.faster if how.task == "walk_flat" else task.goal_speed
        walk = _Walk(Job(reward, start, task.frame(start, speed, seed), seed, pushes=pushes), SECONDS)
        self._run(walk, how)
        for number, one, push in branches(walk.rollout, walk.snapshots, pushes, self.branches):
            branch = _Walk(replace(Job.of(one, reward, number), pushes=(push,)), _BRANCH_SECONDS)
            self._run(branch, how)
            watch(self._save(branch, how))
        watch(self._save(walk, how))

    def _run(self, walk: _Walk, how: Provocation) -> None:
        task, body, _ = self._prepared(how.task)
        began = time.process_time()
        watch = Watch(lambda _, taken: walk.snapshots.append(taken), _EVERY)
        runner, fallen = self._runner(how, body), task.fallen(body)
        (walk.rollout,) = runner.run_many([walk.job], seconds=walk.seconds, fallen=fallen, ends_as=task.ends_as, watch=watch)
        walk.cpu = round(time.process_time() - began, 1)

    def _save(self, walk: _Walk, how: Provocation) -> dict[str, Any]:
        task, body, _ = self._prepared(how.task)
        rollout, pushes, text = walk.rollout, walk.job.pushes, self.text
        taken = harvested(rollout, walk.snapshots, pushes)
        states = tuple(BankState(snapshot, task.name, kind, how.name, ahead) for kind, snapshot, ahead in taken)
        place, fell = self._place(rollout.seed), rollout.ended == task.ends_as
        rollout.save(place / "rollout.npz")
        if states:
            FallBank(body.name, (text.name, text.sha256), {task.name: dynamics_of(body)}, states).save(place / "states.npz")
        record = {
            "body": body.name,
            "task": task.name,
            "seed": rollout.seed,
            "split": split_of(rollout.seed),
            "provoked": how.name,
            "ended": rollout.ended,
            "fell": fell,
            "fall_time_s": float(rollout.time[-1]) if fell else None,
            "start_time_s": float(rollout.time[0]),
            "goal_speed_mps": rollout.goal_speed,
            "candidates": how.candidates or self.planner.candidates,
            "pushes": [dataclasses.asdict(push) for push in pushes if push.start <= rollout.time[-1]],
            "reward": text.name,
            "reward_sha256": text.sha256,
            "states_s": [[state.kind, state.snapshot.time] for state in states],
            "cpu_s": walk.cpu,
        }
        result: dict[str, Any] = atomic.write_json(place / "episode.json", record)  # last: an episode with it is whole
        return result

    def _prepared(self, name: str) -> tuple[Task, Morphology, Reward]:
        if name not in self._bodies:
            task = tasks.get(name)
            body = task.load(self.body)
            self._bodies[name] = task, body, reward_texts.compiled(self.text, body, task.goal_speed)
        return self._bodies[name]

    def _runner(self, how: Provocation, body: Morphology) -> EpisodeRunner:
        planner = self.planner if how.candidates is None else self.planner.with_candidates(how.candidates)
        key = how.task, planner.candidates
        if key not in self._runners:
            planner = tasks.get(how.task).settled(planner, body)
            self._runners[key] = EpisodeRunner.build(body, planner, "native", threads=self.threads)
        return self._runners[key]
