"""Whether a sentence of `sentences.yaml` was done: measures that no search sees.

In: an executed episode. Out: a number, the threshold from which it counts, and what else has to be so. They are a reading of the sentences
apart from the search's own: nothing of `movlr_jax.goals`, by which tasks, critics and writers read words, and nothing of the critics is
used. What an episode holds is read from its instants: places and axes of landmarks, contacts and loads of the feet, angles of the knees.

A pose counts where it stands for most of the last second: its number is the level that is kept for `KEPT` of that second, and an instant at
which anything else that the words mean is not so counts as standing (a knee as high as the hip is not raised while the body squats). An
event counts wherever it happens. Whoever falls, or is falling at the end, has done nothing: the episode has to last, the chest may not come
down, and at the end neither may the body sink nor its extrapolated centre of mass (Hof et al. 2005, J. Biomech. 38:1-8) be out of reach of
the feet. All thresholds are choices, made before any search: what a person would call the thing done, and no less.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from movlr_jax.control.episode import Rollout
from movlr_jax.errors import MovlrError
from movlr_jax.gait.trajectory import Trajectory
from movlr_jax.rewards.layout import SIDES, FeatureLayout

FILE = Path(__file__).with_name("sentences.yaml")
GROUPS = ("seen", "unseen", "paraphrases")

LAST_S = 1.0  # s at the end, over which a pose has to stand
KEPT = 0.8  # of that time: feet chatter under the planner's noise
SOON_S = 0.2  # s in which a foot that lands has landed
AIR_S = 0.06  # s off the ground from which a foot was lifted: shorter is chatter
END_S = 0.1  # s at the end, by which it is told whether the body is falling
SINKING = 0.5  # m/s of the centre of mass, down
REACH = 0.3  # m outside the feet at which the extrapolated centre of mass is out of their reach
NEAR = 0.12  # m above the ground: what of a leg is lower supports the body
GRAVITY = 9.81  # m/s^2
UPRIGHT = 0.85  # cosine of the chest's tilt, 32 degrees
TALL = 0.85  # of the pelvis's standing height: lower is a crouch
PLACED = 0.1  # m that a foot moves which stays where it is

Share = Mapping[str, float]


@dataclass(frozen=True)
class Sentence:
    """A sentence of the suite.

    Attributes:
        name: its key.
        group: one of GROUPS.
        sentence: the words, which are all that a search is given.
        measure: name of its measure.
        body: the body that it is tried on.
    """

    name: str
    group: str
    sentence: str
    measure: str
    body: str = "myolegs"


@functools.cache
def sentences() -> tuple[Sentence, ...]:
    """Return the suite, in the order of the file."""
    return tuple(
        Sentence(name, group, entry["sentence"], entry.get("measure", name), entry.get("body", Sentence.body))
        for group, of in yaml.safe_load(FILE.read_text(encoding="utf-8")).items()
        for name, entry in of.items()
    )


def by_words(words: str) -> Sentence:
    """Return the sentence of the suite with these words.

    Raises:
        MovlrError: it has none.
    """
    found = next((sentence for sentence in sentences() if sentence.sentence == words), None)
    if found is None:
        raise MovlrError(f"The suite has no sentence '{words}': {FILE.name} holds them all.")
    return found


@dataclass(frozen=True)
class Found:
    """What an episode came to.

    Attributes:
        value: the number; None where the body lacks a landmark, or the simulation diverged.
        threshold: from which it counts.
        kept: what else has to be so -> share of the time in which it was (0 or 1 of what is so once for all).
        fall: how the body fell, in words; "" where it did not.
    """

    value: float | None
    threshold: float
    kept: Share = field(default_factory=dict)
    fall: str = ""

    @property
    def reached(self) -> bool:
        """Whether the sentence was done."""
        return not self.fall and self.value is not None and self.value >= self.threshold and min(self.kept.values(), default=1.0) >= KEPT

    def words(self) -> str:
        """Say what came of it."""
        if self.value is None:
            return self.fall or "not measured"
        missing = [name for name, share in self.kept.items() if share < KEPT]
        return "; ".join(
            [f"{self.value:.2f} of {self.threshold:g}", *([self.fall] if self.fall else []), *(f"not: {name}" for name in missing)]
        )


@dataclass(frozen=True)
class Measure:
    """How a sentence is measured.

    Attributes:
        name: its key.
        what: what its number is, for people.
        unit: of the number.
        threshold: from which it counts.
        of: the number, and what else has to be so, of a recording.
        needs: landmarks and functions of the legs' joints that the body must have.
        low: share of its standing height below which the chest has come down.
        flies: the body may be in the air at the end, and come down then.
    """

    name: str
    what: str
    unit: str
    threshold: float
    of: Callable[[Recording], tuple[float, Share]]
    needs: tuple[str, ...] = ()
    low: float = 0.7
    flies: bool = False

    def lacking(self, layout: FeatureLayout) -> list[str]:
        """Return what a body lacks of what the measure needs."""
        return [name for name in self.needs if name not in layout.landmarks and name not in layout.anatomy]

    def found(self, layout: FeatureLayout, rollout: Rollout) -> Found:
        """Measure an executed episode."""
        recording = Recording(rollout, layout)
        fall = recording.fall(self.low, self.flies)
        if self.lacking(layout) or not recording.sound:
            return Found(None, self.threshold, fall=fall)
        value, kept = self.of(recording)
        return Found(float(value), self.threshold, kept, fall)


class Recording(Trajectory):
    """An executed episode, with what several measures ask of it.

    Args:
        rollout: the episode.
        layout: where quantities stand in its instants.
    """

    def __init__(self, rollout: Rollout, layout: FeatureLayout):
        super().__init__(rollout.instants, layout)
        self.ended = rollout.ended
        self.sound = bool(len(self.time)) and rollout.ended != "diverged" and bool(np.isfinite(self.instants).all())
        self.last: np.ndarray = self.time > self.time[-1] - LAST_S + 1e-9

    # --- whether it stays up

    def fall(self, low: float, flies: bool = False) -> str:
        """Say how the body fell, or that it is falling at the end; "" where it does neither."""
        if not self.sound:
            return "the simulation diverged"
        if self.ended != "time":
            return f"the episode ended early: it {self.ended}"
        chest = float(self.share("trunk").min())
        if chest < low:
            return f"the chest came down to {chest:.0%} of its standing height"
        end: np.ndarray = self.time > self.time[-1] - END_S + 1e-9
        if not flies and float(self.com()[1][end, 2].mean()) < -SINKING:
            return "the body is sinking at the end"
        if float(self.beyond()[end].mean()) > REACH:
            return "the body is tipping over at the end"
        return ""

    def beyond(self) -> np.ndarray:
        """Return how far the extrapolated centre of mass is outside the rectangle around what supports the body [T] (m)."""
        place, velocity = self.com()
        ahead = place[:, :2] + velocity[:, :2] * np.sqrt(np.maximum(place[:, 2:], 0.3) / GRAVITY)
        names = [name for side in SIDES for name in (*self.sole(side), f"{side}.knee") if self.has(name)]
        low, high = np.full((len(ahead), 2), np.inf), np.full((len(ahead), 2), -np.inf)
        for name in names:
            near, at = self.height(name)[:, None] < NEAR, self.position(name)[:, :2]
            low, high = np.where(near, np.minimum(low, at), low), np.where(near, np.maximum(high, at), high)
        outside = np.maximum(np.maximum(low - ahead, ahead - high), 0.0)
        return np.where(np.isfinite(low[:, 0]), np.hypot(*np.where(np.isfinite(outside), outside, 0.0).T), 0.0)

    # --- numbers over time

    def share(self, landmark: str) -> np.ndarray:
        """Return a landmark's height as a share of its standing height [T]."""
        return self.height(landmark) / self.standing(f"{landmark.replace('.', '_')}_height")

    def sole(self, side: str) -> list[str]:
        """Return the landmarks under a foot."""
        return [name for end in ("heel", "foot", "toe") if self.has(name := f"{side}.{end}")]

    def clear(self, landmark: str) -> np.ndarray:
        """Return how far a landmark is above where it is in standing [T] (m)."""
        return self.height(landmark) - self.layout.standing[f"{landmark.replace('.', '_')}_height"]

    def off(self, side: str) -> np.ndarray:
        """Return how far the lowest part of a sole is off the ground [T] (m)."""
        return np.min([self.clear(name) for name in self.sole(side)], axis=0)

    def on(self, side: str) -> np.ndarray:
        """Return whether a foot bears load, bool[T]."""
        return self.gait(side, "in_contact") > 0.5

    def both(self) -> np.ndarray:
        """Return whether both feet bear load, bool[T]."""
        return self.on("left") & self.on("right")

    def facing(self) -> np.ndarray:
        """Return the heading of the pelvis [T] (rad), continuous, 0 at the start."""
        heading = np.unwrap(self.heading())
        return heading - heading[0]

    def yaw(self, landmark: str) -> np.ndarray:
        """Return the heading of a landmark [T] (rad), continuous, 0 at the start."""
        forward = self.axis(landmark, 0)
        yaw = np.unwrap(np.arctan2(forward[:, 1], forward[:, 0]))
        return yaw - yaw[0]

    def feet_yaw(self) -> np.ndarray:
        """Return the mean heading of the feet [T] (rad), 0 at the start."""
        return 0.5 * (self.yaw("left.foot") + self.yaw("right.foot"))

    def own(self, vectors: np.ndarray) -> np.ndarray:
        """Turn vectors of the task's frame into that of the pelvis's heading: forward, left, up."""
        c, s = np.cos(self.heading()), np.sin(self.heading())
        return np.stack([c * vectors[:, 0] + s * vectors[:, 1], c * vectors[:, 1] - s * vectors[:, 0], vectors[:, 2]], axis=1)

    def apart(self, landmark: str, other: str) -> np.ndarray:
        """Return where a landmark is, seen from another one: forward, left, up of the pelvis's heading [T, 3] (m)."""
        return self.own(self.position(landmark) - self.position(other))

    def lean(self) -> tuple[np.ndarray, np.ndarray]:
        """Return how far the chest leans forward and to the left of the pelvis's heading [T] (rad)."""
        up = self.own(self.axis("trunk", 2))
        return np.arctan2(up[:, 0], up[:, 2]), np.arctan2(up[:, 1], up[:, 2])

    def upright(self) -> np.ndarray:
        """Return whether the chest is upright, bool[T]."""
        return self.axis("trunk", 2)[:, 2] >= UPRIGHT

    def tall(self) -> np.ndarray:
        """Return whether the pelvis is as high as that of a body which does not crouch, bool[T]."""
        return self.share("pelvis") >= TALL

    def knee(self, side: str) -> np.ndarray:
        """Return how far a knee is bent [T] (rad)."""
        bent = self.function(f"{side}.knee_flexion")
        assert bent is not None  # the measure needs it
        return bent

    def moved(self, landmark: str, since: int = 0) -> np.ndarray:
        """Return how far a landmark is, over the ground, from where it was at an instant [T] (m)."""
        place = self.position(landmark)[:, :2]
        return np.linalg.norm(place - place[since], axis=1)

    def went(self, landmark: str) -> np.ndarray:
        """Return from where a landmark began to where it is in the end: forward and left of the start [2] (m)."""
        place = self.position(landmark)[:, :2]
        return place[self.time > self.time[-1] - SOON_S + 1e-9].mean(axis=0) - place[0]

    # --- what happens once

    def runs(self, so: np.ndarray, least_s: float = AIR_S) -> list[tuple[int, int]]:
        """Return the spans (first instant, first instant after) of bool[T] that last so long."""
        edges = np.flatnonzero(np.diff(np.concatenate([[False], so, [False]]).astype(int)))
        return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True) if (b - a) * self.dt >= least_s - 1e-9]

    def landings(self, side: str) -> int:
        """Return how often a foot was lifted and put down."""
        return sum(end < len(self.time) for _, end in self.runs(~self.on(side)))

    def stepped(self, each: int = 1) -> float:
        """Return 1 where each foot was lifted and put down so often, else 0."""
        return float(min(self.landings(side) for side in SIDES) >= each)

    def flights(self) -> list[tuple[int, int]]:
        """Return the spans in which no foot is on the ground."""
        return self.runs(~self.on("left") & ~self.on("right"))

    def rising(self, at: int, least: float) -> bool:
        """Tell whether the centre of mass goes up so fast (m/s) at the beginning of a flight."""
        return float(self.com()[1][max(at - 1, 0) : at + 2, 2].max()) >= least

    def soon(self, at: int, so: np.ndarray) -> bool:
        """Tell whether something is so within a moment from an instant on."""
        return bool(so[at : at + max(round(SOON_S / self.dt), 1)].any())

    # --- a pose that has to stand

    def held(self, signal: np.ndarray, so: Mapping[str, np.ndarray], rest: float = 0.0) -> tuple[float, Share]:
        """Return the level that a signal keeps for most of the last second, and how much of it each condition is so.

        Args:
            signal: [T], more of it is more of the pose.
            so: what else has to be so at an instant, bool[T] each.
            rest: what an instant counts at which it is not.
        """
        together = np.logical_and.reduce(list(so.values())) if so else np.ones(len(signal), bool)
        level = np.quantile(np.where(together, signal, rest)[self.last], 1.0 - KEPT)
        return float(level), {name: float(which[self.last].mean()) for name, which in so.items()}


def swings(signal: np.ndarray, least: float) -> int:
    """Count how often a signal goes from one turning point to the next by `least` or more."""
    count, direction, pivot, extreme = 0, 0.0, signal[0], signal[0]
    for x in signal:
        if not direction:
            if abs(x - pivot) >= least:
                count, direction, extreme = 1, np.sign(x - pivot), x
        elif (x - extreme) * direction > 0:
            extreme = x
        elif (extreme - x) * direction >= least:
            count, direction, extreme = count + 1, -direction, x
    return count


MEASURES: dict[str, Measure] = {}
_FEET = tuple(f"{side}.foot" for side in SIDES)
_SOLES = tuple(f"{side}.{end}" for side in SIDES for end in ("heel", "foot", "toe"))
_LEGS = tuple(f"{side}.{part}" for side in SIDES for part in ("hip", "knee", "heel", "foot", "toe"))
_BENDS = tuple(f"{side}.knee_flexion" for side in SIDES)


def _measure(what: str, unit: str, threshold: float, needs: tuple[str, ...] = _FEET, **more: Any) -> Callable[..., Any]:
    """Return a decorator that enters a function as the measure of its name."""

    def enter(function: Callable[[Recording], tuple[float, Share]]) -> Callable[[Recording], tuple[float, Share]]:
        MEASURES[function.__name__] = Measure(function.__name__, what, unit, threshold, function, ("pelvis", "trunk", *needs), **more)
        return function

    return enter


# --- of the sentences that may be seen


@_measure("drop of the pelvis (of standing)", "", 0.2, (*_LEGS, *_BENDS), low=0.45)
def squat(r: Recording) -> tuple[float, Share]:
    return r.held(
        1.0 - r.share("pelvis"),
        {
            "both feet on the ground": r.both(),
            "both knees bent by 1 rad": np.minimum(r.knee("left"), r.knee("right")) >= 1.0,
            "knees off the ground": np.minimum(r.share("left.knee"), r.share("right.knee")) >= 0.4,
            "chest within 60 degrees of upright": r.axis("trunk", 2)[:, 2] >= 0.5,
        },
    )


@_measure("left knee, from below the hip (0) to its height (1)", "", 0.75, _LEGS)
def raise_left_knee(r: Recording) -> tuple[float, Share]:
    thigh = r.apart("left.knee", "left.hip")
    length = np.linalg.norm(thigh, axis=1)
    return r.held(
        1.0 + thigh[:, 2] / length,
        {
            "knee in front of the hip": thigh[:, 0] >= 0.5 * length,
            "left foot off the ground": ~r.on("left"),
            "right foot on the ground": r.on("right"),
            "pelvis up": r.tall(),
            "chest upright": r.upright(),
        },
    )


@_measure("left foot off the ground", "m", 0.05, _SOLES)
def one_leg(r: Recording) -> tuple[float, Share]:
    begin = int(np.flatnonzero(r.last)[0])
    return r.held(
        r.off("left"),
        {
            "left foot bears nothing": ~r.on("left"),
            "right foot on the ground": r.on("right"),
            "right foot in its place": r.moved("right.foot", begin) <= PLACED,
            "pelvis slower than 0.3 m/s": np.linalg.norm(r.velocity("pelvis"), axis=1) <= 0.3,
            "pelvis up": r.tall(),
            "chest upright": r.upright(),
        },
    )


def _feet_stay(r: Recording) -> dict[str, np.ndarray]:
    """Both feet on the ground, where they were at the start."""
    moved = np.maximum(r.moved("left.foot"), r.moved("right.foot"))
    return {"both feet on the ground": r.both(), "feet where they were": moved <= 2.0 * PLACED}


@_measure("forward lean of the chest", "rad", 0.35, low=0.45)
def lean_forward(r: Recording) -> tuple[float, Share]:
    return r.held(r.lean()[0], {**_feet_stay(r), "pelvis up": r.share("pelvis") >= 0.8})


@_measure("lower hand above the middle of the head", "m", 0.12, (*_FEET, "head", "left.hand", "right.hand"))
def reach_up(r: Recording) -> tuple[float, Share]:
    above = np.minimum(r.height("left.hand"), r.height("right.hand")) - r.height("head")
    return r.held(above, {"both feet on the ground": r.both(), "pelvis up": r.tall(), "chest upright": r.upright()}, rest=-1.0)


@_measure("way of the nearer foot to the left", "m", 0.25)
def step_sideways(r: Recording) -> tuple[float, Share]:
    left, right = r.went("left.foot"), r.went("right.foot")
    return min(left[1], right[1]), {
        "each foot lifted and put down": r.stepped(),
        "more to the left than ahead or back": float(r.went("pelvis")[1] >= 1.5 * abs(r.went("pelvis")[0])),
        "facing ahead": float(np.abs(r.facing()[r.last]).mean() <= 0.5),
    }


def _own_way(r: Recording) -> float:
    """Return how far the pelvis went forward, as it faced on the way (m)."""
    return float(r.own(r.velocity("pelvis"))[:, 0].sum() * r.dt)


@_measure("way back, as the body faces", "m", 0.6)
def walk_backward(r: Recording) -> tuple[float, Share]:
    return min(-_own_way(r), -r.went("pelvis")[0]), {
        "each foot lifted and put down": r.stepped(),
        "facing ahead": float(np.abs(r.facing()).mean() <= 0.6),
    }


@_measure("turned from the start", "rad", 2.6)
def turn_round(r: Recording) -> tuple[float, Share]:
    end: np.ndarray = r.time > r.time[-1] - SOON_S + 1e-9
    turned, feet = (float(np.arccos(np.cos(np.median(yaw[end])))) for yaw in (r.facing(), r.feet_yaw()))
    return turned, {
        "the feet too": float(feet >= 2.2),
        "each foot lifted and put down": r.stepped(),
        "within 1 m of the start": float(np.hypot(*r.went("pelvis")) <= 1.0),
    }


@_measure("right knee, from standing (0) to the ground (1)", "", 0.75, _LEGS, low=0.45)
def kneel(r: Recording) -> tuple[float, Share]:
    return r.held(
        1.0 - r.share("right.knee"),
        {
            "left foot on the ground": r.on("left"),
            "pelvis off the ground": r.share("pelvis") >= 0.35,
            "chest within 45 degrees of upright": r.axis("trunk", 2)[:, 2] >= 0.7,
        },
    )


@_measure("lift of the lower foot in a jump", "m", 0.04, _SOLES)
def jump(r: Recording) -> tuple[float, Share]:
    best: tuple[float, Share] = 0.0, {"both feet off the ground": 0.0}
    for begin, end in r.flights():
        lift = float(np.minimum(r.off("left"), r.off("right"))[begin:end].max())
        landed = end < len(r.time) and r.soon(end, r.both()) and (len(r.time) - end) * r.dt >= SOON_S
        so = {"takes off upward": float(r.rising(begin, 0.5)), "lands on both feet": float(landed)}
        if (min(so.values()), lift) > (min(best[1].values()), best[0]):
            best = lift, so
    return best


@_measure("knees lifted in turn", "", 3.0, _LEGS)
def march(r: Recording) -> tuple[float, Share]:
    lifts = [
        (begin, side)
        for side in SIDES
        for begin, end in r.runs(~r.on(side), 0.1)
        if r.off(side)[begin:end].max() >= 0.05 and r.clear(f"{side}.knee")[begin:end].max() >= 0.04
    ]
    return _alternating([side for _, side in sorted(lifts)]), {
        "within 0.4 m of the start": float(r.moved("pelvis").max() <= 0.4),
        "a foot on the ground": float((r.on("left") | r.on("right")).mean()),
        "facing ahead": float(np.abs(r.facing()).max() <= 0.8),
    }


def _alternating(sides: list[str]) -> int:
    """Return the length of the longest run in which no side follows itself."""
    longest = run = 0
    for i, side in enumerate(sides):
        run = run + 1 if i and side != sides[i - 1] else 1
        longest = max(longest, run)
    return longest


@_measure("feet apart sideways", "m", 0.45)
def spread_feet(r: Recording) -> tuple[float, Share]:
    apart = r.apart("left.foot", "right.foot")
    return r.held(
        apart[:, 1],
        {
            "both feet on the ground": r.both(),
            "wider than long": np.abs(apart[:, 0]) <= 0.5 * np.abs(apart[:, 1]),
            "pelvis up": r.share("pelvis") >= 0.6,
            "chest upright": r.upright(),
        },
    )


@_measure("lower heel off the ground", "m", 0.05, _SOLES)
def tiptoe(r: Recording) -> tuple[float, Share]:
    heels, toes = (np.array([r.clear(f"{side}.{end}") for side in SIDES]) for end in ("heel", "toe"))
    return r.held(
        heels.min(axis=0),
        {
            "both feet on the ground": r.both(),
            "toes on the ground": toes.max(axis=0) <= 0.03,
            "legs straight": r.share("pelvis") >= 0.95,
            "chest upright": r.upright(),
        },
    )


@_measure("head turned to the left of the feet", "rad", 0.4, (*_FEET, "head"))
def look_left(r: Recording) -> tuple[float, Share]:
    return r.held(
        r.yaw("head") - r.feet_yaw(),
        {
            **_feet_stay(r),
            "feet not turned": np.maximum(np.abs(r.yaw("left.foot")), np.abs(r.yaw("right.foot"))) <= 0.3,
            "chest upright": r.upright(),
        },
    )


@_measure("left foot to the right of the right one", "m", 0.05)
def cross_left(r: Recording) -> tuple[float, Share]:
    apart = r.apart("left.foot", "right.foot")
    return r.held(
        -apart[:, 1],
        {
            "left foot in front": apart[:, 0] >= 0.08,
            "right foot on the ground": r.on("right"),
            "pelvis faces as the right foot does": np.abs(r.facing() - r.yaw("right.foot")) <= 0.5,
            "pelvis up": r.tall(),
            "chest upright": r.upright(),
        },
        rest=-0.2,
    )


@_measure("backward lean of the chest", "rad", 0.25, low=0.45)
def lean_backward(r: Recording) -> tuple[float, Share]:
    return r.held(-r.lean()[0], {**_feet_stay(r), "pelvis up": r.share("pelvis") >= 0.8})


@_measure("load of the left foot (of both)", "", 0.8, _SOLES)
def shift_weight(r: Recording) -> tuple[float, Share]:
    left, right = r.gait("left", "load"), r.gait("right", "load")
    return r.held(
        left / np.maximum(left + right, 1e-6),
        {
            "feet carry the body": left + right >= 0.5,
            "right foot not lifted": np.max([r.clear(name) for name in r.sole("right")], axis=0) <= 0.03,
            "feet where they were": np.maximum(r.moved("left.foot"), r.moved("right.foot")) <= 2.0 * PLACED,
            "pelvis up": r.tall(),
            "chest upright": r.upright(),
        },
        rest=0.5,
    )


@_measure("way forward, as the body faces", "m", 1.0)
def walk_forward(r: Recording) -> tuple[float, Share]:
    went = r.went("pelvis")
    return min(_own_way(r), went[0]), {
        "each foot lifted and put down": r.stepped(),
        "three steps": float(sum(r.landings(side) for side in SIDES) >= 3),
        "straight": float(abs(went[1]) <= 0.5 * max(went[0], 0.0)),
    }


@_measure("speed of the right foot ahead of the pelvis", "m/s", 2.0, _SOLES)
def kick(r: Recording) -> tuple[float, Share]:
    speed = r.own(r.velocity("right.foot") - r.velocity("pelvis"))[:, 0]
    so = (r.apart("right.foot", "pelvis")[:, 0] >= 0.15) & (r.off("right") >= 0.1) & r.on("left") & ~r.on("right")
    return float(np.where(so, speed, 0.0).max()), {"right foot raised in front, left one on the ground": float(so.any())}


@_measure("bend of the right knee", "rad", 1.5, (*_LEGS, *_BENDS))
def heel_up(r: Recording) -> tuple[float, Share]:
    thigh = r.apart("right.knee", "right.hip")
    return r.held(
        r.knee("right"),
        {
            "heel behind the knee": r.apart("right.heel", "right.knee")[:, 0] <= -0.15,
            "thigh hanging": thigh[:, 0] <= 0.35 * np.linalg.norm(thigh, axis=1),
            "right foot off the ground": ~r.on("right"),
            "left foot on the ground": r.on("left"),
            "pelvis up": r.tall(),
            "chest upright": r.upright(),
        },
    )


# --- of the sentences that are tried once


@_measure("left foot ahead of the right one", "m", 0.5, (*_LEGS, *_BENDS), low=0.55)
def lunge(r: Recording) -> tuple[float, Share]:
    apart = r.apart("left.foot", "right.foot")
    return r.held(
        apart[:, 0],
        {
            "both feet on the ground": r.both(),
            "left knee bent by 0.7 rad": r.knee("left") >= 0.7,
            "pelvis lowered by a tenth": r.share("pelvis") <= 0.9,
            "longer than wide": np.abs(apart[:, 1]) <= apart[:, 0],
            "chest within 45 degrees of upright": r.axis("trunk", 2)[:, 2] >= 0.7,
        },
    )


@_measure("swings of the right leg by 0.4 rad", "", 3.0, _LEGS)
def swing_leg(r: Recording) -> tuple[float, Share]:
    leg = r.apart("right.foot", "right.hip")
    lifted = r.runs(~r.on("right"), LAST_S)
    begin, end = max(lifted, key=lambda span: span[1] - span[0], default=(0, 1))
    return swings(np.arctan2(leg[:, 0], -leg[:, 2])[begin:end], 0.4), {
        "left foot on the ground": float(r.on("left")[begin:end].mean()),
        "left foot in its place": float(r.moved("left.foot", begin)[begin:end].max() <= 2.0 * PLACED),
        "chest upright": float(r.upright()[begin:end].mean()),
    }


@_measure("how much closer the feet are than at the start (of the distance then)", "", 0.3)
def feet_together(r: Recording) -> tuple[float, Share]:
    apart = r.apart("left.foot", "right.foot")
    return r.held(
        1.0 - apart[:, 1] / max(apart[0, 1], 0.05),
        {
            "both feet on the ground": r.both(),
            "not crossed": apart[:, 1] >= 0.02,
            "side by side": np.abs(apart[:, 0]) <= 0.08,
            "pelvis up": r.tall(),
            "chest upright": r.upright(),
        },
    )


@_measure("turn of the less turned foot outward", "rad", 0.35)
def toes_out(r: Recording) -> tuple[float, Share]:
    left, right = r.yaw("left.foot") - r.facing(), r.facing() - r.yaw("right.foot")
    return r.held(np.minimum(left, right), {"both feet on the ground": r.both(), "pelvis up": r.tall(), "chest upright": r.upright()})


@_measure("way forward or to the right, the shorter", "m", 0.35)
def walk_diagonally(r: Recording) -> tuple[float, Share]:
    went = r.went("pelvis")
    return min(went[0], -went[1]), {
        "each foot lifted and put down": r.stepped(),
        "facing ahead": float(np.abs(r.facing()[r.last]).mean() <= 0.5),
    }


@_measure("hops from the left foot onto it", "", 2.0, _SOLES, flies=True)
def hop_left(r: Recording) -> tuple[float, Share]:
    moment = max(round(SOON_S / r.dt), 1)
    hops = [
        (begin, end)
        for begin, end in r.flights()
        if begin
        and end < len(r.time)
        and r.on("left")[begin - 1]
        and r.on("left")[end]
        and not r.on("right")[max(begin - moment, 0) : end + moment].any()
        and r.rising(begin, 0.3)
    ]
    between = slice(hops[0][0], hops[-1][1]) if hops else slice(0, 1)
    return len(hops), {"right foot off the ground between": float((~r.on("right"))[between].mean())}


@_measure("lower toe off the ground", "m", 0.03, _SOLES)
def heels(r: Recording) -> tuple[float, Share]:
    heels, toes = (np.array([r.clear(f"{side}.{end}") for side in SIDES]) for end in ("heel", "toe"))
    return r.held(
        toes.min(axis=0),
        {
            "both feet on the ground": r.both(),
            "heels on the ground": heels.max(axis=0) <= 0.03,
            "pelvis up": r.share("pelvis") >= 0.9,
            "chest upright": r.upright(),
        },
    )


@_measure("times that both knees bend or straighten by 0.4 rad", "", 4.0, (*_FEET, *_BENDS))
def bob(r: Recording) -> tuple[float, Share]:
    return min(swings(r.knee(side), 0.4) for side in SIDES), {
        "both feet on the ground": float(r.both().mean()),
        "chest upright": float(r.upright().mean()),
        "together": float((np.abs(r.knee("left") - r.knee("right")) <= 0.4).mean()),
    }


@_measure("lean of the chest to the left", "rad", 0.2)
def lean_left(r: Recording) -> tuple[float, Share]:
    return r.held(r.lean()[1], {**_feet_stay(r), "pelvis up": r.tall(), "not ahead or back": np.abs(r.lean()[0]) <= 0.35})


@_measure("twists by 0.35 rad", "", 3.0)
def twist(r: Recording) -> tuple[float, Share]:
    turned = np.maximum(np.abs(r.yaw("left.foot")), np.abs(r.yaw("right.foot")))
    stays = _feet_stay(r)
    return swings(r.yaw("trunk") - r.feet_yaw(), 0.35), {
        **{name: float(which.mean()) for name, which in stays.items()},
        "feet not turned": float((turned <= 0.35).mean()),
        "chest upright": float(r.upright().mean()),
    }
