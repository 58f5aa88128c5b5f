"""What the studio shows and where things fall in the picture."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest
from support.puppets import bluish, puppet

from movlr_jax.errors import MovlrError
from movlr_jax.media.studio import Camera, Studio, activation_colour

CAMERA = Camera(0.0, 0.0, 1.0, 4.0, 90.0, -6.0)


def test_activation_colours_go_from_cold_to_red_monotonically():
    colours = activation_colour(np.linspace(-0.5, 1.5, 9))
    assert (np.diff(colours[:, 0]) >= 0).all() and (np.diff(colours[:, 2]) <= 0).all()
    assert colours[0, 2] > colours[0, 0] and colours[-1, 0] > 4 * colours[-1, 2]
    np.testing.assert_array_equal(colours[0], colours[1])  # below 0 is 0


@pytest.mark.gl
def test_it_follows_what_can_move_not_what_is_heavy():
    with Studio(puppet(), 64, 64) as studio:
        assert studio.model.body(studio.root).name == "pelvis"
        path = studio.centre_of_mass(np.array([studio.model.qpos0, studio.model.qpos0 + np.eye(studio.model.nq)[0]]))
        np.testing.assert_allclose(path[1] - path[0], [1.0, 0.0, 0.0], atol=1e-12)
        assert 1.05 < studio.body_size(studio.model.qpos0) < 1.25  # from the top of the sphere to the soles


@pytest.mark.gl
def test_projection_agrees_with_the_picture():
    model = puppet()
    with Studio(model, 480, 360) as studio:
        image = studio.shoot(model.qpos0, np.zeros(2), CAMERA, start=0.7)
        pixels = np.argwhere(bluish(image))
        line = np.array([[0.7, y, 0.004] for y in np.linspace(-0.6, 1.0, 9)])
        columns, rows = studio.project(line).T
        assert pixels[:, 1].mean() == pytest.approx(columns[rows < 360].mean(), abs=6)
        assert pixels[:, 0].min() == pytest.approx(rows.min(), abs=3)  # its far end; the near one is below the picture
        assert np.isnan(studio.project(np.array([[0.0, -50.0, 1.0]]))).all()


@pytest.mark.gl
def test_left_limbs_are_darker_than_right_ones():
    model = puppet()
    with Studio(model, 64, 64) as studio:
        shade = {n: studio.model.geom_rgba[studio.model.body(n).geomadr[0], :3].mean() for n in ("leg_l", "leg_r", "pelvis")}
    assert shade["leg_l"] + 0.2 < shade["leg_r"] and shade["leg_l"] < shade["pelvis"] < shade["leg_r"]


@pytest.mark.gl
def test_contact_shapes_do_not_hide_bones(myolegs):  # type: ignore[no-untyped-def]
    with Studio(myolegs.model, 64, 64) as studio:
        drawn = studio.model.geom_rgba[:, 3] > 0
        bones = (studio.model.geom_type == mujoco.mjtGeom.mjGEOM_MESH) & (studio.model.geom_group < 3)
        own = studio.model.body_rootid[studio.model.geom_bodyid] == studio.root
        assert bones.sum() > 20
        assert drawn[bones].all() and not drawn[own & ~(studio.model.geom_type == mujoco.mjtGeom.mjGEOM_MESH)].any()


def test_nothing_that_moves_is_refused():
    still = mujoco.MjModel.from_xml_string('<mujoco><worldbody><geom size="1"/></worldbody></mujoco>')
    with pytest.raises(MovlrError, match="nothing that moves"):
        Studio(still, 64, 64)


@pytest.mark.gl
def test_relief_is_drawn_with_stakes_instead_of_lines():
    text = """<mujoco><asset><hfield name="h" nrow="4" ncol="4" size="5 5 0.6 0.1" elevation="0 1 0 1 1 0 1 0 0 1 0 1 1 0 1 0"/></asset>
      <worldbody><geom type="hfield" hfield="h" rgba="0.5 0.5 0.5 1"/>
      <body pos="0 0 1"><freejoint/><geom size="0.2"/></body></worldbody></mujoco>"""
    model = mujoco.MjModel.from_xml_string(text)
    with Studio(model, 480, 360) as studio:
        image = studio.shoot(model.qpos0, np.zeros(0), CAMERA, start=0.5)
    assert bluish(image).sum() > 20  # the start stake
    assert image[180:].std() > 3  # the relief itself
