"""Ground reaction from recorded instants against the contacts of the execution that was recorded."""

import copy

import mujoco
import numpy as np
import pytest
from support import arm

from movlr_jax.physics import ground_reaction
from movlr_jax.physics.feet import Feet
from movlr_jax.physics.instant import Frame, Instants

STEPS, EVERY = 200, 10


@pytest.fixture(scope="module", params=[1.0, 0.5], ids=["whole", "weakened"])
def execution(request, myolegs):
    """Instants of a body that sways and sinks with muscles of a strength, and the forces and places of pressure of its contacts."""
    model = copy.copy(myolegs.model)
    model.actuator_gainprm[:, 2] *= request.param
    data, instants = mujoco.MjData(model), Instants(myolegs)
    data.qpos[:], data.act[:] = myolegs.standing_qpos, myolegs.standing_act
    data.qvel[:3] = (0.4, 0.2, 0.0)
    sides = {model.body(name).id: f for f, names in enumerate(myolegs.plan.feet.values()) for name in names}
    rows, forces, centers = [], [], []
    for k in range(STEPS):
        data.ctrl[:] = np.clip(myolegs.standing_act + 0.1 * np.sin(0.05 * k + np.arange(model.nu)), 0, 1)
        row = np.zeros(instants.size, np.float32)
        instants.pack(instants.fixed(0.02, Frame().row()) | instants.before(data), row)
        mujoco.mj_step(model, data)
        if k % EVERY:
            continue
        instants.pack(instants.after(data), row)
        force, moment, local = np.zeros((2, 3)), np.zeros((2, 3)), np.zeros(6)
        for i in range(data.ncon):  # as the step before it left them
            contact = data.contact[i]
            floor = [model.geom(int(g)).name == "floor" for g in contact.geom]
            body = int(model.geom_bodyid[contact.geom[1 - floor.index(True)]]) if any(floor) else -1
            if body in sides:
                mujoco.mj_contactForce(model, data, i, local)
                up = (contact.frame.reshape(3, 3).T @ local[:3]) * (1 if floor[0] else -1)
                force[sides[body]] += up
                moment[sides[body]] += up[2] * contact.pos
        rows.append(row)
        forces.append(force / myolegs.weight)
        centers.append(moment / force[:, 2:])
    return np.array(rows), np.array(forces), np.array(centers)


def test_it_is_what_the_contacts_were(execution, myolegs):
    rows, forces, centers = execution
    assert forces[..., 2].max() > 0.4 and np.abs(forces[..., :2]).max() > 0.02  # there is something to tell
    found = ground_reaction.evaluate(myolegs, rows)
    assert np.abs(found.force - forces).max() < 1e-4
    assert np.nanmax(np.abs(found.center - centers)) < 1e-4
    # A touch sensor feels the other foot too, which is no ground: else they agree.
    more = Feet(myolegs).load(rows[:, Instants(myolegs).columns["sensor"]]) - found.force[..., 2]
    assert more.min() > -1e-4
    assert (np.abs(more) < 1e-4).mean() > 0.75


def test_a_diverged_instant_is_not_known_and_spoils_no_other(myolegs, execution):
    rows = execution[0].copy()
    calm = ground_reaction.evaluate(myolegs, rows)
    columns = Instants(myolegs).columns
    rows[3, columns["qpos"]] = np.inf
    rows[5, columns["qvel"]] = 1e12
    found = ground_reaction.evaluate(myolegs, rows)
    assert np.isnan(found.force[[3, 5]]).all() and np.isnan(found.center[[3, 5]]).all()
    rest = np.delete(np.arange(len(rows)), [3, 5])
    assert np.abs(found.force[rest] - calm.force[rest]).max() < 1e-4


def test_a_body_without_feet_has_none():
    assert ground_reaction.evaluate(arm.load(), np.zeros((2, 4))) is None
