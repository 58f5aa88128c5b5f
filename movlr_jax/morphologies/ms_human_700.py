"""MS-Human-700 (Apache-2.0, MuJoCo Menagerie): the whole body with 700 muscles, and its locomotion variant with 100 leg muscles."""

from __future__ import annotations

from dataclasses import replace

import mujoco

from movlr_jax.morphologies import human_legs as legs
from movlr_jax.morphologies import sources
from movlr_jax.morphologies.body_plan import BodyPlan, LandmarkPlan

_SPINE = tuple(f"{level}_{axis}" for level in ("L5_S1", "T12_L1", "T1_head_neck") for axis in ("FE", "LB", "AR"))
ARM = ("elv_angle", "shoulder_elv", "shoulder_rot", "elbow_flexion", "pro_sup", "deviation", "flexion")

TRUNK_GROUPS: dict[str, tuple[str, ...]] = {
    "trunk_flexors": ("rect_abd", "EO", "IO", "Ps_"),
    "trunk_extensors": ("IL_", "LTp", "LTpT", "LTpL", "QL", "MF_", "SSp", "multifidus", "LD_"),
    "neck": (
        "scalen",
        "splen",
        "semi_",
        "stern_mast",
        "cleid",
        "levator",
        "longus",
        "obl_",
        "rectcap",
        "trap_cl",
        "long_col",
        "longissi_cerv",
        "iliocost_cerv",
        "supmult",
        "deepmult",
    ),
    "shoulder": (
        "DELT",
        "SUPSP",
        "INFSP",
        "SUBSC",
        "TMIN",
        "TMAJ",
        "PEC",
        "LAT",
        "CORB",
        "delt",
        "trap",
        "rhomb",
        "serr",
        "SerrAnt",
    ),
    "intercostals": ("ExtIC", "IntIC", "TR"),
    "elbow": ("TRI", "BIC", "BRA", "BRD", "ANC", "SUP", "PT", "PQ"),
    "wrist_and_hand": ("ECR", "ECU", "FCR", "FCU", "PL", "FDS", "FDP", "EDC", "EDM", "EIP", "EPL", "EPB", "FPL", "APL"),
}


def read_scene(scene: str) -> mujoco.MjSpec:
    """Return a scene file of the model's folder as a spec, without its keyframes."""
    spec = mujoco.MjSpec.from_file(str(sources.find(f"ms_human_700/{scene}")))
    for key in list(spec.keys):
        spec.delete(key)
    return spec


LOCOMOTION = BodyPlan(
    name="ms-human-700-locomotion",
    title="MS-Human-700, locomotion: legs and lower trunk with 100 muscles under a rigid upper body",
    licence="Apache-2.0",
    source="MuJoCo Menagerie, folder ms_human_700",
    spec=lambda: read_scene("scene_locomotion.xml"),
    landmarks={
        "pelvis": LandmarkPlan("pelvis"),
        "trunk": LandmarkPlan("thoracic4"),
        "head": LandmarkPlan("head_neck", (0.027, 0.15, 0.0)),
        **legs.landmarks(),
        "left.hand": LandmarkPlan("hand_l"),
        "right.hand": LandmarkPlan("hand_r"),
    },
    feet=legs.FEET,
    planned_joints=legs.JOINTS,
    stance=legs.STANCE,
    upright=legs.UPRIGHT,
    balance=legs.BALANCE,
    muscle_groups={**legs.GROUPS, "trunk_flexors": ("Ps_",)},
    law="posture-weighted",
    gains={"posture-weighted": 1e4, "paper-hoisted": 1e4},
)

FULL = replace(
    LOCOMOTION,
    name="ms-human-700",
    title="MS-Human-700: the whole body with 700 muscles",
    spec=lambda: read_scene("scene.xml"),
    planned_joints=(*legs.JOINTS, *_SPINE, *(f"{j}_{s}" for s in ("r", "l") for j in ARM)),
    muscle_groups={**legs.GROUPS, **TRUNK_GROUPS},
)
