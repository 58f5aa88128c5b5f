"""ObjectTask: a task of a hand that brings an object to a place and an orientation.

Metrics beyond those that every task has: `position_error_m` and `orientation_error_rad` (means over the episode),
`final_position_error_m` and `final_orientation_error_rad` (means over its last 0.1 s), `dropped`, `drop_time_s`. A drop ends the episode.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self

import mujoco
import numpy as np
from jaxtyping import Bool, Float

from movlr_jax import goals
from movlr_jax.control.episode import Rollout, Start
from movlr_jax.gait.trajectory import Trajectory, height
from movlr_jax.morphologies import Morphology
from movlr_jax.morphologies.objects import BODY
from movlr_jax.physics.instant import Frame
from movlr_jax.rewards.features import feature_layout
from movlr_jax.rewards.layout import FeatureLayout
from movlr_jax.tasks import metrics
from movlr_jax.tasks.task import Task

HAND = "right.hand"
DROP_DEPTH = 0.15  # m below its start: under the table's top for the bottle, on it for the cube
DROP_DISTANCE = 0.25  # m from the palm: out of reach of fingers
_FINAL = 0.1  # s


@dataclass(frozen=True)
class ObjectTask(Task):
    """A task with an object in its scene.

    Attributes:
        goal: position (m, world axes) and orientation (unit quaternion, w first) asked for, drawn for an episode; together 7 numbers.
    """

    goal: Callable[[np.random.Generator], tuple[float, ...]] = lambda rng: (0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)
    ends_as: str = "dropped"
    stands: bool = False

    @property
    def by_sentence(self) -> bool:
        """Whether a user's sentence is added to what the task measures; its words are measured by nothing, the object's errors are."""
        return self.spoken

    def with_sentence(self, sentence: str | None) -> Self:
        """See Task; a drop stays a drop."""
        task = super().with_sentence(sentence)
        return replace(task, fall=self.fall, metric=self.metric)

    def measures(self, layout: FeatureLayout | None = None) -> list[str]:
        """See Task."""
        own = ["the object's errors in position and orientation"]
        unread = (self.sentence.strip().rstrip("."),)
        return goals.Goal(self.sentence, unread=unread).measures((), own) if self.spoken else []

    def ends_when(self) -> str:
        """See Task."""
        below, away = f"{DROP_DEPTH:g} m below its start", f"{DROP_DISTANCE:g} m from the palm"
        return f"A drop, which ends an episode: the object more than {below}, or more than {away}."

    def target(self, seed: int) -> tuple[float, ...]:
        """See Task."""
        return tuple(float(v) for v in self.goal(np.random.default_rng(np.random.SeedSequence([seed, 0x60A1]))))

    def start(self, morphology: Morphology, seed: int) -> Start:
        """Return the seeded start: planned joints varied by up to 1 % of their range, the object carried along with the hand."""
        varied = super().start(morphology, seed)
        model, data = morphology.model, mujoco.MjData(morphology.model)
        palm = []
        for qpos in (morphology.standing_qpos, varied.qpos):
            data.qpos[:] = qpos
            mujoco.mj_kinematics(model, data)
            palm.append(data.site(f"landmark/{HAND}").xpos.copy())
        moved = palm[1] - palm[0]
        if morphology.thing is not None and morphology.thing.stands:
            moved[2] = 0.0
        qpos, at = varied.qpos.copy(), int(model.joint(BODY).qposadr[0])
        qpos[at : at + 3] += moved
        return Start(qpos, varied.act, varied.origin)

    def frame(self, start: Start, goal_speed: float | None = None, seed: int = 0) -> Frame:
        """See Task."""
        return Frame(start.origin, self.heading, target=self.target(seed))

    def over(self, morphology: Morphology) -> Callable[[Any], Any]:
        """Return the test that ends episodes: the object below its start by more than 0.15 m, or farther than 0.25 m from the palm."""
        return functools.partial(dropped, feature_layout(morphology))

    def measure(self, morphology: Morphology, rollout: Rollout) -> dict[str, Any]:
        """See Task; with the metrics of the module's first lines."""
        layout = feature_layout(morphology)
        trajectory = Trajectory(rollout.instants, layout)
        errors = {"position_error_m": trajectory.object_position_error(), "orientation_error_rad": trajectory.object_orientation_error()}
        last = rollout.time >= rollout.time[-1] - _FINAL
        held = rollout.ended != self.ends_as
        record = metrics.lived(layout, rollout) | {"dropped": not held, "drop_time_s": None if held else round(float(rollout.time[-1]), 6)}
        for name, error in errors.items():
            record |= {name: float(error.mean()), f"final_{name}": float(error[last].mean())}
        return record | ({goals.REACHED: None} if self.spoken else {})


def dropped(layout: FeatureLayout, instants: Float[Any, "*batch f"]) -> Bool[Any, "*batch"]:
    """Say of instants, of numpy or jax.numpy, whether the object has been dropped."""
    low = height(layout, instants, BODY) < layout.standing["object_height"] - DROP_DEPTH
    thing, palm = (layout.column("sensor", layout.landmarks[name]["position"]) for name in (BODY, HAND))
    away = instants[..., thing : thing + 3] - instants[..., palm : palm + 3]
    return low | ((away * away).sum(-1) > DROP_DISTANCE**2)


def turned(axis: np.ndarray, angle: float) -> tuple[float, float, float, float]:
    """Return the unit quaternion of a turn about an axis[3] by an angle (rad)."""
    quat = np.zeros(4)
    mujoco.mju_axisAngle2Quat(quat, np.asarray(axis, np.float64) / np.linalg.norm(axis), angle)
    return float(quat[0]), float(quat[1]), float(quat[2]), float(quat[3])
