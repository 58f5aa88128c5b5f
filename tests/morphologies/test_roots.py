"""Bodies whose root is no free joint: one that moves in a plane stands and walks there, one fixed to the world is moved by `move`."""

from __future__ import annotations

from pathlib import Path

import mujoco
import numpy as np
import pytest

from movlr_jax import tasks
from movlr_jax.cli.main import main
from movlr_jax.control.episode import EpisodeRunner
from movlr_jax.control.laws import LAWS
from movlr_jax.control.planners import MPPI
from movlr_jax.errors import MovlrError
from movlr_jax.evaluation import reward_texts
from movlr_jax.morphologies import body_faults, custom, prepare, root, standing
from movlr_jax.rewards.features import feature_layout
from movlr_jax.rewards.motion import public_names
from movlr_jax.rewards.reward import Reward
from movlr_jax.sandbox import behaviour_motions
from movlr_jax.tasks import facts

PLANAR = """<joint name="rootx" type="slide" axis="1 0 0"/><joint name="rootz" type="slide" axis="0 0 1"/>
<joint name="rooty" type="hinge" axis="0 1 0"/>"""
MEASURE = 'WEIGHTS = {"bent": 1.0, "near": 0.5}\n\n\ndef terms(m):\n    return {"bent": m.joint("elbow").angle, "near": -m.hand.height}\n'
ARM = """
<mujoco>
  <worldbody>
    <body name="stand" pos="0 0 1" euler="0 0 90"> <geom size="0.05"/>
      <body name="upper" pos="0 0 0.1">
        <joint name="shoulder" type="hinge" axis="0 1 0" range="-60 60"/>
        <geom type="capsule" fromto="0 0 0 0 0 -0.25" size="0.02" mass="1"/>
        <site name="up_f" pos="0.03 0 -0.02"/> <site name="up_b" pos="-0.03 0 -0.02"/>
        <body name="lower" pos="0 0 -0.27">
          <joint name="elbow" type="hinge" axis="0 1 0" range="-100 0"/>
          <geom type="capsule" fromto="0 0 0 0 0 -0.2" size="0.015" mass="0.6"/>
          <site name="low_f" pos="0.03 0 -0.05"/> <site name="low_b" pos="-0.03 0 -0.05"/>
        </body>
      </body>
    </body>
  </worldbody>
  <tendon><spatial name="flex"><site site="up_f"/><site site="low_f"/></spatial>
  <spatial name="extend"><site site="up_b"/><site site="low_b"/></spatial></tendon>
  <actuator><muscle name="flexor" tendon="flex" force="200"/><muscle name="extensor" tendon="extend" force="200"/></actuator>
</mujoco>
"""


def load(path: str):  # type: ignore[no-untyped-def]
    """Return the body of a file as it is now: the catalog keeps what it has loaded of a path."""
    return prepare.prepare(custom.load(Path(path)))


def _arm(own_body, **changed: object) -> Path:  # type: ignore[no-untyped-def]
    places = {"hand": {"body": "lower", "offset": [0, 0, -0.2]}, "elbow": {"body": "lower"}}
    return own_body(ARM, **({"landmarks": places, "feet": None, "planned_joints": ["shoulder", "elbow"]} | changed))


# --- in a plane


def test_a_planar_body_stands_as_the_free_one_does(own_body) -> None:  # type: ignore[no-untyped-def]
    free = load(str(own_body(name="free-biped")))
    planar = load(str(own_body(own_body.xml.replace("<freejoint/>", PLANAR), name="planar-biped")))
    assert planar.standing_heights == pytest.approx(free.standing_heights, abs=2e-3)
    assert planar.weight == pytest.approx(free.weight)
    assert not root.turns(planar.model, planar.top) and root.turns(free.model, free.top)
    assert planar.loose.stop - planar.loose.start == 3


def test_it_walks_in_its_plane_and_is_refused_a_turn(own_body) -> None:  # type: ignore[no-untyped-def]
    path = str(own_body(own_body.xml.replace("<freejoint/>", PLANAR), name="planar-walker"))
    body = tasks.get("walk_rough").load(path)
    start = tasks.get("walk_rough").start(body, 3)
    assert start.origin[0] != 0.0 and start.origin[1] == pytest.approx(0.0, abs=1e-12)
    data = mujoco.MjData(body.model)
    data.qpos[:] = start.qpos
    mujoco.mj_forward(body.model, data)
    assert data.body("torso").xpos[0] == pytest.approx(start.origin[0], abs=0.1)
    with pytest.raises(MovlrError, match="turn_left asks for a turn, and planar-walker moves in one plane: use walk_flat"):
        tasks.get("turn_left").load(path)


@pytest.mark.parametrize(
    ("joints", "told"),
    [
        ('<joint name="h" type="hinge" axis="0 1 0"/>', "cannot be moved forward (x) and up (z)"),
        ('<joint name="z" type="slide" axis="0 0 1"/>', "cannot be moved forward (x), so"),
        ('<joint name="y" type="slide" axis="0 1 0"/><joint name="z" type="slide" axis="0 0 1"/>', "cannot be moved forward (x), so"),
        ('<joint name="b" type="ball"/>', "cannot be moved forward (x) and up (z)"),
    ],
)
def test_a_root_that_cannot_be_placed_is_named(own_body, joints: str, told: str) -> None:  # type: ignore[no-untyped-def]
    wrong = custom.problems(own_body(own_body.xml.replace("<freejoint/>", joints)), LAWS)
    assert len(wrong) == 1 and told in wrong[0] and "leave feet out" in wrong[0]


def test_slides_on_a_turned_base_move_it_where_they_point() -> None:
    model = mujoco.MjModel.from_xml_string(
        '<mujoco><worldbody><body name="base" euler="0 0 90"><geom size="0.1"/>'
        '<body name="cart"><joint name="a" type="slide" axis="1 0 0"/>'
        '<joint name="b" type="slide" axis="0 0 1"/><geom size="0.1"/></body></body></worldbody></mujoco>'
    )
    cart = model.body("cart").id
    data = mujoco.MjData(model)
    data.qpos[:] = root.translate(model, cart, model.qpos0, np.array([0.3, 0.4, 0.5]))
    mujoco.mj_kinematics(model, data)
    assert data.xpos[cart] == pytest.approx([0.0, 0.4, 0.5])


# --- fixed to the world


def test_a_fixed_arm_is_a_body_without_floor_or_feet(own_body) -> None:  # type: ignore[no-untyped-def]
    body = load(str(_arm(own_body)))
    assert body.fixed and body.landmarks[0] == "pelvis" and body.model.geom("floor").contype[0] == 0
    assert body.standing_heights["pelvis"] == pytest.approx(1.1)  # where it is fixed


def test_what_keeps_an_arm_from_moving_is_told_and_what_it_does_not_need_is_not(own_body) -> None:  # type: ignore[no-untyped-def]
    off = ARM.replace("<mujoco>", '<mujoco><option gravity="0 0 0"><flag contact="disable" actuation="disable"/></option>')
    path = _arm(own_body)
    path.with_name("biped.xml").write_text(off)
    assert custom.problems(path, LAWS) == ["The model switches its muscles off: take <flag actuation='disable'/> out."]


def test_the_task_move_runs_on_it_and_says_what_it_measured(own_body, capsys) -> None:  # type: ignore[no-untyped-def]
    path = str(_arm(own_body, stance={"elbow": -0.5}))
    task = tasks.get("move")
    body = task.load(path)
    runner = EpisodeRunner.build(body, MPPI(candidates=8, horizon=0.08), "native", threads=1)
    reward = Reward.trusted("start", task.rewards["start"], feature_layout(body))
    rollout = task.episode(runner, reward, 0, seconds=0.2)
    measured = task.measure(body, rollout)
    assert rollout.ended == "time" and not measured["fell"] and 0.0 < measured["posture_change"] < 3.0
    told = facts.describe(rollout.instants, feature_layout(body), task="move", goal="", **task.goal_facts(body))
    assert set(told.joints) == {"shoulder", "elbow"} and told.landmarks["hand"].path_m > 0.0 and told.posture.to_json() == {}
    assert task.measures() == [] and "play" in " ".join(task.with_sentence("play the violin").measures(feature_layout(body)))


def test_tasks_that_stand_say_that_it_cannot(own_body, capsys) -> None:  # type: ignore[no-untyped-def]
    path = str(_arm(own_body))
    for name in ("stand", "walk_flat", "free"):
        with pytest.raises(
            MovlrError, match=f"The task {name} is for a body that stands, and my-biped is fixed to the world: use the task move"
        ):
            tasks.get(name).load(path)
    with pytest.raises(MovlrError, match="The task move is for a body that is fixed to the world, and myolegs stands: use the task free"):
        tasks.get("move").load("myolegs")
    assert main(["rollout", "walk_flat", "--morphology", str(_arm(own_body)), "--seconds", "0.1"]) == 1
    assert "use the task move" in capsys.readouterr().err


def test_a_reward_for_it_is_judged_on_its_own_motions(own_body) -> None:  # type: ignore[no-untyped-def]
    body = load(str(_arm(own_body, name="judged-arm")))
    motions = behaviour_motions.generate(body)
    assert set(motions.features) == set(behaviour_motions.FIXED_NAMES)
    swung = motions.features[behaviour_motions.SWUNG]
    elbow = swung[:, feature_layout(body).column("qpos", 1)]
    assert np.ptp(elbow) > 1.0
    proof = reward_texts.prove(MEASURE, "bent", body, 0.0)
    assert proof.reward is not None, proof.verdict
    still = reward_texts.prove(MEASURE.replace('m.joint("elbow").angle', "1.0").replace("-m.hand.height", "2.0"), "flat", body, 0.0)
    assert still.reward is None and "the same on every motion" in still.verdict.reason
    feet = reward_texts.prove(MEASURE.replace("m.hand.height", "m.left.foot.height"), "feet", body, 0.0)
    assert feet.reward is None and "this body has pelvis, elbow, hand" in feet.verdict.reason


def test_a_landmark_may_have_any_name_that_m_has_not(own_body) -> None:  # type: ignore[no-untyped-def]
    assert public_names()["Motion"] - {"pelvis", "trunk", "head"} == body_faults.RESERVED
    places = {"hand": {"body": "lower"}, "time": {"body": "lower"}}
    assert custom.problems(_arm(own_body, landmarks=places), LAWS) == [
        "A landmark cannot be named 'time': use a word such as head, or left. and right. before it."
    ]
    body = load(str(_arm(own_body)))
    missing = reward_texts.prove(MEASURE.replace("m.hand", "m.wrist"), "wrist", body, 0.0)
    assert missing.reward is None and "wrist" in missing.verdict.reason and "hand" in missing.verdict.reason


def test_a_body_that_moves_freely_needs_feet(own_body) -> None:  # type: ignore[no-untyped-def]
    wrong = custom.problems(own_body(feet=None), LAWS)
    assert wrong == ["feet is missing, and torso is not fixed to the world: name its feet, left and right, or fix it."]


def test_injuries_and_starts_vary_with_the_seed(own_body) -> None:  # type: ignore[no-untyped-def]
    task = tasks.get("move")
    body = task.load(str(_arm(own_body)), ["flexor=0.5"])
    assert body.muscles.peak_force == pytest.approx([100.0, 200.0])
    a, b = task.start(body, 0), task.start(body, 1)
    assert not np.allclose(a.qpos, b.qpos) and standing.reached(body, (1.0, 2.0)) == (1.0, 2.0)


# --- what MuJoCo reads and plain rules of XML do not; integrators


def test_a_model_that_mujoco_reads_is_read(own_body) -> None:  # type: ignore[no-untyped-def]
    loose = own_body.xml.replace("<worldbody>", "<!-- two -- dashes <mesh file='/etc/shadow'/> --><worldbody>", 1)
    loose = loose.replace('<geom name="floor" type', '<geom name="floor"type', 1)
    mujoco.MjModel.from_xml_string(loose)
    assert custom.problems(own_body(loose), LAWS) == []
    hidden = own_body.xml.replace(
        "<worldbody>", '<custom><text name="a" data="<!--"/></custom><asset><mesh file="/etc/shadow"/></asset><worldbody>', 1
    )
    told = custom.problems(own_body(hidden), LAWS)
    assert told and ("is not XML" in told[0] or "/etc/shadow" in told[0])


def test_a_model_of_runge_kutta_settles(own_body) -> None:  # type: ignore[no-untyped-def]
    body = load(str(own_body(own_body.xml.replace("<mujoco>", '<mujoco><option integrator="RK4"/>', 1), name="rk4")))
    plain = load(str(own_body(name="plain")))
    np.testing.assert_allclose(body.standing_qpos, plain.standing_qpos, atol=1e-6)
