"""Facts in words: what a language model is told of a motion, compact and with units.

In: facts. Out: text. Names end in their unit there (`speed_mps`); here it stands behind the number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

from movlr_jax import units
from movlr_jax.critics.critique import FAULTS, Critique
from movlr_jax.facts import Facts, Term
from movlr_jax.tasks import metric_registry

SECTIONS = ("metrics", "fall", "object", "joints", "landmarks", "posture", "angles", "gait", "smoothness", "effort", "phases")
_TELLING, _MOST_TELLING = 0.1, 4  # a metric that changed by a tenth is told, and so many of them at most
_LOUD = 0.8  # share of the spread from which a term drowns the others


def facts(measured: Facts, sections: Sequence[str] = SECTIONS, seeds: Sequence[int] = ()) -> str:
    """Return what was measured, a line a section; terms and goal are told elsewhere.

    Args:
        measured: it.
        sections: what is told, in this order.
        seeds: of the episodes that are told in detail, without a word on their places; empty: the worst and the best, named so.
    """
    speed = f"{measured.goal_speed_mps:g} m/s for " if measured.goal_speed_mps else ""
    lines = [f"asked for: {speed}{measured.seconds:g} s"]
    details = [section for section in sections if section != "metrics"]
    headings = {seed: f"The episode of seed {seed} in detail:" for seed in seeds}
    if not seeds:
        headings = {e.seed: f"The {e.place} of the episodes, seed {e.seed}, in detail:" for e in measured.extremes}
    if not headings:
        lines += [*_sections(measured, sections), *_episodes(measured, seeds)]
    else:
        lines += [*_sections(measured, ("metrics",) if "metrics" in sections else ()), *_episodes(measured, seeds)]
        for seed, heading in headings.items() if details else ():
            lines += [heading, *_sections(measured.of(seed), details)]
    return "\n".join(line for line in lines if line)


def _sections(measured: Facts, sections: Sequence[str]) -> list[str]:
    lines, record = [], measured.to_json()  # whatever a version or a task measures is told
    for section in sections:
        value = record.get(section)
        if section == "phases":
            lines += [f"{phase['name']} of the motion: {_inside(phase, ('name',))}" for phase in value or ()]
        elif section == "fall":
            lines.append("fall: " + (_inside(value) if value else "none") if "fall" in record and not measured.object else "")
        elif section == "metrics":
            lines.append(f"{section}: {_metrics(value)}" if value else "")
        elif value:
            lines.append(f"{section}: {_inside(value)}")
    return lines


def _episodes(measured: Facts, seeds: Sequence[int]) -> list[str]:
    """Return a line an episode, where there are several; a comparison of single episodes hears nothing of their places."""
    episodes = measured.to_json().get("episodes", ())
    if len(episodes) < 2:
        return []
    places = {} if seeds else {extreme.seed: f" (the {extreme.place})" for extreme in measured.extremes}
    first = f"metrics are the mean of {len(episodes)} episodes; each of them:"
    return [first, *(f"  seed {e['seed']}{places.get(e['seed'], '')}: {_metrics(e)}" for e in episodes)]


def telling(measured: Facts, before: Facts | None) -> str:
    """Return what of a motion matters beside another's, in a line: how it fell, which metrics changed most, which term drowns the rest.

    Args:
        measured: the motion's facts.
        before: those of the motion that it is compared with, or None.
    """
    parts = []
    if measured.fall is not None:
        fall = measured.fall
        parts.append(f"fell {fall.direction} at {fall.time_s:.2f} s, first sign {fall.first_sign} at {fall.first_sign_s:.2f} s")
    now, then = measured.metrics.root, {} if before is None else before.metrics.root
    changed = []
    for name in metric_registry.told(measured.metrics.root):
        value, earlier = now[name], then.get(name)
        if not metric_registry.metric(name).shown:
            continue
        if _is_number(value) and _is_number(earlier):
            change = abs(value - earlier) / max(abs(value), abs(earlier), 1e-9)
            if change >= _TELLING:
                changed.append((change, f"{_said(name, value)} ({_number(earlier)} before)"))
    parts += [words for _, words in sorted(changed, key=lambda item: -item[0])[:_MOST_TELLING]]
    loudest = max(measured.terms, key=lambda name: measured.terms[name].share, default=None)
    if loudest is not None and len(measured.terms) > 1 and (loud := measured.terms[loudest]).share >= _LOUD:
        parts.append(f"{loudest} carries {loud.share:.0%} of the reward's spread {loud.shared}")
    return "; ".join(parts)


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _metrics(record: Mapping[str, Any]) -> str:
    """Say the metrics of a record without its details: what critics need of them stands in other sections."""
    return _inside({name: record[name] for name in metric_registry.told(record)}, ("seed",))


def _inside(record: Mapping[str, Any], without: tuple[str, ...] = ()) -> str:
    return ", ".join(_said(name, value) for name, value in record.items() if name not in without)


def _said(name: str, value: Any, unit: str = "") -> str:
    words, own = units.split(name)
    unit = own or unit
    if isinstance(value, Mapping):
        return f"{words} ({', '.join(_said(inner, item, unit) for inner, item in value.items())})"
    if isinstance(value, list | tuple):
        return f"{words} {' '.join(str(item) for item in value)}"
    return f"{words} {_number(value)}" + (f" {unit}" if unit and value is not None and not isinstance(value, bool) else "")


def _number(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3g}" if isinstance(value, int | float) else str(value)


def weights(terms: Mapping[str, float]) -> str:
    """Return the terms with their weights, a line a term."""
    return "\n".join(f"- {name}: {weight:g}" for name, weight in terms.items())


def statistics(terms: Mapping[str, Term]) -> str:
    """Return what each term did over the episode, a line a term; the share is that of the weighted reward's spread, and says of which."""
    lines = []
    for name, term in terms.items():
        numbers = {"mean": term.mean, "std": term.std, "min": term.min, "max": term.max}
        did = [f"{key} {value:.3g}" for key, value in numbers.items() if value is not None]
        lines.append(f"- {name}: weight {term.weight:g}, {', '.join(did)}, share {100 * term.share:.0f} % {term.shared}")
    return "\n".join(lines)


def faults() -> str:
    """Return the kinds of faults, a line a stage."""
    by_stage: dict[str, list[str]] = {}
    for kind, (stage, meaning) in FAULTS.items():
        by_stage.setdefault(stage, []).append(f"{kind} ({meaning})")
    return "\n".join(f"- {stage}: {', '.join(kinds)}" for stage, kinds in by_stage.items())


def critique(judged: Critique) -> str:
    """Return a critique as a writer reads it."""
    lines = [f"{'The goal is reached.' if judged.success else 'The goal is not reached.'} {judged.summary}"]
    for number, fault in enumerate(judged.faults, 1):
        where = f"{fault.stage}, {fault.body_part}, {fault.phase}, severity {fault.severity:.2g}"
        lines.append(f"Fault {number}, {fault.kind} ({where}): {fault.what}")
    for number, wish in enumerate(judged.suggestions, 1):
        term = f" {wish.term}" if wish.term else ""
        what = "value" if wish.action == "set" else "weight"
        weight = f", {what} {wish.weight:g}" if wish.weight is not None else ""
        against = f" (against {wish.addresses})" if wish.addresses else ""
        lines.append(f"Suggestion {number}, {wish.action}{term}{weight}: {wish.words}{against}")
    return "\n".join(lines)
