"""Preparation: clean scene, settled start, sensors, couplings, and clear errors."""

import dataclasses
import warnings

import mujoco
import numpy as np
import pytest
from support.morphology_checks import coupling_errors, foot_loads, sensor

from movlr_jax import morphologies, tasks
from movlr_jax.errors import MovlrError
from movlr_jax.morphologies import myolegs as myolegs_file
from movlr_jax.morphologies import posture, prepare, root, sources
from movlr_jax.morphologies.body_plan import LandmarkPlan


def test_scene_has_one_floor_at_zero_and_nothing_else_in_the_world(myolegs):
    model = myolegs.model
    world = [g for g in range(model.ngeom) if model.geom_bodyid[g] == 0]
    assert [model.geom(g).name for g in world] == ["floor"]
    assert model.geom_pos[world[0], 2] == 0.0


@pytest.mark.parametrize(
    ("name", "task"),
    [
        ("myolegs", "walk_stairs"),
        ("myofullbody", "stand"),
        pytest.param("ms-human-700-locomotion", "walk_rough", marks=pytest.mark.models("ms_human_700/scene_locomotion.xml")),
        pytest.param("ms-human-700-manipulation", "cube_rotate", marks=pytest.mark.models("ms_human_700/scene_locomotion.xml")),
    ],
)
def test_the_lean_model_steps_to_the_same_bits(name, task):
    body = tasks.get(task).load(name)
    assert body.lean.ngeom < body.model.ngeom and body.lean.nsite < body.model.nsite
    ended = []
    for model in (body.model, body.lean):
        rng, data = np.random.default_rng(0), mujoco.MjData(model)
        data.qpos[:], data.act[:] = body.standing_qpos, body.standing_act
        for _ in range(60):
            data.ctrl[:] = rng.random(model.nu)
            mujoco.mj_step(model, data)
        ended.append(np.concatenate([data.qpos, data.qvel, data.act, data.sensordata, data.actuator_force, data.actuator_length]))
    assert np.array_equal(*ended)
    for kind, count in (("body", "nbody"), ("joint", "njnt"), ("tendon", "ntendon"), ("actuator", "nu"), ("sensor", "nsensor")):
        of = [[getattr(m, kind)(i).name for i in range(getattr(m, count))] for m in (body.model, body.lean)]
        assert of[0] == of[1]


@pytest.mark.parametrize("distance", [0.0, 5.0, 40.0])
def test_feet_bear_weight_anywhere_on_the_plane(myolegs, distance):
    # The packaged scene stands on a pedestal 1.05 m in radius: past its edge the feet would find nothing.
    body = myolegs
    data = mujoco.MjData(body.model)
    data.qpos[:] = root.translate(body.model, body.top, body.standing_qpos, np.array([distance, 0.0, 0.0]))
    data.act[:] = data.ctrl[:] = body.standing_act
    mujoco.mj_forward(body.model, data)
    assert foot_loads(body, data).sum() == pytest.approx(1.0, rel=0.15)


def test_standing_start_is_settled_upright_balanced_and_faces_forward(myolegs):
    body, data = myolegs, myolegs.data()
    com = sensor(body, data, "com/position")
    feet = [sensor(body, data, f"{s}.foot/position") for s in ("left", "right")]
    assert abs(com[0] - np.mean(feet, axis=0)[0]) < 0.02
    assert feet[0][1] > 0.05 > -0.05 > feet[1][1]
    for name in ("pelvis", "trunk", "head"):
        assert sensor(body, data, f"{name}/quat")[0] > 0.999  # identity: forward, left and up are the world's
    assert sensor(body, data, "left.toe/position")[0] > sensor(body, data, "left.heel/position")[0] + 0.1
    height = sensor(body, data, "pelvis/position")[2]
    for _ in range(100):  # with the holding activations it stays up by itself for a while
        mujoco.mj_step(body.model, data)
    assert sensor(body, data, "pelvis/position")[2] == pytest.approx(height, abs=0.02)


def test_activation_is_limited(myolegs):
    model = myolegs.model
    assert model.actuator_actlimited.all()
    coarse = myolegs.at_timestep(0.008)
    data = mujoco.MjData(coarse)
    data.qpos[:], data.act[:], data.ctrl[:] = myolegs.standing_qpos, myolegs.standing_act, 1.0
    for _ in range(5):
        mujoco.mj_step(coarse, data)
    assert data.act.max() <= 1.0
    assert model.opt.timestep == 0.002  # the copy has its own step


def test_coupled_joints_follow_the_equality_polynomials(myolegs):
    body = myolegs
    space = body.posture
    rng = np.random.default_rng(0)
    z = rng.uniform(space.lower, space.upper, (16, space.size))
    qpos = space.complete(z, body.standing_qpos)
    assert np.allclose(space.read(qpos), z)
    assert coupling_errors(body, qpos[3]).max() < 1e-9


def test_touch_senses_the_whole_foot_and_nothing_in_the_air(myolegs):
    body = myolegs
    data = body.data()
    data.qpos[:] = root.translate(body.model, body.top, body.standing_qpos, np.array([0.0, 0.0, 0.3]))
    mujoco.mj_forward(body.model, data)
    assert sensor(body, data, "touch/left").sum() == 0.0


def test_a_plan_with_an_unknown_body_or_joint_is_refused_in_one_sentence():
    bad = dataclasses.replace(myolegs_file.PLAN, landmarks={**myolegs_file.PLAN.landmarks, "left.hand": LandmarkPlan("hand_l")})
    with pytest.raises(MovlrError, match=r"left\.hand names the body hand_l"):
        prepare.prepare(bad)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = myolegs_file.PLAN.spec().compile()
    with pytest.raises(MovlrError, match="knee_angel_r is not in the model"):
        posture.build(model, ("knee_angel_r",))
    with pytest.raises(MovlrError, match="follows another joint"):
        posture.build(model, ("knee_angle_rotation2_r",))


def test_unknown_names_suggest_what_was_meant():
    with pytest.raises(MovlrError, match="did you mean myolegs"):
        morphologies.load("myoleg")


def test_a_missing_model_says_where_it_was_looked_for(monkeypatch, tmp_path):
    monkeypatch.setenv("MOVLR_MODELS_PATH", str(tmp_path))
    monkeypatch.setenv("MOVLR_CACHE", str(tmp_path / "cache"))
    with pytest.raises(MovlrError, match="MOVLR_MODELS_PATH"):
        prepare.prepare(morphologies.plan("ms-human-700"))


@pytest.mark.models
@pytest.mark.parametrize(("name", "muscles", "planned"), [("ms-human-700-locomotion", 100, 14), ("ms-human-700", 700, 37)])
def test_ms_human_700_stands_with_all_its_muscles(name, muscles, planned):
    body = morphologies.load(name)
    assert (body.model.nu, body.posture.size) == (muscles, planned)
    assert sum(len(g) for g in body.muscles.groups.values()) == muscles
    data = body.data()
    com = sensor(body, data, "com/position")
    assert abs(com[0]) < 0.02 and abs(com[1]) < 0.01
    assert sensor(body, data, "head/quat")[0] > 0.999
    assert foot_loads(body, data).sum() == pytest.approx(1.0, rel=0.15)


def test_a_relative_models_path_is_made_absolute(monkeypatch, tmp_path):
    (tmp_path / "models" / "ms_human_700").mkdir(parents=True)
    (tmp_path / "models" / "ms_human_700" / "scene.xml").write_text("<mujoco/>")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MOVLR_MODELS_PATH", "models")
    assert sources.find("ms_human_700/scene.xml").is_absolute()
