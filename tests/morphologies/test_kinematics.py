"""Kinematics over an array namespace against C MuJoCo's: frames, centre of mass and its velocity, in NumPy and JAX."""

import jax.numpy as jnp
import mujoco
import numpy as np
import pytest

from movlr_jax.morphologies.kinematics import Kinematics

EVERY_JOINT = """
<mujoco><worldbody>
  <body name="free" pos="0 0 1" quat="0.9 0.1 0.2 0.3"><freejoint/><geom size="0.1" mass="2"/>
    <body pos="0.1 0.2 0.3" quat="0.5 0.5 -0.5 0.5"><joint type="ball" pos="0.05 0 0.02"/><geom size="0.1" pos="0.1 0 0" mass="1"/>
      <body pos="0 0.1 0"><joint name="s" type="slide" axis="1 2 2" ref="0.1"/>
        <joint name="h" type="hinge" axis="0 3 4" pos="0 0.1 0.2" ref="0.3"/><geom size="0.05" pos="0 0 0.2" mass="3"/></body>
    </body>
    <body name="apart" pos="0 1 0"><geom size="0.1" mass="4"/></body>
  </body></worldbody></mujoco>
"""


@pytest.fixture(scope="module")
def moving(myolegs):
    """Models with a pose and velocities."""
    rng, out = np.random.default_rng(0), []
    for model in (mujoco.MjModel.from_xml_string(EVERY_JOINT), myolegs.model):
        data = mujoco.MjData(model)
        mujoco.mj_integratePos(model, data.qpos, 0.3 * rng.standard_normal(model.nv), 1.0)
        data.qvel[:] = rng.standard_normal(model.nv)
        mujoco.mj_forward(model, data)
        mujoco.mj_subtreeVel(model, data)
        out.append((model, data))
    return out


@pytest.mark.parametrize("xp", [np, jnp])
def test_frames_and_centre_of_mass_are_mujoco_s(moving, xp):
    exact = 1e-12 if xp is np else 2e-6
    for model, data in moving if xp is np else moving[:1]:  # a large body takes JAX long to compile, and nothing new comes of it
        everything, qpos = Kinematics(model), xp.asarray(np.stack([model.qpos0, data.qpos]), None if xp is np else np.float32)
        turned, places = (array[1] for array in everything.frames(qpos))
        order = list(everything.order)
        assert sorted(order) == list(range(model.nbody))
        assert np.allclose(places, data.xpos[order], atol=exact)
        assert np.allclose(turned.reshape(-1, 9), data.xmat[order], atol=exact)
        assert np.allclose(everything.centre_of_mass(qpos)[1], data.subtree_com[0], atol=exact)
        if xp is np:
            soon = everything.moved(data.qpos[None], data.qvel[None], 1e-5)
            velocity = (everything.centre_of_mass(soon) - everything.centre_of_mass(data.qpos[None]))[0] / 1e-5
            assert np.allclose(velocity, data.subtree_linvel[0], atol=1e-4)


def test_bodies_that_nothing_wanted_hangs_on_are_left_out(moving):
    model, data = moving[0]
    last = model.joint("h").bodyid[0]
    some = Kinematics(model, [last])
    assert len(some.order) == 4 and model.body("apart").id not in some.order
    offset = np.array([0.1, 0.2, 0.3])
    assert np.allclose(some.of(last, offset, data.qpos), data.xpos[last] + data.xmat[last].reshape(3, 3) @ offset)
