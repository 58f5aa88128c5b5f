"""The feature layout of a morphology: which column of an instant is which joint, muscle or landmark."""

from __future__ import annotations

import functools

import mujoco

from movlr_jax.morphologies import Morphology, anatomy
from movlr_jax.physics.instant import GOAL_FIELDS, blocks
from movlr_jax.rewards.layout import FeatureLayout


@functools.lru_cache(maxsize=8)
def feature_layout(morphology: Morphology) -> FeatureLayout:
    """Return the layout by which Motion reads this body's instants."""
    model = morphology.model
    scalar = {
        model.joint(j).name: j
        for j in range(model.njnt)
        if int(model.jnt_type[j]) in (int(mujoco.mjtJoint.mjJNT_HINGE), int(mujoco.mjtJoint.mjJNT_SLIDE))
    }
    columns = blocks(morphology)
    landmarks = {
        name: {
            **{q: morphology.sensors[f"{name}/{q}"][0] for q in ("position", "quat", "velocity", "angular_velocity")},
            "ground": i,
        }
        for i, name in enumerate(morphology.landmarks)
    }
    return FeatureLayout(
        morphology=morphology.name,
        blocks=columns,
        goal={name: i for i, name in enumerate(GOAL_FIELDS)},
        joints={name: (int(model.jnt_qposadr[j]), int(model.jnt_dofadr[j])) for name, j in scalar.items()},
        joint_ranges={name: (float(model.jnt_range[j, 0]), float(model.jnt_range[j, 1])) for name, j in scalar.items()},
        anatomy=anatomy.joints(morphology),
        planned_joints=morphology.posture.names,
        muscles=morphology.muscles.names,
        muscle_groups=dict(morphology.muscles.groups),
        landmarks=landmarks,
        com={q: morphology.sensors[f"com/{q}"][0] for q in ("position", "velocity")},
        standing={f"{name.replace('.', '_')}_height": round(h, 6) for name, h in morphology.standing_heights.items()},
        standing_angles={name: round(float(morphology.standing_qpos[model.jnt_qposadr[j]]), 6) for name, j in scalar.items()},
        size=columns["gait"][1],
    )
