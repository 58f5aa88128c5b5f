"""What people bring as a body: other things in the model, MuJoCo's own freedom, floors that are not felt, values that cannot be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from movlr_jax.cli.main import main
from movlr_jax.errors import MovlrError
from movlr_jax.morphologies import load, standing
from movlr_jax.tasks import get

BALL = '<body name="ball" pos="1 0 0.1"><freejoint name="ball"/><geom type="sphere" size="0.1" mass="0.4"/></body>'
TABLE = '<body name="table" pos="1.5 0 0.4"><geom type="box" size=".5 .5 .4" mass="800"/></body>'
DOOR = (
    '<body name="door" pos="2 0 1"><joint name="hinge" type="hinge" axis="0 0 1" range="-1 1"/>'
    '<geom type="box" size="0.02 0.4 0.9" mass="20"/></body>'
)
OPPONENT = '<body name="rival" mocap="true" pos="3 0 1"><geom type="capsule" size="0.2 0.5" contype="0" conaffinity="0"/></body>'
OTHERS = {"a ball": BALL, "a table": TABLE, "a door": DOOR, "an opponent": OPPONENT, "all of them": BALL + TABLE + DOOR + OPPONENT}


def _measured(path: Path) -> dict[str, Any]:
    """Return what is measured of a body in its standing start."""
    body = load(str(path))
    data, at = body.data(), body.sensors
    read = {name: data.sensordata[at[name][0] : at[name][0] + at[name][1]].copy() for name in ("com/position", "touch/left", "touch/right")}
    moved = standing.placed(body, body.standing_qpos, (0.3, 0.2))
    data.qpos[:] = moved
    data.qvel[body.loose] = 0.0
    data.qvel[body.loose.start] = 1.5
    import mujoco

    mujoco.mj_forward(body.model, data)
    first, count = at["com/velocity"]
    return {
        **read,
        "weight": body.weight,
        "velocity": data.sensordata[first : first + count].copy(),
        "place": data.sensordata[at["com/position"][0] : at["com/position"][0] + 3].copy(),
        "posture": body.posture.read(body.standing_qpos),
        "act": body.standing_act,
        "heights": np.array([body.standing_heights[name] for name in sorted(body.standing_heights)]),
    }


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize("what", OTHERS)
def test_what_else_is_in_the_model_is_not_the_body(own_body, tmp_path: Path, what: str, where: str) -> None:  # type: ignore[no-untyped-def]
    alone = _measured(own_body(name=f"alone-{abs(hash((what, where)))}"))
    mark = "<worldbody>" if where == "before" else "</worldbody>"
    floor = own_body.xml.index("<geom")  # the floor stays the first geom
    assert floor > own_body.xml.index("<worldbody>")
    both = own_body.xml.replace(mark, f"{mark}{OTHERS[what]}" if where == "before" else f"{OTHERS[what]}{mark}", 1)
    beside = _measured(own_body(both, name=f"beside-{abs(hash((what, where)))}"))
    for name, value in alone.items():
        np.testing.assert_allclose(beside[name], value, atol=2e-9 if "touch" not in name else 1e-4, err_msg=name)
    carried = float(beside["touch/left"].sum() + beside["touch/right"].sum()) / beside["weight"]
    assert 0.9 < carried < 1.1


def test_a_reward_and_an_episode_are_of_the_person(own_body) -> None:  # type: ignore[no-untyped-def]
    """With a ball before the person, the gait memory is alive and `m.com` is the person's."""
    from movlr_jax.control.episode import EpisodeRunner
    from movlr_jax.control.planners import MPPI
    from movlr_jax.rewards.features import feature_layout
    from movlr_jax.rewards.reward import Reward

    body = load(str(own_body(own_body.xml.replace("<worldbody>", f"<worldbody>{BALL}", 1), name="with-a-ball")))
    layout, task = feature_layout(body), get("stand")
    runner = EpisodeRunner.build(body, MPPI(candidates=8, elites=2, instant=2, horizon=0.08), "native", threads=1)
    rollout = task.episode(runner, Reward.trusted("start", task.rewards["start"], layout), 0, seconds=0.1)
    com = rollout.instants[:, layout.blocks["sensor"][0] + layout.com["position"] + np.arange(3)]
    assert abs(com[:, 2] - body.standing_heights["com"]).max() < 0.1 and abs(com[:, 0]).max() < 0.5
    assert "ball" not in body.posture.names and rollout.ended == "time"


NOT_FELT = {
    "contacts off": ('<option><flag contact="disable"/></option>', "", "contact='disable'"),
    "no gravity": ('<option gravity="0 0 0"/>', "", "no gravity"),
    "gravity aside": ('<option gravity="0 -9.81 0"/>', "", "not down"),
    "gravity off": ('<option><flag gravity="disable"/></option>', "", "gravity='disable'"),
    "muscles off": ('<option><flag actuation="disable"/></option>', "", "actuation='disable'"),
    "an exclusion": ("", '<contact><exclude body1="world" body2="foot_l"/><exclude body1="world" body2="foot_r"/></contact>', "<exclude>"),
    "equalities off": ('<option><flag equality="disable"/></option>', "", "equality='disable'"),
    "sensors off": ('<option><flag sensor="disable"/></option>', "", "sensor='disable'"),
    "sleep": ('<option><flag sleep="enable"/></option>', "", "sleep='enable'"),
    "a weld to a mocap body": (
        "",
        '<worldbody><body name="hook" mocap="true"/></worldbody><equality><weld body1="torso" body2="hook"/></equality>',
        "<weld>",
    ),
    "a weld": ("", '<equality><weld body1="torso"/></equality>', "<weld>"),
    "a connect": ("", '<equality><connect body1="torso" anchor="0 0 0"/></equality>', "<connect>"),
}


@pytest.mark.parametrize("what", NOT_FELT)
def test_a_floor_that_is_not_felt_has_its_cause_named(own_body, what: str, capsys) -> None:  # type: ignore[no-untyped-def]
    before, after, said = NOT_FELT[what]
    xml = own_body.xml.replace("<worldbody>", f"{before}<worldbody>", 1).replace("</mujoco>", f"{after}</mujoco>")
    path = own_body(xml, name=f"unfelt-{what.replace(' ', '-')}")
    assert main(["morphologies", "check", str(path)]) == 1
    told = capsys.readouterr()
    assert said in told.out and "defect" not in told.err
    with pytest.raises(MovlrError):
        load(str(path))


def test_one_foot_that_does_not_feel_the_floor_is_named(own_body, capsys) -> None:  # type: ignore[no-untyped-def]
    """The other one carries the body, so that the sum is right."""
    xml = own_body.xml.replace("</mujoco>", '<contact><exclude body1="world" body2="foot_l"/></contact></mujoco>')
    assert main(["morphologies", "check", str(own_body(xml, name="one-foot"))]) == 1
    assert "foot_l with the floor" in capsys.readouterr().out


PLACES = {
    "a foot landmark": lambda b: b["landmarks"].update({"left.foot": {"body": "ball"}}),
    "the trunk": lambda b: b["landmarks"].update(trunk={"body": "ball"}),
    "a foot": lambda b: b["feet"].update(left=["ball"]),
    "a planned joint": lambda b: b["planned_joints"].append("hinge"),
}


@pytest.mark.parametrize("what", PLACES)
def test_what_is_named_as_the_bodys_hangs_on_it(own_body, what: str, capsys) -> None:  # type: ignore[no-untyped-def]
    path = own_body(own_body.xml.replace("</worldbody>", f"{BALL}{DOOR}</worldbody>", 1), name="strange")
    values = yaml.safe_load(path.read_text())
    PLACES[what](values)
    path.write_text(yaml.safe_dump(values))
    assert main(["morphologies", "check", str(path)]) == 1
    assert "the body that holds the pelvis" in capsys.readouterr().out


def test_contact_bits_that_do_not_meet_are_named(own_body, capsys) -> None:  # type: ignore[no-untyped-def]
    xml = own_body.xml.replace('type="plane"', 'type="plane" contype="2" conaffinity="2"')
    assert main(["morphologies", "check", str(own_body(xml, name="bits"))]) == 1
    assert "contact bits do not meet" in capsys.readouterr().out


FREEDOM = {
    "a tuple of a site": ("<worldbody>", '<custom><tuple name="t"><element objtype="body" objname="torso"/></tuple></custom><worldbody>'),
    "a tuple of a sensor": (
        "<worldbody>",
        '<sensor><jointpos name="js" joint="hip_l"/></sensor>'
        '<custom><tuple name="t"><element objtype="sensor" objname="js"/></tuple></custom><worldbody>',
    ),
    "another thing called floor": ('name="floor" type="plane"', 'name="ground" type="plane"'),
}


@pytest.mark.parametrize("what", FREEDOM)
def test_what_mujoco_allows_is_allowed(own_body, what: str, capsys) -> None:  # type: ignore[no-untyped-def]
    xml = own_body.xml.replace(*FREEDOM[what], 1)
    if "called floor" in what:
        xml = xml.replace("</worldbody>", '<geom name="floor" type="box" size="1 1 .05" pos="3 0 0"/></worldbody>')
    assert main(["morphologies", "check", str(own_body(xml, name=f"free-{len(what)}"))]) == 0, capsys.readouterr()


VALUES = {
    "degrees": ({"stance": {"hip_l": 15.0}}, "degrees"),
    "a yaw in degrees": ({"root_yaw": 90.0}, "degrees"),
    "no number": ({"stance": {"hip_l": float("nan")}}, "finite"),
    "one body in both feet": ({"feet": {"left": ["foot_l"], "right": ["foot_l"]}}, "both feet"),
    "one body twice": ({"feet": {"left": ["foot_l", "foot_l"], "right": ["foot_r"]}}, "twice"),
    "the world as a foot": ({"feet": {"left": ["world"], "right": ["foot_r"]}}, "the world"),
    "a gain below nought": ({"gains": {"fibre-strain": -1.0}}, "above 0"),
}


@pytest.mark.parametrize("what", VALUES)
def test_values_that_cannot_be_are_refused_with_the_likely_cause(own_body, what: str, capsys) -> None:  # type: ignore[no-untyped-def]
    changed, said = VALUES[what]
    assert main(["morphologies", "check", str(own_body(name="values", **changed))]) == 1
    assert said in capsys.readouterr().out


@pytest.mark.parametrize("engine", ["warp", "jax"])
def test_an_option_that_an_engine_lacks_is_told_beforehand(own_body, engine: str, capsys) -> None:  # type: ignore[no-untyped-def]
    pytest.importorskip("warp", reason="warp-lang is not installed")
    xml = own_body.xml.replace("<worldbody>", '<option integrator="implicit"/><worldbody>', 1)
    assert main(["morphologies", "check", str(own_body(xml, name="implicit")), "--engine", engine]) == 1
    assert f"{engine} does not take this body (integrator implicit)" in capsys.readouterr().out


def test_a_simulation_that_blew_up_is_no_episode_without_falls(own_body, capsys) -> None:  # type: ignore[no-untyped-def]
    path = own_body(own_body.xml.replace('force="300"', 'force="1e13"'), name="bursting")
    assert main(["rollout", "stand", "--reward", "start", "--morphology", str(path), "--seconds", "0.2", "--threads", "1"]) == 1
    told = capsys.readouterr()
    assert "diverged, and measured nothing: 1 of 1" in told.out and "defect" not in told.err


@pytest.mark.parametrize("verb", ["eval", "transfer"])
def test_a_reward_that_does_not_fit_a_body_is_a_row_that_says_why(own_body, tmp_path: Path, verb: str, capsys) -> None:  # type: ignore[no-untyped-def]
    """A body without hips: the human-designed reward of walking asks for them, the start reward does not."""
    where = {"eval": ["--task", "walk_flat", "--morphology"], "transfer": ["--from", "walk_flat", "--tasks", "walk_flat", "--morphologies"]}
    tiny = ["--seconds", "0.02", "--seeds", "0", "--threads", "1", "--out", str(tmp_path / "out")]
    assert main([verb, "--rewards", "human", "start", *where[verb], str(own_body(name=f"no-hips-{verb}")), *tiny]) == 0
    told = capsys.readouterr()
    assert "The reward human of walk_flat does not fit no-hips" in told.out and told.out.count("does not fit") == 1
    assert "left.hip" in told.out and "start" in told.out and "defect" not in told.err
