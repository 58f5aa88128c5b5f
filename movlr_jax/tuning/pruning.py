"""Pruning: the terms of a reward that can go while it keeps what it does.

In: an ablation, and the evaluation that measured it. Out: the text without those terms. Terms are tried from the least missed on, each on
top of those already dropped, by weight alone; the text that comes of it is then proven and measured itself, and the last drop is taken back
for as long as it does not hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from movlr_jax.evaluation.evaluation import Evaluation
from movlr_jax.evaluation.reward_texts import RewardText
from movlr_jax.evaluation.work_items import Row
from movlr_jax.morphologies import called
from movlr_jax.tasks import gates
from movlr_jax.tasks.metric_registry import metric as named
from movlr_jax.tuning.ablation import Ablation, weights_of, work
from movlr_jax.tuning.difference import FALLS, values
from movlr_jax.writers import edits
from movlr_jax.writers.base import EditError


@dataclass(frozen=True)
class Pruned:
    """What came of it.

    Attributes:
        text: the pruned reward; the unchanged one where nothing can go.
        dropped: the terms that went, in that order.
        tried: a line a step, for people: what was tried and what came of it.
        rows: a row a place, of the text as it stands.
    """

    text: RewardText
    dropped: tuple[str, ...]
    tried: tuple[str, ...]
    rows: tuple[Row, ...]

    def document(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {"dropped": self.dropped, "tried": self.tried, "source": self.text.source, "places": [r.document() for r in self.rows]}


def fault(ablation: Ablation, rows: Sequence[Row]) -> str:
    """Say what rows have lost, by the gates or of the metric beyond the ablation's tolerance, at the first place; "" where they hold."""
    for p, row in enumerate(rows):
        task, body = ablation.places[p]
        where = f" on {task.name}, {called(body)}" if len(rows) > 1 else ""
        if not row.episodes:
            return f"refused{where}: {row.refused}"
        before = ablation.unchanged[p]
        gate = gates.decides(row.gates, before.gates)
        if gate and gates.rank(row.gates) > gates.rank(before.gates):
            continue
        fell, falls = (sum(values(r, FALLS).values()) for r in (before, row))
        if gate in ("fell", "late") and falls != fell:
            return f"{falls:.0f} instead of {fell:.0f} of {len(row.episodes)} fall{where}"
        if gate:
            return f"{gates.FAULTS[gate]}{where}"
        metric = named(ablation.judged(ablation.places[p]))
        had, has = values(before, metric.name), values(row, metric.name)
        if not had:
            continue
        if not has:
            return f"no {metric.heading} was measured{where}"
        old, new = sum(had.values()) / len(had), sum(has.values()) / len(has)
        if metric.sign * (old - new) > ablation.tolerance * abs(old):
            return f"{metric.label} {new:.3g} instead of {old:.3g}{where}"
    return ""


def candidates(ablation: Ablation, evaluation: Evaluation) -> tuple[list[str], list[str]]:
    """Return the terms that can go together by weight alone, in the order in which they went, and what was tried; nothing is compiled."""
    text = ablation.text
    gone: list[str] = []
    tried: list[str] = []
    order = [rank.term for rank in reversed(ablation.ranking())]
    for term in order:
        if len(gone) == len(order) - 1:
            break
        try:
            without(text, [*gone, term])
        except EditError as error:
            tried.append(f"{term} stays: {error}")
            continue
        name = f"{text.name} without {', '.join([*gone, term])}"
        rows = evaluation.run([work(text, place, name, dict.fromkeys([*gone, term], 0.0)) for place in ablation.places])
        why = fault(ablation, rows)
        tried.append(f"{term} stays: {why}" if why else f"{term} goes")
        gone += [] if why else [term]
    return gone, tried


def without(text: RewardText, terms: Sequence[str]) -> RewardText:
    """Return a text without some of its terms.

    Raises:
        EditError: the text does not admit it.
    """
    source = text.source
    for term in terms:
        source = edits.remove_term(source, term)
    return RewardText(f"{text.name} pruned", source, origin=text.origin)


def prune(ablation: Ablation, evaluation: Evaluation) -> Pruned:
    """Drop what can go; nothing where the ablation tells no variant from another.

    Args:
        ablation: with dropped terms among its variants.
        evaluation: what measured it.
    """
    if not ablation.conclusive:
        return Pruned(ablation.text, (), tuple(ablation.limits()), ablation.unchanged)
    gone, tried = candidates(ablation, evaluation)
    while gone:
        text = without(ablation.text, gone)
        rows = evaluation.run([work(text, place, text.name) for place in ablation.places])
        why = fault(ablation, rows)
        if not why:
            return Pruned(text, tuple(gone), tuple(tried), tuple(rows))
        tried.append(f"{gone[-1]} comes back, for the text without it: {why}")
        gone = gone[:-1]
    return Pruned(ablation.text, (), tuple(tried), ablation.unchanged)


def report(ablation: Ablation, pruned: Pruned) -> list[str]:
    """Return what pruning did, in sentences."""
    if not ablation.conclusive:
        return [f"Nothing is recommended. {why}" for why in ablation.limits()]
    if not pruned.dropped:
        return ["No term can go: without any, the reward loses more than the tolerance.", *ablation.limits()]
    kept = [term for term in weights_of(ablation.text) if term not in pruned.dropped]
    many = f"{len(pruned.dropped)} terms" if len(pruned.dropped) > 1 else "1 term"
    lines = [f"{many} can go: {', '.join(pruned.dropped)}. Left: {', '.join(kept)}.", *ablation.limits()]
    for p, row in enumerate(pruned.rows):
        task, body = ablation.places[p]
        metric = named(ablation.judged(ablation.places[p]))
        before, after = values(ablation.unchanged[p], metric.name), values(row, metric.name)
        if before and after:
            means = [sum(v.values()) / len(v) for v in (before, after)]
            lines.append(f"{task.name} on {body}: {metric.label} {means[1]:.3g}, was {means[0]:.3g}.")
    return lines
