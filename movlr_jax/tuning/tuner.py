"""Tuning: a reward's weights and parameters by black-box optimisation (Optuna), its terms left as they are.

In: a reward's text, a place (task, body), and an evaluation that measures. Out: the set that did best (of the finalists on further
seeds, if that is asked for), every trial, and how start and best do on seeds that none of them saw. Weights and parameters are drawn as
`weight_study` says; trial 0 is the reward as it is. They are inputs of the artifact: nothing is compiled for a trial.

The study stands in an Optuna journal in the folder. Trials are drawn in batches, and the study gets a batch's values when all of it is
measured; the seed of a draw is derived from the tuner's seed and the trial's number. So a tune that was killed goes on with the very trials
that it would have made, and what was measured of them stands in the store of episodes.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from movlr_jax import atomic
from movlr_jax.control.episode_config import Migrated
from movlr_jax.control.planners import Planner
from movlr_jax.errors import MovlrError, did_you_mean
from movlr_jax.evaluation import study_limits
from movlr_jax.evaluation.evaluation import Evaluation
from movlr_jax.evaluation.reward_texts import RewardText
from movlr_jax.evaluation.work_items import Row, Work, metric_names
from movlr_jax.llm.base import ModelFault
from movlr_jax.processes import alone
from movlr_jax.runs.tune_config import TuneConfig
from movlr_jax.seeds import derive
from movlr_jax.tasks.metric_registry import metric as named
from movlr_jax.tuning import optuna_study, weight_study
from movlr_jax.tuning.ablation import Place, parameters_of, weights_of, work
from movlr_jax.tuning.difference import FALLS, difference, values
from movlr_jax.tuning.optuna_study import optuna
from movlr_jax.tuning.preference_objective import PreferenceObjective
from movlr_jax.tuning.weight_study import Drawn, WeightStudy, WeightTrial, better
from movlr_jax.writers import edits

JOURNAL = "study.journal"
_SETTINGS = "asked"  # the key under which a study keeps what decides its trials
_LATER = ("trials", "held_out", "confirm", "finalists", "max_minutes", "objective", "parameters")  # what decides no trial by itself


@dataclass(frozen=True, eq=False)
class Tuned:
    """What came of it.

    Attributes:
        start: the reward.
        text: the same text with the best weights.
        objective: the metric.
        trials: in order; the first is the start.
        best: the best of them, or of the confirmed.
        confirmed: the start and the finalists, their values over the trials' seeds and the confirming ones; empty where not asked for.
        importance: term or parameter -> share of what its weight or value decides; empty for too few trials.
        held_out: rows of the start and of the best on seeds that no trial saw; empty where none were asked for.
        stopped: "trials" or "budget".
        metric: what start and best are compared by on the held-out seeds: the objective, or the task's own metric where that is none.
    """

    start: RewardText
    text: RewardText
    objective: str
    trials: tuple[WeightTrial, ...]
    best: WeightTrial
    importance: Mapping[str, float]
    held_out: tuple[Row, ...]
    stopped: str
    metric: str
    confirmed: tuple[WeightTrial, ...] = ()

    @property
    def moved(self) -> bool:
        """Whether any trial came out otherwise than the start."""
        first, *others = self.confirmed or self.trials
        return any((t.unfit, t.value is None) != (first.unfit, first.value is None) or not _equal(t, first) for t in others)

    def limits(self) -> list[str]:
        """Say why no weights are recommended, a sentence each; nothing where the best's are."""
        judged = self.confirmed or self.trials
        if len(judged) < 2:
            return ["One trial, of the weights as they are, tells nothing of others: give more --trials."]
        if not self.moved:
            value = "none" if judged[0].value is None else f"{judged[0].value:.4g}"
            same = f"All {len(judged)} trials came out the same ({self.objective} {value}): none is the best."
            return [f"{same} Judge by another --objective, or over longer episodes."]
        if not self.best.number:
            return ["No trial is better than the weights as they are."]
        unseen = min((len(row.episodes) for row in self.held_out), default=0)
        if judged[0].episodes < 2 and unseen < 2:
            return [study_limits.ONE_SEED]
        lead = difference(self.held_out[0], self.held_out[1], self.metric) if unseen > 1 else None
        if lead is not None and lead.gain is not None and lead.gain <= 0:
            return ["On the seeds that no trial saw the tuned weights are not better: the lead that they had is luck."]
        return []

    def before(self) -> WeightTrial:
        """Return the start, measured as the best was."""
        return next((t for t in self.confirmed if t.number == 0), self.trials[0])

    def document(self) -> dict[str, Any]:
        """Return it for JSON."""
        held_out: dict[str, Any] = {}
        if self.held_out:
            before, after = self.held_out
            metrics = (self.metric, FALLS)
            held_out = {
                "start": before.document(),
                "best": after.document(),
                "difference": {m: vars(difference(before, after, m)) for m in metrics},
            }
        return {
            "reward": self.start.name,
            "from": self.start.origin,
            "sha256": self.start.sha256,
            "objective": self.objective,
            "better": named(self.objective).better,
            "stopped": self.stopped,
            "best": self.best.number,
            "recommended": not self.limits(),
            "limits": self.limits(),
            **self.best.drawn.document(),
            "tuned_sha256": self.text.sha256,
            "importance": dict(self.importance),
            "confirmed": [{**weight_study.record(t), "fit": t.fit} for t in self.confirmed],
            "held_out": held_out,
            "trials": [{**weight_study.record(t), "fit": t.fit} for t in self.trials],
        }


def _as_today(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a journal says was asked for, where an earlier version wrote it, as this one writes it."""
    values = Migrated.migrated(request)
    if isinstance(planner := values.get("planner"), dict):
        with contextlib.suppress(TypeError):  # settings that no planner has are not those asked for now
            kind, own = Planner.of_values(planner)
            values["planner"] = atomic.plain(dataclasses.asdict(kind(**own)))
    return values


def _equal(a: WeightTrial, b: WeightTrial) -> bool:
    return a.value is None or b.value is None or study_limits.equal(a.value, b.value)


class Tuner:
    """Tunes one reward in one folder.

    Args:
        config: how.
        text: the reward.
        place: task and body.
        evaluation: what measures.
        folder: where the study stands.
        settings: what else decides the trials (seeds, length, engine, planner); a folder of other trials is refused.
        sharing: a context of each batch's works while they are measured, so that other processes can share them.
        on_trial: called after each trial with it and the best so far.
        preference_objective: gives each trial its value by a critic's preference, where the objective is that.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        config: TuneConfig,
        text: RewardText,
        place: Place,
        evaluation: Evaluation,
        folder: Path,
        settings: Mapping[str, Any] | None = None,
        sharing: Callable[[Sequence[Work]], contextlib.AbstractContextManager[None]] | None = None,
        on_trial: Callable[[WeightTrial, WeightTrial], None] | None = None,
        preference_objective: PreferenceObjective | None = None,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.config, self.text, self.place, self.evaluation, self.folder = config, text, place, evaluation, folder
        self.objective = config.objective or place[0].metric
        self.preference_objective = preference_objective
        self._sign = named(self.objective).sign
        self._sharing, self._on_trial, self._clock = sharing or (lambda works: contextlib.nullcontext()), on_trial, clock
        if preference_objective is not None and config.confirm:
            raise MovlrError("--confirm measures a metric again, and a preference has none: leave it out, or name another --objective.")
        self._own, declared = weights_of(text), parameters_of(text)
        self._parameters = declared if config.parameters else {}
        if not any(self._own.values()) and not self._parameters:
            raise MovlrError(f"The reward {text.name} has no weight to tune: every one of them is 0.")
        decided = {k: v for k, v in dataclasses.asdict(config).items() if k not in _LATER}
        subject: dict[str, Any] = {"reward": text.sha256, "task": place[0].name, "morphology": place[1], "objective": self.objective}
        if declared:  # of a text without any, studies of every version go on
            subject["parameters"] = config.parameters
        if place[0].code_sha256:
            subject["task_sha256"] = place[0].code_sha256
        self._settings = json.loads(json.dumps(atomic.plain({**subject, **decided, **(settings or {})})))  # as the journal gives it back
        weight_study.require(config.sampler)

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
                try:
                    self._measure(study, batch)
                except ModelFault as fault:
                    if fault.kind != "stopped":
                        raise
                    stopped = "budget"  # of calls or of money: what the critic said is saved, and the trial is judged when it goes on
                    break
            trials = self._trials(study)
            confirmed = self._confirmed(trials)
            # The first of equals: the start stays where nothing is better.
            best = max(confirmed or trials, key=lambda t: better(t, self._sign))
            importance = _importance(study.study, trials)
        changes = edits.to_values(self.text.source, best.weights, best.parameters) if best.number else []
        text = RewardText(f"{self.text.name} tuned", edits.apply(self.text.source, changes), origin=self.text.origin)
        held_out: tuple[Row, ...] = ()
        if self.config.held_out:
            works = [work(self.text, self.place, self.text.name), work(self.text, self.place, text.name, best.weights, best.parameters)]
            held_out = tuple(self.evaluation.run(works, self.config.held_out))
        metric = self.objective if self.preference_objective is None else self.place[0].metric
        return Tuned(self.text, text, self.objective, tuple(trials), best, importance, held_out, stopped, metric, confirmed)

    # the study

    def _study(self) -> WeightStudy:
        study = optuna_study.study(self.folder / JOURNAL, "tune", "maximize")
        before = study.user_attrs.get(_SETTINGS)
        if before is None:
            study.set_user_attr(_SETTINGS, self._settings)
        elif not isinstance(before, dict):
            raise MovlrError(f"{self.folder / JOURNAL} is no tune's: choose another --out.")
        elif (before := _as_today(before)) != self._settings:
            other = next(k for k in sorted({*before, *self._settings}) if before.get(k) != self._settings.get(k))
            raise MovlrError(
                f"{self.folder} holds a tune with another {other} ({before.get(other)}, not {self._settings.get(other)}): "
                "choose another --out, or ask for the same."
            )
        config = self.config
        key = functools.partial(derive, config.seed, "tune")
        return WeightStudy(self._own, config.sampler, config.span, key, study, self._parameters)

    def _batch(self, study: WeightStudy) -> list[tuple[Any, Drawn]]:
        """Return the trials of the batch that is next: those that a killed process left, and new ones; none where all are made."""
        drawn = study.study.get_trials(deepcopy=False)
        begun = [t for t in drawn if t.state == optuna().trial.TrialState.RUNNING]
        done = sum(t.state.is_finished() for t in drawn)
        width = self.config.parallel
        # A batch of which one has a value was drawn in full; one of which none has may have been cut short.
        first = done // width * width
        upto = min(first + width, self.config.trials)
        if not drawn:
            study.begin()
        left = [study.again(frozen.number, frozen._trial_id) for frozen in begun]
        return left + [study.ask(number) for number in range(done + len(begun), upto)]

    def _measure(self, study: WeightStudy, batch: Sequence[tuple[Any, Drawn]]) -> None:
        works = [self._work(trial.number, drawn) for trial, drawn in batch]
        with self._sharing(works):
            rows = self.evaluation.run(works)
        if not rows[0].episodes:
            raise MovlrError(f"The reward {self.text.name} cannot be measured. {rows[0].refused}")
        names = metric_names(rows)
        if self.preference_objective is None and self.objective not in names:
            hint = did_you_mean(self.objective, [*names, "score", "clip_score"])
            raise MovlrError(f"No episode has the metric '{self.objective}': {hint}they have {', '.join(names)}, score and clip_score.")
        for (trial, drawn), row in zip(batch, rows, strict=True):
            result = self._result(trial.number, drawn, row)
            if self.preference_objective is not None:
                earlier = [(t, self._work(t.number, t.drawn)) for t in self._finished(study)]
                result = self.preference_objective.placed(result, row.work, earlier)
            trial.set_user_attr("trial", weight_study.record(result))
            study.tell(trial, result, self._sign)
            if self._on_trial is not None:
                trials = self._trials(study)
                self._on_trial(result, max(trials, key=lambda t: better(t, self._sign)))

    def _confirmed(self, trials: Sequence[WeightTrial]) -> tuple[WeightTrial, ...]:
        """Return the start and the best trials, in order, measured on the confirming seeds too."""
        if not self.config.confirm:
            return ()
        ranked = sorted(trials, key=lambda t: better(t, self._sign), reverse=True)
        chosen = sorted({0, *(t.number for t in ranked[: self.config.finalists])})
        of = {t.number: t for t in trials}
        works = [self._work(number, of[number].drawn) for number in chosen]
        tuned, fresh = self.evaluation.run(works), self.evaluation.run(works, self.config.confirm)
        both = [dataclasses.replace(a, episodes=(*a.episodes, *b.episodes)) for a, b in zip(tuned, fresh, strict=True)]
        return tuple(self._result(number, of[number].drawn, row) for number, row in zip(chosen, both, strict=True))

    def _work(self, number: int, drawn: Drawn) -> Work:
        return work(self.text, self.place, f"{self.text.name}, trial {number}", drawn.weights, drawn.parameters)

    def _result(self, number: int, drawn: Drawn, row: Row) -> WeightTrial:
        """Return a trial from its row; gates are the task's."""
        measured = values(row, self.objective)
        value = sum(measured.values()) / len(measured) if measured else None
        falls = round(sum(values(row, FALLS).values()))
        return WeightTrial(number, drawn.weights, value, row.gates.amounts(), falls, len(row.episodes), parameters=drawn.parameters)

    def _trials(self, study: WeightStudy) -> list[WeightTrial]:
        kept = self._finished(study)
        if not kept:
            raise MovlrError("The time was spent before a single trial was over: give more --max-minutes.")
        return kept

    def _finished(self, study: WeightStudy) -> list[WeightTrial]:
        kept = [t.user_attrs.get("trial") for t in study.study.get_trials(deepcopy=False) if t.state.is_finished()]
        return [weight_study.recorded(record, str(self.folder / JOURNAL)) for record in kept]


def _importance(study: Any, trials: Sequence[WeightTrial]) -> dict[str, float]:
    """Return PED-ANOVA's importance of each weight and parameter; nothing for fewer than ten trials: its best tenth would be one."""
    if sum(t.value is not None for t in trials) < 10:
        return {}
    importance = optuna().importance
    evaluator = importance.PedAnovaImportanceEvaluator()
    return {term: float(v) for term, v in importance.get_param_importances(study, evaluator=evaluator).items()}


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold a folder's study: two processes that asked it at once would each see half of the other's trials."""
    folder.mkdir(parents=True, exist_ok=True)
    with alone(folder / f".{JOURNAL}.lock", f"Another process tunes in {folder}: wait for it, or choose another --out."):
        yield
