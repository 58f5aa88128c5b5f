"""The ostrich (MIT, ostrichrl; La Barbera et al., arXiv 2112.06061): two digitigrade legs with 68 muscles and a neck with 52.

The file's 44 collision meshes are replaced: toes, trunk and head collide as capsules that MuJoCo fits to those meshes, the rest does not
collide, and nothing collides with itself. Its root joints carry the class's damping and armature, an outer hand that brakes the body;
they are freed of it. Its excitations may be negative, which a muscle takes for 0; here they are in [0, 1].
"""

from __future__ import annotations

import mujoco

from movlr_jax.morphologies import sources
from movlr_jax.morphologies.body_plan import BodyPlan, LandmarkPlan

_TOES = ("phalanx1", "phalanx2", "phalanx3", "phalanx4", "thumb")
_COLLIDING = frozenset({"pelvis", "ribcage", "head", *(f"{side}_{toe}" for side in ("r", "l") for toe in _TOES)})
_MIDLINE = -0.0114  # m, y of the plane between the legs in the root's axes


def _spec() -> mujoco.MjSpec:
    # The Menagerie keeps the floor apart from the body in a scene, ostrichrl has both in one file.
    body = sources.find("ostrich/ostrich.xml")
    scene = body.with_name("scene.xml")
    spec = mujoco.MjSpec.from_file(str(scene if scene.is_file() else body))
    for geom in list(spec.geoms):
        if geom.type != mujoco.mjtGeom.mjGEOM_MESH:
            continue
        geom.contype = geom.conaffinity = 0
        if geom.meshname in _COLLIDING:
            geom.parent.add_geom(
                name=f"{geom.meshname}_contact",
                type=mujoco.mjtGeom.mjGEOM_CAPSULE,
                meshname=geom.meshname,
                pos=geom.pos,
                quat=geom.quat,
                contype=1,
                conaffinity=0,
                mass=0.0,
                group=3,
            )
    for joint in spec.joints:
        if joint.name.startswith("root_"):
            joint.damping[:] = 0.0
            joint.armature = 0.0
    for actuator in spec.actuators:
        actuator.ctrlrange = [0.0, 1.0]
    return spec


def _legs(angles: dict[str, float]) -> dict[str, float]:
    return {f"{side}_{joint}": angle for side in ("r", "l") for joint, angle in angles.items()}


def _landmarks() -> dict[str, LandmarkPlan]:
    out: dict[str, LandmarkPlan] = {}
    for name, s in (("left", "l"), ("right", "r")):
        out |= {
            f"{name}.hip": LandmarkPlan(f"{s}_femur"),
            f"{name}.knee": LandmarkPlan(f"{s}_tibiotarsus"),
            f"{name}.ankle": LandmarkPlan(f"{s}_tarsometatarsus"),
            f"{name}.foot": LandmarkPlan(f"{s}_pes", (0.1, 0.0, -0.07)),
            f"{name}.heel": LandmarkPlan(f"{s}_pes", (0.05, 0.0, -0.07)),
            f"{name}.toe": LandmarkPlan(f"{s}_pes", (0.18, 0.0, -0.07)),
        }
    return out


# The reference plans 32 joints: seven a leg and the flexion of all 17 vertebrae and the head.
_LEG = ("hip_x", "hip_y", "hip_z", "knee_y", "knee_z", "ankle_y", "mtp_y")
_NECK = (*(f"v{i}_y" for i in range(1, 18)), "head_y")

PLAN = BodyPlan(
    name="ostrich",
    title="Ostrich: legs and neck with 120 muscles",
    licence="MIT",
    source="ostrichrl, also MuJoCo Menagerie, folder ostrich",
    spec=_spec,
    landmarks={
        "pelvis": LandmarkPlan("ostrich", (-0.1144, _MIDLINE, 0.136)),
        "trunk": LandmarkPlan("ostrich", (0.2, _MIDLINE, 0.06)),
        "head": LandmarkPlan("head"),
        **_landmarks(),
    },
    feet={"left": ("l_pes",), "right": ("r_pes",)},
    planned_joints=(*(f"{side}_{joint}" for side in ("r", "l") for joint in _LEG), *_NECK),
    # Digitigrade and crouched: femur forward, shank back, metatarsus near the vertical, toes flat (the angles sum to 0).
    stance=_legs({"hip_y": -0.8, "knee_y": 1.3, "ankle_y": -0.6, "mtp_y": 0.1}),
    upright=_legs({"mtp_y": -1.0}),
    balance=_legs({"hip_y": 1.0, "mtp_y": -1.0}),
    muscle_groups={
        "hip_flexors": ("ic",),
        "hip_extensors": ("ilfb", "fcm", "fclp", "pifm", "cfp"),
        "hip_rotators": ("itc", "itm", "ife", "ifi", "om", "isf"),
        "knee_extensors": ("fmt", "ila", "ilp", "amb"),
        "ankle_extensors": ("gl", "gim", "gm", "fl"),
        "ankle_flexors": ("tc", "edl"),
        "toe_flexors": ("fdl", "fhl", "fp"),
        "neck_front": ("frontal", "tendon_front"),
        "neck_back": ("caudalis", "complexus", "tendon_back", "longus"),
        "neck_side": ("lateral",),
    },
    law="fibre-strain",
    gains={"fibre-strain": 20.0},
)
