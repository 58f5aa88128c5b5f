"""A snapshot: everything that an episode needs to be continued, as it stands before one of its plans.

In: worlds and plans of episodes that run side by side. Out: one of them alone, in numpy, from which another episode starts: with the same
noise it repeats what followed, bit for bit (native); with other noise, or another planner, it shows what else could have.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import jax
import numpy as np

from movlr_jax.control.planners.base import Planner, PlanState
from movlr_jax.errors import BadFile
from movlr_jax.morphologies import Morphology
from movlr_jax.morphologies.posture import PostureSpace
from movlr_jax.physics.gait import GAIT_FIELDS
from movlr_jax.physics.instant import Frame
from movlr_jax.physics.simulator import State
from movlr_jax.sides import SIDES


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

    def arrays(self) -> dict[str, np.ndarray]:
        """Return all of it as arrays by name, for a file: `of_arrays` makes the same snapshot of them."""
        parts = ("state", self.state), ("plan", self.plan), ("frame", self.frame)
        named = {f"{part}.{f.name}": getattr(whole, f.name) for part, whole in parts for f in fields(whole)}
        found = {name: np.asarray(value) for name, value in named.items() if value is not None}
        return found | {"seed": np.asarray(self.seed), "noise": np.asarray(json.dumps(self.noise))}

    @staticmethod
    def of_arrays(arrays: Mapping[str, np.ndarray], planner: Planner, morphology: Morphology) -> Snapshot:
        """Return the snapshot that `arrays` was made of.

        Args:
            arrays: they may be anyone's.
            planner, morphology: whose they must be.

        Raises:
            BadFile: they are no snapshot of this planner and this body.
        """
        space = morphology.posture
        like = planner.init(space, space.read(morphology.standing_qpos)[None])
        shapes = _shapes(like, morphology)
        odd = {n for n in set(arrays) | set(shapes) if n not in arrays or n not in shapes or arrays[n].shape != shapes[n]}
        odd |= {name for name, array in arrays.items() if array.dtype.kind not in {"noise": "U", "seed": "iu"}.get(name, "fiu")}
        # Of a body whose muscles have its own strength there is no array of it.
        odd -= {_STRENGTH} - set(arrays)
        if odd:
            raise BadFile(f"These arrays are no snapshot of {morphology.name} under {planner.name} ({', '.join(sorted(odd))}).")
        state, plan, frame = (_part(arrays, name) for name in ("state", "plan", "frame"))
        frame = {name: tuple(array.tolist()) if array.ndim else float(array) for name, array in frame.items()}
        return Snapshot(State(**state), replace(like, **plan), Frame(**frame), int(arrays["seed"]), _noise(str(arrays["noise"])))


_STRENGTH = "state.peak_force"


def _part(arrays: Mapping[str, np.ndarray], part: str) -> dict[str, Any]:
    """Return the fields of a part of a snapshot."""
    return {name.removeprefix(f"{part}."): array for name, array in arrays.items() if name.startswith(f"{part}.")}


def _shapes(plan: PlanState, morphology: Morphology) -> dict[str, tuple[int, ...]]:
    """Return the shape of each array of a snapshot."""
    model, muscles = morphology.model, len(morphology.muscles.peak_force)
    widths = {"time": (), "qpos": (model.nq,), "qvel": (model.nv,), "act": (model.na,), "ctrl": (model.nu,), "warmstart": (model.nv,)}
    widths |= {"length": (model.nu,), "gait": (len(SIDES), len(GAIT_FIELDS)), "peak_force": (muscles,)}
    shapes: dict[str, tuple[int, ...]] = {f"state.{name}": (1, *width) for name, width in widths.items()}
    for part, like in (("plan", plan), ("frame", Frame())):
        shapes |= {f"{part}.{f.name}": np.shape(value) for f in fields(like) if (value := getattr(like, f.name)) is not None}
    return shapes | {"seed": (), "noise": ()}


def _noise(text: str) -> Mapping[str, Any]:
    """Return the state of a source of noise.

    Raises:
        BadFile: the text is none.
    """
    rng = np.random.default_rng(0)
    try:
        rng.bit_generator.state = json.loads(text)
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise BadFile(f"A snapshot's noise cannot be read ({type(error).__name__}): delete it, and the episode is begun anew.") from None
    return dict(rng.bit_generator.state)


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
