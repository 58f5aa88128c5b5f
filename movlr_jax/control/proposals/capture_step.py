"""Capture steps: postures that put a foot down where the body is going to be, so that a step of use is among a plan's candidates.

A body that runs ahead of its feet is an inverted pendulum of length l about its stance foot p. Its extrapolated centre of mass (Hof, J.
Biomech. 38, 2005) xi = x + v / w, w = sqrt(g / l), leaves the stance foot as xi(t) = p + (xi - p) exp(w t), and a foot that comes down on
xi stops it. So a proposal brings one foot to xi(t) as it will be when the foot lands, times a share of the reach forward, and to the side a
little outside of xi; with several knots it is lifted on its way, put down, and then left where it stands while the body moves over it. Hip
flexion and adduction and knee flexion that bring it there, whichever joints of the body have these functions
(`movlr_jax.morphologies.anatomy`), are looked up in a table of where the foot is, seen from the pelvis, and bettered by one step of damped
least squares. All other joints keep the plan's targets.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from movlr_jax.control.proposals.base import Proposals
from movlr_jax.errors import MovlrError
from movlr_jax.morphologies import Morphology, anatomy
from movlr_jax.morphologies.kinematics import Kinematics
from movlr_jax.physics.simulator import State
from movlr_jax.sides import SIDES
from movlr_jax.units import GRAVITY

_FUNCTIONS = ("hip_flexion", "hip_adduction", "knee_flexion")
# Variants, those of most use first: (whether it is the foot that bears less, time to its landing (s), share of the reach forward, sideways
# beyond xi, as a share of the leg). A human's changed step takes 0.2 to 0.3 s.
VARIANTS: tuple[tuple[bool, float, float, float], ...] = (
    (True, 0.2, 1.0, 0.05),
    (True, 0.2, 0.75, 0.05),
    (True, 0.2, 1.25, 0.05),
    (False, 0.3, 1.0, 0.05),
    (True, 0.1, 1.0, 0.05),
    (True, 0.3, 1.0, 0.05),
    (True, 0.2, 1.0, 0.15),
    (True, 0.2, 1.5, 0.05),
    (True, 0.2, 0.5, 0.05),
    (False, 0.3, 0.75, 0.05),
    (True, 0.1, 1.25, 0.05),
    (True, 0.3, 0.75, 0.05),
    (True, 0.3, 1.25, 0.05),
    (True, 0.2, 0.75, 0.15),
    (False, 0.3, 1.25, 0.05),
    (False, 0.2, 1.0, 0.05),
)
_APART = 0.1  # least distance of the landing foot to the side of the other, as a share of the leg
_LIFT = 0.08  # rise of the foot in the middle of its way, as a share of the leg
_LEAD = 0.1  # by which a target goes ahead of the leg that follows it (s): about what muscles and inertia make it lag
_GRID = (19, 9, 17)  # entries of a leg's table along hip flexion, hip adduction and knee flexion
_DAMPING = 1e-3  # of the least squares (m^2 / rad^2)
_ANGLE = 1e-3  # by which joints are turned to find the foot's derivatives (rad)
_SOON = 1e-3  # over which velocities are differences of places (s)


class CaptureStep(Proposals):
    """Steps to where the body will need a foot, in the variants of `VARIANTS`."""

    name = "capture-step"

    def __init__(self, morphology: Morphology, count: int, times: Sequence[float]):
        if count > len(VARIANTS):
            raise MovlrError(f"planner.proposed is {count}: capture-step knows {len(VARIANTS)} steps, give at most that.")
        space, model, functions = morphology.posture, morphology.model, anatomy.joints(morphology)
        needed = [f"{side}.{function}" for side in SIDES for function in _FUNCTIONS]
        lacking = [name for name in needed if functions.get(name, ("", 0.0))[0] not in space.names]
        if lacking:
            raise MovlrError(
                f"{morphology.name} has no planned joint for {', '.join(lacking)}, so it cannot be given capture steps: leave out "
                "--planner.proposals."
            )
        self._terrain = morphology.terrain
        self._columns = np.array([space.names.index(functions[name][0]) for name in needed]).reshape(2, len(_FUNCTIONS))
        landmarks = [f"{side}.foot" for side in SIDES]
        sites = [model.site(f"landmark/{name}") for name in landmarks]
        self._feet = [(int(site.bodyid[0]), np.array(site.pos)) for site in sites]
        self._pelvis = model.body(morphology.plan.landmarks["pelvis"].body).id
        tree = [body for body in range(1, model.nbody) if model.body_rootid[body] == model.body_rootid[morphology.top]]
        self._body = Kinematics(model, tree)
        tables = [self._table(morphology, side) for side in (0, 1)]
        self._angles, self._places, self._inverse = (np.stack(parts) for parts in zip(*tables, strict=True))
        self._limits = np.stack([space.lower[self._columns], space.upper[self._columns]])
        self._sole = np.array([morphology.standing_heights[name] for name in landmarks])
        self._leg = float(np.mean([morphology.standing_heights[f"{side}.hip"] for side in SIDES]))
        self._times = np.asarray(times, float) + _LEAD
        self._less, self._when, self._share, self._out = (np.array(column) for column in zip(*VARIANTS[:count], strict=True))

    def __call__(
        self, state: State, mean: Float[Any, "episode knot d"], frames: Float[Any, "episode columns"]
    ) -> Float[Any, "episode n knot d"]:
        """See Proposals."""
        xp = mean.__array_namespace__()
        qpos = xp.asarray(state.qpos, mean.dtype)
        soon = self._body.moved(qpos, xp.asarray(state.qvel, mean.dtype), _SOON)
        com, later = self._body.centre_of_mass(xp.stack([qpos, soon]))
        velocity = ((later - com) / _SOON)[:, :2]
        turned, places = self._body.frames(qpos)
        feet = xp.stack([self._at(turned, places, body, offset) for body, offset in self._feet], axis=1)
        lighter = xp.where(state.gait[:, 0, 1] <= state.gait[:, 1, 1], 0, 1)[:, None]
        swing = xp.where(xp.asarray(self._less)[None], lighter, 1 - lighter)  # [E, n]
        height = com[:, 2] - self._terrain.height(com[:, :2], xp)
        rate = xp.sqrt(GRAVITY / xp.maximum(height, 0.25 * self._leg))[:, None]  # [E, 1]
        foot, stance = (xp.take_along_axis(feet, side[..., None], axis=1) for side in (swing, 1 - swing))  # [E, n, 3]
        landing = self._landing(com[:, None, :2], velocity[:, None], foot, stance, swing, rate, frames)
        # Where the foot is to be at each knot, as the pelvis will then have been carried along: [E, n, K, 3].
        t = xp.asarray(self._times, mean.dtype)[:, None]
        phase = xp.clip(t / xp.asarray(self._when, mean.dtype)[:, None, None], 0.0, 1.0)
        carried = self._carried(com[:, None, None, :2], velocity[:, None, None], stance[:, :, None, :2], rate[..., None, None], t)
        place = foot[:, :, None, :2] + phase * (landing - foot[..., :2])[:, :, None] - carried
        sole = xp.asarray(self._sole, mean.dtype)[swing][..., None]
        down = foot[..., 2:][..., None, :] * (1 - phase) + phase * (self._terrain.height(landing, xp)[..., None] + sole)[..., None]
        target = xp.concatenate([place, down + _LIFT * self._leg * xp.sin(math.pi * phase)], axis=-1)
        offset = target - self._at(turned, places, self._pelvis, np.zeros(3))[:, None, None]
        angles = self._reach(swing, offset @ turned[:, None, self._body.order.index(self._pelvis)])
        base = xp.broadcast_to(mean[:, None], (*swing.shape, *mean.shape[1:]))
        legs = [_with(base, columns, angles) for columns in self._columns]
        return xp.where(swing[..., None, None] == 0, *legs)

    def _at(self, turned: Any, places: Any, body: int, offset: np.ndarray) -> Any:
        """Return where a point of a body is (m, world), in frames of the whole body."""
        i, xp = self._body.order.index(body), places.__array_namespace__()
        return places[:, i] + turned[:, i] @ xp.asarray(offset, places.dtype)

    def _table(self, morphology: Morphology, side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return a leg's angles[M, 3] (rad), where its foot then is in the pelvis' frame [M, 3] (m), and the angles that a metre along each
        axis from there takes [M, 3, 3] (rad/m)."""
        space, columns, (body, offset) = morphology.posture, self._columns[side], self._feet[side]
        grid = [np.linspace(space.lower[c], space.upper[c], n) for c, n in zip(columns, _GRID, strict=True)]
        angles = np.stack(np.meshgrid(*grid, indexing="ij"), axis=-1).reshape(-1, len(columns))
        turns = np.concatenate([np.zeros((1, len(columns))), _ANGLE * np.eye(len(columns))])
        posture = np.repeat(space.read(morphology.standing_qpos)[None], len(angles) * len(turns), axis=0)
        posture[:, columns] = (angles[:, None] + turns).reshape(-1, len(columns))
        # Not `complete`, which clips: a derivative at the end of a range is wanted too.
        qpos = np.repeat(morphology.standing_qpos[None], len(posture), axis=0)
        qpos[:, space.qpos_index] = posture
        leg = Kinematics(morphology.model, [body, self._pelvis])
        turned, places = leg.frames(space.project(qpos))
        foot, pelvis = leg.order.index(body), leg.order.index(self._pelvis)
        away = places[:, foot] + turned[:, foot] @ offset - places[:, pelvis]
        feet = (away[:, None] @ turned[:, pelvis])[:, 0].reshape(len(angles), len(turns), 3)
        slope = (feet[:, 1:] - feet[:, :1]) / _ANGLE  # [M, joint, 3]
        normal = slope @ slope.swapaxes(1, 2) + _DAMPING * np.eye(len(columns))
        return angles, feet[:, 0], np.linalg.solve(normal, slope)

    def _reach(self, swing: Any, offset: Any) -> Any:
        """Return the angles[E, n, K, 3] of the swinging legs[E, n] whose foot is nearest to places[E, n, K, 3] in the pelvis' frame."""
        xp = offset.__array_namespace__()
        angles, places, inverse = (xp.asarray(part, offset.dtype) for part in (self._angles, self._places, self._inverse))
        out = []
        for side in (0, 1):
            away = ((offset[..., None, :] - places[side]) ** 2).sum(-1)
            nearest = xp.argmin(away, axis=-1)
            lower, upper = (xp.asarray(limit, offset.dtype) for limit in self._limits[:, side])
            entry = (upper - lower) / (xp.asarray(_GRID, offset.dtype) - 1)  # a place out of reach asks for more than an entry's distance
            turn = (inverse[side][nearest] @ (offset - places[side][nearest])[..., None])[..., 0]
            out.append(xp.clip(angles[side][nearest] + xp.clip(turn, -entry, entry), lower, upper))
        return xp.where(swing[..., None, None] == 0, *out)

    def _landing(self, com: Any, velocity: Any, foot: Any, stance: Any, swing: Any, rate: Any, frames: Any) -> Any:
        """Return the places [E, n, 2] where feet are to come down: see the module."""
        xp = foot.__array_namespace__()
        forward = xp.asarray(frames[:, 2:4], foot.dtype)[:, None]
        left = xp.stack([-forward[..., 1], forward[..., 0]], axis=-1)
        away = com + velocity / rate[..., None] - stance[..., :2]
        away = away * xp.exp(rate * xp.asarray(self._when, foot.dtype))[..., None]
        side = xp.where(swing == 0, 1.0, -1.0).astype(foot.dtype)
        ahead = xp.asarray(self._share, foot.dtype) * (away * forward).sum(-1)
        beside = (away * left).sum(-1) + side * xp.asarray(self._out, foot.dtype) * self._leg
        beside = side * xp.maximum(side * beside, _APART * self._leg)
        step = ahead[..., None] * forward + beside[..., None] * left
        # No farther than a leg reaches, however fast the body falls.
        length = xp.sqrt(xp.maximum((step * step).sum(-1, keepdims=True), 1e-12))
        return stance[..., :2] + step * xp.minimum(1.0, self._leg / length)

    def _carried(self, com: Any, velocity: Any, stance: Any, rate: Any, t: Any) -> Any:
        """Return how far the body has fallen over its stance foot after times t (m)."""
        xp = com.__array_namespace__()
        out = (com - stance) * (xp.cosh(rate * t) - 1.0) + velocity / rate * xp.sinh(rate * t)
        length = xp.sqrt(xp.maximum((out * out).sum(-1, keepdims=True), 1e-12))
        return out * xp.minimum(1.0, self._leg / length)


def _with(array: Any, columns: np.ndarray, values: Any) -> Any:
    """Return the array with array[..., columns] = values."""
    if isinstance(array, np.ndarray):
        out = np.array(array)
        out[..., columns] = values
        return out
    return array.at[..., columns].set(values)
