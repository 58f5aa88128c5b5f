"""MS-Human-700 (Apache-2.0, MuJoCo Menagerie): the whole body with 700 muscles, and its locomotion variant with 100 leg muscles."""

from __future__ import annotations

import mujoco

from movlr_jax.morphologies import sources
from movlr_jax.morphologies.body_plan import LEG_BALANCE, LEG_GROUPS, LEG_UPRIGHT, BodyPlan, LandmarkPlan, both_legs

_SPINE = tuple(f"{level}_{axis}" for level in ("L5_S1", "T12_L1", "T1_head_neck") for axis in ("FE", "LB", "AR"))
_ARM = ("elv_angle", "shoulder_elv", "shoulder_rot", "elbow_flexion", "pro_sup", "deviation", "flexion")

_TRUNK_GROUPS: dict[str, tuple[str, ...]] = {
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


def _load(scene: str) -> mujoco.MjSpec:
    spec = mujoco.MjSpec.from_file(str(sources.find(f"ms_human_700/{scene}")))
    for key in list(spec.keys):
        spec.delete(key)
    return spec


def _side(s: str) -> dict[str, LandmarkPlan]:
    name = {"r": "right", "l": "left"}[s]
    return {
        f"{name}.hip": LandmarkPlan(f"femur_{s}"),
        f"{name}.knee": LandmarkPlan(f"tibia_{s}"),
        f"{name}.foot": LandmarkPlan(f"calcn_{s}", (0.09, 0.0, 0.0)),
        f"{name}.heel": LandmarkPlan(f"calcn_{s}"),
        f"{name}.toe": LandmarkPlan(f"toes_{s}", (0.05, 0.0, 0.0)),
        f"{name}.hand": LandmarkPlan(f"hand_{s}"),
    }


_LANDMARKS = {
    "pelvis": LandmarkPlan("pelvis"),
    "trunk": LandmarkPlan("thoracic4"),
    "head": LandmarkPlan("head_neck", (0.027, 0.15, 0.0)),
    **_side("l"),
    **_side("r"),
}
_FEET = {"left": ("calcn_l", "toes_l"), "right": ("calcn_r", "toes_r")}
_STANCE = {"knee_angle_r": 0.06, "knee_angle_l": 0.06, "hip_flexion_r": 0.03, "hip_flexion_l": 0.03}

LOCOMOTION = BodyPlan(
    name="ms-human-700-locomotion",
    title="MS-Human-700, locomotion: legs and lower trunk with 100 muscles under a rigid upper body",
    licence="Apache-2.0",
    source="MuJoCo Menagerie, folder ms_human_700",
    spec=lambda: _load("scene_locomotion.xml"),
    landmarks=_LANDMARKS,
    feet=_FEET,
    planned_joints=both_legs(),
    stance=_STANCE,
    upright=LEG_UPRIGHT,
    balance=LEG_BALANCE,
    muscle_groups={**LEG_GROUPS, "trunk_flexors": ("Ps_",)},
    law="posture-weighted",
    gains={"posture-weighted": 1e4, "paper-hoisted": 1e4},
)

FULL = BodyPlan(
    name="ms-human-700",
    title="MS-Human-700: the whole body with 700 muscles",
    licence="Apache-2.0",
    source="MuJoCo Menagerie, folder ms_human_700",
    spec=lambda: _load("scene.xml"),
    landmarks=_LANDMARKS,
    feet=_FEET,
    planned_joints=(*both_legs(), *_SPINE, *(f"{j}_{s}" for s in ("r", "l") for j in _ARM)),
    stance=_STANCE,
    upright=LEG_UPRIGHT,
    balance=LEG_BALANCE,
    muscle_groups={**LEG_GROUPS, **_TRUNK_GROUPS},
    law="posture-weighted",
    gains={"posture-weighted": 1e4, "paper-hoisted": 1e4},
)
