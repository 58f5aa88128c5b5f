"""What a joint does is read from geometry: a body with foreign joint names is checked and described as the same with usual ones."""

from __future__ import annotations

from dataclasses import replace

import mujoco
import numpy as np
import pytest
from support import biped

from movlr_jax import morphologies
from movlr_jax.morphologies import anatomy
from movlr_jax.morphologies.body_plan import LandmarkPlan
from movlr_jax.morphologies.morphology import Morphology
from movlr_jax.morphologies.prepare import prepare
from movlr_jax.rewards import library, program
from movlr_jax.rewards.features import feature_layout
from movlr_jax.rewards.vocabulary import leg_joints, vocabulary
from movlr_jax.sandbox import behaviour, behaviour_motions
from movlr_jax.tasks import facts

FUNCTIONS = ("hip_flexion", "hip_adduction", "hip_rotation", "knee_flexion", "ankle_flexion")
# Function -> axis (forward, left, up) of the left leg's hinge and its range (rad), in OpenSim's directions.
HINGES = {
    "hip_adduction": ("-1 0 0", (-0.4, 0.4)),
    "hip_rotation": ("0 0 -1", (-0.4, 0.4)),
    "hip_flexion": ("0 -1 0", (-0.6, 1.5)),
    "knee_flexion": ("0 1 0", (-0.1, 2.0)),
    "ankle_flexion": ("0 -1 0", (-0.6, 0.6)),
}
OSTRICH = dict(zip(FUNCTIONS, ("hip_y", "hip_x", "hip_z", "knee_y", "ankle_y"), strict=True))
USUAL = {f"{side}.{name}": anatomy.usual(f"{side}.{name}") for side in ("left", "right") for name in FUNCTIONS}
FOREIGN = {f"{side}.{name}": f"Gelenk{i}{side[0].upper()}" for side in ("left", "right") for i, name in enumerate(FUNCTIONS)}


def hinge(names: dict[str, str], side: str, function: str, turned: tuple[str, ...]) -> str:
    """Return a joint's MJCF; a turned one counts its angle the other way round."""
    axis = np.array(HINGES[function][0].split(), float) * ((1, 1, 1) if side == "left" else (-1, 1, -1))
    low, high = HINGES[function][1]
    if function in turned:
        axis, low, high = -axis, -high, -low
    text = " ".join(str(v + 0.0) for v in axis)
    return f'<joint name="{names[f"{side}.{function}"]}" axis="{text}" range="{low} {high}" damping="1"/>'


def leg(names: dict[str, str], side: str, turned: tuple[str, ...]) -> str:
    s, y = side[0], 0.1 if side == "left" else -0.1
    hips, knee, ankle = ("".join(hinge(names, side, f, turned) for f in HINGES if f.startswith(part)) for part in ("hip", "knee", "ankle"))
    return f"""
    <body name="thigh_{s}" pos="0 {y} -0.1">{hips}
      <geom type="capsule" fromto="0 0 0 0 0 -0.4" size="0.04" mass="4" contype="0" conaffinity="0"/>
      <site name="hip_front_{s}" pos="0.06 0 -0.15"/><site name="hip_back_{s}" pos="-0.06 0 -0.15"/>
      <site name="knee_front_top_{s}" pos="0.06 0 -0.25"/><site name="knee_back_top_{s}" pos="-0.06 0 -0.25"/>
      <body name="shank_{s}" pos="0 0 -0.4">{knee}
        <geom type="capsule" fromto="0 0 0 0 0 -0.38" size="0.03" mass="3" contype="0" conaffinity="0"/>
        <site name="knee_front_{s}" pos="0.05 0 -0.12"/><site name="knee_back_{s}" pos="-0.05 0 -0.12"/>
        <site name="ankle_front_top_{s}" pos="0.05 0 -0.25"/><site name="ankle_back_top_{s}" pos="-0.05 0 -0.25"/>
        <body name="foot_{s}" pos="0 0 -0.4">{ankle}
          <geom name="foot_{s}" type="box" pos="0.05 0 -0.04" size="0.13 0.05 0.02" mass="1"/>
          <site name="ankle_front_{s}" pos="0.1 0 -0.02"/><site name="ankle_back_{s}" pos="-0.06 0 -0.02"/>
        </body>
      </body>
    </body>"""


def body(name: str, names: dict[str, str], turned: tuple[str, ...] = (), knees: bool = True) -> Morphology:
    """Return a biped with hips of three hinges, knees and ankles, whose joints have the names given."""
    muscles = [f"{part}_{way}_{s}" for s in "lr" for part in ("hip", "knee", "ankle") for way in ("front", "back")]
    at = {"l": 0.1, "r": -0.1}, {"front": 0.08, "back": -0.08}
    tops = "".join(f'<site name="hip_{w}_top_{s}" pos="{x} {y} 0.05"/>' for s, y in at[0].items() for w, x in at[1].items())
    xml = f"""
    <mujoco><compiler angle="radian"/><worldbody>
      <geom name="floor" type="plane" size="5 5 1"/>
      <body name="torso" pos="0 0 1"><freejoint/>
        <geom type="box" size="0.1 0.12 0.15" mass="20" contype="0" conaffinity="0"/>{tops}
        {leg(names, "left", turned)}{leg(names, "right", turned)}
      </body></worldbody>
      <tendon>{"".join(f'<spatial name="{m}"><site site="{m[:-2]}_top{m[-2:]}"/><site site="{m}"/></spatial>' for m in muscles)}</tendon>
      <actuator>{"".join(f'<muscle name="{m}" tendon="{m}" force="2000" lengthrange="0.1 0.4"/>' for m in muscles)}</actuator>
    </mujoco>"""
    places = {"hip": LandmarkPlan("thigh_{s}"), "foot": LandmarkPlan("foot_{s}", (0.05, 0.0, -0.04))}
    if knees:
        places["knee"] = LandmarkPlan("shank_{s}")
    return prepare(
        replace(
            biped.PLAN,
            name=name,
            spec=lambda: mujoco.MjSpec.from_string(xml),
            landmarks={n: p for n, p in biped.PLAN.landmarks.items() if "." not in n}
            | {f"{side}.{n}": replace(p, body=p.body.format(s=side[0])) for side in ("left", "right") for n, p in places.items()},
            planned_joints=tuple(names.values()),
        )
    )


@pytest.fixture(scope="module")
def usual():
    return body("usual", USUAL)


@pytest.fixture(scope="module")
def foreign():
    return body("foreign", FOREIGN)


def test_the_functions_of_joints_are_found_whatever_their_names(usual, foreign):
    assert anatomy.joints(usual) == {function: (joint, 1.0) for function, joint in USUAL.items()}
    assert anatomy.joints(foreign) == {function: (joint, 1.0) for function, joint in FOREIGN.items()}
    assert anatomy.unusual(anatomy.joints(usual)) == {} and set(anatomy.unusual(anatomy.joints(foreign))) == set(FOREIGN)


def test_names_that_lie_are_not_believed(usual):
    swapped = dict(USUAL)
    swapped["left.knee_flexion"], swapped["left.ankle_flexion"] = swapped["left.ankle_flexion"], swapped["left.knee_flexion"]
    assert anatomy.joints(body("swapped", swapped)) == {function: (joint, 1.0) for function, joint in swapped.items()}


def test_a_joint_that_counts_the_other_way_has_the_other_sign_and_landmarks_for_knees_are_not_needed():
    turned = ("knee_flexion", "hip_adduction")
    found = anatomy.joints(body("turned", FOREIGN, turned, knees=False))
    assert found == {function: (joint, -1.0 if function.split(".")[1] in turned else 1.0) for function, joint in FOREIGN.items()}


def test_the_behaviour_stage_sees_the_same_motions_and_judges_them_alike(usual, foreign):
    one, other = behaviour_motions.generate(usual), behaviour_motions.generate(foreign)
    for name, rows in one.features.items():
        np.testing.assert_array_equal(other.features[name], rows, err_msg=name)
    layout = feature_layout(foreign)
    stepping = other.features[behaviour_motions.STEPPING]
    knee = stepping[:, layout.column("qpos", layout.joints[FOREIGN["left.knee_flexion"]][0])]
    assert np.ptp(knee) == pytest.approx(0.8, abs=0.05)  # the legs do swing
    text = 'WEIGHTS = {"a": 100.0, "b": 1.0}\n\n\ndef terms(m):\n    return {"a": m.head.height, "b": -m.joint("J").angle}\n'
    judged = []
    for motions, morphology, joint in ((one, usual, USUAL), (other, foreign, FOREIGN)):
        fn, names = program.batched(program.execute(text.replace("J", joint["left.knee_flexion"])), feature_layout(morphology))
        judged.append(behaviour.judge(fn, dict(zip(names, (100.0, 1.0), strict=True)), motions))
    assert judged[0] == judged[1] and judged[0].refusal == "" and set(judged[0].checks.values()) == {"passed"}


def test_turned_joints_move_the_same_limbs_and_give_the_same_facts(usual):
    turned = body("turned", FOREIGN, ("hip_flexion", "knee_flexion", "ankle_flexion"))
    described = []
    for morphology in (usual, turned):
        layout = feature_layout(morphology)
        rows = behaviour_motions.generate(morphology).features[behaviour_motions.STEPPING][:, : layout.size]
        described.append((facts.describe(rows, layout, task="walk_flat", goal="Walk.").to_json(), rows[:, layout.columns("sensor")]))
    np.testing.assert_allclose(described[1][1], described[0][1], atol=1e-4)
    gait = [said["gait"] for said, _ in described]
    assert gait[0]["max_knee_flexion_rad"]["left"] == pytest.approx(0.8, abs=0.1) and gait[0]["knee_asymmetry"] < 0.1
    assert gait[1]["max_knee_flexion_rad"] == pytest.approx(gait[0]["max_knee_flexion_rad"], abs=1e-3)
    assert gait[1]["knee_asymmetry"] == pytest.approx(gait[0]["knee_asymmetry"], abs=1e-3)


def test_facts_are_the_same_under_foreign_names(usual, foreign):
    said = []
    for morphology in (usual, foreign):
        layout = feature_layout(morphology)
        rows = behaviour_motions.generate(morphology).features[behaviour_motions.STEPPING][:, : layout.size]
        said.append(facts.describe(rows, layout, task="walk_flat", goal="Walk.").to_json())
    assert said[0] == said[1] and said[0]["gait"]["max_knee_flexion_rad"]["right"] > 0.5


def test_the_library_offers_both_bodies_the_same_terms_of_the_same_value(usual, foreign):
    values = []
    for morphology in (usual, foreign):
        layout = feature_layout(morphology)
        offered = library.for_layout(layout)
        assert {"swing_knee", "stance_knee", "hip_adduction", "hip_rotation", "hip_alternation", "ankle_range"} <= set(offered)
        # A writer, which has the words alone, comes to the same joints.
        assert {f: leg_joints(vocabulary(layout))[f] for f in layout.anatomy} == library.joints(layout)
        named = {name: term.expression for name, term in offered.items() if "m.joint(" in term.expression}
        fn, names = program.batched(program.execute(program.write(dict.fromkeys(named, 1.0), named)), layout)
        values.append((names, np.asarray(fn(behaviour_motions.generate(morphology).features[behaviour_motions.STEPPING]))))
    assert values[0][0] == values[1][0]
    np.testing.assert_array_equal(values[0][1], values[1][1])


def test_usual_names_need_no_words(layout, foreign):
    assert "What joints of the legs do" not in vocabulary(layout)
    assert f'left.knee_flexion = m.joint("{FOREIGN["left.knee_flexion"]}").angle' in vocabulary(feature_layout(foreign))


def test_what_an_artifact_reads_is_not_changed_by_anatomy(layout):
    assert layout.anatomy and replace(layout, anatomy={}).fingerprint() == layout.fingerprint()


@pytest.mark.parametrize(
    ("name", "joints"),
    [
        pytest.param("ms-human-700-locomotion", USUAL, marks=pytest.mark.models("ms_human_700/scene_locomotion.xml")),
        pytest.param(
            "ostrich",
            {f"{side}.{function}": f"{side[0]}_{joint}" for side in ("left", "right") for function, joint in OSTRICH.items()},
            marks=pytest.mark.models("ostrich/ostrich.xml"),
        ),
        ("myolegs", USUAL),
    ],
)
def test_bodies_of_the_catalog(name: str, joints: dict[str, str]):
    morphology = morphologies.load(name)
    found = anatomy.joints(morphology)
    assert {function: joint for function, (joint, _) in found.items()} == joints
    if name == "ostrich":  # its legs flex about axes of their own, its knees as ours do
        assert all(found[f"{side}.hip_flexion"][1] == -1.0 and found[f"{side}.knee_flexion"][1] == 1.0 for side in ("left", "right"))
        # It stands on bent legs: terms made for straight ones do not fit.
        assert not {"stance_knee", "ankle_range"} & set(library.for_layout(feature_layout(morphology)))
        assert "left.knee_flexion" not in leg_joints(vocabulary(feature_layout(morphology)))
    else:
        assert all(sign == 1.0 for _, sign in found.values())
