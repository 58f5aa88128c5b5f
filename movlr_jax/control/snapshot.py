"""A snapshot: everything that an episode needs to be continued, as it stands before one of its plans.

In: worlds and plans of episodes that run side by side. Out: one of them alone, in numpy, from which another episode starts: with the same
noise it repeats what followed, bit for bit (native); with other noise, or another planner, it shows what else could have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import jax
import numpy as np

from movlr_jax.control.planners.base import Planner, PlanState
from movlr_jax.morphologies.posture import PostureSpace
from movlr_jax.physics.instant import Frame
from movlr_jax.physics.simulator import State


@dataclass(frozen=True, eq=False)
class Snapshot:
    """One episode before one of its plans.

    Attributes:
        state: its world, with a world axis of length one.
        plan: the plan before, with an episode axis of length one; of any planner.
        frame: frame and goal.
        seed: of the episode.
        noise: state of its source of noise (NumPy's bit generator); None where it is not known.
    """

    state: State
    plan: PlanState
    frame: Frame
    seed: int
    noise: Mapping[str, Any] | None = None

    @property
    def time(self) -> float:
        """Simulated time since the start of its episode (s)."""
        return float(self.state.time[0])


def taken(state: State, plan: PlanState, episode: int, frame: Frame, seed: int, rng: np.random.Generator) -> Snapshot:
    """Return the snapshot of one of the episodes that run side by side.

    Args:
        state, plan: of all of them.
        episode: which.
        frame, seed, rng: its own.
    """

    def own(array: Any) -> np.ndarray:
        return np.array(array[episode : episode + 1])

    return Snapshot(jax.tree.map(own, state), jax.tree.map(own, plan), frame, seed, rng.bit_generator.state)


def with_states(state: State, snapshots: Mapping[int, Snapshot]) -> State:
    """Return worlds of numpy, some of which stand as snapshots say; the strength of muscles stays that of `state`.

    Args:
        state: W worlds.
        snapshots: by world.
    """
    values = {f.name: np.array(getattr(state, f.name)) for f in fields(State) if f.name != "peak_force"}
    for world, snapshot in snapshots.items():
        for name, array in values.items():
            array[world] = getattr(snapshot.state, name)[0]
    return State(**values, peak_force=state.peak_force)


def with_plans(planner: Planner, space: PostureSpace, first: Any, snapshots: Mapping[int, Snapshot]) -> Any:
    """Return the plans that episodes start with, some of which go on from snapshots.

    What a snapshot's plan has of the same name and shape is carried over. Of a plan with other knots the executed posture is, and what
    only this planner has starts as it starts from that posture.

    Args:
        planner: who goes on.
        space: the posture space.
        first: its first plans of E episodes, of numpy.
        snapshots: by episode.
    """
    plan = jax.tree.map(np.array, first)
    for episode, snapshot in snapshots.items():
        going = planner.init(space, snapshot.plan.mean[:, 0])
        same = {f.name: np.asarray(getattr(snapshot.plan, f.name, None)) for f in fields(going)}
        same = {name: value for name, value in same.items() if np.shape(getattr(going, name)) == value.shape != ()}
        going = replace(going, **same)
        plan = jax.tree.map(lambda all_plans, one, e=episode: _put(all_plans, e, one), plan, going)
    return plan


def _put(array: np.ndarray, row: int, value: Any) -> np.ndarray:
    array[row] = np.asarray(value)[0]
    return array


def peak_forces(own: Sequence[np.ndarray | None], snapshots: Mapping[int, Snapshot]) -> list[np.ndarray | None]:
    """Return each episode's peak forces (N): what it says itself, else what its snapshot does; None: the body's own."""
    kept = {e: s.state.peak_force[0] for e, s in snapshots.items() if s.state.peak_force is not None}
    return [kept.get(e) if value is None else value for e, value in enumerate(own)]
