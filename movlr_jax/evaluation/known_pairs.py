"""Pairs of motions of which physics says which is better, or that neither is: what a critic's word is held against.

In: recorded motions, and who measures them. Out: `KnownPair`s of every kind that the motions allow, at most so many a kind, drawn by a
seed and spread over the motions; each says what is better, which fault the worse one has, where in the body, and why that is known.

Nothing here reads a critic. Which of two is better follows from what was done to a motion (`motion_changes`), from the gate that a task
ends episodes by, or from a figure of the gait laboratory that differs by a margin while everything else that is measured is alike. That a
change did what it was to do is measured before a pair counts.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from movlr_jax.errors import MovlrError
from movlr_jax.evaluation.archives import Recorded
from movlr_jax.evaluation.episode_store import key_of
from movlr_jax.evaluation.measured_motions import MeasuredMotions, Motion
from movlr_jax.facts import Facts
from movlr_jax.morphologies.terrain import Flat
from movlr_jax.sides import SIDES
from movlr_jax.tasks import gates

FALLS = ("fall_forward", "fall_backward", "fall_left", "fall_right", "collapse")
_SLOW = ("too_slow", "not_moving")
_FIGURE = "Neither fell; way, drift, heading and the other figures are alike, and this one is nearer to people's by its margin."
_LED = "Poses, footholds and way are the recording's; its pace is not one that forces made."


@dataclass(frozen=True)
class Kind:
    """A kind of pair.

    Attributes:
        what: what it is, in a few words.
        why: how it is known which is better, in one sentence.
        faults: kinds of faults by whose names the worse motion's fault may go; none of a pair that has to tie.
        part: where in the body; of a limp the pair says which leg.
        not_physical: what of the motions is not physical; "": they are recordings.
    """

    what: str
    why: str
    faults: tuple[str, ...]
    part: str
    not_physical: str = ""

    @property
    def tie(self) -> bool:
        """Whether neither is better."""
        return not self.faults


KINDS: dict[str, Kind] = {
    "fall": Kind(
        "one fell, the other did not",
        "Two episodes of one reward: the task calls the end of the one a fall, and the other stays up.",
        (*FALLS, "drop"),
        "whole body",
    ),
    "more_falls": Kind(
        "one of two episodes fell, none did",
        "Two episodes of one reward each, of which one is the same: in place of the other stands one that stays up, or one that falls.",
        (*FALLS, "drop"),
        "whole body",
    ),
    "until_fall": Kind(
        "until before its fall, or with it",
        "One motion, to the bit: shown, and asked for, until before the first sign of its fall, or whole, with the fall.",
        FALLS,
        "whole body",
    ),
    "backward": Kind(
        "played backward",
        "The goal is a way forward, and the motion played from its end goes the same way backward.",
        ("backward", "not_moving"),
        "whole body",
        _LED,
    ),
    "slow": Kind(
        "at half its pace", "The speed asked for is farther from half the speed than from the speed itself.", _SLOW, "whole body", _LED
    ),
    "fast": Kind(
        "at a multiple of its pace",
        "Twice or three times the speed is more than one and a half of the speed asked for, and farther from it than the speed itself.",
        ("too_fast",),
        "whole body",
        _LED,
    ),
    "short_way": Kind(
        "over after half the time",
        "One motion, to the bit, in the time asked for: whole, or over after half of that time with half of the way.",
        _SLOW,
        "whole body",
    ),
    "turned": Kind(
        "turned off the way",
        "The ground is a plane, so the motion turned about its start is as physical as it was, and leads off the way that is asked for.",
        ("veer", "drift"),
        "whole body",
    ),
    "limp": Kind(
        "one leg's swing slowed, the other's quickened",
        "All poses and the whole time are the same; the swings of the legs last unequally long, which is what a limp is.",
        ("limp", "asymmetry"),
        "legs",
        _LED,
    ),
    "symmetry": Kind("less even in time", _FIGURE, ("limp", "asymmetry"), "legs"),
    "touchdowns": Kind("feet touch down more often", _FIGURE, ("chatter",), "feet"),
    "knee_flexion": Kind("knees bend less in swing", _FIGURE, ("stiff_knee",), "knees"),
    "stance": Kind("feet stand for less of the stride", _FIGURE, ("short_stance",), "feet"),
    "same": Kind("the same motion twice", "A motion is as good as itself.", (), "whole body"),
    "mirrored": Kind(
        "mirrored, left for right",
        "The body is built evenly and the goal names no side: the mirror image is as physical, and as good.",
        (),
        "whole body",
    ),
    "seed_order": Kind("episodes in another order", "The same episodes of one reward, told in another order.", (), "whole body"),
}


@dataclass(frozen=True)
class Figure:
    """A figure of the gait laboratory by which two recorded walks are told apart.

    Attributes:
        of: reads it from facts.
        norm: what people have.
        more: whether more of it is better up to the norm; else less is, down to the norm. What lies beyond is no fault of this kind.
        margin: by how much one walk has to be nearer to the norm than the other.
        unit: of all three.
        source: where the norm is from.
    """

    of: Callable[[Facts], float | None]
    norm: float
    more: bool
    margin: float
    unit: str
    source: str

    def off(self, facts: Facts) -> float | None:
        """Return how far a walk is on the worse side of the norm; None where the figure is not known."""
        value = self.of(facts)
        return None if value is None else max(self.norm - value if self.more else value - self.norm, 0.0)


def evenness(facts: Facts) -> float | None:
    """Return the symmetry of step times or of stances, whichever is less; None where neither is known."""
    known = [value for value in (facts.gait.step_time_symmetry, facts.gait.stance_symmetry) if value is not None]
    return min(known, default=None)


def _knee(facts: Facts) -> float | None:
    # Only legs built as a human's have a correlation with people's, and only theirs have their norm.
    return None if facts.gait.knee_correlation is None else facts.gait.knee_swing_flexion_deg


FIGURES: dict[str, Figure] = {
    "symmetry": Figure(evenness, 1.0, True, 0.2, "", "Patterson 2010, Gait & Posture 31:241: healthy people are above 0.97"),
    "touchdowns": Figure(
        lambda f: f.gait.touchdowns_per_stride, 1.0, False, 1.0, "a stride", "a foot of a sound walk touches down once a stride"
    ),
    "knee_flexion": Figure(_knee, 58.0, True, 15.0, "deg", "Winter 1991: 58 deg in swing at a comfortable speed"),
    "stance": Figure(lambda f: f.gait.stance_share, 0.605, True, 0.08, "of the stride", "Perry & Burnfield, Gait Analysis: 60.5 %"),
}
# What else has to be alike, where a figure decides: ways within a tenth, and these.
_WAY_ALIKE, _DRIFT_ALIKE, _HEADING_ALIKE = 0.1, 0.3, 0.15  # share, m, rad
_NOT_AGAINST = 0.5  # of its margin, that any other figure may favour the worse walk by

HALF = 0.5
_PACES = (2.0, 3.0)
_SPEED_APART = 0.2  # of the speed asked for, that one speed has to be nearer to it than the other
_TOO_FAST = 1.5  # of the speed asked for: what is above it is told critics to be no success
_SPEED_LEAST = 0.3  # of the speed asked for, that a walk has at least before it is slowed, turned or played backward
_ANGLE = 0.7  # rad off the way: 40 degrees
_STRAIGHT = 0.3  # drift over way up to which a walk, before it is turned, is straight
_LIMP_APART = 0.2  # of the symmetry of times
_BEFORE_SIGN_S = 0.1  # before the first sign of a fall the motion is cut (s)
_LEAST_S = 1.0  # of motion has to be left (s)
_SEEDS_TOGETHER = 3
_SIDE_NAMED = re.compile(r"\b(?:left|right)", re.IGNORECASE)  # in a sentence, which then has no mirror image


@dataclass(frozen=True, eq=False)
class KnownPair:
    """Two motions, and which is better.

    Attributes:
        key: 16 hexadecimal digits that stand for it.
        kind: a name of `KINDS`.
        a, b: the episodes of each side, as they are shown.
        better: "a", "b" or "tie".
        part: where in the body the worse one's fault is.
        why: how that is known.
        measured: numbers that show it, of the better and of the worse side.
    """

    key: str
    kind: str
    a: tuple[Motion, ...]
    b: tuple[Motion, ...]
    better: Literal["a", "b", "tie"]
    part: str
    why: str
    measured: dict[str, Any]

    def worse(self) -> Motion | None:
        """Return the worse side's motion, where one episode is shown of it."""
        side = {"a": self.b, "b": self.a}.get(self.better, ())
        return side[0] if len(side) == 1 else None

    def document(self) -> dict[str, Any]:
        """Return it for JSON."""
        kind = KINDS[self.kind]
        head = {"key": self.key, "kind": self.kind, "better": self.better, "part": self.part, "why": self.why}
        sides = {side: [motion.words() for motion in motions] for side, motions in (("a", self.a), ("b", self.b))}
        return {**head, "faults": list(kind.faults), "not_physical": kind.not_physical, "measured": self.measured, **sides}


# (better, worse, body part, why, numbers); of a tie either may stand first.
_Found = tuple[tuple[Motion, ...], tuple[Motion, ...], str, str, dict[str, Any]]


def pairs(
    motions: Sequence[Recorded],
    measured: MeasuredMotions,
    count: int,
    seed: int,
    kinds: Sequence[str] = tuple(KINDS),
    tell: Callable[[str], None] = lambda sentence: None,
) -> list[KnownPair]:
    """Return pairs with a known order.

    Args:
        motions: what they are made of.
        measured: measures them.
        count: how many of each kind, at most.
        seed: draws which, and which side the better one is.
        kinds: which kinds.
        tell: is told how it goes.
    """
    maker = _Maker(motions, measured, seed)
    out: list[KnownPair] = []
    for name in kinds:
        found = list(itertools.islice(maker.of(name), count))
        tell(f"{name}: {len(found)} pairs")
        out += found
    return out


class _Maker:
    """Makes pairs of motions; which are drawn depends on their keys and the seed alone."""

    def __init__(self, motions: Sequence[Recorded], measured: MeasuredMotions, seed: int):
        self._measured, self._seed = measured, seed
        self._motions = [motion for motion in motions if not self._facts(Motion(motion)).metrics.diverged]

    def _facts(self, motion: Motion) -> Facts:
        return self._measured.facts(motion)

    def _drawn(self, *parts: str) -> int:
        """Return a number that is drawn, once for all, for some words."""
        return int(hashlib.sha256("|".join((str(self._seed), *parts)).encode()).hexdigest()[:12], 16)

    def of(self, kind: str) -> Iterator[KnownPair]:
        """Yield the pairs of a kind, in the order in which they are drawn."""
        makers: dict[str, Callable[[], Iterator[_Found]]] = {
            "fall": self._fall,
            "more_falls": self._more_falls,
            "until_fall": lambda: self._changed(kind, self._until_fall, fell=True),
            "backward": lambda: self._changed(kind, self._backward),
            "slow": lambda: self._changed(kind, self._slow),
            "fast": lambda: self._changed(kind, self._fast),
            "short_way": lambda: self._changed(kind, self._short_way),
            "turned": lambda: self._changed(kind, self._turned),
            "limp": lambda: self._changed(kind, self._limp),
            "same": lambda: self._changed(kind, self._same, fell=None),
            "mirrored": lambda: self._changed(kind, self._mirrored, fell=None),
            "seed_order": self._seed_order,
            **{name: (lambda name=name: self._figure(name)) for name in FIGURES},  # type: ignore[misc]
        }
        rule = KINDS[kind]
        for better, worse, part, why, numbers in makers[kind]():
            key = key_of({"kind": kind, "better": [m.key for m in better], "worse": [m.key for m in worse]})
            first = self._drawn("side", key) % 2 == 0
            a, b = (better, worse) if first else (worse, better)
            order: Literal["a", "b", "tie"] = "tie" if rule.tie else "a" if first else "b"
            yield KnownPair(key, kind, a, b, order, part or rule.part, why or rule.why, numbers)

    # Of recorded motions.

    def _groups(self) -> list[list[Recorded]]:
        """Return the motions by what moved them: one reward, task and body, one length and speed; in the order drawn."""
        groups: dict[tuple[Any, ...], list[Recorded]] = {}
        for m in self._motions:
            groups.setdefault((m.task.name, m.task.sentence, m.morphology, m.reward, m.seconds, m.goal_speed), []).append(m)
        for group in groups.values():
            group.sort(key=lambda m: self._drawn("of a group", m.key))
        return sorted(groups.values(), key=lambda group: self._drawn("group", group[0].key))

    def _fell(self, recorded: Recorded) -> bool:
        return gates.fell(self._facts(Motion(recorded)).metrics.root)

    def _split(self, group: Sequence[Recorded]) -> tuple[list[Motion], list[Motion]]:
        """Return the motions of a group that stay up, and those that fall."""
        up = [Motion(m) for m in group if not self._fell(m)]
        return up, [Motion(m) for m in group if self._fell(m)]

    def _fall(self) -> Iterator[_Found]:
        for up, down in self._by_turns([list(itertools.product(*self._split(group))) for group in self._groups()]):
            yield (up,), (down,), "", "", self._times(down)

    def _more_falls(self) -> Iterator[_Found]:
        choices = []
        for group in self._groups():
            up, down = self._split(group)
            choices.append([(one, other, fell) for (one, other), fell in itertools.product(itertools.combinations(up, 2), down)])
        for one, other, fell in self._by_turns(choices):
            yield (one, other), (one, fell), "", "", self._times(fell)

    def _seed_order(self) -> Iterator[_Found]:
        choices = []
        for group in self._groups():
            several = [Motion(m) for m in group]
            choices.append([tuple(several[i : i + _SEEDS_TOGETHER]) for i in range(0, len(several) - 1, _SEEDS_TOGETHER)])
        for several in self._by_turns(choices):
            if len(several) > 1:
                yield several, (*several[1:], several[0]), "", "", {"episodes": len(several)}

    @staticmethod
    def _by_turns(choices: Sequence[Sequence[Any]]) -> Iterator[Any]:
        """Yield from each group in turn, so that no group fills a kind alone; within one, far apart before near."""
        spread = [[group[i] for i in sorted(range(len(group)), key=lambda i: (i * 0.6180339887498949) % 1.0)] for group in choices]
        for row in itertools.zip_longest(*spread):
            yield from (chosen for chosen in row if chosen is not None)

    def _times(self, down: Motion) -> dict[str, Any]:
        facts = self._facts(down)
        return {"fall_time_s": facts.metrics.fall_time_s, "direction": facts.fall.direction if facts.fall else None}

    def _figure(self, name: str) -> Iterator[_Found]:
        """Yield recorded walks that one figure tells apart, and nothing else that is measured."""
        figure = FIGURES[name]
        walks = [Motion(m) for m in self._motions if m.task.walks and not self._fell(m)]
        walks = [m for m in walks if figure.off(self._facts(m)) is not None]
        both = [(one, other) for one, other in itertools.permutations(walks, 2) if self._alike(one.recorded, other.recorded)]
        both.sort(key=lambda pair: self._drawn("figure", name, pair[0].key, pair[1].key))
        often: dict[str, int] = {}
        for better, worse in both:
            good, bad = self._facts(better), self._facts(worse)
            near, far = figure.off(good), figure.off(bad)
            assert near is not None and far is not None
            if far - near < figure.margin or any(self._against(other, good, bad) for other in FIGURES if other != name):
                continue
            if max(often.get(better.key, 0), often.get(worse.key, 0)) > 1:
                continue  # no motion stands in more than two pairs of a figure
            often |= {m.key: often.get(m.key, 0) + 1 for m in (better, worse)}
            numbers = {name: {"better": figure.of(good), "worse": figure.of(bad), "norm": figure.norm, "margin": figure.margin}}
            unit = f" {figure.unit}" if figure.unit else ""
            why = (
                f"{figure.of(good):.3g} against {figure.of(bad):.3g}{unit}, where people have {figure.norm:g} ({figure.source}); neither "
                "fell, and way, drift, heading and the other figures are alike."
            )
            yield (better,), (worse,), "", why, numbers

    def _alike(self, one: Recorded, other: Recorded) -> bool:
        """Tell whether two walks were asked for the same, and did it alike but for how they step."""
        asked = [(m.task.name, m.task.sentence, m.morphology, m.seconds, m.goal_speed) for m in (one, other)]
        if asked[0] != asked[1]:
            return False
        first, second = (self._facts(Motion(m)).metrics for m in (one, other))
        ways, drifts, turns = (
            (getattr(m, name) for m in (first, second)) for name in ("distance_m", "lateral_drift_m", "heading_error_rad")
        )
        longer, shorter = sorted(ways, key=lambda way: -(way or 0.0))
        if not longer or longer - (shorter or 0.0) > _WAY_ALIKE * longer:
            return False
        (a, b), (c, d) = drifts, turns
        return abs((a or 0.0) - (b or 0.0)) <= _DRIFT_ALIKE and abs((c or 0.0) - (d or 0.0)) <= _HEADING_ALIKE

    @staticmethod
    def _against(name: str, better: Facts, worse: Facts) -> bool:
        """Tell whether a figure speaks for the worse walk, or is not known of both."""
        figure = FIGURES[name]
        near, far = figure.off(better), figure.off(worse)
        if near is None or far is None:
            return near is not far
        return near - far > _NOT_AGAINST * figure.margin

    # Of changed motions.

    def _changed(self, kind: str, make: Callable[[Recorded], _Found | None], fell: bool | None = False) -> Iterator[_Found]:
        """Yield the pairs of motions and their changes that did what they were to do.

        Args:
            kind: it.
            make: makes one pair of one motion; None, or a MovlrError, where it cannot.
            fell: whether of motions that fell or that stay up; None: of all.
        """
        able = [m for m in self._motions if m.body is not None and (fell is None or self._fell(m) is fell)]
        for motion in sorted(able, key=lambda m: self._drawn(kind, m.key)):
            try:
                found = make(motion)
            except MovlrError:  # this body, or this motion, cannot be changed so
                continue
            if found is not None:
                yield found

    def _speeds(self, *motions: Motion) -> list[float]:
        """Return forward speeds over the time asked for (m/s)."""
        told = [self._facts(motion) for motion in motions]
        return [(facts.metrics.distance_m or 0.0) / max(facts.seconds, 1e-6) for facts in told]

    def _walks(self, recorded: Recorded) -> bool:
        """Tell whether a motion is a walk that gets on."""
        if not recorded.task.walks or recorded.goal_speed <= 0.0:
            return False
        return self._speeds(Motion(recorded))[0] >= _SPEED_LEAST * recorded.goal_speed

    def _until_fall(self, recorded: Recorded) -> _Found | None:
        fall = self._facts(Motion(recorded)).fall
        assert recorded.rollout is not None
        if fall is None or fall.first_sign_s - _BEFORE_SIGN_S < _LEAST_S:
            return None
        cut = Motion(recorded, "until", round(fall.first_sign_s - _BEFORE_SIGN_S, 2))
        if gates.fell(self._facts(cut).metrics.root):
            return None
        return (cut,), (Motion(recorded),), "", "", self._times(Motion(recorded)) | {"until_s": cut.value}

    def _slower(self, better: Motion, worse: Motion, numbers: dict[str, Any]) -> _Found | None:
        """Return the pair if its speeds are clearly apart, measured from the speed asked for."""
        asked = better.recorded.goal_speed
        good, bad = self._speeds(better, worse)
        if self._any_fell(better, worse) or abs(bad - asked) - abs(good - asked) < _SPEED_APART * asked:
            return None
        told = {"goal_speed_mps": asked, "speed_mps": {"better": round(good, 3), "worse": round(bad, 3)}}
        return (better,), (worse,), "", "", told | numbers

    def _any_fell(self, *motions: Motion) -> bool:
        return any(gates.fell(self._facts(motion).metrics.root) for motion in motions)

    def _slow(self, recorded: Recorded) -> _Found | None:
        if not self._walks(recorded):
            return None
        return self._slower(Motion(recorded, "again"), Motion(recorded, "paced", HALF), {"pace": HALF})

    def _fast(self, recorded: Recorded) -> _Found | None:
        if not self._walks(recorded):
            return None
        for pace in _PACES:
            seconds = recorded.seconds / pace
            if seconds < _LEAST_S:
                continue
            quick, own = Motion(recorded, "paced", pace), Motion(recorded, "first part, again", seconds)
            if self._speeds(quick)[0] > _TOO_FAST * recorded.goal_speed and (found := self._slower(own, quick, {"pace": pace})):
                return found
        return None

    def _short_way(self, recorded: Recorded) -> _Found | None:
        if not self._walks(recorded) or recorded.seconds * HALF < _LEAST_S:
            return None
        return self._slower(Motion(recorded), Motion(recorded, "first part", recorded.seconds * HALF), {})

    def _backward(self, recorded: Recorded) -> _Found | None:
        if not self._walks(recorded):
            return None
        ahead, back = Motion(recorded, "again"), Motion(recorded, "backward")
        good, bad = self._speeds(ahead, back)
        if self._any_fell(ahead, back) or bad > 0.0:
            return None
        return (ahead,), (back,), "", "", {"speed_mps": {"better": round(good, 3), "worse": round(bad, 3)}}

    def _turned(self, recorded: Recorded) -> _Found | None:
        if not self._walks(recorded) or not _flat(recorded):
            return None
        own = Motion(recorded, "again")
        angle = _ANGLE if self._drawn("angle", recorded.key) % 2 else -_ANGLE
        off = Motion(recorded, "turned", angle)
        straight, astray = self._facts(own).metrics, self._facts(off).metrics
        way, less = straight.distance_m or 0.0, astray.distance_m or 0.0
        drifts = (straight.lateral_drift_m or 0.0, astray.lateral_drift_m or 0.0)
        if self._any_fell(own, off) or drifts[0] > _STRAIGHT * way or less > way or drifts[1] - drifts[0] < 0.5 * np.sin(_ANGLE) * way:
            return None
        return (own,), (off,), "", "", {"angle_rad": angle, "lateral_drift_m": {"better": drifts[0], "worse": drifts[1]}}

    def _limp(self, recorded: Recorded) -> _Found | None:
        if not self._walks(recorded):
            return None
        side = SIDES[self._drawn("leg", recorded.key) % 2]
        own, limps = Motion(recorded, "again"), Motion(recorded, "limping", side)
        even, uneven = (self._facts(motion).gait.step_time_symmetry for motion in (own, limps))
        if even is None or uneven is None or even - uneven < _LIMP_APART or self._any_fell(own, limps):
            return None
        return (own,), (limps,), f"{side} leg", "", {"step_time_symmetry": {"better": even, "worse": uneven}}

    def _same(self, recorded: Recorded) -> _Found | None:
        return (Motion(recorded),), (Motion(recorded),), "", "", {}

    def _mirrored(self, recorded: Recorded) -> _Found | None:
        if not _flat(recorded) or recorded.task.heading or recorded.task.scene.injuries or _SIDE_NAMED.search(recorded.task.sentence):
            return None
        own, image = Motion(recorded, "again"), Motion(recorded, "mirrored")
        ways = [self._facts(motion).metrics.distance_m or 0.0 for motion in (own, image)]
        if self._fell(recorded) is not self._any_fell(image):
            return None
        return (own,), (image,), "", "", {"distance_m": ways}


def _flat(recorded: Recorded) -> bool:
    """Tell whether a motion's ground looks alike in every direction, and nothing else stands on it."""
    return recorded.body is not None and isinstance(recorded.body.terrain, Flat) and recorded.body.thing is None
