"""What pure MJX's solver leaves in single precision is finished: accelerations as C has them."""

import jax
import mujoco
import numpy as np
from mujoco import mjx

from movlr_jax.physics import mjx_model, refine
from movlr_jax.physics.mjx import compiler_options

FIELDS = ("qpos", "qvel", "act", "qacc_warmstart")


def test_accelerations_are_those_of_c_where_mjx_stops_early(myolegs):
    model, space = myolegs.model, myolegs.posture
    rng = np.random.default_rng(0)
    states, wanted = [], []
    for _ in range(6):
        data = mujoco.MjData(model)
        posture = space.read(myolegs.standing_qpos) + 0.003 * rng.normal(size=space.size) * space.range
        data.qpos[:] = space.complete(posture, myolegs.standing_qpos)
        data.qvel[:] = 0.02 * rng.normal(size=model.nv)
        data.act[:] = np.clip(myolegs.standing_act + 0.1 * rng.random(model.na), 0, 1)
        for _ in range(20):
            for field in FIELDS:
                getattr(data, field)[:] = np.float32(getattr(data, field))
            data.ctrl[:] = data.act
            states.append([getattr(data, field).astype(np.float32) for field in FIELDS])
            mujoco.mj_step(model, data)
            wanted.append(data.qacc.copy())
    on_device, blank = mjx_model.on_device(model, "jax")

    def both(qpos, qvel, act, warmstart):
        rough = mjx.forward(on_device, blank.replace(qpos=qpos, qvel=qvel, act=act, ctrl=act, qacc_warmstart=warmstart))
        return rough.qacc, refine.refined(on_device, rough).qacc

    compiled = jax.jit(jax.vmap(both), compiler_options=compiler_options("jax"))
    rough, fine = (np.abs(np.asarray(got) - np.array(wanted)).max() for got in compiled(*map(np.stack, zip(*states, strict=True))))
    assert rough > 0.5 > 0.1 > fine  # rad/s^2


def test_cones_and_friction_that_are_not_piecewise_quadratic_are_left_to_mjx(myolegs):
    assert refine.refinable(myolegs.model)
    for option in ('cone="elliptic"', ""):
        loss = "" if option else 'frictionloss="1"'
        model = mujoco.MjModel.from_xml_string(
            f'<mujoco><option {option}/><worldbody><body><joint {loss}/><geom size="1"/></body></worldbody></mujoco>'
        )
        assert not refine.refinable(model)
