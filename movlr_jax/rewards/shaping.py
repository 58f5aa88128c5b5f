"""Shaping functions: how a raw quantity becomes a term. All map scalars to scalars, are finite everywhere and smooth where they can be.

`SHAPING` is exactly the set of names, besides `jnp` and `pi`, that a reward program may call.
"""

from __future__ import annotations

from collections.abc import Callable

import jax.numpy as jnp
from jax import Array

SMOOTH = 0.1  # width of the rounded corner of smooth_abs, as in MuJoCo MPC's smooth-abs norm
Scalar = Array | float


def smooth_abs(x: Scalar, width: float = SMOOTH) -> Array:
    """sqrt(x^2 + width^2) - width: |x| with a rounded corner (the published walking costs use width 0.1)."""
    x = jnp.asarray(x, jnp.float32)
    return jnp.sqrt(jnp.square(x) + width * width) - width


def quadratic(x: Scalar) -> Array:
    """x^2 / 2."""
    return 0.5 * jnp.square(jnp.asarray(x, jnp.float32))


def below(x: Scalar, bound: Scalar) -> Array:
    """How far x falls short of bound: max(0, bound - x)."""
    return jnp.maximum(0.0, jnp.asarray(bound, jnp.float32) - x)


def above(x: Scalar, bound: Scalar) -> Array:
    """How far x exceeds bound: max(0, x - bound)."""
    return jnp.maximum(0.0, jnp.asarray(x, jnp.float32) - bound)


def outside(x: Scalar, low: Scalar, high: Scalar) -> Array:
    """How far x is outside [low, high]; 0 inside."""
    return below(x, low) + above(x, high)


def gaussian(x: Scalar, width: Scalar) -> Array:
    """exp(-(x / width)^2 / 2): 1 at x = 0, falling to 0.61 at |x| = width."""
    return jnp.exp(-0.5 * jnp.square(jnp.asarray(x, jnp.float32) / jnp.maximum(width, 1e-6)))


def tolerance(x: Scalar, low: Scalar, high: Scalar, margin: Scalar = 0.1) -> Array:
    """1 inside [low, high], falling smoothly to 0.1 at `margin` outside (after dm_control's rewards.tolerance, gaussian form)."""
    scale = 2.145966 / jnp.maximum(margin, 1e-6)  # sqrt(-2 ln 0.1)
    return jnp.exp(-0.5 * jnp.square(outside(x, low, high) * scale))


def ramp(x: Scalar, low: Scalar, high: Scalar) -> Array:
    """0 at or below low, 1 at or above high, linear between."""
    return jnp.clip((jnp.asarray(x, jnp.float32) - low) / jnp.maximum(jnp.asarray(high) - low, 1e-6), 0.0, 1.0)


def norm(v: Array) -> Array:
    """Length of a vector, with a finite slope at zero."""
    return jnp.sqrt(jnp.sum(jnp.square(v)) + 1e-12)


def mean_square(v: Array) -> Array:
    """Mean of the squares of a vector's elements; 0 of none."""
    return jnp.mean(jnp.square(v)) if v.size else jnp.zeros(())


SHAPING: dict[str, Callable[..., Array]] = {
    f.__name__: f for f in (smooth_abs, quadratic, below, above, outside, gaussian, tolerance, ramp, norm, mean_square)
}
