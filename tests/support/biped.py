"""A biped of two planned joints and four muscles, small enough for pure MJX to compile in seconds on a CPU."""

import mujoco

from movlr_jax.morphologies.body_plan import BodyPlan, LandmarkPlan
from movlr_jax.morphologies.prepare import prepare

_LEG = """
<body name="leg_{s}" pos="0 {y} -0.1">
  <joint name="hip_{s}" type="hinge" axis="0 1 0" range="-0.6 0.6"/>
  <geom type="capsule" fromto="0 0 0 0 0 -0.3" size="0.02" mass="2" contype="0" conaffinity="0"/>
  <site name="front_{s}" pos="0.05 0 -0.1"/> <site name="back_{s}" pos="-0.05 0 -0.1"/>
  <body name="foot_{s}" pos="0 0 -0.32">
    <joint name="ankle_{s}" type="hinge" axis="0 1 0" range="-0.6 0.6" stiffness="5"/>
    <geom name="foot_{s}" type="box" size="0.12 0.05 0.02" mass="1"/>
  </body>
</body>
"""
_TENDON = """<spatial name="{m}_{s}"><site site="{m}_top_{s}"/><site site="{m}_{s}"/></spatial>"""
_MUSCLE = """<muscle name="{m}_{s}" tendon="{m}_{s}" force="300" lengthrange="0.1 0.3"/>"""
_MUSCLES = [(m, s) for s in "lr" for m in ("front", "back")]
_TOP = {"front": 0.08, "back": -0.08}, {"l": 0.1, "r": -0.1}
_COUPLED = """<joint joint1="ankle_{s}" joint2="hip_{s}" polycoef="0 -1 0 0 0"/>"""
XML = f"""
<mujoco>
  <worldbody>
    <geom name="floor" type="plane" size="5 5 1"/>
    <body name="torso" pos="0 0 0.6">
      <freejoint/>
      <geom type="box" size="0.1 0.12 0.1" mass="6" contype="0" conaffinity="0"/>
      {"".join(f'<site name="{m}_top_{s}" pos="{_TOP[0][m]} {_TOP[1][s]} 0"/>' for m, s in _MUSCLES)}
      {_LEG.format(s="l", y=0.1)}{_LEG.format(s="r", y=-0.1)}
    </body>
  </worldbody>
  <tendon>{"".join(_TENDON.format(m=m, s=s) for m, s in _MUSCLES)}</tendon>
  <equality>{_COUPLED.format(s="l")}{_COUPLED.format(s="r")}</equality>
  <actuator>{"".join(_MUSCLE.format(m=m, s=s) for m, s in _MUSCLES)}</actuator>
</mujoco>
"""

PLAN = BodyPlan(
    name="biped",
    title="a biped for tests",
    licence="MIT",
    source="this file",
    spec=lambda: mujoco.MjSpec.from_string(XML),
    landmarks={
        "pelvis": LandmarkPlan("torso"),
        "trunk": LandmarkPlan("torso", (0.0, 0.0, 0.05)),
        "head": LandmarkPlan("torso", (0.0, 0.0, 0.1)),
        **{f"{side}.{part}": LandmarkPlan(f"{part}_{side[0]}") for side in ("left", "right") for part in ("leg", "foot")},
    },
    feet={"left": ("foot_l",), "right": ("foot_r",)},
    planned_joints=("hip_r", "hip_l"),
)


def load():  # type: ignore[no-untyped-def]
    """Return the prepared body."""
    return prepare(PLAN)
