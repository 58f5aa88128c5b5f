"""The ostrich: primitive feet made from its meshes, muscles without negative excitation, and a crouched stance that holds."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest
from support import morphology_checks as checks

from movlr_jax import morphologies

pytestmark = pytest.mark.models("ostrich/ostrich.xml")


@pytest.fixture(scope="module")
def ostrich():
    return morphologies.load("ostrich")


def test_all_muscles_are_there_and_take_excitations_from_0_to_1(ostrich):
    model = ostrich.model
    assert (model.nu, ostrich.posture.size, model.neq) == (120, 32, 0)
    assert (model.actuator_ctrlrange == [0.0, 1.0]).all() and model.actuator_ctrllimited.all()
    assert not any(name.endswith("_other") for name in ostrich.muscles.groups)
    assert sum(map(len, ostrich.muscles.groups.values())) == 120


def test_nothing_brakes_the_root(ostrich):
    assert (ostrich.model.dof_damping[:6] == 0.0).all() and (ostrich.model.dof_armature[:6] == 0.0).all()


def test_only_capsules_and_the_floor_collide(ostrich):
    model = ostrich.model
    hits = [g for g in range(model.ngeom) if model.geom_contype[g] or model.geom_conaffinity[g]]
    kinds = {model.geom(g).name: int(model.geom_type[g]) for g in hits}
    assert kinds.pop("floor") == mujoco.mjtGeom.mjGEOM_PLANE
    assert len(kinds) == 13 and set(kinds.values()) == {int(mujoco.mjtGeom.mjGEOM_CAPSULE)}
    assert np.allclose(model.body_mass.sum(), 78.64, atol=0.01)  # what collides weighs nothing more


@pytest.mark.parametrize("toe", ["phalanx1", "phalanx2", "phalanx3", "phalanx4", "thumb"])
@pytest.mark.parametrize("side", ["r", "l"])
def test_toe_capsules_lie_in_their_meshes(ostrich, side, toe):
    model, data = ostrich.model, ostrich.data()
    capsule, bone = (model.geom(f"{side}_{toe}{part}").id for part in ("_contact", ""))
    mesh = model.geom_dataid[bone]
    start = model.mesh_vertadr[mesh]
    points = model.mesh_vert[start : start + model.mesh_vertnum[mesh]] @ data.geom_xmat[bone].reshape(3, 3).T + data.geom_xpos[bone]
    radius, half = model.geom_size[capsule, :2]
    axis = data.geom_xmat[capsule].reshape(3, 3)[:, 2]
    low = data.geom_xpos[capsule, 2] - half * abs(axis[2]) - radius
    assert abs(low - points[:, 2].min()) < 0.006
    along = (points - data.geom_xpos[capsule]) @ axis
    nearest = data.geom_xpos[capsule] + np.clip(along, -half, half)[:, None] * axis
    distance = np.linalg.norm(points - nearest, axis=1) - radius
    assert distance.min() < 0.0 < distance.max() < 0.02


def test_it_stands_crouched_on_flat_toes_facing_forward(ostrich):
    data = ostrich.data()
    for side in ("left", "right"):
        toe, heel, knee, ankle, hip = (
            checks.sensor(ostrich, data, f"{side}.{p}/position") for p in ("toe", "heel", "knee", "ankle", "hip")
        )
        assert toe[0] > heel[0] + 0.1 and abs(toe[2] - heel[2]) < 0.01  # toes forward and flat
        assert knee[0] > hip[0] + 0.1 and ankle[0] < knee[0] - 0.1  # femur forward, shank back
    com = checks.sensor(ostrich, data, "com/position")
    assert abs(com[0]) < 0.02 and abs(com[1]) < 0.02
    assert checks.sensor(ostrich, data, "left.foot/position")[1] > 0.05 > -0.05 > checks.sensor(ostrich, data, "right.foot/position")[1]
    assert checks.sensor(ostrich, data, "head/quat")[0] > 0.999
    assert min(c.dist for c in data.contact) > -0.003


def test_the_feet_bear_its_weight_evenly(ostrich):
    assert checks.foot_loads(ostrich, ostrich.data()) == pytest.approx([0.5, 0.5], abs=0.03)


def test_the_holding_activation_holds(ostrich):
    assert ostrich.standing_act.max() < 0.5
    data, moved = checks.sprung(ostrich, ostrich.standing_act, 300.0, 0.3)
    height = ostrich.standing_heights["pelvis"]
    assert checks.sensor(ostrich, data, "pelvis/position")[2] == pytest.approx(height, abs=0.01)
    limp, sagged = checks.sprung(ostrich, np.zeros(120), 300.0, 0.3)
    assert sagged.max() > 2.0 * moved.max()  # it is the muscles that do it, not the springs
    assert checks.sensor(ostrich, limp, "pelvis/position")[2] < height - 0.02


def test_left_and_right_are_alike(ostrich):
    assert checks.landmark_asymmetry(ostrich) < 0.002
    left = [n for n in ostrich.muscles.names if n.startswith("l_") or "_left" in n]
    partner = {n: "r_" + n[2:] if n.startswith("l_") else n.replace("_left", "_right") for n in left}
    assert len(partner) == 34 + 13
    length, force = checks.muscle_asymmetry(ostrich, partner)
    assert length < 0.03 and force < 1e-9
    by_side = {side: sorted(g[len(side) :] for g in ostrich.muscles.groups if g.startswith(side)) for side in ("left", "right")}
    assert by_side["left"] == by_side["right"]


@pytest.mark.parametrize(
    ("group", "joint", "sign"),
    [
        ("hip_flexors", "hip_y", -1),
        ("hip_extensors", "hip_y", 1),
        ("ankle_extensors", "ankle_y", 1),
        ("ankle_flexors", "ankle_y", -1),
        ("toe_flexors", "mtp_y", 1),
    ],
)
@pytest.mark.parametrize("side", ["left", "right"])
def test_muscle_groups_pull_the_way_they_are_named(ostrich, side, group, joint, sign):
    model, data = ostrich.model, ostrich.data()
    moments = np.zeros((model.nu, model.nv))
    mujoco.mju_sparse2dense(moments, data.actuator_moment, data.moment_rownnz, data.moment_rowadr, data.moment_colind)
    dof = model.jnt_dofadr[model.joint(f"{side[0]}_{joint}").id]
    members = list(ostrich.muscles.groups[f"{side}_{group}"])
    assert (sign * -moments[members, dof] > 0.0).all()  # muscles pull: torque is against the moment arm of their length
