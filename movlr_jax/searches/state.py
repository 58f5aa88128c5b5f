"""The state of a search, read from its folder: which step comes next.

The folder is the state. Each step makes one product, written atomically, and `next_step` looks for the first product
that is missing; so an undisturbed run, a run after a SIGKILL and a run that is given more iterations all follow one
path and make the same products.

    propose      Write(k, a) -> drafts/AA.json
    prove        Prove(k, a) -> verdict.json, or refusals/AA.json and another Write, up to the limit of attempts
    tune         where weights are tuned, the proof stands in written/, and for each trial n of weights:
                 Try(n, (k, seed), ...) -> tune/NN/rollout*.npz ;  Weigh(n, k) -> tune/NN/trial.json ; then Settle(k) -> verdict.json
    race         where there is one, at each rung r, of those that are left (`racing`):
                 Begin((k, seed), ...) -> rungs/00/part.npz, after.npz at the first, Move at the others ;
                 Gauge(r, k) -> rungs/RR/facts.json, metrics.json ;  Eliminate(r) -> race/RR.json
    move         Move((k, seed), ...) -> rollout*.npz of all candidates that are left ;  Measure(k) -> facts.json, metrics.json
    judge        Choose -> choice.json ;  Film -> clip*.mp4, or no_clip.json ;  Critique -> critique.json, or, where a person is asked,
                 unadvised.json and Advise -> critique.json
    decide       where there is a race, against a best, with no further seed, and then one more each while the two are near (`pairing`):
                 Extend(k, (side, seed), ...) -> extra/rollout*.npz, in the best's folder too ;  Pair(n, k) -> pairs/NN.json
                 Decide -> decision.json
    keep         Keep -> promoted files, iteration.json, best, summary.json ;  Track -> tracked.json
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from movlr_jax.runs.config import RunConfig
from movlr_jax.runs.iteration_record import IterationRecord
from movlr_jax.runs.run_folder import Candidate, Iteration, RunFolder
from movlr_jax.searches import racing
from movlr_jax.searches.racing import Rung


@dataclass(frozen=True)
class Write:
    """Have a candidate's text written."""

    iteration: int
    candidate: int
    attempt: int


@dataclass(frozen=True)
class Prove:
    """Have a text proven."""

    iteration: int
    candidate: int
    attempt: int


@dataclass(frozen=True)
class Try:
    """Run the episodes of a trial of weights that are still missing, of all candidates: (candidate, seed) each."""

    iteration: int
    trial: int
    jobs: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Weigh:
    """Measure a candidate's episodes of a trial of weights."""

    iteration: int
    trial: int
    candidate: int


@dataclass(frozen=True)
class Settle:
    """Have a candidate's text proven under the best weights that were tried."""

    iteration: int
    candidate: int


@dataclass(frozen=True)
class Begin:
    """Run the beginnings of episodes, at the first rung of the race, that are still missing: (candidate, seed) each."""

    iteration: int
    rung: Rung
    jobs: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Gauge:
    """Measure what a candidate did at a rung of the race."""

    iteration: int
    rung: Rung
    candidate: int


@dataclass(frozen=True)
class Eliminate:
    """Say who is eliminated at a rung of the race."""

    iteration: int
    rung: Rung


@dataclass(frozen=True)
class Move:
    """Run the episodes of an iteration's proven candidates that are still missing: (candidate, seed) each."""

    iteration: int
    jobs: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Measure:
    """Measure a candidate's episodes."""

    iteration: int
    candidate: int


@dataclass(frozen=True)
class Choose:
    """Choose among the candidates."""

    iteration: int


@dataclass(frozen=True)
class Film:
    """Film the chosen candidate's episodes that critics are shown, those of them that are not filmed yet."""

    iteration: int
    candidate: int


@dataclass(frozen=True)
class Critique:
    """Have the chosen candidate's motion criticised."""

    iteration: int
    candidate: int


@dataclass(frozen=True)
class Advise:
    """Take a person's advice on the chosen candidate's motion."""

    iteration: int
    candidate: int


@dataclass(frozen=True)
class Extend:
    """Run the episodes of a further seed that are still missing: (whether of the best, seed) each."""

    iteration: int
    candidate: int
    jobs: tuple[tuple[bool, int], ...]


@dataclass(frozen=True)
class Pair:
    """Set the chosen candidate and the best beside each other seed by seed, so many further seeds among them."""

    iteration: int
    candidate: int
    extra: int


@dataclass(frozen=True)
class Decide:
    """Compare the chosen candidate with the best so far."""

    iteration: int
    candidate: int


@dataclass(frozen=True)
class Keep:
    """Close the iteration: promote, record, move the link `best`."""

    iteration: int


@dataclass(frozen=True)
class Track:
    """Hand a closed iteration to the trackers."""

    iteration: int


@dataclass(frozen=True)
class Finished:
    """Nothing is left to do.

    Attributes:
        reason: "iterations" (all were run), "patience" (no new best for as many as it allows), "exhausted" (the
            writer had no draft left to offer) or "budget" (as much was simulated as it allows).
    """

    reason: str


_Raced = Begin | Gauge | Eliminate | Extend | Pair
_Unraced = Write | Prove | Try | Weigh | Settle | Move | Measure | Choose | Film | Critique | Advise | Decide | Keep | Track
Step = _Raced | _Unraced | Finished

# Which stage of `seconds` in summary.json a step's wall time belongs to.
STAGES: dict[type, str] = {
    Write: "write",
    Prove: "prove",
    Try: "tune",
    Weigh: "tune",
    Settle: "prove",
    Begin: "move",
    Gauge: "judge",
    Eliminate: "judge",
    Move: "move",
    Measure: "judge",
    Choose: "judge",
    Film: "film",
    Critique: "judge",
    Advise: "judge",
    Extend: "move",
    Pair: "judge",
    Decide: "judge",
    Keep: "save",
    Track: "save",
}
STAGE_NAMES: tuple[str, ...] = ("write", "prove", "tune", "move", "film", "judge", "save")


def simulated(rows: Sequence[IterationRecord]) -> float:
    """Return how much motion the iterations have executed [s]; those of an older version, which did not count, as none."""
    return float(sum(row.simulated_s for row in rows))


def since_best(rows: Sequence[IterationRecord]) -> int:
    """Return how many iterations have ended since the last one that was kept."""
    count = 0
    for row in reversed(rows):
        if row.kept:
            break
        count += 1
    return count


def next_step(folder: RunFolder, config: RunConfig, length: float = math.inf, width: int = 1) -> Step:
    """Return the first step whose product is missing.

    Args:
        folder: the run's folder.
        config: the run's configuration; `iterations` counts those after the start reward's, which is number 0.
        length: of an episode (s): a race begins with a part of it alone where the part is shorter.
        width: how many episodes run side by side: there is no race where these are all of an iteration.
    """
    rows = folder.rows()
    for row in rows:
        if not folder.iteration(row.iteration).has("tracked.json"):
            return Track(row.iteration)
    number = len(rows)
    # An iteration that was begun is always completed first: `--patience` and `--iterations` act between iterations.
    begun = folder.iteration(number).path.exists()
    if not begun and number > config.iterations:
        return Finished("iterations")
    if not begun and config.patience and number and since_best(rows) >= config.patience:
        return Finished("patience")
    if not begun and rows and rows[-1].exhausted:
        return Finished("exhausted")
    if not begun and config.max_simulated and simulated(rows) >= config.max_simulated:
        return Finished("budget")
    return _in_iteration(folder, number, config, racing.rungs(config, number, length, width))


def _in_iteration(folder: RunFolder, number: int, config: RunConfig, rungs: list[Rung]) -> Step:
    iteration = folder.iteration(number)
    if iteration.has("decision.json"):
        return Keep(number)
    if not iteration.has("choice.json"):
        candidates = [iteration.candidate(index) for index in range(config.candidates if number else 1)]
        for candidate in candidates:
            step = _proposing(candidate, number, config)
            if step is not None:
                return step
        if config.tune.applies(number):
            step = _tuning([candidate for candidate in candidates if candidate.written.proven], number, config)
            if step is not None:
                return step
        proven = [candidate for candidate in candidates if candidate.proven]
        step = _racing(iteration, proven, rungs)
        if step is not None:
            return step
        out = iteration.eliminated()
        left = [candidate for candidate in proven if candidate.index not in out]
        missing = _unmoved(left, config.seeds)
        if missing:
            return Move(number, missing)
        unmeasured = next((c.index for c in left if not c.has("metrics.json")), None)
        return Choose(number) if unmeasured is None else Measure(number, unmeasured)
    chosen = iteration.choice()["candidate"]
    if chosen is None:
        return Keep(number)
    candidate = iteration.candidate(chosen)
    if candidate.unfilmed():
        return Film(number, chosen)
    if not candidate.has("critique.json"):
        return Advise(number, chosen) if candidate.has("unadvised.json") else Critique(number, chosen)
    return _pairing(folder, iteration, candidate, config) or Decide(number, chosen)


def _unmoved(candidates: list[Candidate], seeds: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    """Return the whole episodes that are missing, (candidate, seed) each."""
    return tuple((c.index, seed) for c in candidates for seed in seeds if not c.rollout(seed).exists())


def _racing(iteration: Iteration, proven: list[Candidate], rungs: list[Rung]) -> Step | None:
    """Return the next step of the race, or None when it is over."""
    number = iteration.number
    for rung in rungs if proven else ():
        if iteration.race(rung.number).exists():
            continue
        out = iteration.eliminated()
        left = [c for c in proven if c.index not in out]
        if not left:
            return None
        going = [c for c in left if not c.rung(rung.number).has("metrics.json")]
        if rung.part is not None:
            # What a kill left without its continuation is begun anew; that is written first.
            jobs = tuple((c.index, rung.seeds[0]) for c in going if not c.part.exists())
            if jobs:
                return Begin(number, rung, jobs)
        elif missing := _unmoved(going, rung.seeds):
            return Move(number, missing)
        if going:
            return Gauge(number, rung, going[0].index)
        return Eliminate(number, rung)
    return None


def _pairing(folder: RunFolder, iteration: Iteration, candidate: Candidate, config: RunConfig) -> Step | None:
    """Return the next step towards a decision on enough seeds, or None when they are enough."""
    best = folder.best()
    if not config.race.on or best is None:
        return None
    taken = iteration.pairings()
    if taken and not (taken[-1]["near"] and len(taken) <= config.race.extra_seeds):
        return None
    sides = {False: candidate, True: folder.chosen(best)}
    seeds = racing.extra_seeds(config)[: len(taken)]
    jobs = tuple((of_best, seed) for seed in seeds for of_best, side in sides.items() if not side.extra(seed).exists())
    return Extend(iteration.number, candidate.index, jobs) if jobs else Pair(iteration.number, candidate.index, len(taken))


def _proposing(candidate: Candidate, number: int, config: RunConfig) -> Step | None:
    """Return the next step towards a candidate's proven text, or None when it is proven or given up."""
    if (candidate.written if config.tune.applies(number) else candidate).proven:
        return None
    for attempt in range(config.attempts if number else 1):
        if not candidate.draft(attempt).exists():
            return Write(number, candidate.index, attempt)
        if not candidate.refusal(attempt).exists():
            return Prove(number, candidate.index, attempt)
    return None


def _tuning(candidates: list[Candidate], number: int, config: RunConfig) -> Step | None:
    """Return the next step towards tuned weights of texts that were proven as written, or None when all are settled.

    All candidates make their n-th trial before one makes the next: an engine that runs episodes side by side is kept full.
    """
    for trial in range(config.tune.trials):
        left = [c for c in candidates if not c.trial(trial).has("trial.json")]
        jobs = tuple((c.index, seed) for c in left for seed in config.seeds if not c.trial(trial).rollout(seed).exists())
        if jobs:
            return Try(number, trial, jobs)
        if left:
            return Weigh(number, trial, left[0].index)
    unsettled = next((c.index for c in candidates if not c.proven), None)
    return None if unsettled is None else Settle(number, unsettled)
