"""A user's own body from YAML: it stands and plans; whatever is wrong is told, all at once."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from movlr_jax import morphologies
from movlr_jax.control.episode import EpisodeRunner
from movlr_jax.control.laws import LAWS
from movlr_jax.control.planners import MPPI
from movlr_jax.errors import MovlrError
from movlr_jax.morphologies import custom, myolegs
from movlr_jax.rewards.features import feature_layout
from movlr_jax.rewards.reward import Reward
from movlr_jax.tasks import stand


def test_it_stands_and_plans(own_body):
    body = morphologies.load(str(own_body()))
    assert (body.name, body.posture.names, body.model.nu) == ("my-biped", ("hip_r", "hip_l"), 4)
    assert body.standing_heights["head"] > body.standing_heights["left.leg"] > body.standing_heights["left.foot"]
    runner = EpisodeRunner.build(body, MPPI(candidates=8, horizon=0.08), "native", threads=1)
    reward = Reward.trusted("start", stand.TASK.rewards["start"], feature_layout(body))
    rollout = stand.TASK.episode(runner, reward, 0, seconds=0.1)
    assert rollout.ended == "time" and rollout.targets.shape[1] == 2
    assert np.ptp(rollout.targets, axis=0).min() > 0.0 and rollout.act.max() > body.standing_act.max()


def test_the_optional_fields_reach_the_plan(own_body):
    path = own_body(stance={"hip_r": 0.005}, gains={"paper": 3.0}, law="paper", muscle_groups={"front": ["front"]})
    plan = morphologies.plan(str(path))
    assert (plan.stance, plan.gains, plan.law) == ({"hip_r": 0.005}, {"paper": 3.0}, "paper")
    assert morphologies.load(str(path)).muscles.groups.keys() == {"left_front", "left_other", "right_front", "right_other"}


def test_the_only_plane_becomes_the_floor(own_body):
    unnamed = own_body.xml.replace('name="floor"', 'name="ground"')
    path = own_body(xml=unnamed.replace("</worldbody>", '</worldbody><contact><pair geom1="ground" geom2="foot_l"/></contact>'))
    model = morphologies.plan(str(path)).spec().compile()
    assert model.geom("floor").id == model.pair_geom1[0] or model.geom("floor").id == model.pair_geom2[0]


def test_everything_wrong_is_told_at_once(own_body):
    path = own_body(
        licence=None,
        colour="red",
        feet={"left": "foot_l", "right": ["foot_r"]},
        landmarks={"pelvis": {"body": "torso", "offsett": [0, 0, 0]}, "trunk": {"body": "torso", "offset": [1, 2]}},
    )
    told = custom.problems(path, LAWS)
    assert [t.split(":")[0] for t in told] == [
        "There is no value 'colour'",
        "licence is missing",
        "landmarks.pelvis",
        "landmarks.trunk.offset is [1, 2]",
        "feet.left is 'foot_l'",
        "The landmark left.foot is missing",
        "The landmark right.foot is missing",
    ]
    assert "did you mean offset?" in told[2]
    with pytest.raises(MovlrError, match=r"There is no value 'colour'.*\(4 more: movlr morphologies check "):
        custom.load(path)


def test_names_are_held_against_the_model(own_body):
    path = own_body(
        landmarks={"pelvis": {"body": "tors"}, "trunk": {"body": "torso"}, "lefty.foot": {"body": "foot_l"}, "com": {"body": "torso"}},
        feet={"left": ["leg_l"], "rihgt": ["foot_r"]},
        planned_joints=["hip_right", "ankle_l", "hip_l"],
        stance={"hip_lr": 0.1},
        muscle_groups={"hips": ["fornt"]},
        law="fibre",
    )
    told = "\n".join(custom.problems(path, LAWS))
    for part in (
        "no muscle law 'fibre'",
        "landmark left.foot is missing",
        "no body 'tors': did you mean torso?",
        "cannot be named 'lefty.foot'",
        "cannot be named 'com'",
        "feet has no right foot",
        "feet.left has no geom that collides",
        "no side 'rihgt': did you mean right?",
        "no joint 'hip_right': did you mean hip_r?",
        "ankle_l follows another joint",
        "no planned joint 'hip_lr': did you mean hip_l?",
        "no muscle's name starts with 'fornt'",
    ):
        assert part in told


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('<geom name="floor" type="plane" size="5 5 1"/>', "", "no plane to stand on"),
        ('<geom name="floor" ', '<geom type="plane" size="1 1 1"/><geom name="b" ', "2 planes and none is named floor"),
        ('size="5 5 1"', 'size="5 5 1" pos="0 0 -0.4"', "lies at z = -0.4 m"),
        ('size="5 5 1"', 'size="5 5 1" euler="0 20 0"', "is tilted"),
        ('size="5 5 1"', 'size="5 5 1" contype="0" conaffinity="0"', "collides with nothing"),
        ("<freejoint/>", '<joint name="top" axis="0 1 0"/>', "cannot be moved forward (x) and up (z)"),
        ("</actuator>", '<motor joint="hip_l"/></actuator>', "is a motor, no muscle"),
        ("<freejoint/>", "<freejoint", "does not compile"),
    ],
)
def test_a_model_that_cannot_be_used_says_why(own_body, old, new, sentence):
    assert old in own_body.xml
    told = custom.problems(own_body(xml=own_body.xml.replace(old, new)), LAWS)
    assert len(told) == 1 and sentence in told[0]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("- a\n- b\n", "`name: value` lines"), ("a: [", "is not YAML"), (None, "cannot be read"), (b"\xff\xfe\x00", "not UTF-8")],
)
def test_a_file_that_is_none_says_so(tmp_path, text, sentence):
    path = tmp_path / "x.yaml"
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(MovlrError, match=sentence):
        morphologies.plan(str(path))


def test_a_missing_model_and_a_taken_name_are_refused(own_body):
    with pytest.raises(MovlrError, match=r"nowhere\.xml does not exist"):
        morphologies.plan(str(own_body(model="nowhere.xml")))
    with pytest.raises(MovlrError, match="as a body of the catalog is"):
        morphologies.plan(str(own_body(name=myolegs.PLAN.name)))


def test_a_run_keeps_the_absolute_path(own_body, monkeypatch):
    path = own_body()
    monkeypatch.chdir(path.parent)
    from movlr_jax.cli.run import configure

    config = configure(["stand", "--morphology", "body.yaml"])
    assert config.morphology == str(path)
    monkeypatch.chdir("/")
    assert dataclasses.asdict(morphologies.plan(config.morphology))["name"] == "my-biped"


def test_a_reward_that_asks_for_what_the_body_lacks_is_refused_in_one_sentence(own_body):
    layout = feature_layout(morphologies.load(str(own_body())))
    with pytest.raises(MovlrError, match=r"The reward human does not fit: my-biped has no landmark"):
        Reward.trusted("human", stand.TASK.rewards["human"], layout)


def test_values_that_cannot_be_do_not_hide_how_the_rest_fits_the_model(own_body):
    path = own_body(
        own_body.xml.replace("<mujoco>", "<mujoco><option gravity='0 0 0'/>"),
        name="My Biped",
        titel="misspelt",
        root_yaw="north",
        landmarks={
            "pelvis": {"body": "torso"},
            "trunk": {"bodies": "torso"},
            "left.foot": {"body": "foot_left"},
            "right.foot": {"body": "foot_r"},
        },
        feet={"left": "foot_l", "right": ["foot_r", "toe_r"]},
        stance={"hip_x": 0.1, "hip_l": "much"},
    )
    wrong = custom.problems(path, LAWS)
    for part in (
        "no value 'titel': did you mean title?",
        "name is 'My Biped'",
        "root_yaw is 'north'",
        "landmarks.trunk",
        "feet.left",
        "stance.hip_l",
        "The landmark left.foot: There is no body 'foot_left'",
        "feet.right: There is no body 'toe_r'",
        "stance: There is no planned joint 'hip_x'",
        "The model has no gravity",
    ):
        assert any(part in sentence for sentence in wrong), (part, wrong)
    assert not any("is missing" in sentence and ("trunk" in sentence) and "add it" in sentence for sentence in wrong)
    assert not any("has no left foot" in sentence for sentence in wrong)


def test_every_cause_that_keeps_the_floor_from_being_felt_is_told(own_body):
    xml = own_body.xml.replace('type="plane" size="5 5 1"', 'type="plane" size="5 5 1" contype="2" conaffinity="2"')
    xml = xml.replace("</equality>", '</equality><contact><exclude body1="world" body2="foot_l"/></contact>')
    with pytest.raises(MovlrError) as told:
        morphologies.load(str(own_body(xml.replace("<freejoint/>", "<freejoint/>"))))
    assert "contact bits do not meet" in str(told.value) and "excludes contacts of foot_l" in str(told.value)
