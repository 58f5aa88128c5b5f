"""The human legs that MyoLegs and MS-Human-700 share: both come from the same OpenSim leg model and name its parts alike."""

from __future__ import annotations

from movlr_jax.morphologies.body_plan import LandmarkPlan

GROUPS: dict[str, tuple[str, ...]] = {
    "hip_flexors": ("iliacus", "psoas", "recfem", "sart", "tfl"),
    "hip_extensors": ("glmax",),
    "hip_abductors": ("glmed", "glmin", "piri", "gem", "quadfem"),
    "hip_adductors": ("add", "grac", "pect"),
    "hamstrings": ("bflh", "bfsh", "semimem", "semiten"),
    "quadriceps": ("vas",),
    "calf": ("gaslat", "gasmed", "soleus"),
    "ankle_dorsiflexors": ("tibant", "edl", "ehl"),
    "ankle_inverters_everters": ("tibpost", "perbrev", "perlong", "pertert"),
    "toe_flexors": ("fdl", "fhl"),
}

UPRIGHT: dict[str, float] = {"ankle_angle_r": 1.0, "ankle_angle_l": 1.0}
BALANCE: dict[str, float] = {
    f"{joint}_{side}": sign for side in ("r", "l") for joint, sign in (("hip_flexion", -1.0), ("ankle_angle", 1.0))
}

_JOINTS: tuple[str, ...] = (
    "hip_flexion",
    "hip_adduction",
    "hip_rotation",
    "knee_angle",
    "ankle_angle",
    "subtalar_angle",
    "mtp_angle",
)

# The right leg's joints, then the left's, as MPC2 plans them.
JOINTS: tuple[str, ...] = tuple(f"{joint}_{side}" for side in ("r", "l") for joint in _JOINTS)

FEET: dict[str, tuple[str, ...]] = {"left": ("calcn_l", "toes_l"), "right": ("calcn_r", "toes_r")}

STANCE: dict[str, float] = {
    f"{joint}_{side}": angle for side in ("r", "l") for joint, angle in (("knee_angle", 0.06), ("hip_flexion", 0.03))
}


def landmarks() -> dict[str, LandmarkPlan]:
    """Return hip, knee, foot, heel and toe of both legs."""
    out: dict[str, LandmarkPlan] = {}
    for name, s in (("left", "l"), ("right", "r")):
        out |= {
            f"{name}.hip": LandmarkPlan(f"femur_{s}"),
            f"{name}.knee": LandmarkPlan(f"tibia_{s}"),
            f"{name}.foot": LandmarkPlan(f"calcn_{s}", (0.09, 0.0, 0.0)),
            f"{name}.heel": LandmarkPlan(f"calcn_{s}"),
            f"{name}.toe": LandmarkPlan(f"toes_{s}", (0.05, 0.0, 0.0)),
        }
    return out
