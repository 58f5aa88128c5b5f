"""The state of a search, read from its folder: which step comes next.

The folder is the state. Each step makes one product, written atomically, and `next_step` looks for the first product
that is missing; so an undisturbed run, a run after a SIGKILL and a run that is given more iterations all follow one
path and make the same products.

    propose      Write(k, a) -> drafts/AA.json
    prove        Prove(k, a) -> verdict.json, or refusals/AA.json and another Write, up to the limit of attempts
    tune         where weights are tuned, the proof stands in written/, and for each trial n of weights:
                 Try(n, (k, seed), ...) -> tune/NN/rollout*.npz ;  Weigh(n, k) -> tune/NN/trial.json ; then Settle(k) -> verdict.json
    move         Move((k, seed), ...) -> rollout*.npz of all candidates ;  Measure(k) -> facts.json, metrics.json
    judge        Choose -> choice.json ;  Film -> clip*.mp4, or no_clip.json ;  Critique -> critique.json, or, where a person is asked,
                 unadvised.json and Advise -> critique.json ;  Decide -> decision.json
    keep         Keep -> promoted files, iteration.json, best, summary.json ;  Track -> tracked.json
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from movlr_jax.runs.config import RunConfig
from movlr_jax.runs.iteration_record import IterationRecord
from movlr_jax.runs.run_folder import Candidate, Iteration, RunFolder


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


Step = Write | Prove | Try | Weigh | Settle | Move | Measure | Choose | Film | Critique | Advise | Decide | Keep | Track | Finished

# Which stage of `seconds` in summary.json a step's wall time belongs to.
STAGES: dict[type, str] = {
    Write: "write",
    Prove: "prove",
    Try: "tune",
    Weigh: "tune",
    Settle: "prove",
    Move: "move",
    Measure: "judge",
    Choose: "judge",
    Film: "film",
    Critique: "judge",
    Advise: "judge",
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


def next_step(folder: RunFolder, config: RunConfig) -> Step:
    """Return the first step whose product is missing.

    Args:
        folder: the run's folder.
        config: the run's configuration; `iterations` counts those after the start reward's, which is number 0.
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
    return _in_iteration(folder.iteration(number), config)


def _in_iteration(iteration: Iteration, config: RunConfig) -> Step:
    number = iteration.number
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
        missing = [(c.index, seed) for c in proven for seed in config.seeds if not c.rollout(seed).exists()]
        if missing:
            return Move(number, tuple(missing))
        unmeasured = next((c.index for c in proven if not c.has("metrics.json")), None)
        return Choose(number) if unmeasured is None else Measure(number, unmeasured)
    chosen = iteration.choice()["candidate"]
    if chosen is None:
        return Keep(number)
    candidate = iteration.candidate(chosen)
    if candidate.unfilmed():
        return Film(number, chosen)
    if not candidate.has("critique.json"):
        return Advise(number, chosen) if candidate.has("unadvised.json") else Critique(number, chosen)
    return Decide(number, chosen)


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
