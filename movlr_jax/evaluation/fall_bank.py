"""A fall bank: states some time before a fall, and as many harmless ones, from which planners are tried.

Walks seldom fall, so that a walk of ten seconds tells a tenth of a fall or less about a planner; from states shortly before one, every
second and a half tells as much (module `survival`). In: snapshots of episodes. Out: a file that any planner is measured with, on the very
body that it was made with.

An episode belongs to one half by its seed: odd ones measure, and what is learnt is learnt from even ones.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from movlr_jax import atomic
from movlr_jax.control.planners import PlanState
from movlr_jax.control.snapshot import Snapshot
from movlr_jax.errors import BadFile, MovlrError
from movlr_jax.morphologies import Morphology
from movlr_jax.physics.instant import GOAL_FIELDS, NO_TARGET, Frame
from movlr_jax.physics.simulator import State

VERSION = 1
KINDS = ("fall", "harmless")
SPLITS = ("test", "train")
NATURAL = "natural"
BRANCH_SEED = 10_000  # of a walk and what branches off it the seeds differ by multiples of this, so they are in one half
# A fall's last 0.6 s are past saving by where the feet can still be put; 1.5 s before it most walks are as good as any.
EARLIEST, LATEST = 1.5, 0.6  # s before the fall
HARMLESS = 2.0  # s after a harmless state in which its episode did not fall, half a second more than a trial lasts

_STATE = ("time", "qpos", "qvel", "act", "ctrl", "warmstart", "length", "gait")
_TEXTS = ("task", "kind", "provoked")
_NUMBERS = ("seed", "ahead")
_FRAME = ("origin", "heading", "goal", "target")
_PLAN = ("mean", "sigma")
_SIGNS = "U", "iuf"
# Arrays of a model that say what a state means and how it goes on.
_DYNAMICS = (
    *("jnt_type", "jnt_range", "dof_damping", "dof_armature", "body_mass", "body_inertia", "geom_size"),
    *("actuator_gainprm", "actuator_biasprm", "actuator_dynprm", "actuator_lengthrange", "eq_data"),
)


def walk_of(seed: int) -> int:
    """Return the seed of the walk that an episode is, or branches off."""
    return seed % BRANCH_SEED


def split_of(seed: int) -> str:
    """Return the half that an episode belongs to: "train" for an even seed, "test" for an odd one."""
    return "test" if seed % 2 else "train"


@dataclass(frozen=True, eq=False)
class BankState:
    """A state, and what became of it.

    Attributes:
        snapshot: where the episode stood.
        task: whose ground it stood on.
        kind: "fall" or "harmless".
        provoked: how a fall was brought about: "natural" for not at all.
        ahead: time to the fall; of a harmless state, how long its episode went on for certain (s).
    """

    snapshot: Snapshot
    task: str
    kind: str
    provoked: str
    ahead: float

    @property
    def split(self) -> str:
        """The half that it belongs to, by its episode."""
        return split_of(self.snapshot.seed)

    @property
    def episode(self) -> str:
        """The episode that it is of."""
        return f"{self.task} {self.provoked} {self.snapshot.seed}"

    @property
    def key(self) -> str:
        """What it is known by among the records of a body."""
        return f"{self.episode} at {self.snapshot.time:.2f} s"


@dataclass(frozen=True, eq=False)
class FallBank:
    """States of one body.

    Attributes:
        body: its name.
        reward: name and hash of the text of the reward under which the episodes were planned.
        dynamics: task -> `dynamics_of` the body as it was prepared for it.
        states: the states.
    """

    body: str
    reward: tuple[str, str]
    dynamics: Mapping[str, str]
    states: tuple[BankState, ...] = field(default=())

    def of(self, *, split: str | None = None, kind: str | None = None) -> FallBank:
        """Return the bank with the states of one half, of one kind, or both."""
        kept = tuple(s for s in self.states if split in (None, s.split) and kind in (None, s.kind))
        return FallBank(self.body, self.reward, self.dynamics, kept)

    def require(self, morphology: Morphology, task: str) -> None:
        """Refuse a body on which these states would mean something else.

        Raises:
            MovlrError: it is another body, or another version of it, or was prepared for another ground.
            BadFile: a state has another size than the body.
        """
        if morphology.name != self.body:
            raise MovlrError(f"This fall bank holds states of {self.body}, and not of {morphology.name}: name the bank of that body.")
        if self.dynamics.get(task) != dynamics_of(morphology):
            raise MovlrError(
                f"{self.body} on the ground of {task} is not what this fall bank was made with (its masses, joints, muscles or ground "
                "changed): collect it anew."
            )
        model, space = morphology.model, morphology.posture
        sizes = {"qpos": model.nq, "qvel": model.nv, "act": model.na, "ctrl": model.nu, "warmstart": model.nv, "length": model.nu}
        for state in (state for state in self.states if state.task == task):
            found = {name: getattr(state.snapshot.state, name).shape[1] for name in sizes}
            if found != sizes or state.snapshot.plan.mean.shape[2:] != (space.size,):
                raise BadFile(f"The state {state.key} of this fall bank has not the size of {self.body}: collect the bank anew.")

    def save(self, path: Path) -> None:
        """Write a compressed .npz whose bytes depend on the contents alone."""
        with atomic.replacing(path) as partial, partial.open("wb") as file:
            np.savez_compressed(file, **self.arrays())

    def arrays(self) -> dict[str, Any]:
        """Return all of it as arrays by name, a row a state."""
        states = self.states
        columns: dict[str, Any] = {name: [getattr(s, name) for s in states] for name in (*_TEXTS, "ahead")}
        columns["seed"] = [s.snapshot.seed for s in states]
        columns |= {name: [getattr(s.snapshot.frame, name) for s in states] for name in _FRAME}
        columns |= {name: [getattr(s.snapshot.state, name)[0] for s in states] for name in _STATE}
        columns |= {name: [getattr(s.snapshot.plan, name)[0] for s in states] for name in _PLAN}
        single = {"version": VERSION, "body": self.body, "reward": self.reward, "grounds": [*self.dynamics.items()]}
        return {name: np.array(value) for name, value in (single | columns).items()}

    @staticmethod
    def load(path: Path) -> FallBank:
        """Read what `save` wrote.

        Raises:
            MovlrError: there is no such file.
            BadFile: it is no fall bank, or of a later version.
        """
        try:
            arrays = atomic.read_npz(path)
        except OSError as error:
            raise MovlrError(f"{path} cannot be read ({error.strerror}): name a fall bank, or collect one.") from None
        if fault := _fault(arrays):
            raise BadFile(f"{path} is no fall bank ({fault}): collect it anew.")
        a = arrays
        states = []
        for i in range(len(a["seed"])):
            world = State(**{name: a[name][i : i + 1] for name in _STATE})
            frame = Frame(tuple(a["origin"][i].tolist()), float(a["heading"][i]), *(tuple(a[n][i].tolist()) for n in ("goal", "target")))
            snapshot = Snapshot(world, PlanState(*(a[name][i : i + 1] for name in _PLAN)), frame, int(a["seed"][i]))
            task, kind, provoked = (str(a[name][i]) for name in _TEXTS)
            states.append(BankState(snapshot, task, kind, provoked, float(a["ahead"][i])))
        reward, grounds = tuple(map(str, a["reward"])), {str(task): str(code) for task, code in a["grounds"]}
        return FallBank(str(a["body"]), (reward[0], reward[1]), grounds, tuple(states))

    @staticmethod
    def joined(banks: Iterable[FallBank]) -> FallBank:
        """Return one bank of several of one body.

        Raises:
            MovlrError: there are none, or they differ in body or reward.
        """
        parts = list(banks)
        if not parts or len({(bank.body, bank.reward) for bank in parts}) != 1:
            raise MovlrError("Only fall banks of one body and one reward make one: collect those of each in a folder of its own.")
        dynamics: dict[str, str] = {}
        for bank in parts:
            if any(dynamics.setdefault(task, code) != code for task, code in bank.dynamics.items()):
                raise MovlrError(
                    f"Fall banks of {bank.body} were made with two versions of it: collect those of each in a folder of its own."
                )
        return FallBank(parts[0].body, parts[0].reward, dict(sorted(dynamics.items())), tuple(s for bank in parts for s in bank.states))

    def kept(self, count: int) -> FallBank:
        """Return the bank with at most so many states of each kind in each half; natural falls go before others, then the order stays."""
        chosen: list[BankState] = []
        for split in SPLITS:
            for kind in KINDS:
                those = self.of(split=split, kind=kind).states
                chosen += sorted(those, key=lambda s: (s.kind == "fall") and (s.provoked != NATURAL))[:count]
        return FallBank(self.body, self.reward, self.dynamics, tuple(chosen))


def dynamics_of(morphology: Morphology) -> str:
    """Return a fingerprint of what a state of a body means and how it goes on: joints, masses, muscles and ground, but not its sensors.

    Numbers count to six digits, so that machines agree.
    """
    model = morphology.model
    names = [model.joint(j).name for j in range(model.njnt)] + list(morphology.actuators)
    digest = hashlib.sha256(repr((names, morphology.terrain, model.opt.timestep)).encode())
    for name in _DYNAMICS:
        values = np.asarray(getattr(model, name), float).ravel()
        digest.update(" ".join(f"{value + 0.0:.6g}" for value in values).encode())
    return digest.hexdigest()[:16]


def _fault(arrays: Mapping[str, np.ndarray]) -> str:
    """Say what keeps arrays from being a fall bank; "" where nothing does."""
    if "version" not in arrays or arrays["version"].shape != () or arrays["version"].dtype.kind != "i":
        return "it has no version"
    if int(arrays["version"]) > VERSION:
        return f"its version is {int(arrays['version'])}, and this program reads up to {VERSION}"
    rows = (*_TEXTS, *_NUMBERS, *_FRAME, *_STATE, *_PLAN)
    if missing := {"body", "reward", "grounds", *rows} - set(arrays):
        return f"{', '.join(sorted(missing))} is missing"
    count = arrays["seed"].shape
    if len(count) != 1 or arrays["body"].dtype.kind != "U" or arrays["reward"].shape != (2,) or arrays["grounds"].shape[1:] != (2,):
        return "its heading is damaged"
    for name in rows:
        if arrays[name].shape[:1] != count or arrays[name].dtype.kind not in _SIGNS[name not in _TEXTS]:
            return f"{name} has the shape {arrays[name].shape} and the kind {arrays[name].dtype}"
        if name not in _TEXTS and not np.isfinite(arrays[name]).all():
            return f"{name} has values that are no numbers"
    widths = {"origin": 2, "goal": len(GOAL_FIELDS) - len(NO_TARGET), "target": len(NO_TARGET)}
    if any(arrays[name].shape[1:] != (width,) for name, width in widths.items()):
        return "its frames are damaged"
    known = set(map(str, arrays["grounds"][:, 0]))
    return "" if set(map(str, arrays["task"])) <= known and set(map(str, arrays["kind"])) <= set(KINDS) else "a task or kind is not known"
