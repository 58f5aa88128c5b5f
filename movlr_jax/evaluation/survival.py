"""How many falls a planner prevents: the share of a fall bank's states from which it keeps the body up for a second and a half.

In: a bank, a planner, seeds of noise. Out: trials, each saved as it comes, and what they say: shares with Wilson's intervals (J. Am. Stat.
Assoc. 22, 1927), and two planners on the same states under the same seeds by McNemar's exact test (Psychometrika 12, 1947).
"""

from __future__ import annotations

import contextlib
import fcntl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from scipy import stats

from movlr_jax import atomic, tasks
from movlr_jax._versions import installed
from movlr_jax.control import laws
from movlr_jax.control.episode import EpisodeRunner, Job
from movlr_jax.control.planners import Planner
from movlr_jax.errors import BadFile, MovlrError
from movlr_jax.evaluation import agreement, reward_texts
from movlr_jax.evaluation.fall_bank import BankState, FallBank
from movlr_jax.morphologies import Morphology

SECONDS = 1.5


@dataclass(frozen=True)
class Trial:
    """One continuation of a state.

    Attributes:
        state: the state's key.
        kind: "fall" or "harmless".
        seed: of the noise.
        survived: whether the body was up at the end.
        lasted: until the fall, or the end (s).
        simulated: steps of candidates in a plan, on average: the budget at which planners are compared.
        cpu: seconds of processor time.
    """

    state: str
    kind: str
    seed: int
    survived: bool
    lasted: float
    simulated: float
    cpu: float


@dataclass(frozen=True)
class Share:
    """How many of how many survived, and Wilson's interval of 95 % of that share; of none, everything is possible."""

    survived: int
    count: int

    @property
    def interval(self) -> tuple[float, float]:
        """The interval."""
        return agreement.wilson(self.survived, self.count)


@dataclass(frozen=True)
class Comparison:
    """Two planners on the same states under the same seeds.

    Attributes:
        both, first, second, neither: how many states survived under both, under one of them alone, and under neither.
    """

    both: int
    first: int
    second: int
    neither: int

    @property
    def p(self) -> float:
        """McNemar's exact two-sided probability of a difference so great between planners that are equal."""
        return float(stats.binomtest(self.first, self.first + self.second).pvalue) if self.first + self.second else 1.0


def share(trials: Iterable[Trial], kind: str | None = None) -> Share:
    """Return how many trials survived, of one kind or of all."""
    those = [t.survived for t in trials if kind in (None, t.kind)]
    return Share(sum(those), len(those))


def compare(first: Iterable[Trial], second: Iterable[Trial], kind: str | None = None) -> Comparison:
    """Return how two planners did where both were tried."""
    ours, others = ({(t.state, t.seed): t.survived for t in trials if kind in (None, t.kind)} for trials in (first, second))
    pairs = [(ours[key], others[key]) for key in ours.keys() & others.keys()]
    return Comparison(*(pairs.count(pair) for pair in ((True, True), (True, False), (False, True), (False, False))))


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What is measured.

    Attributes:
        bank: the states.
        label: what the planner is called among the results.
        planner: it.
        reward: a reward's name, or a file.
        seeds: of the noise, a trial of every state each.
        seconds: length of a trial (s).
        engine, threads: as EpisodeSettings.
    """

    bank: FallBank
    label: str
    planner: Planner
    reward: str = "stride"
    seeds: Sequence[int] = (1,)
    seconds: float = SECONDS
    engine: str = "native"
    threads: int = 0

    @property
    def text(self) -> reward_texts.RewardText:
        """The reward's text."""
        return reward_texts.find(self.reward, [tasks.get("walk_flat")])

    def decided_by(self, morphology: Morphology, planner: Planner) -> dict[str, Any]:
        """Return all that decides the trials of one label, but for the states; of a planner that the task has settled."""
        law, gain = laws.resolve(planner.law, morphology, planner.gain)
        settled = replace(planner, law=law, gain=gain, noise=planner.around(morphology.posture))
        packages = ("movlr-jax", "mujoco", "jax", "numpy")
        text = self.text
        of: dict[str, Any] = {"body": morphology.name, "algorithm": planner.name, "planner": settled.identity(), "reward": text.name}
        of |= {"reward_sha256": text.sha256, "seconds": self.seconds, "engine": self.engine}
        return of | {"versions": {name: installed(name) for name in packages}}


def measure(what: Measured, body: str, results: TrialFile, watch: Callable[[Trial], None] | None = None) -> list[Trial]:
    """Try a planner from every state of a bank; what the results hold already is not run again.

    Args:
        what: planner and states.
        body: name or YAML file of the body.
        results: where trials are looked up and saved.
        watch: is given each trial that was run.

    Returns:
        The trials of these states and seeds.

    Raises:
        MovlrError: the body is not the bank's, the label stands for something else, or a setting is refused.
    """
    wanted = {(state.key, seed) for state in what.bank.states for seed in what.seeds}
    if not wanted:
        raise MovlrError("There is nothing to measure: this bank has no states of that half.")
    for name in sorted({state.task for state in what.bank.states}):
        task = tasks.get(name)
        morphology = task.load(body)
        what.bank.require(morphology, name)
        planner = task.settled(what.planner, morphology)
        settings = what.decided_by(morphology, planner)
        there = {(trial.state, trial.seed) for trial in results.trials(morphology.name, what.label, settings)}
        states = [state for state in what.bank.states if state.task == name]
        todo = [(state, seed) for seed in what.seeds for state in states if (state.key, seed) not in there]
        if not todo:
            continue
        reward = reward_texts.compiled(what.text, morphology, task.goal_speed)
        runner = EpisodeRunner.build(morphology, planner, what.engine, threads=what.threads, episodes=len(todo))
        width = runner.simulator.episodes
        for first in range(0, len(todo), width):
            batch, began = todo[first : first + width], time.process_time()
            jobs = [Job.of(state.snapshot, reward, seed) for state, seed in batch]
            rollouts = runner.run_many(jobs, seconds=what.seconds, fallen=task.fallen(morphology), ends_as=task.ends_as)
            cpu = round((time.process_time() - began) / len(batch), 2)
            for (state, seed), rollout in zip(batch, rollouts, strict=True):
                steps = 0.0 if rollout.simulated is None else round(float(rollout.simulated.mean()), 1)
                lasted = round(len(rollout.time) * rollout.dt, 4)
                trial = Trial(state.key, state.kind, seed, rollout.ended == "time", lasted, steps, cpu)
                results.add(morphology.name, what.label, settings, trial)
                if watch is not None:
                    watch(trial)
    done = results.trials(what.bank.body, what.label)
    return [trial for trial in done if (trial.state, trial.seed) in wanted]


class TrialFile:
    """Trials of any number of planners on any number of bodies, in one JSON file that several processes may add to.

    Args:
        path: the file; it need not exist.
    """

    def __init__(self, path: Path):
        self.path = path

    def _read(self) -> dict[str, Any]:
        try:
            content = atomic.read_json(self.path)
            for entry in content.values():
                [Trial(**row) for row in _rows(entry)]
            return dict(content)
        except FileNotFoundError:
            return {}
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise BadFile(f"{self.path} holds no trials ({type(error).__name__}): move it away, or choose another --results.") from None

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with (self.path.parent / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def labels(self) -> list[tuple[str, str]]:
        """Return (body, label) of all that was measured."""
        return [(entry["decided_by"]["body"], entry["label"]) for entry in self._read().values()]

    def trials(self, body: str, label: str, settings: Mapping[str, Any] | None = None) -> list[Trial]:
        """Return the trials of a label on a body.

        Args:
            body, label: which.
            settings: what the label has to stand for (`Measured.decided_by`).

        Raises:
            MovlrError: it stands for something else.
        """
        entry = self._read().get(_name(body, label))
        if entry is None:
            return []
        if settings is not None and entry["decided_by"] != (plain := atomic.plain(settings)):
            differ = sorted(k for k in {*plain, *entry["decided_by"]} if plain.get(k) != entry["decided_by"].get(k))
            raise MovlrError(
                f"In {self.path}, {label} on {body} was measured with other settings ({', '.join(differ)}): choose another --label, or "
                "another file."
            )
        return [Trial(**row) for row in _rows(entry)]

    def add(self, body: str, label: str, settings: Mapping[str, Any], trial: Trial) -> None:
        """Save a trial."""
        with self._locked():
            content = self._read()
            fresh = {"label": label, "decided_by": atomic.plain(settings), "trials": {}}
            entry = content.setdefault(_name(body, label), fresh)
            row: dict[str, Any] = {"kind": trial.kind, "survived": trial.survived, "lasted": trial.lasted}
            row |= {"simulated": trial.simulated, "cpu": trial.cpu}
            entry["trials"].setdefault(trial.state, {})[str(trial.seed)] = row
            atomic.write_json(self.path, content)


def _rows(entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"state": state, "seed": int(seed), **row} for state, seeds in entry["trials"].items() for seed, row in seeds.items()]


def _name(body: str, label: str) -> str:
    return f"{body} {label}"


def natural(states: Iterable[BankState]) -> int:
    """Return how many of the falls among states nobody provoked."""
    return sum(state.kind == "fall" and state.provoked == "natural" for state in states)
