"""Metabolic power: the published formulas, written again for one muscle at a time, and states of a body."""

import dataclasses
import math

import mujoco
import numpy as np
import pytest

from movlr_jax.gait import energy
from movlr_jax.gait.energy import Muscles


def minetti(a, v, f0, l0, vmax):
    """Minetti and Alexander 1997, equation 7, with x the shortening speed over the highest."""
    x = min(max(-v / vmax, -1.0), 1.0)
    return a * f0 * vmax * l0 * (0.054 + 0.506 * x + 2.46 * x * x) / (1 - 1.13 * x + 12.8 * x * x - 1.64 * x**3)


def umberger(u, a, length, v, fa, f0, l0, vmax, isometric):
    """Umberger 2003, equations 6 to 18, with the changes of 2010, half the fibres slow."""
    mass = f0 / 250000 * 1059.7 * l0
    level = u if u > a else (u + a) / 2
    heat = (128 * 0.5 + 25) * level**0.6 * 1.5
    if v <= 0:
        speed = (min(100 / (vmax / 2.5) * -v, 100) * 0.5 + 153 / vmax * -v * 0.5) * level**2 * 1.5
    else:
        speed = 0.3 * 100 / (vmax / 2.5) * v * level * 1.5
    if length > 1:
        heat, speed = heat * (0.4 + 0.6 * isometric), speed * isometric
    work = max(0.0, -fa * v * l0 / mass)
    return max(1.0, heat + speed + work) * mass


def test_both_models_are_the_published_formulas(myolegs):
    m = myolegs.muscles
    rng = np.random.default_rng(0)
    does = Muscles(
        rng.uniform(0, 1, (40, m.count)),
        rng.uniform(0, 1, (40, m.count)),
        rng.uniform(0.6, 1.5, (40, m.count)),
        rng.uniform(-12, 12, (40, m.count)),
        rng.uniform(0, 900, (40, m.count)),
    )
    one, other = energy.minetti_alexander(does, m), energy.umberger(does, m)
    own = energy.minetti_alexander(does, m, m.vmax)
    from movlr_jax.control.muscle_curves import active_force_length

    isometric = active_force_length(does.length, m.lmin, m.lmax, np)
    for t in range(40):
        for i in range(0, m.count, 7):
            at = (t, i)
            f0, l0 = m.peak_force[i], m.optimal_length[i]
            assert one[at] == pytest.approx(minetti(does.activation[at], does.velocity[at], f0, l0, 10.0))
            assert own[at] == pytest.approx(minetti(does.activation[at], does.velocity[at], f0, l0, m.vmax[i]))
            values = (does.excitation[at], does.activation[at], does.length[at], does.velocity[at], does.force[at])
            assert other[at] == pytest.approx(umberger(*values, f0, l0, 10.0, isometric[at]))
    assert (one >= 0).all() and (other > 0).all()


def test_what_muscles_do_is_what_the_engine_computes(myolegs):
    model, m = myolegs.model, myolegs.muscles
    rng = np.random.default_rng(1)
    data = mujoco.MjData(model)
    data.qpos[:] = myolegs.standing_qpos
    data.qvel[:] = rng.normal(0, 1, model.nv)
    data.act[:] = rng.uniform(0, 1, model.na)
    data.ctrl[:] = rng.uniform(0, 1, model.nu)
    mujoco.mj_forward(model, data)
    does = energy.muscles_at(myolegs, data.qpos[None], data.qvel[None], data.act[None], data.ctrl[None])
    assert does.velocity[0] * m.optimal_length == pytest.approx(data.actuator_velocity[: m.count], abs=1e-9)
    data.act[:] = 0.0
    active = -data.actuator_force[: m.count].copy()
    mujoco.mj_forward(model, data)
    active += data.actuator_force[: m.count]  # less what is passive
    assert does.force[0] == pytest.approx(active, rel=1e-6, abs=1e-6)


def test_cost_is_power_and_rest_over_speed(myolegs):
    still = np.zeros((3, myolegs.model.nq)) + myolegs.standing_qpos
    act = np.full((3, myolegs.model.na), 0.1)
    does = energy.muscles_at(myolegs, still, np.zeros((3, myolegs.model.nv)), act, act)
    found = energy.averaged(myolegs, does, 1.25)
    isometric = 0.1 * 0.054 * 10.0 * float((myolegs.muscles.peak_force * myolegs.muscles.optimal_length).sum())
    assert found.minetti_alexander_w == pytest.approx(isometric)
    assert found.figures()["cost_of_transport_j_kg_m"] == pytest.approx((isometric / found.mass + 1.2) / 1.25)
    # Its peak forces were made with 0.6 MPa: at 0.25 MPa its legs' muscles weigh 45 kg.
    assert 70 < found.mass < 80 and 0.5 < found.muscle_share < 0.7
    assert energy.averaged(myolegs, does, 0.01).figures()["cost_of_transport_j_kg_m"] is None
    assert math.isfinite(found.umberger_w)


@pytest.mark.filterwarnings("error")
def test_a_muscle_that_an_injury_left_no_force_costs_nothing(myolegs):
    m = dataclasses.replace(myolegs.muscles, peak_force=np.where(np.arange(myolegs.muscles.count) == 3, 0.0, myolegs.muscles.peak_force))
    rng = np.random.default_rng(1)
    shape = (5, m.count)
    force = rng.uniform(0, 900, shape)
    force[:, 3] = 0.0
    does = Muscles(rng.uniform(0, 1, shape), rng.uniform(0, 1, shape), rng.uniform(0.6, 1.5, shape), rng.uniform(-12, 12, shape), force)
    for watts in (energy.umberger(does, m), energy.minetti_alexander(does, m)):
        assert np.isfinite(watts).all() and (watts[:, 3] == 0.0).all() and (np.delete(watts, 3, axis=1) >= 0.0).all()
