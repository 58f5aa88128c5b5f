"""MuJoCo's muscle model over arrays: force-length, force-velocity, passive force, and the exact inverse of the activation dynamics.

Written over an array namespace `xp` (numpy or jax.numpy). Every function equals the C one it names, for all muscles at once.
"""

from __future__ import annotations

from typing import Any

from movlr_jax.morphologies.muscles import MuscleData


def active_force_length(length: Any, lmin: Any, lmax: Any, xp: Any) -> Any:
    """FL(L) as mju_muscleGainLength: a bump over [lmin, lmax] that is 1 at L = 1; lengths in units of L0."""
    a, b = 0.5 * (lmin + 1.0), 0.5 * (1.0 + lmax)
    rise = xp.clip((length - lmin) / xp.maximum(1e-15, a - lmin), 0.0, None)
    up = 1.0 - 0.5 * xp.square((1.0 - length) / xp.maximum(1e-15, 1.0 - a))
    down = 1.0 - 0.5 * xp.square((length - 1.0) / xp.maximum(1e-15, b - 1.0))
    fall = xp.clip((lmax - length) / xp.maximum(1e-15, lmax - b), 0.0, None)
    inner = xp.where(
        length <= a,
        0.5 * xp.square(rise),
        xp.where(length <= 1.0, up, xp.where(length <= b, down, 0.5 * xp.square(fall))),
    )
    return xp.where((length >= lmin) & (length <= lmax), inner, 0.0)


def force_velocity(speed: Any, fvmax: Any, xp: Any) -> Any:
    """FV(V) as in mju_muscleGain: 0 at V <= -1, 1 at rest, saturating at fvmax; speed in units of vmax."""
    y = fvmax - 1.0
    lengthening = fvmax - xp.square(y - speed) / xp.maximum(1e-15, y)
    return xp.where(speed <= -1.0, 0.0, xp.where(speed <= 0.0, xp.square(speed + 1.0), xp.where(speed <= y, lengthening, fvmax)))


def normalized_length(length: Any, m: MuscleData) -> Any:
    """L in units of L0 from tendon-path length [..., m] (m)."""
    return m.range[:, 0] + (length - m.length_range[:, 0]) / m.optimal_length


def gain(length: Any, velocity: Any, m: MuscleData, xp: Any) -> Any:
    """Force per activation, negative (N), as mju_muscleGain, from length [..., m] (m) and velocity (m/s)."""
    fl = active_force_length(normalized_length(length, m), m.lmin, m.lmax, xp)
    fv = force_velocity(velocity / (m.optimal_length * m.vmax), m.fvmax, xp)
    return -m.peak_force * fl * fv


def passive(length: Any, m: MuscleData, xp: Any) -> Any:
    """Passive force, negative (N), as mju_muscleBias, from length [..., m] (m)."""
    x = normalized_length(length, m)
    b = 0.5 * (1.0 + m.lmax)
    quadratic = m.fpmax * 0.5 * xp.square((x - 1.0) / xp.maximum(1e-15, b - 1.0))
    linear = m.fpmax * (0.5 + (x - b) / xp.maximum(1e-15, b - 1.0))
    return -m.peak_force * xp.where(x <= 1.0, 0.0, xp.where(x <= b, quadratic, linear))


def activation_rate(excitation: Any, act: Any, m: MuscleData, xp: Any) -> Any:
    """d act / dt (1/s), as mju_muscleDynamics (Millard et al. 2013), from excitation and activation [..., m]."""
    ctrl, a = xp.clip(excitation, 0.0, 1.0), xp.clip(act, 0.0, 1.0)
    up = m.activation_time * (0.5 + 1.5 * a)
    down = m.deactivation_time / (0.5 + 1.5 * a)
    error = ctrl - act
    hard = xp.where(error > 0, up, down)
    x = xp.clip(error / xp.maximum(m.smoothing, 1e-15) + 0.5, 0.0, 1.0)
    switch = x * x * x * (x * (6.0 * x - 15.0) + 10.0)
    smooth = down + (up - down) * switch
    return error / xp.maximum(1e-15, xp.where(m.smoothing < 1e-15, hard, smooth))


def excitation_for(target: Any, act: Any, dt: float, m: MuscleData, xp: Any, smoothed: bool) -> Any:
    """Excitation in [0, 1] whose one explicit Euler step of dt brings act to target, or as near as it can.

    Exact for hard switching (smoothing 0): u = a + (a* - a) tau / dt, tau that of the direction of change. With a smooth switch the
    step is monotone in u, and bisection inverts it to 1e-7.

    Args:
        target: desired activations [..., m].
        act: activations [..., m].
        dt: step (s).
        m: the muscles.
        xp: numpy or jax.numpy.
        smoothed: whether any muscle has a smooth switch.
    """
    if not smoothed:
        stretch = 1.5 * act + 0.5
        change = target - act
        tau = xp.where(change > 0, (m.activation_time / dt) * stretch, (m.deactivation_time / dt) / stretch)
        return xp.minimum(1.0, xp.maximum(0.0, act + change * tau))
    low, high = xp.zeros_like(target), xp.ones_like(target)
    for _ in range(24):
        middle = 0.5 * (low + high)
        short = act + dt * activation_rate(middle, act, m, xp) < target
        low, high = xp.where(short, middle, low), xp.where(short, high, middle)
    return 0.5 * (low + high)
