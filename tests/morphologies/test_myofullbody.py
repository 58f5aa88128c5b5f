"""MyoFullBody: clean scene, sides named, couplings kept from the lumbar spine to the shoulders, and a stance that holds."""

from __future__ import annotations

import numpy as np
import pytest
from support import morphology_checks as checks

from movlr_jax import morphologies


@pytest.fixture(scope="module")
def fullbody():
    return morphologies.load("myofullbody")


def test_all_muscles_and_couplings_are_there(fullbody):
    model = fullbody.model
    assert (model.nu, model.neq, fullbody.posture.size) == (416, 51, 31)
    assert len(fullbody.posture.coupled) == 51  # two of them lock the abdomen's slides
    assert not any(name.endswith("_other") or name.startswith("middle_") for name in fullbody.muscles.groups)
    assert sum(map(len, fullbody.muscles.groups.values())) == 416


def test_scene_has_one_floor_at_zero_and_nothing_else_in_the_world(fullbody):
    model = fullbody.model
    world = [g for g in range(model.ngeom) if model.geom_bodyid[g] == 0]
    assert [model.geom(g).name for g in world] == ["floor"]
    assert model.geom_pos[world[0], 2] == 0.0


def test_couplings_are_kept_in_the_stance_and_in_any_posture(fullbody):
    assert checks.coupling_errors(fullbody, fullbody.standing_qpos).max() < 1e-9
    space = fullbody.posture
    postures = np.random.default_rng(0).uniform(space.lower, space.upper, (4, space.size))
    for qpos in space.complete(postures, fullbody.standing_qpos):
        assert checks.coupling_errors(fullbody, qpos).max() < 1e-9


def test_it_stands_upright_balanced_and_faces_forward(fullbody):
    data = fullbody.data()
    com = checks.sensor(fullbody, data, "com/position")
    assert abs(com[0]) < 0.02 and abs(com[1]) < 0.01
    for name in ("pelvis", "trunk", "head"):
        assert checks.sensor(fullbody, data, f"{name}/quat")[0] > 0.999
    assert checks.sensor(fullbody, data, "left.hand/position")[1] > 0.2  # arms hang beside the body, clear of the ribs
    names = [{fullbody.model.geom(c.geom1).name, fullbody.model.geom(c.geom2).name} for c in data.contact]
    assert names and all("floor" in pair for pair in names)


def test_the_feet_bear_its_weight_evenly(fullbody):
    # The couplings are soft: where they are met exactly, as here, they carry 0.9 of the trunk's load, the rest a moment later.
    left, right = checks.foot_loads(fullbody, fullbody.data())
    assert left == pytest.approx(right, abs=0.02)
    assert left + right == pytest.approx(1.0, abs=0.15)


def test_the_holding_activation_holds(fullbody):
    assert fullbody.standing_act.max() < 0.7
    data, _ = checks.sprung(fullbody, fullbody.standing_act, 300.0, 0.3)
    assert checks.sensor(fullbody, data, "pelvis/position")[2] == pytest.approx(fullbody.standing_heights["pelvis"], abs=0.02)
    assert checks.foot_loads(fullbody, data).sum() == pytest.approx(1.0, abs=0.1)


def test_left_and_right_are_alike(fullbody):
    assert checks.landmark_asymmetry(fullbody) < 0.002
    partner = {n: n[:-2] + "_r" for n in fullbody.muscles.names if n.endswith("_l")}
    assert len(partner) == 208
    length, force = checks.muscle_asymmetry(fullbody, partner)
    assert length < 0.02 and force < 0.01
