"""MyoLegs (MyoSim, Apache-2.0): two legs with 80 muscles under a rigid torso, free root; the embedded default.

The packaged scene stands on an invisible pedestal (a cylinder 1.05 m in radius) with the floor 0.4 m below it, so that every walk would
end at its edge. The world's geoms are removed through MjSpec and the plane is put at z = 0, before compilation: moving static geoms of a
compiled model silently loses foot contact.
"""

from __future__ import annotations

import math
import warnings

import mujoco

from movlr_jax.morphologies import human_legs as legs
from movlr_jax.morphologies.body_plan import BodyPlan, LandmarkPlan


def _spec() -> mujoco.MjSpec:
    from myo_sim.build import compose

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spec = compose.build_spec("myolegs")
    for geom in list(spec.worldbody.geoms):
        if geom.type == mujoco.mjtGeom.mjGEOM_PLANE:
            geom.name = "floor"
            geom.pos = [0.0, 0.0, 0.0]
        else:
            spec.delete(geom)
    for site in list(spec.worldbody.sites):
        spec.delete(site)
    return spec


PLAN = BodyPlan(
    name="myolegs",
    title="MyoLegs: two legs, 80 muscles, rigid torso",
    licence="Apache-2.0",
    source="package myo-sim",
    spec=_spec,
    landmarks={
        "pelvis": LandmarkPlan("pelvis"),
        "trunk": LandmarkPlan("torso", (0.0, 0.25, 0.0)),
        "head": LandmarkPlan("head", (0.0, 0.075, 0.0)),
        **legs.landmarks(),
    },
    feet=legs.FEET,
    planned_joints=legs.JOINTS,
    root_yaw=math.pi / 2,
    stance=legs.STANCE,
    upright=legs.UPRIGHT,
    balance=legs.BALANCE,
    muscle_groups=legs.GROUPS,
    law="fibre-strain",
    gains={"fibre-strain": 10.0},
)
