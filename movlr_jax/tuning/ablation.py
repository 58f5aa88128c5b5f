"""Ablation: what each term of a reward does, found by weights alone: every term dropped (0), halved, doubled, over places and seeds.

In: a reward's text, places (task, body), factors, and an evaluation that measures. Out: the rows, from them differences to the unchanged
reward, each in its own unit and in units of the spread over seeds, a ranking of what earns its place, a table and a heat map a factor.
Weights are an input of the artifact: nothing is compiled for a variant.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from movlr_jax.errors import MovlrError, did_you_mean
from movlr_jax.evaluation import study_limits
from movlr_jax.evaluation.evaluation import Evaluation
from movlr_jax.evaluation.reward_texts import RewardText
from movlr_jax.evaluation.work_items import Row, Work, metric_names
from movlr_jax.media import tables
from movlr_jax.media.metric_matrix import metric_matrix
from movlr_jax.morphologies import called
from movlr_jax.rewards.parameters import Parameter
from movlr_jax.rewards.program import ProgramError, literal_parameters, literal_weights
from movlr_jax.tasks import Task
from movlr_jax.tasks.metric_registry import metric as named
from movlr_jax.tuning.difference import FALLS, Difference, difference, share, values

FACTORS = (0.0, 0.5, 2.0)
_SHOWN = (
    *("seconds", "distance_m", "lateral_drift_m", "heading_error_rad", "final_position_error_m", "final_orientation_error_rad"),
    *("effort", "step_symmetry"),
)
_REACH = 3.0  # effects are drawn on one scale, and those beyond it in its last colour
_SURE = 0.5  # an effect smaller than this many standard deviations drowns in the spread over seeds

Place = tuple[Task, str]
_Value = TypeVar("_Value")


def weights_of(text: RewardText) -> dict[str, float]:
    """Return a text's terms with their weights.

    Raises:
        MovlrError: it is no reward program.
    """
    return _literal(text, literal_weights)


def parameters_of(text: RewardText) -> dict[str, Parameter]:
    """Return a text's declared constants.

    Raises:
        MovlrError: it is no reward program.
    """
    return _literal(text, literal_parameters)


def _literal(text: RewardText, read: Callable[[str], dict[str, _Value]]) -> dict[str, _Value]:
    try:
        return read(text.source)
    except ProgramError as error:
        raise MovlrError(f"The reward {text.name} cannot be read. {error}") from None


def work(
    text: RewardText,
    place: Place,
    name: str,
    changed: Mapping[str, float] | None = None,
    parameters: Mapping[str, float] | None = None,
) -> Work:
    """Return the work of a reward at a place, with some weights and parameters changed."""
    return Work(text, name, *place, weights={} if not changed else {**weights_of(text), **changed}, parameters=dict(parameters or {}))


@dataclass(frozen=True)
class Rank:
    """What dropping one term costs.

    Attributes:
        term: its name.
        weight: its weight.
        falls: by how much the share of episodes that fall rises, averaged over the places.
        penalty: by how much that of the gates rises (`Gates.penalty`), averaged over the places; it ranks before the loss.
        loss: the share of the judged metric that is lost (negative: gained), averaged over the places.
        effect: the same loss in units of the spread over seeds; None for a single seed.
        verdict: "earns its place", "harms", "does little", "unclear" where the spread over seeds is larger than the difference, or
            "not told" where the study tells no variant from another.
    """

    term: str
    weight: float
    falls: float
    penalty: float
    loss: float
    effect: float | None
    verdict: str


@dataclass(frozen=True, eq=False)
class Ablation:
    """A reward's ablation, measured.

    Attributes:
        text: the reward.
        places: p pairs of task and body that can take it.
        factors: what weights were multiplied by.
        metric: what ranks and prunes, or "" for each task's own.
        tolerance: the share of it that a term may bring and still do little.
        unchanged: p rows of the reward as it is.
        rows: (term, factor) -> p rows.
        remarks: why places are left out.
    """

    text: RewardText
    places: tuple[Place, ...]
    factors: tuple[float, ...]
    metric: str
    tolerance: float
    unchanged: tuple[Row, ...]
    rows: Mapping[tuple[str, float], tuple[Row, ...]]
    remarks: tuple[str, ...] = ()

    def judged(self, place: Place) -> str:
        """Return the metric that ranks at a place."""
        return self.metric or place[0].metric

    def limit(self, p: int) -> str:
        """Say why place number p tells no variant from another; "" where it does."""
        rows = (self.unchanged[p], *(of[p] for of in self.rows.values()))
        return study_limits.reason([row.episodes for row in rows], self.judged(self.places[p]))

    def limits(self) -> list[str]:
        """Say why places tell nothing, a sentence each."""
        several = len(self.places) > 1
        limits = [(place, self.limit(p)) for p, place in enumerate(self.places)]
        sentences = [f"{task.name} on {body}: {why}" if several else why for (task, body), why in limits if why]
        return [study_limits.ONE_SEED] if sentences and all(study_limits.ONE_SEED in s for s in sentences) else sentences

    @property
    def conclusive(self) -> bool:
        """Whether any place tells variants apart; if none does nothing is recommended."""
        return any(not self.limit(p) for p in range(len(self.places)))

    def metrics(self, p: int) -> list[str]:
        """Return the metrics shown of place number p, the judged one first; those that nothing has are left out."""
        measured = metric_names([self.unchanged[p]])
        names = dict.fromkeys((self.judged(self.places[p]), FALLS, *_SHOWN))
        return [n for n in names if n == FALLS or (n in measured and values(self.unchanged[p], n))]

    def differences(self, term: str, factor: float, p: int) -> dict[str, Difference]:
        """Return metric -> difference of one variant at place number p."""
        return {m: difference(self.unchanged[p], self.rows[term, factor][p], m) for m in self.metrics(p)}

    def ranking(self) -> list[Rank]:
        """Return the terms, the one that is missed most first; nothing where none was dropped."""
        if 0.0 not in self.factors:
            return []
        ranks = [self._rank(term, weight) for term, weight in weights_of(self.text).items()]
        return sorted(ranks, key=lambda r: (-r.penalty, -r.loss if r.effect is None else -r.effect, -r.loss))

    def _rank(self, term: str, weight: float) -> Rank:
        falls, penalties, loss, effects = [], [], [], []
        for p, place in enumerate(self.places):
            metric, before, after = self.judged(place), self.unchanged[p], self.rows[term, 0.0][p]
            change, sign = difference(before, after, metric), named(metric).sign
            falls.append(difference(before, after, FALLS).raw or 0.0)
            penalties.append(after.gates.penalty - before.gates.penalty)
            if self.conclusive and self.limit(p):
                continue  # the other places decide
            # A variant without the metric (no second step, for example) has lost all of it.
            loss.append(1.0 if change.raw is None or change.unchanged is None else -sign * share(change.raw, change.unchanged))
            if change.effect is not None:
                effects.append(-sign * change.effect)
        lost, penalty = float(np.mean(loss)), float(np.mean(penalties))
        effect = float(np.mean(effects)) if effects else None
        one_seed = len(self.unchanged[0].episodes) < 2
        if penalty and not one_seed:
            verdict = "earns its place" if penalty > 0 else "harms"
        elif not self.conclusive:
            verdict = "earns its place" if lost > self.tolerance and not one_seed else "not told"
        elif abs(lost) <= self.tolerance:
            verdict = "does little"
        elif effect is not None and abs(effect) < _SURE:
            verdict = "unclear"
        else:
            verdict = "earns its place" if lost > 0 else "harms"
        return Rank(term, weight, float(np.mean(falls)), penalty, lost, effect, verdict)

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Return headings and cells: a line a variant and place, with the judged metric."""
        headings = ["term", "weight", "times", "task", "body", "falls", "metric", "unchanged", "changed", "difference", "effect"]
        weights, cells = weights_of(self.text), []
        for term, factor in self.rows:
            for p, (task, body) in enumerate(self.places):
                metric = self.judged(self.places[p])
                where = task.name, called(body), self._falls(term, factor, p)
                head = (term, f"{weights[term]:g}", f"{factor:g}", *where, tables.heading(metric))
                change = difference(self.unchanged[p], self.rows[term, factor][p], metric)
                cells.append([*head, *self._numbers(change, metric, p)])
        return headings, cells

    def _falls(self, term: str, factor: float, p: int) -> str:
        row = self.rows[term, factor][p]
        return f"{round(sum(values(row, FALLS).values()))} of {len(row.episodes)}"

    def _numbers(self, d: Difference, metric: str, p: int) -> list[str]:
        spec, count = tables.spec(metric), len(self.unchanged[p].episodes)
        return [
            tables.spread(d.unchanged, d.unchanged_std, spec, count),
            tables.spread(d.mean, d.std, spec, count),
            tables.number(d.raw, "+.2g") + ("" if d.raw_std is None else f" ± {tables.number(d.raw_std, '.2g')}"),
            tables.number(d.effect, "+.1f"),
        ]

    def all_metrics(self) -> tuple[list[str], list[list[str]]]:
        """Return headings and cells: a line a variant and place, with every metric as difference and effect."""
        names = list(dict.fromkeys(m for p in range(len(self.places)) for m in self.metrics(p)))
        cells = []
        for term, factor in self.rows:
            for p, (task, body) in enumerate(self.places):
                changes = self.differences(term, factor, p)
                texts = [_cell(changes[m]).replace("\n", " ") if m in changes else "-" for m in names]
                cells.append([term, f"{factor:g}", task.name, called(body), *texts])
        return ["term", "times", "task", "body", *map(tables.heading, names)], cells

    def ranking_table(self) -> tuple[list[str], list[list[str]]]:
        """Return headings and cells of the ranking."""
        headings = ["term", "weight", "more falls without it", "lost without it", "effect", "verdict"]
        return headings, [
            [r.term, f"{r.weight:g}", f"{r.falls:+z.0%}", f"{r.loss:z.1%}", tables.number(r.effect, "+.1f"), r.verdict]
            for r in self.ranking()
        ]

    def draw(self, folder: Path, stem: str = "ablation") -> list[Path]:
        """Draw a heat map a factor, terms by metrics of each place, and return the files."""
        several = len(self.places) > 1
        columns = [(p, m) for p in range(len(self.places)) for m in self.metrics(p)]
        names = [tables.heading(m) + (f"\n{self.places[p][0].name}\n{called(self.places[p][1])}" if several else "") for p, m in columns]
        seeds = len(self.unchanged[0].episodes)
        unit, reach = ("in standard deviations over seeds", _REACH) if seeds > 1 else ("as a share of the unchanged", 1.0)
        where = "" if several else f" on {self.places[0][0].name}, {called(self.places[0][1])}"
        files = []
        for factor in self.factors:
            terms = [term for term, f in self.rows if f == factor]
            changes = [[difference(self.unchanged[p], self.rows[t, factor][p], m) for p, m in columns] for t in terms]
            files.append(
                metric_matrix(
                    np.array([[np.nan if d.gain is None else np.clip(d.gain, -reach, reach) for d in line] for line in changes]),
                    terms,
                    names,
                    folder / f"{stem}_x{factor:g}.png",
                    cells=[[_cell(d) for d in line] for line in changes],
                    label=f"better (+) or worse (-), {unit}",
                    title=f"{Path(self.text.name).name}{where}: each term {_deed(factor)}",
                    row_label="term",
                    reach=reach,
                )
            )
        return files

    def document(self) -> dict[str, Any]:
        """Return all of it for JSON."""
        weights = weights_of(self.text)
        return {
            "reward": self.text.name,
            "from": self.text.origin,
            "sha256": self.text.sha256,
            "weights": weights,
            "factors": self.factors,
            "tolerance": self.tolerance,
            "places": [
                {
                    "task": task.name,
                    "morphology": called(body),
                    "judged_by": self.judged((task, body)),
                    "unchanged": self.unchanged[p].document(),
                }
                for p, (task, body) in enumerate(self.places)
            ],
            "variants": [
                {
                    "term": term,
                    "factor": factor,
                    "weight": factor * weights[term],
                    "places": [
                        {"differences": {m: vars(d) for m, d in self.differences(term, factor, p).items()}, **row.document()}
                        for p, row in enumerate(rows)
                    ],
                }
                for (term, factor), rows in self.rows.items()
            ],
            "ranking": [vars(r) for r in self.ranking()],
            "limits": self.limits(),
            "remarks": self.remarks,
        }


def _cell(d: Difference) -> str:
    if d.raw is None:
        return "-"
    return tables.number(d.raw, "+.2g") + ("" if d.effect is None else f"\n({tables.number(d.effect, '+.1f')} sd)")


def _deed(factor: float) -> str:
    return {0.0: "dropped", 0.5: "halved", 2.0: "doubled"}.get(factor, f"times {factor:g}")


def ablate(
    evaluation: Evaluation,
    text: RewardText,
    places: Sequence[Place],
    factors: Sequence[float] = FACTORS,
    *,
    metric: str = "",
    tolerance: float = 0.05,
) -> Ablation:
    """Measure a reward with each weight multiplied by each factor, at every place.

    Args:
        evaluation: what measures; it keeps the bodies.
        text: the reward.
        places: pairs of task and body.
        factors: what weights are multiplied by; 0 drops the term.
        metric: what ranks; each task's own if empty.
        tolerance: share of that metric.

    Raises:
        MovlrError: a value cannot be, no place can take the reward, or no episode has the metric.
    """
    factors = tuple(dict.fromkeys(float(f) for f in factors if f != 1.0))
    if not factors or not all(math.isfinite(f) and f >= 0 for f in factors):
        raise MovlrError("--factors needs numbers of 0 or more that are not 1: for example --factors 0 0.5 2 (0 drops a term).")
    if not 0.0 <= tolerance < 1.0:
        raise MovlrError(f"--tolerance is {tolerance:g}: give a share of at least 0 and less than 1, for example 0.05.")
    weights = weights_of(text)
    before = [work(text, place, text.name) for place in places]
    variants = {
        (term, f): [work(text, place, f"{text.name}, {term} {_deed(f)}", {term: f * weight}) for place in places]
        for term, weight in weights.items()
        for f in factors
    }
    rows = evaluation.run([*before, *(w for of in variants.values() for w in of)])
    count = len(places)
    fine = [p for p in range(count) if rows[p].episodes]
    if not fine:
        raise MovlrError(f"The reward {text.name} can be measured nowhere. {rows[0].refused}")
    names = metric_names(rows[:count])
    if metric and metric not in names:
        raise MovlrError(f"No episode has the metric '{metric}': {did_you_mean(metric, names)}they have {', '.join(names)}.")
    groups = [rows[i * count : (i + 1) * count] for i in range(1, len(variants) + 1)]
    return Ablation(
        text,
        tuple(places[p] for p in fine),
        factors,
        metric,
        tolerance,
        tuple(rows[p] for p in fine),
        {key: tuple(group[p] for p in fine) for key, group in zip(variants, groups, strict=True)},
        tuple(f"{places[p][0].name} on {called(places[p][1])}: {rows[p].refused}" for p in range(count) if p not in fine),
    )
