"""MyoFullBody (MyoSim, Apache-2.0): MyoLegs, a lumbar spine of 210 muscles and two arms with hands, 416 muscles, free root.

Its scene is a plain floor at z = 0. The composer names the left arm's muscles with "_l" and the right one's without a side; here both
have one. The arms are MyoArm's, which its makers derived from the MoBL upper-extremity model.
"""

from __future__ import annotations

import math
import warnings

import mujoco

from movlr_jax.morphologies import human_legs as legs
from movlr_jax.morphologies import ms_human_700
from movlr_jax.morphologies.body_plan import BodyPlan, LandmarkPlan


def _spec() -> mujoco.MjSpec:
    from myo_sim.build import compose

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spec = compose.build_spec("myofullbody")
    names = {actuator.name for actuator in spec.actuators}
    for actuator in spec.actuators:
        if f"{actuator.name}_l" in names:
            actuator.name += "_r"
    return spec


# Arms that hang at 0 press against the ribs.
_ARMS = {f"{joint}_{s}": angle for s in ("r", "l") for joint, angle in (("shoulder_elv", 0.2), ("elbow_flexion", 0.3))}

PLAN = BodyPlan(
    name="myofullbody",
    title="MyoFullBody: the whole body with 416 muscles",
    licence="Apache-2.0",
    source="package myo-sim",
    spec=_spec,
    landmarks={
        "pelvis": LandmarkPlan("pelvis"),
        "trunk": LandmarkPlan("torso", (0.0, 0.25, 0.0)),
        "head": LandmarkPlan("head", (0.0, 0.075, 0.0)),
        **legs.landmarks(),
        "left.hand": LandmarkPlan("thirdmc_l"),
        "right.hand": LandmarkPlan("thirdmc_r"),
    },
    feet=legs.FEET,
    # The lumbar levels follow the first three by couplings; the neck is rigid and the fingers are not planned.
    planned_joints=(
        *legs.JOINTS,
        "flex_extension",
        "lat_bending",
        "axial_rotation",
        *(f"{joint}_{side}" for side in ("r", "l") for joint in ms_human_700.ARM),
    ),
    root_yaw=math.pi / 2,
    stance={**legs.STANCE, **_ARMS},
    upright=legs.UPRIGHT,
    balance=legs.BALANCE,
    muscle_groups={**legs.GROUPS, **ms_human_700.TRUNK_GROUPS, "fingers": ("OP", "RI", "LU_RB", "UI_UB")},
    law="fibre-strain",
    gains={"fibre-strain": 10.0},
)
