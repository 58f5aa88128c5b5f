"""An arm of two planned joints and six muscles, fixed in the world, and the task of holding it bent: small enough to learn in seconds."""

import mujoco

from movlr_jax.morphologies.body_plan import BodyPlan, LandmarkPlan
from movlr_jax.morphologies.prepare import prepare
from movlr_jax.tasks.task import Task

# Above the elbow, in front and behind; two muscles do the same work there, as synergists do.
_SPANS = {
    "biceps": ("0.03 0 0.25", "0.03 0 -0.06", "fore"),
    "brachialis": ("0.032 0 0.2", "0.028 0 -0.065", "fore"),
    "triceps": ("-0.03 0 0.25", "-0.03 0 -0.06", "fore"),
    "anconeus": ("-0.032 0 0.2", "-0.028 0 -0.065", "fore"),
    "wrist_flexor": ("0.02 0 -0.05", "0.02 0 -0.05", "hand"),
    "wrist_extensor": ("-0.02 0 -0.05", "-0.02 0 -0.05", "hand"),
}


def _sites(body: str) -> str:
    ends = [(f"{name}_0", a) for name, (a, _, end) in _SPANS.items() if (end == "hand") == (body == "fore") and body != "hand"]
    ends += [(f"{name}_1", b) for name, (_, b, end) in _SPANS.items() if end == body]
    return "".join(f'<site name="{name}" pos="{place}"/>' for name, place in ends)


XML = f"""
<mujoco>
  <compiler angle="radian"/>
  <worldbody>
    <geom name="floor" type="plane" size="5 5 1"/>
    <body name="upper" pos="0 0 1">
      <geom type="capsule" fromto="0 0 0.3 0 0 0" size="0.02" mass="1" contype="0" conaffinity="0"/>
      {_sites("upper")}
      <body name="fore">
        <joint name="elbow" type="hinge" axis="0 -1 0" range="0 2.2" damping="0.3"/>
        <geom type="capsule" fromto="0 0 0 0 0 -0.25" size="0.02" mass="1" contype="0" conaffinity="0"/>
        {_sites("fore")}
        <body name="hand" pos="0 0 -0.25">
          <joint name="wrist" type="hinge" axis="0 -1 0" range="-1 1" damping="0.05"/>
          <geom type="capsule" fromto="0 0 0 0 0 -0.08" size="0.02" mass="0.3" contype="0" conaffinity="0"/>
          {_sites("hand")}
        </body>
      </body>
    </body>
  </worldbody>
  <tendon>{"".join(f'<spatial name="{n}"><site site="{n}_0"/><site site="{n}_1"/></spatial>' for n in _SPANS)}</tendon>
  <actuator>{"".join(f'<muscle name="{n}" tendon="{n}" force="150" lengthrange="0.05 0.4"/>' for n in _SPANS)}</actuator>
</mujoco>
"""

PLAN = BodyPlan(
    name="arm",
    title="an arm for tests",
    licence="MIT",
    source="this file",
    spec=lambda: mujoco.MjSpec.from_string(XML),
    landmarks={
        "pelvis": LandmarkPlan("upper"),
        "trunk": LandmarkPlan("upper", (0.0, 0.0, 0.1)),
        "right.elbow": LandmarkPlan("fore"),
        "right.hand": LandmarkPlan("hand"),
    },
    feet={},
    planned_joints=("elbow", "wrist"),
    gains={"fibre-strain": 40.0},
)

REWARD = """\
WEIGHTS = {
    "elbow": 10.0,
    "wrist": 2.0,
}


def terms(m):
    return {
        "elbow": -smooth_abs(m.joint("elbow").angle - 1.2),
        "wrist": -smooth_abs(m.joint("wrist").angle),
    }
"""

TASK = Task(
    name="bend",
    sentence="Bend the elbow and hold it.",
    goal_speed=0.0,
    seconds=1.0,
    walks=False,
    rewards={"start": REWARD, "human": REWARD},
    metric="effort",
)


def load():  # type: ignore[no-untyped-def]
    """Return the prepared body."""
    return prepare(PLAN)
