"""MS-Human-700, manipulation variant (Apache-2.0, MuJoCo Menagerie): the right arm and hand with 81 muscles on a body that stands fixed.

The model carries the tendons of the whole body, of which muscles pull 81: the other 659 cost four tenths of a step and move nothing, so
they are left out. Its bottle, target and table are left out too: the scene brings its own, of shapes that all engines collide with.
"""

from __future__ import annotations

import mujoco

from movlr_jax.morphologies.body_plan import BodyPlan, LandmarkPlan
from movlr_jax.morphologies.ms_human_700 import read_scene

_FINGERS = {"index": "2", "middle": "3", "ring": "4", "little": "5"}
_ARM = tuple(f"{j}_r" for j in ("elv_angle", "shoulder_elv", "shoulder_rot", "elbow_flexion", "pro_sup", "deviation", "flexion"))
_THUMB = ("cmc_flexion", "cmc_abduction", "mp_flexion", "ip_flexion")
_JOINTS = (
    *_ARM,
    *_THUMB,
    *(f"{n}{joint}" for n in _FINGERS.values() for joint in ("mcp_abduction", "mcp_flexion", "pm_flexion", "md_flexion")),
    "4cmc_flexion",
)

# Poses in which the hand encloses an object at its start, in the order of _JOINTS (rad). Found by least squares on the distances between
# the collision shapes: palm, phalanges and thumb 1 to 10 mm from the object, not closer to each other than 1 mm, away from the ends of the
# joints' ranges. The bottle stands in a power grip with the thumb opposed: of 60 such poses, the one from which fingers that close by
# 0.1 rad and a thumb that closes by 0.2 rad lift it best (by 6 cm, slipping by 1 cm; most let it turn or slide out). The cube lies in the
# upturned palm, fingers curled around it.
_BOTTLE = (
    -0.531, 0.137, -0.181, 1.048, -0.185, -0.167, -0.182,  # arm
    0.243, 0.433, 0.35, 0.696,  # thumb
    0.015, 0.26, 1.111, 0.563,  # index
    -0.043, 0.421, 0.854, 0.738,  # middle
    0.013, 0.245, 0.742, 0.461,  # ring
    -0.177, -0.014, 0.402, 0.2,  # little
    0.083,  # ring finger's carpometacarpal joint
)  # fmt: skip
_CUBE = (
    -0.815, 0.236, 0.005, 1.583, -1.389, 0.359, -0.223,  # arm
    0.07, 0.01, 0.335, 0.239,  # thumb
    0.131, 0.564, 1.573, 0.189,  # index
    -0.008, 0.84, 1.059, 0.492,  # middle
    -0.144, 0.798, 0.788, 0.602,  # ring
    -0.16, 0.861, 1.033, 0.321,  # little
    0.039,  # ring finger's carpometacarpal joint
)  # fmt: skip


def _spec() -> mujoco.MjSpec:
    spec = read_scene("scene_manipulation.xml")
    pulled = {actuator.target for actuator in spec.actuators}
    for tendon in list(spec.tendons):
        if tendon.name not in pulled:
            spec.delete(tendon)
    for name in ("waterbottle", "target", "table"):
        spec.delete(spec.body(name))
    for geom in spec.geoms:
        if geom.type == mujoco.mjtGeom.mjGEOM_MESH:  # of the fixed body: nothing reaches it
            geom.contype = geom.conaffinity = 0
        elif geom.name == "floor":
            geom.conaffinity = 3
    return spec


PLAN = BodyPlan(
    name="ms-human-700-manipulation",
    title="MS-Human-700, manipulation: right arm and hand with 81 muscles on a fixed body",
    licence="Apache-2.0",
    source="MuJoCo Menagerie, folder ms_human_700",
    spec=_spec,
    landmarks={
        "pelvis": LandmarkPlan("pelvis"),
        "trunk": LandmarkPlan("thoracic4"),
        "head": LandmarkPlan("head_neck", (0.027, 0.15, 0.0)),
        "right.shoulder": LandmarkPlan("humerus_r"),
        "right.elbow": LandmarkPlan("ulna_r"),
        "right.hand": LandmarkPlan("thirdmc"),
        "right.thumb": LandmarkPlan("distal_thumb", (0.009, -0.016, -0.006)),
        **{f"right.{name}": LandmarkPlan(f"{n}distph", (0.0, -0.015, 0.0)) for name, n in _FINGERS.items()},
    },
    feet={},
    planned_joints=_JOINTS,
    stance=dict(zip(_JOINTS, _BOTTLE, strict=True)),
    grasps={"bottle": dict(zip(_JOINTS, _BOTTLE, strict=True)), "cube": dict(zip(_JOINTS, _CUBE, strict=True))},
    muscle_groups={
        "shoulder": ("LD_", "DELT", "SUPSP", "INFSP", "SUBSC", "TMIN", "TMAJ", "PECM", "CORB"),
        "elbow": ("TRI", "ANC", "BIC", "BRA", "BRD"),
        "forearm_rotators": ("SUP_", "PT", "PQ"),
        "wrist": ("ECR", "ECU", "FCR", "FCU", "PL"),
        "finger_flexors": ("FDS", "FDP"),
        "finger_extensors": ("EDC", "EDM", "EIP"),
        "thumb": ("EPL", "EPB", "FPL", "APL", "APB", "FPB", "OPP", "ADPt", "ADPo"),
        "hand": ("ADM", "FDM", "ODM", "1st", "2nd", "3rd", "4th", "LUM"),
    },
    unsided="right",
    law="fibre-strain",
    noise=0.03,  # fingers hold or let go within less than legs need
    gains={"fibre-strain": 20.0},
)
