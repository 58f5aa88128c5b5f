"""The array muscle model against MuJoCo's own functions."""

import mujoco
import numpy as np
import pytest

from movlr_jax.control import muscle_curves as curves


@pytest.fixture(scope="module")
def lengths(myolegs):
    m = myolegs.muscles
    rng = np.random.default_rng(0)
    normalized = rng.uniform(0.2, 2.0, (8, m.count))
    return m.length_range[:, 0] + (normalized - m.range[:, 0]) * m.optimal_length


def test_gain_and_passive_equal_c(myolegs, lengths):
    m, model = myolegs.muscles, myolegs.model
    velocity = np.random.default_rng(1).uniform(-1.5, 2.0, lengths.shape) * m.optimal_length * m.vmax
    gain, passive = curves.gain(lengths, velocity, m, np), curves.passive(lengths, m, np)
    for w in range(len(lengths)):
        for i in range(m.count):
            prm = model.actuator_gainprm[i][:9]
            args = (model.actuator_lengthrange[i], model.actuator_acc0[i], prm)
            assert gain[w, i] == pytest.approx(mujoco.mju_muscleGain(lengths[w, i], velocity[w, i], *args), rel=1e-9, abs=1e-9)
            assert passive[w, i] == pytest.approx(mujoco.mju_muscleBias(lengths[w, i], *args), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("smoothing", [0.0, 5.0])
def test_activation_rate_equals_c(myolegs, smoothing):
    import dataclasses

    m = dataclasses.replace(myolegs.muscles, smoothing=np.full(myolegs.muscles.count, smoothing))
    rng = np.random.default_rng(2)
    u, a = rng.uniform(-0.1, 1.1, m.count), rng.uniform(0, 1, m.count)
    rate = curves.activation_rate(u, a, m, np)
    for i in range(m.count):
        prm = np.array([m.activation_time[i], m.deactivation_time[i], smoothing])
        assert rate[i] == pytest.approx(mujoco.mju_muscleDynamics(u[i], a[i], prm), rel=1e-9)


@pytest.mark.parametrize("smoothing", [0.0, 0.7])
@pytest.mark.parametrize("dt", [0.002, 0.008])
def test_one_step_with_the_inverse_reaches_the_target_or_stops_at_the_bound(myolegs, smoothing, dt):
    import dataclasses

    m = dataclasses.replace(myolegs.muscles, smoothing=np.full(myolegs.muscles.count, smoothing))
    rng = np.random.default_rng(3)
    act, target = rng.uniform(0, 1, (64, m.count)), rng.uniform(0, 1, (64, m.count))
    u = curves.excitation_for(target, act, dt, m, np, smoothed=smoothing > 0)
    assert u.min() >= 0.0 and u.max() <= 1.0
    reached = act + dt * curves.activation_rate(u, act, m, np)
    inside = (u > 1e-6) & (u < 1 - 1e-6)
    assert inside.sum() > 100
    assert np.abs(reached - target)[inside].max() < 1e-6
    assert (reached <= target + 1e-6)[u >= 1 - 1e-6].all()
    assert (reached >= target - 1e-6)[u <= 1e-6].all()
