"""Strides: when each foot stood and swung, from the gait memory of the recorded instants.

Rows are 20 ms apart; the memory (contact, times since touchdown and lift-off) is updated every step of the simulation, so it also dates
events between two rows and tells of those that came and went there. A planned body chatters: a foot touches down, lets go and touches
again. A stance here is what a gait laboratory calls one: what is too short or leads nowhere is no step, and is counted as a touchdown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from movlr_jax.gait.trajectory import Trajectory
from movlr_jax.rewards.layout import SIDES

SHORTEST_SWING_S = 0.06  # a shorter loss of contact is chatter; a walking human's swing takes 0.4 s, a runner's no less than 0.25
SHORTEST_STANCE_S = 0.06  # a shorter contact is a scuff of the swinging foot; a sprinter's stance takes 0.1 s
SWING_TRAVEL = 0.05  # a swing carries the foot this share of the pelvis's standing height over the ground,
SWING_LIFT = 0.03  # or lifts it by this one (stepping on the spot); a foot that does neither only shifted
STUMBLE_S = 1.0  # a fall takes the last steps with it: strides that end in this time before one are not of the gait


@dataclass(frozen=True)
class Contact:
    """A stance: a foot bears load, repeated touchdowns merged.

    Attributes:
        from_s: touchdown; the first instant where the foot stood from the start (s).
        to_s: toe-off; the last instant where it stands at the end (s).
        touchdowns: how often the foot touched the ground for it, scuffs of the swing before it included; 1 without chatter.
        landed: whether it begins with a touchdown (and not with the episode).
        left: whether it ends with a toe-off (and not with the episode).
    """

    from_s: float
    to_s: float
    touchdowns: int
    landed: bool
    left: bool


@dataclass(frozen=True)
class Stride:
    """One stride: from a foot's touchdown to its next. Rows are indices of the trajectory's instants.

    Attributes:
        side: "left" or "right".
        touchdown_s: when the foot landed (s).
        toe_off_s: when it left the ground (s).
        next_touchdown_s: when it landed again (s).
        other_toe_off_s: when the other foot left the ground inside; None: it did not (s).
        other_touchdown_s: when the other foot landed inside; None: it did not (s).
        touchdown_row: the first row of the stance.
        toe_off_row: the first row of the swing.
        next_touchdown_row: the first row of the next stance: the rows of the stride are those from touchdown_row to before it.
        touchdowns: how often this foot touched down from after the toe-off before the stride to its own; 1 without chatter.
        steady: whether it counts in means: neither the foot's first stride from rest, nor one of a stumble.
    """

    side: str
    touchdown_s: float
    toe_off_s: float
    next_touchdown_s: float
    other_toe_off_s: float | None
    other_touchdown_s: float | None
    touchdown_row: int
    toe_off_row: int
    next_touchdown_row: int
    touchdowns: int
    steady: bool

    @property
    def seconds(self) -> float:
        """How long it took (s)."""
        return self.next_touchdown_s - self.touchdown_s

    @property
    def rows(self) -> slice:
        """The rows of the stride."""
        return slice(self.touchdown_row, self.next_touchdown_row)


def _events(trajectory: Trajectory, side: str) -> tuple[bool, list[tuple[float, bool]]]:
    """Return whether a foot stands at the first instant, and when that changed since: (s, stands from then on), in order."""
    t = trajectory
    contact = t.gait(side, "in_contact") > 0.5
    since = {stands: t.gait(side, f"time_since_{'touchdown' if stands else 'liftoff'}") for stands in (True, False)}
    events: list[tuple[float, bool]] = []
    for k in range(1, len(t.time)):
        stands, stood = bool(contact[k]), bool(contact[k - 1])
        ago = {state: float(values[k]) for state, values in since.items()}
        within = t.time[k] - t.time[k - 1]
        if stands != stood:
            events.append((t.time[k] - (ago[stands] if ago[stands] < within else 0.0), stands))
        elif ago[stands] < within and since[stands][k - 1] > ago[stands] + 1e-4:
            # Between two rows it changed and changed back.
            again, away = t.time[k] - ago[stands], t.time[k] - min(ago[not stands], within)
            events += [(min(away, again), not stands), (again, stands)]
    return bool(contact[0]), events


def contacts(trajectory: Trajectory, side: str) -> tuple[Contact, ...]:
    """Return the stances of a foot, in order: losses of contact shorter than `SHORTEST_SWING_S`, contacts shorter than
    `SHORTEST_STANCE_S` between two swings, and swings that carry the foot nowhere are merged; none for a body without feet."""
    if not trajectory.has(f"{side}.foot"):
        return ()
    stands, events = _events(trajectory, side)
    start, end = float(trajectory.time[0]), float(trajectory.time[-1])
    spans: list[Contact] = []
    since, landed = start, False
    for at, down in events:
        if down:
            since, landed = at, True
        else:
            spans.append(Contact(since, at, int(landed), landed, True))
        stands = down
    if stands:
        spans.append(Contact(since, end, int(landed), landed, False))
    spans = _merged(spans, lambda a, b: b.from_s - a.to_s < SHORTEST_SWING_S)
    spans = _without_scuffs(spans)
    return tuple(_merged(spans, lambda a, b: not _carried(trajectory, side, a.to_s, b.from_s)))


def _merged(spans: list[Contact], belong: Callable[[Contact, Contact], bool]) -> list[Contact]:
    """Return the contacts with those joined that belong to the one before them."""
    out: list[Contact] = []
    for span in spans:
        if out and belong(out[-1], span):
            first = out.pop()
            span = Contact(first.from_s, span.to_s, first.touchdowns + span.touchdowns, first.landed, span.left)
        out.append(span)
    return out


def _without_scuffs(spans: list[Contact]) -> list[Contact]:
    """Return the contacts without those that only touch the ground inside a swing: the stance that follows counts their touchdowns."""
    out: list[Contact] = []
    scuffs = 0
    for span in spans:
        if span.landed and span.left and span.to_s - span.from_s < SHORTEST_STANCE_S:
            scuffs += span.touchdowns
            continue
        out.append(Contact(span.from_s, span.to_s, span.touchdowns + scuffs, span.landed, span.left))
        scuffs = 0
    return out


def _carried(trajectory: Trajectory, side: str, from_s: float, to_s: float) -> bool:
    """Tell whether a foot was carried over the ground, or lifted, while it did not touch it."""
    t = trajectory
    a, b = (int(np.clip(np.searchsorted(t.time, s), 0, len(t.time) - 1)) for s in (from_s, to_s))
    leg = t.standing("pelvis_height")
    place = t.position(f"{side}.foot")
    travel = float(np.linalg.norm(place[b, :2] - place[a, :2]))
    lift = float(t.height(f"{side}.foot")[a : b + 1].max() - min(t.height(f"{side}.foot")[[a, b]]))
    return travel >= SWING_TRAVEL * leg or lift >= SWING_LIFT * leg


def strides(trajectory: Trajectory, fell: bool = False) -> tuple[Stride, ...]:
    """Return the whole strides of both feet by their touchdown; what the start or the end cuts is none.

    The first stride of each foot starts from rest and is not steady; nor is, where the episode ended in a fall, a stride that ends in the
    last `STUMBLE_S`.

    Args:
        trajectory: the episode.
        fell: whether it ended in a fall.
    """
    stances = {side: contacts(trajectory, side) for side in SIDES}
    out: list[Stride] = []
    for side, other in (SIDES, SIDES[::-1]):
        landed = [c for c in stances[side] if c.landed]
        for i, (now, following) in enumerate(pairwise(landed)):
            inside = [c for c in stances[other] if now.from_s < c.from_s < following.from_s and c.landed]
            away = [c.to_s for c in stances[other] if now.from_s <= c.to_s < following.from_s and c.left]
            row, off, after = (int(np.searchsorted(trajectory.time, s - 1e-6)) for s in (now.from_s, now.to_s, following.from_s))
            steady = i > 0 and not (fell and following.from_s > trajectory.time[-1] - STUMBLE_S)
            out.append(
                Stride(
                    side,
                    now.from_s,
                    now.to_s,
                    following.from_s,
                    away[0] if away else None,
                    inside[0].from_s if inside else None,
                    row,
                    off,
                    after,
                    now.touchdowns,
                    steady,
                )
            )
    return tuple(sorted(out, key=lambda stride: stride.touchdown_s))
