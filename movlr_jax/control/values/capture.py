"""Capturability: whether a body that falls as an inverted pendulum can still put a foot where it stops.

The extrapolated centre of mass xi = x + v sqrt(l / g) (Hof, Gazendam and Sinke, J Biomech 38, 2005) is where a foot would have to stand for
the pendulum to come to rest above it; while it stands on p, xi runs away from p as exp(t sqrt(g / l)). For each foot as the next to land,
the other stands, and

    shortfall = distance from xi(T) to what the two feet then span, beyond the reach of a changed step,

T being what remains of the swing. A foot in the air lands where it heads, one on the ground a step of this speed ahead of where it is. A
changed step reaches 0.2 m in 0.3 s (Hof, Vermerris and Gjaltema, JEB 213, 2010), of a human; lengths scale with the height of the centre of
mass and times with its root. Ahead of both feet xi may lie half a metre further: a walk falls forward into its next step, and one whose
every forward fall is a danger goes slowly. The value is that of the better foot: 0 while xi stays in reach, -1/2 at a shortfall of half a
metre, and ever nearer to -1, so that of two bad ends one is still the better.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float

from movlr_jax.control.values.base import TerminalValue
from movlr_jax.control.values.body_view import BodyView
from movlr_jax.errors import MovlrError
from movlr_jax.physics.gait import GAIT_FIELDS
from movlr_jax.rewards.layout import FeatureLayout
from movlr_jax.sides import SIDES
from movlr_jax.units import GRAVITY

HUMAN = 0.97  # m, height of a standing human's centre of mass, by which human lengths and times are scaled
SWING = 0.40  # s, from liftoff to touchdown of a human (stance 60 % of a stride of 1.1 s)
SHORTEST = 0.05  # s, a step that is due lands within
REACH_SPEED = 0.2 / 0.3  # m/s, at which a step is changed
FOOT = 0.05  # m, half the width of a foot
AHEAD = 0.5  # m, by which xi may run ahead of both feet: fast walks that go on have 0.1 to 0.6, falls forward more
LEG_SPEED = 2.5  # how fast a foot swings, in speeds of the body: a stride's length in the two fifths of it that a swing takes
HALF = 0.5  # m, shortfall at which the value is -1/2: walks of MS-Human-700 that go on have 0 to 0.6, those that fall 1 to 3


class Capture(TerminalValue):
    """The value of capturability, from places and velocities of the centre of mass and the feet, and the gait memory."""

    name: ClassVar[str] = "capture"

    def __init__(self, layout: FeatureLayout):
        if layout.missing_feet:
            lacked = layout.missing_feet[0]
            raise MovlrError(f"The terminal value capture is for bodies with feet; {layout.morphology} lacks {lacked}: leave it out.")
        self._layout = layout
        self._scale = layout.standing["com_height"] / HUMAN

    def __call__(self, instants: Float[Any, "episode candidate f"]) -> Float[Any, "episode candidate"]:
        """See TerminalValue."""
        return -self.danger(instants)

    def danger(self, instants: Float[Any, "*batch f"]) -> Float[Any, "*batch"]:
        """Return the shortfall as a number from 0 to 1."""
        short = self.shortfall(instants)
        return short / (short + HALF * self._scale)

    def shortfall(self, instants: Float[Any, "*batch f"]) -> Float[Any, "*batch"]:
        """Return how far xi will lie beyond the reach of the foot that lands next, of two that stand the better (m)."""
        view = BodyView(self._layout, instants)
        xp, slow = view.xp, np.sqrt(self._scale)
        feet = [self._foot(view, side) for side in SIDES]
        gait = view.block("gait").reshape(*instants.shape[:-1], len(SIDES), len(GAIT_FIELDS))
        com, velocity = view.com(), view.com_velocity()[..., :2]
        short = []
        for swing, stance in ((0, 1), (1, 0)):
            on_ground, carries = (gait[..., foot, GAIT_FIELDS.index("in_contact")] > 0.5 for foot in (swing, stance))
            in_air = xp.where(on_ground, 0.0, gait[..., swing, GAIT_FIELDS.index("time_since_liftoff")])
            left = xp.maximum(SWING * slow - in_air, SHORTEST * slow)
            (heel, toe), (swing_heel, swing_toe) = feet[stance], feet[swing]
            length = xp.maximum(com[..., 2] - 0.5 * (heel + toe)[..., 2], 0.2 * HUMAN * self._scale)
            pace = xp.sqrt(GRAVITY / length)
            xi = com[..., :2] + velocity / pace[..., None]
            # The pendulum stands on that point of the foot which holds it best.
            pivot = _nearest(xi, heel[..., :2], toe[..., :2], xp)
            xi = pivot + (xi - pivot) * xp.exp(pace * left)[..., None]
            heads = xp.where(on_ground[..., None], LEG_SPEED * velocity, view.velocity(f"{SIDES[swing]}.foot")[..., :2])
            # A foot is braked over the rest of its swing.
            move = 0.5 * heads * left[..., None]
            corners = [heel[..., :2], toe[..., :2], swing_heel[..., :2] + move, swing_toe[..., :2] + move]
            front = corners[0][..., 0]
            for corner in corners[1:]:
                front = xp.maximum(front, corner[..., 0])
            ahead = xp.clip(xi[..., 0] - front, 0.0, AHEAD * self._scale)
            xi = xp.stack([xi[..., 0] - ahead, xi[..., 1]], axis=-1)
            reach = FOOT * self._scale + REACH_SPEED * np.sqrt(self._scale) * left
            # While one foot is in the air, that one is the next to land.
            short.append(xp.where(carries | ~on_ground, xp.maximum(_outside(xi, corners, xp) - reach, 0.0), np.inf))
        return xp.minimum(short[0], short[1])

    def _foot(self, view: BodyView, side: str) -> tuple[Any, Any]:
        """Return heel and toe; the foot's own place for what the body lacks."""
        ends = [part if part in self._layout.landmarks else f"{side}.foot" for part in (f"{side}.heel", f"{side}.toe")]
        return view.place(ends[0]), view.place(ends[1])


def _nearest(point: Any, a: Any, b: Any, xp: Any) -> Any:
    """Return the point [..., 2] of the segment a b that is nearest to a point."""
    along = b - a
    share = ((point - a) * along).sum(-1) / xp.maximum((along * along).sum(-1), 1e-9)
    return a + xp.clip(share, 0.0, 1.0)[..., None] * along


def _outside(point: Any, corners: list[Any], xp: Any) -> Any:
    """Return the distance [...] of a point from the convex hull of four points, 0 inside.

    The hull of four points is the union of their four triangles, and its edges are among their six segments.
    """
    pairs = [(i, j) for i in range(4) for j in range(i)]
    away = [xp.sqrt(xp.square(point - _nearest(point, corners[i], corners[j], xp)).sum(-1)) for i, j in pairs]
    inside = xp.zeros(point.shape[:-1], bool)
    for skipped in range(4):
        a, b, c = (corners[i] for i in range(4) if i != skipped)
        turns = [_turn(a, b, point), _turn(b, c, point), _turn(c, a, point)]
        inside = inside | xp.all(xp.stack(turns) > 0, axis=0) | xp.all(xp.stack(turns) < 0, axis=0)
    nearest = away[0]
    for other in away[1:]:
        nearest = xp.minimum(nearest, other)
    return xp.where(inside, 0.0, nearest)


def _turn(a: Any, b: Any, c: Any) -> Any:
    """Return twice the signed area of triangles a b c."""
    return (b - a)[..., 0] * (c - a)[..., 1] - (b - a)[..., 1] * (c - a)[..., 0]
