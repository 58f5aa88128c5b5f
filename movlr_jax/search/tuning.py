"""Tuning: a reward's weights by black-box optimisation (Optuna), its terms left as they are.

In: a reward's text, a place (task, body), and an evaluation that measures. Out: the weights that did best, every trial, and how start and
best do on seeds that none of them saw. A trial multiplies every weight by a factor between 1/span and span, drawn on a logarithmic scale;
trial 0 is the reward as it is. Weights are an input of the artifact: nothing is compiled for a trial.

The study stands in an Optuna journal in the folder. Trials are asked for in batches, and a batch is told only when all of it is measured;
the sampler is seeded anew for each trial from the tuner's seed and the trial's number. So a tune that was killed goes on with the very
trials that it would have made, and what was measured of them is found in the store of episodes.

Gates are constraints: a trial with fewer falls is better than any with more, whatever its metric. TPE and GP are told so by Optuna's own
constraints; CMA-ES and random search, which know none, see the value of an unfit trial below every fit one's, in the order of its faults.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from movlr_jax import atomic
from movlr_jax.errors import MovlrError, did_you_mean
from movlr_jax.processes import alone
from movlr_jax.search.ablation import FALLS, Place, difference, values, weights_of, work
from movlr_jax.search.evaluation import Evaluation, Row, Work, metric_names
from movlr_jax.search.reward_texts import RewardText
from movlr_jax.search.seeds import derive
from movlr_jax.tasks.metrics import direction
from movlr_jax.writers import edits

SAMPLERS = ("cmaes", "tpe", "gp", "random")
JOURNAL = "study.journal"
_UNFIT = 1e6  # below any metric


@dataclass(frozen=True)
class TuneConfig:
    """How weights are tuned."""

    objective: str = ""
    """What is made better: a metric of `movlr rollout TASK --json` (distance_m, ...), score (the offline critic's), or clip_score; the
    task's own metric if left out."""
    sampler: str = "cmaes"
    """Who draws the weights: cmaes, tpe, gp (Bayesian; needs torch) or random."""
    trials: int = 40
    """Weights to try, the reward's own included."""
    span: float = 10.0
    """Every weight stays between its own divided and multiplied by this."""
    parallel: int = 1
    """Trials of one batch: they are drawn before any of them is measured, and measured at the same time, on the native engine by as many
    processes, elsewhere side by side."""
    seed: int = 0
    """Seed of what the sampler draws."""
    held_out: tuple[int, ...] = (1001, 1002, 1003)
    """Seeds on which the start and the best are compared at the end; none of the trials sees them."""
    max_minutes: float = 0.0
    """Stop after this many minutes, with everything saved; 0: no limit."""

    def __post_init__(self) -> None:
        """Refuse values that cannot be."""
        rules = (
            (
                self.sampler in SAMPLERS,
                f"There is no sampler '{self.sampler}': {did_you_mean(self.sampler, SAMPLERS)}use {', '.join(SAMPLERS)}.",
            ),
            (self.trials >= 1, f"trials is {self.trials}: give 1 or more."),
            (1.0 < self.span <= 1e4, f"span is {self.span:g}: give more than 1 and at most 10000."),
            (self.parallel >= 1, f"parallel is {self.parallel}: give 1 or more."),
            (self.seed >= 0, f"seed is {self.seed}: give 0 or more."),
            (self.max_minutes >= 0, f"max_minutes is {self.max_minutes:g}: give 0 (no limit) or more."),
            (len(set(self.held_out)) == len(self.held_out), "held_out has repeats: give each seed once."),
            (all(s >= 0 for s in self.held_out), "held_out has a negative number: give 0 or more."),
        )
        for fine, sentence in rules:
            if not fine:
                raise MovlrError(sentence)


@dataclass(frozen=True)
class Trial:
    """One set of weights, measured.

    Attributes:
        number: 0 is the reward as it is.
        weights: of every term.
        value: mean of the objective over the seeds; None where no episode has it.
        unfit: how far each gate is from being passed; 0 is passed.
        falls: episodes that fell; episodes: of how many.
    """

    number: int
    weights: dict[str, float]
    value: float | None
    unfit: dict[str, float]
    falls: int
    episodes: int

    @property
    def fit(self) -> bool:
        """Whether it passes all gates."""
        return self.value is not None and not any(self.unfit.values())


@dataclass(frozen=True, eq=False)
class Tuned:
    """What came of it.

    Attributes:
        start: the reward.
        text: the same text with the best weights.
        objective: the metric.
        trials: in order; the first is the start.
        best: the best of them.
        importance: term -> share of what its weight decides; empty for too few trials.
        held_out: rows of the start and of the best on seeds that no trial saw; empty where none were asked for.
        stopped: "trials" or "budget".
    """

    start: RewardText
    text: RewardText
    objective: str
    trials: tuple[Trial, ...]
    best: Trial
    importance: Mapping[str, float]
    held_out: tuple[Row, ...]
    stopped: str

    def document(self) -> dict[str, Any]:
        """Return it for JSON."""
        held: dict[str, Any] = {}
        if self.held_out:
            before, after = self.held_out
            metrics = (self.objective, FALLS)
            held = {
                "start": before.document(),
                "best": after.document(),
                "difference": {m: vars(difference(before, after, m)) for m in metrics},
            }
        return {
            "reward": self.start.name,
            "from": self.start.origin,
            "sha256": self.start.sha256,
            "objective": self.objective,
            "better": "higher" if direction(self.objective) > 0 else "lower",
            "stopped": self.stopped,
            "best": self.best.number,
            "weights": self.best.weights,
            "tuned_sha256": self.text.sha256,
            "importance": dict(self.importance),
            "held_out": held,
            "trials": [{**vars(t), "fit": t.fit} for t in self.trials],
        }


def better(trial: Trial, sign: int) -> tuple[float, float]:
    """Return what trials are compared by: gates first, then the objective."""
    return (-sum(trial.unfit.values()), -math.inf if trial.value is None else sign * trial.value)


class Tuner:
    """Tunes one reward in one folder.

    Args:
        config: how.
        text: the reward.
        place: task and body.
        evaluation: what measures.
        folder: where the study stands.
        asked: what else decides the trials (seeds, length, engine, planner); a folder of other trials is refused.
        helping: is given each batch's works before they are measured, so that other processes can share them.
        tell: is told each finished trial.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        config: TuneConfig,
        text: RewardText,
        place: Place,
        evaluation: Evaluation,
        folder: Path,
        asked: Mapping[str, Any] | None = None,
        helping: Callable[[Sequence[Work]], contextlib.AbstractContextManager[None]] | None = None,
        tell: Callable[[Trial, Trial], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.config, self.text, self.place, self.evaluation, self.folder = config, text, place, evaluation, folder
        self.objective = config.objective or place[0].metric
        self._sign = direction(self.objective)
        self._helping, self._tell, self._clock = helping or (lambda works: contextlib.nullcontext()), tell, clock
        self._own = weights_of(text)
        self._terms = [term for term, weight in self._own.items() if weight != 0.0]
        if not self._terms:
            raise MovlrError(f"The reward {text.name} has no weight to tune: every one of them is 0.")
        decided = {k: v for k, v in dataclasses.asdict(config).items() if k not in ("trials", "held_out", "max_minutes", "objective")}
        self._asked = {"reward": text.sha256, "task": place[0].name, "morphology": place[1], "objective": self.objective}
        self._asked = json.loads(json.dumps(atomic.plain({**self._asked, **decided, **(asked or {})})))  # as the journal gives it back
        if config.sampler == "gp":
            _need("torch", "The sampler gp needs torch: pip install torch, or use --sampler tpe.")

    def run(self) -> Tuned:
        """Go on until all trials are made or the time is spent, then measure the held-out seeds.

        Raises:
            MovlrError: the folder holds another study or is in use, or no episode has the objective.
        """
        began, stopped = self._clock(), "trials"
        with _alone(self.folder):
            study = self._study()
            while True:
                batch = self._batch(study)
                if not batch:
                    break
                if self.config.max_minutes and self._clock() - began > 60.0 * self.config.max_minutes:
                    stopped = "budget"
                    break
                self._measure(study, batch)
            trials = self._trials(study)
            best = max(trials, key=lambda t: better(t, self._sign))  # the first of equals: the start stays where nothing is better
            importance = _importance(study, trials)
        changes = [
            edits.Change("reweigh", term, weight) for term, weight in best.weights.items() if best.number and weight != self._own[term]
        ]
        text = RewardText(f"{self.text.name} tuned", edits.apply(self.text.source, changes), origin=self.text.origin)
        held: tuple[Row, ...] = ()
        if self.config.held_out:
            works = [work(self.text, self.place, self.text.name), work(self.text, self.place, text.name, best.weights)]
            held = tuple(self.evaluation.run(works, self.config.held_out))
        return Tuned(self.text, text, self.objective, tuple(trials), best, importance, held, stopped)

    # the study

    def _study(self) -> Any:
        optuna = _optuna()
        backend = optuna.storages.journal.JournalFileBackend(str(self.folder / JOURNAL))
        storage = optuna.storages.JournalStorage(backend)
        study = optuna.create_study(storage=storage, study_name="tune", direction="maximize", load_if_exists=True)
        before = study.user_attrs.get("asked")
        if before is None:
            study.set_user_attr("asked", self._asked)
        elif before != self._asked:
            other = next(k for k in sorted({*before, *self._asked}) if before.get(k) != self._asked.get(k))
            raise MovlrError(
                f"{self.folder} holds a tune with another {other} ({before.get(other)}, not {self._asked.get(other)}): "
                "choose another --out, or ask for the same."
            )
        return study

    def _batch(self, study: Any) -> list[tuple[Any, dict[str, float]]]:
        """Return the trials of the batch that is next: those that a killed process left, and new ones; none where all are made."""
        optuna = _optuna()
        states = optuna.trial.TrialState
        known = study.get_trials(deepcopy=False)
        begun = [t for t in known if t.state == states.RUNNING]
        done = sum(t.state.is_finished() for t in known)
        width = self.config.parallel
        # A batch of which one is told has been asked for in full; one that none is told of may have been cut short.
        first = done // width * width
        upto = min(first + width, self.config.trials)
        batch = []
        for frozen in begun:
            study.sampler = self._sampler(frozen.number)
            batch.append(optuna.trial.Trial(study, frozen._trial_id))
        if not known:
            study.enqueue_trial({term: abs(self._own[term]) for term in self._terms})
        for number in range(done + len(begun), upto):
            study.sampler = self._sampler(number)
            batch.append(study.ask())
            self._suggest(batch[-1])
        return [(trial, self._suggest(trial)) for trial in batch]

    def _suggest(self, trial: Any) -> dict[str, float]:
        """Return a trial's weights, to four digits, as they will stand in the text; those of weight 0 stay so."""
        weights = dict(self._own)
        for term in self._terms:
            size, span = abs(self._own[term]), self.config.span
            drawn = trial.suggest_float(term, size / span, min(size * span, 1e6), log=True)
            weights[term] = self._own[term] if trial.number == 0 else math.copysign(float(f"{drawn:.4g}"), self._own[term])
        return weights

    def _sampler(self, number: int) -> Any:
        samplers = _optuna().samplers
        seed = derive(self.config.seed, "tune", number) % 2**31
        if self.config.sampler == "cmaes":
            _need("cmaes", "The sampler cmaes needs the package cmaes: pip install 'movlr-jax[tune]', or use --sampler tpe.")
            return samplers.CmaEsSampler(seed=seed, warn_independent_sampling=False)
        if self.config.sampler == "tpe":
            return samplers.TPESampler(seed=seed, multivariate=True)
        if self.config.sampler == "gp":
            return samplers.GPSampler(seed=seed, deterministic_objective=True)
        return samplers.RandomSampler(seed=seed)

    def _measure(self, study: Any, batch: Sequence[tuple[Any, dict[str, float]]]) -> None:
        optuna = _optuna()
        works = [work(self.text, self.place, f"{self.text.name}, trial {t.number}", weights) for t, weights in batch]
        with self._helping(works):
            rows = self.evaluation.run(works)
        if not rows[0].episodes:
            raise MovlrError(f"The reward {self.text.name} cannot be measured. {rows[0].refused}")
        known = metric_names(rows)
        if self.objective not in known:
            hint = did_you_mean(self.objective, [*known, "score", "clip_score"])
            raise MovlrError(f"No episode has the metric '{self.objective}': {hint}they have {', '.join(known)}, score and clip_score.")
        for (trial, weights), row in zip(batch, rows, strict=True):
            found = self._judged(trial.number, weights, row)
            trial.set_user_attr("trial", dataclasses.asdict(found))
            constrained = self.config.sampler in ("tpe", "gp")
            for gate, amount in found.unfit.items() if constrained else ():
                if gate not in trial.constraints:
                    trial.set_constraint(gate, amount)
            if found.value is None:
                study.tell(trial, state=optuna.trial.TrialState.FAIL)
            else:
                unfit = 0.0 if constrained else sum(found.unfit.values())
                study.tell(trial, self._sign * found.value if not unfit else -_UNFIT * (1.0 + unfit))
            if self._tell is not None:
                trials = self._trials(study)
                self._tell(found, max(trials, key=lambda t: better(t, self._sign)))

    def _judged(self, number: int, weights: dict[str, float], row: Row) -> Trial:
        """Return a trial from its row; gates are the task's, as amounts."""
        seen = values(row, self.objective)
        count, fell = len(row.episodes), values(row, FALLS)
        mean = row.document()["mean"]
        task = dataclasses.replace(row.work.task, goal_speed=row.goal_speed, seconds=row.seconds)
        amounts = {"upright": sum(fell.values()) / count, "sound": float(mean["diverged"])}
        unfit = {gate: 0.0 if passed else amounts.get(gate, 1.0) for gate, passed in task.gates(mean).items()}
        value = sum(seen.values()) / len(seen) if seen else None
        return Trial(number, weights, value, unfit, round(sum(fell.values())), count)

    def _trials(self, study: Any) -> list[Trial]:
        kept = [t.user_attrs["trial"] for t in study.get_trials(deepcopy=False) if t.state.is_finished()]
        if not kept:
            raise MovlrError("The time was spent before a single trial was over: give more --max-minutes.")
        return [Trial(**record) for record in kept]


def _importance(study: Any, trials: Sequence[Trial]) -> dict[str, float]:
    """Return PED-ANOVA's importance of each weight; nothing for fewer than ten trials, of which its best tenth would be one."""
    optuna = _optuna()
    if sum(t.value is not None for t in trials) < 10:
        return {}
    evaluator = optuna.importance.PedAnovaImportanceEvaluator()
    return {term: float(v) for term, v in optuna.importance.get_param_importances(study, evaluator=evaluator).items()}


def _need(package: str, sentence: str) -> None:
    import importlib.util

    if importlib.util.find_spec(package) is None:
        raise MovlrError(sentence)


def _optuna() -> Any:
    """Return Optuna, quiet.

    Raises:
        MovlrError: it is not installed.
    """
    _need("optuna", "Tuning needs Optuna: pip install 'movlr-jax[tune]'.")
    import warnings

    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.filterwarnings("ignore", module="optuna")
    return optuna


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold a folder's study: two processes that asked it at once would each see half of the other's trials."""
    folder.mkdir(parents=True, exist_ok=True)
    with alone(folder / f".{JOURNAL}.lock", f"Another process tunes in {folder}: wait for it, or choose another --out."):
        yield
