"""FeatureLayout: where every quantity of one instant stands in its feature vector.

Plain data (no MuJoCo), because the jail that traces a reward program gets it as JSON. The physics packs instants by it, Motion reads
them by it; an artifact is bound to it by `fingerprint`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from movlr_jax.physics.gait import GAIT_FIELDS
from movlr_jax.sides import SIDES

__all__ = ["GAIT_FIELDS", "SIDES", "FeatureLayout"]


@dataclass(frozen=True)
class FeatureLayout:
    """Names of every slice of one instant's feature vector, float32[size].

    Attributes:
        morphology: name of the prepared body; an artifact belongs to one.
        blocks: block name -> (start, stop). Blocks: time [s], dt [s], frame (origin x, y [m]; cosine and sine of the task's forward
            direction), goal, qpos, qvel, act, ctrl, force [N, pulling is positive; of motors at joints N m], sensor, ground (height of
            the ground under each landmark [m]), ahead (height of the highest ground shortly before each foot [m], left first), gait
            (`GAIT_FIELDS` per foot, left first).
        goal: goal quantity -> offset in the goal block.
        joints: scalar joint -> (index in qpos, index in qvel).
        joint_ranges: scalar joint -> (lower, upper) [rad or m].
        anatomy: function of a leg, such as "left.knee_flexion" -> (scalar joint, sign that makes the function positive).
        planned_joints: joints that the planner moves.
        muscles: muscle names in actuator order; in the blocks act, ctrl and force they come first, and motors after them.
        muscle_groups: group name -> muscle indices.
        landmarks: "pelvis" or "left.foot" -> offsets in the sensor block of position (3), quat (4, w first), velocity (3, world) and
            angular_velocity (3, world); "ground" is the offset in the ground block.
        com: offsets in the sensor block of position (3) and velocity (3) of the whole body's centre of mass.
        standing: heights above ground [m] of the settled standing pose: "<landmark>_height" with dots as underscores, "com_height".
        standing_angles: scalar joint -> angle of the standing pose [rad or m].
        size: f, length of one instant. An artifact sees F = 2 f: the current instant, then the previous one.
    """

    morphology: str
    blocks: dict[str, tuple[int, int]]
    goal: dict[str, int]
    joints: dict[str, tuple[int, int]]
    joint_ranges: dict[str, tuple[float, float]]
    anatomy: dict[str, tuple[str, float]]
    planned_joints: tuple[str, ...]
    muscles: tuple[str, ...]
    muscle_groups: dict[str, tuple[int, ...]]
    landmarks: dict[str, dict[str, int]]
    com: dict[str, int]
    standing: dict[str, float]
    standing_angles: dict[str, float]
    size: int

    def to_json(self) -> str:
        """Return the layout as canonical JSON."""
        return _canonical(dataclasses.asdict(self))

    @staticmethod
    def from_json(text: str) -> FeatureLayout:
        """Rebuild a layout from `to_json`."""
        raw = json.loads(text)
        return FeatureLayout(
            morphology=raw["morphology"],
            blocks={k: (int(a), int(b)) for k, (a, b) in raw["blocks"].items()},
            goal={k: int(v) for k, v in raw["goal"].items()},
            joints={k: (int(a), int(b)) for k, (a, b) in raw["joints"].items()},
            joint_ranges={k: (float(a), float(b)) for k, (a, b) in raw["joint_ranges"].items()},
            anatomy={k: (str(joint), float(sign)) for k, (joint, sign) in raw["anatomy"].items()},
            planned_joints=tuple(raw["planned_joints"]),
            muscles=tuple(raw["muscles"]),
            muscle_groups={k: tuple(v) for k, v in raw["muscle_groups"].items()},
            landmarks={k: {a: int(b) for a, b in v.items()} for k, v in raw["landmarks"].items()},
            com={k: int(v) for k, v in raw["com"].items()},
            standing={k: float(v) for k, v in raw["standing"].items()},
            standing_angles={k: float(v) for k, v in raw["standing_angles"].items()},
            size=int(raw["size"]),
        )

    def fingerprint(self) -> str:
        """Return a short SHA-256 of the layout: the identity an artifact is bound to."""
        read = {name: value for name, value in dataclasses.asdict(self).items() if name != "anatomy"}  # of which no artifact reads anything
        return hashlib.sha256(_canonical(read).encode()).hexdigest()[:16]

    @property
    def missing_feet(self) -> tuple[str, ...]:
        """The foot landmarks that the body lacks; none of a body with feet."""
        return tuple(foot for side in SIDES if (foot := f"{side}.foot") not in self.landmarks)

    def column(self, block: str, offset: int = 0) -> int:
        """Return the column of an instant at which `offset` of `block` stands."""
        return self.blocks[block][0] + offset

    def columns(self, block: str) -> slice:
        """Return the columns of an instant that a block fills."""
        start, stop = self.blocks[block]
        return slice(start, stop)


def _canonical(values: dict[str, Any]) -> str:
    return json.dumps(values, sort_keys=True, separators=(",", ":"))
