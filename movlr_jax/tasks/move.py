"""move: anything a sentence asks of a body that is fixed to the world: an arm, a hand, a finger.

Metrics beyond those that every task has, over the planned joints: `posture_change` and `final_posture_change` (root mean square of the
change from the start, over the episode and over its last third; rad, m of slides), `final_joint_speed` (the same of the speeds over the
last third; rad/s, m/s of slides). Nothing ends an episode before its time.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from movlr_jax import goals
from movlr_jax.control.episode import Rollout
from movlr_jax.gait.trajectory import Trajectory
from movlr_jax.morphologies import Morphology
from movlr_jax.rewards import packaged
from movlr_jax.rewards.features import feature_layout
from movlr_jax.tasks import metrics
from movlr_jax.tasks.task import Task


class MoveTask(Task):
    """A task of a body that is fixed to the world and works with no object."""

    def measure(self, morphology: Morphology, rollout: Rollout) -> dict[str, Any]:
        """See Task; with the metrics of the module's first lines."""
        layout = feature_layout(morphology)
        trajectory = Trajectory(rollout.instants, layout)
        change = trajectory.planned() - trajectory.planned()[:1]
        last = slice(len(change) - max(len(change) // 3, 1), None)
        record = metrics.lived(layout, rollout) | {
            "posture_change": _rms(change),
            "final_posture_change": _rms(change[last]),
            "final_joint_speed": _rms(trajectory.joint_velocity()[last]),
        }
        return record | ({goals.REACHED: None} if self.spoken else {})

    @property
    def by_sentence(self) -> bool:
        """See Task: its own sentence has measures of its own."""
        return self.spoken

    def ends_when(self) -> str:
        """See Task."""
        return "Nothing ends an episode before its time: the body is fixed to the world, and cannot fall."


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


TASK = MoveTask(
    name="move",
    sentence="Hold the pose and keep still.",
    goal_speed=0.0,
    seconds=3.0,
    walks=False,
    stands=False,
    morphologies=("ms-human-700-manipulation",),
    metric="final_posture_change",
    rewards=packaged.texts(start="move_start", human="move_start"),
    notes={
        "start": "the pose it starts in, and joints at rest",
        "human": "the same: nobody has designed a reward for a sentence not yet said",
    },
)
