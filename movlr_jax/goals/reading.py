"""From a sentence to a goal: it looks for the words of the targets and a few more, clause by clause, and for nothing else."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from movlr_jax.goals.goal import Goal, Part
from movlr_jax.goals.targets import TARGETS, WALKING, Target

_KINDS = {target.kind: target for target in TARGETS}
# Targets whose number does not stay: they are asked for over the whole motion.
_PASSING = (*WALKING, "not_jumping")
_RAISES = {"left_knee_low": "left", "right_knee_low": "right", "left_foot_down": "left", "right_foot_down": "right", "knee_low": "one"}
_SUNK = ("not_kneeling", "not_sitting", "not_lying")  # the feet do not carry the body then

# "keep your balance", "without falling": what the fall rule measures.
_UP = re.compile(
    r"\b(?:keep|keeps|keeping|lose|loses|losing) (?:your|its|the|his|her)? ?balance\b"
    r"|\b(?:without|not|don't|never) (?:to )?(?:fall|falling|topple|toppling|collapsing|tip|tipping)(?: (?:over|down))?\b"
    r"|\bon (?:its|your) feet\b"
)
_STILL = r"(?:do not|don't|does not|doesn't|not|without) (?:move|moving)"
_HOLD = re.compile(
    r"\b(?:stay|stays|staying|remain|remains|remaining|hold|holds|holding|keep|keeps|keeping|still|motionless|freeze|freezes|wait|waits)\b"
    rf"|\b{_STILL}\b|\bfor (?:a|some|\d+(?:\.\d+)?|one|two|three|four|five|ten) ?(?:while|time|s|sec|second|seconds)\b"
)
_THEN = re.compile(
    r"\b(?:then|afterwards|after that|after which|first|before|finally|again|stand up|stands up|get up|gets up|rise|rises)\b"
)
_NOT = re.compile(r"\b(?:without|not|never|no|don't|doesn't|mustn't|avoid|avoids|avoiding|instead of|rather than)\b")
_CLAUSE = re.compile(
    r"[,.;:!?]|(?=\b(?:without|instead of|rather than|not|never|don't|doesn't)\b)"
    r"|\b(?:and(?! (?:the |your |its )?(?:left|right)\b)|but|then|while|before|afterwards|finally|first|so that)\b"
)
_STAY = re.compile(r"\b(?:stand|stands|standing|still|balance|balancing|in place|on the spot|squat|squats)\b")
# How something is done is measured by nothing here; "only" and its like are no manner.
_MANNER = re.compile(
    r"\b(?!only\b|family\b|nearly\b|really\b|fully\b|deeply\b|slightly\b|lie\b|fly\b)[a-z]+ly\b|\bas (?:fast|slow|soft) as\b"
)
_FILLERS = frozenset(
    re.findall(
        r"\w+",
        """a an the your you its it his her their there here this that them of to in on at with or for into onto from by as be is are do
        does not without no never down up forward please now next body person human skeleton figure one both s sec second seconds all very
        more most just also""",
    )
)


@functools.lru_cache(maxsize=64)
def read(sentence: str) -> Goal:
    """Read a sentence."""
    text = " ".join(sentence.lower().replace("\u2019", "'").split())
    up = [m.span() for m in _UP.finditer(text)]
    plain = _blanked(text, up)
    clauses = _clauses(plain)
    holding = [m.span() for m in _HOLD.finditer(plain)]
    forbidden = _forbidden(plain, clauses, holding)
    found: dict[str, tuple[Target, tuple[int, int]]] = {}
    avoided: dict[str, Part] = {}
    spans: list[tuple[int, int]] = []
    for target in TARGETS:
        for match in re.finditer(target.pattern, plain):
            spans.append(match.span())
            if any(_overlap(match.span(), region) for region in forbidden):
                avoided.setdefault(target.kind, Part(target, _goal(target, plain, clauses, match.span()), avoid=True, at=match.start()))
            else:
                found.setdefault(target.kind, (target, match.span()))
    ordered = bool(_THEN.search(plain))
    kept = _without_modifiers(found, ordered)
    at_rest = any(not _content(plain, clause, holding) and _within(clause, holding) for clause in clauses)
    last = max((span[0] for kind, (_, span) in kept.items() if kind not in _PASSING), default=-1)
    asked = []
    for kind, (target, span) in kept.items():
        final = not ordered or span[0] == last
        here = any(_overlap(span, clause) and _within(clause, holding) for clause in clauses)
        inherent = bool(re.match(r"(?!stands? up)(?:stand|balanc|upright|in place|on the spot)", plain[span[0] :]))
        holds = kind not in _PASSING and final and (at_rest or here or inherent)
        asked.append(Part(target, _goal(target, plain, clauses, span), at_end=holds or (target.pose and final), holds=holds, at=span[0]))
    asked.sort(key=lambda part: part.at)
    unread = tuple(
        sentence_part
        for clause in clauses
        if not any(_overlap(clause, span) for span in spans)
        and _content(plain, clause, holding)
        and (sentence_part := " ".join(text[clause[0] : clause[1]].split()).strip(" ,.;:!?"))
    )
    goal = Goal(
        sentence,
        tuple(asked),
        tuple(part for kind, part in avoided.items() if kind not in found),
        unread,
        tuple(dict.fromkeys(m.group() for m in _MANNER.finditer(plain))),
        ordered,
        _planted(asked),
    )
    return replace(goal, stays=not goal.walks and bool(_STAY.search(plain) or goal.holds))


def _blanked(text: str, spans: Sequence[tuple[int, int]]) -> str:
    for start, end in spans:
        text = text[:start] + " " * (end - start) + text[end:]
    return text


def _clauses(text: str) -> list[tuple[int, int]]:
    """Return the spans between what parts clauses."""
    cuts = [m.span() for m in _CLAUSE.finditer(text)]
    starts, ends = [0, *(end for _, end in cuts)], [*(start for start, _ in cuts), len(text)]
    return [(start, end) for start, end in zip(starts, ends, strict=True) if text[start:end].strip()]


def _forbidden(text: str, clauses: Sequence[tuple[int, int]], holding: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return what stands under a negation: from it to the end of its clause; "do not move" forbids nothing, it holds."""
    regions = []
    for match in _NOT.finditer(text):
        if any(_overlap(match.span(), span) for span in holding):
            continue
        end = next((stop for start, stop in clauses if start <= match.start() < stop), len(text))
        regions.append((match.end(), end))
    return regions


def _without_modifiers(found: Mapping[str, Any], ordered: bool) -> dict[str, Any]:
    """Return what is asked for without what only says how: "stand" is none beside walking, on one leg, or in a squat."""
    kept = dict(found)
    if "not_standing" in kept:
        own = kept["not_standing"][1]
        others = {kind: span for kind, (_, span) in kept.items() if kind != "not_standing"}
        low = any(_KINDS[kind].lowers for kind in others)
        walks = any(kind in _PASSING for kind in others)
        if any(_overlap(own, span) for span in others.values()) or ((low or walks) and not ordered):
            del kept["not_standing"]
    return kept


def _goal(target: Target, text: str, clauses: Sequence[tuple[int, int]], span: tuple[int, int]) -> float:
    """Return the number that is asked for: a word of level in the same clause may make it another than the target's."""
    clause = " ".join(text[start:end] for start, end in clauses if _overlap((start, end), span))
    return next((goal for words, goal in target.levels if re.search(rf"\b(?:{words})\b", clause)), target.goal)


def _planted(asked: Sequence[Part]) -> str:
    """Return the feet that have to stand while something is held."""
    if not any(part.holds for part in asked) or any(part.target.kind in _SUNK for part in asked if part.at_end):
        return ""
    raised = {_RAISES[part.target.kind] for part in asked if part.target.kind in _RAISES}
    if "one" in raised or raised == {"left", "right"}:
        return "one" if raised == {"one"} else ""
    return {"left": "right", "right": "left"}[raised.pop()] if raised else "both"


def _overlap(a: tuple[int, int], b: tuple[int, int]) -> bool:
    return a[0] < b[1] and b[0] < a[1]


def _within(clause: tuple[int, int], spans: Sequence[tuple[int, int]]) -> bool:
    return any(_overlap(clause, span) for span in spans)


def _content(text: str, clause: tuple[int, int], holding: Sequence[tuple[int, int]]) -> list[str]:
    """Return the words of a clause that say something, but for those that ask to hold and those that say how."""
    said = _blanked(text, [span for span in holding if _overlap(clause, span)])[clause[0] : clause[1]]
    return [word for word in re.findall(r"[^\W\d_]+", _MANNER.sub(" ", said)) if word not in _FILLERS]
