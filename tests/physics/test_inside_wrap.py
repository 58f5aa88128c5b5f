"""Pure MJX in single precision finds the same paths inside a wrapping circle as C does in double."""

import jax
import jax.numpy as jnp
import mujoco
import numpy as np

from movlr_jax.physics import mjx_model

# A tendon between a fixed and a moving point that passes through a ring, as an extensor's does under its retinaculum.
RING = """
<mujoco>
  <worldbody>
    <site name="near" pos="0.0105 0 0"/>
    <geom name="ring" type="cylinder" size="0.01 0.05" contype="0" conaffinity="0"/>
    <site name="within"/>
    <body>
      <joint name="turn" axis="0 0 1" range="-3.1 3.1"/>
      <joint name="out" type="slide" axis="1 0 0" range="0 0.07"/>
      <geom size="0.001" pos="0.0102 0 0" contype="0" conaffinity="0"/>
      <site name="far" pos="0.0102 0 0.01"/>
    </body>
  </worldbody>
  <tendon><spatial name="t"><site site="near"/><geom geom="ring" sidesite="within"/><site site="far"/></spatial></tendon>
  <actuator><general name="pull" tendon="t"/></actuator>
</mujoco>
"""


def test_lengths_and_moment_arms_are_those_of_c():
    model = mujoco.MjModel.from_xml_string(RING)
    rng = np.random.default_rng(0)
    qpos = rng.uniform(*model.jnt_range.T, size=(4000, 2)).astype(np.float32)
    length, moment = map(np.asarray, jax.jit(mjx_model.LengthMap(model, "jax"))(jnp.asarray(qpos)))
    data, want, arms, wraps = mujoco.MjData(model), np.zeros(length.shape), np.zeros(moment.shape), 0
    for w, q in enumerate(qpos):
        data.qpos[:] = q
        mujoco.mj_fwdPosition(model, data)
        want[w], wraps = data.actuator_length, wraps + int(data.ten_wrapnum[0] > 2)
        mujoco.mju_sparse2dense(arms[w], data.actuator_moment, data.moment_rownnz, data.moment_rowadr, data.moment_colind)
    assert wraps > 1000
    assert np.abs(length - want).max() < 1e-6
    # The path bends where it touches: a point found too early shows in the moment arms first.
    assert np.quantile(np.abs(moment - arms).max(axis=(1, 2)), 0.999) < 1e-4
