"""The operations that a compiled reward may hold: what each computes, in numpy and as the compiler does, for which types; and what to write
instead of those that are refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from movlr_jax.sandbox.stablehlo import Tensor

# A size that is known while walking: a number, "b" (the batch), or "p" (which platform runs it).
Size = int | str


class Refused(ValueError):
    """The module is not one that is let through; the sentence says why."""


@dataclass
class Value:
    """A value while walking: its type, its elements if they are known sizes, its numbers if they are computed, its node if the module
    is written anew (None where it is made from the number of rows or the kind of device)."""

    type: Tensor
    sizes: tuple[Size, ...] | None = None
    number: Any = None
    node: int | None = None


# Where numpy and the compiler differ, what follows is the compiler's.


def _round_away(x: np.ndarray) -> np.ndarray:
    whole = np.trunc(x)
    return np.where(np.abs(x - whole) >= 0.5, whole + np.sign(x), whole)


def _divide(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    if a.dtype.kind == "f":
        return a / b
    quotient = np.trunc(a.astype(np.float64) / np.where(b == 0, 1, b)).astype(np.int64)
    return np.where(b == 0, -1, quotient).astype(a.dtype)


def _remainder(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.fmod(a, b) if a.dtype.kind == "f" else np.where(b == 0, a, np.fmod(a, np.where(b == 0, 1, b)))


def _sign(x: np.ndarray) -> np.ndarray:
    return np.where(x == 0, x, np.sign(x))


def convert(x: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return an array in another type; a float that an integer cannot hold becomes the nearest it can."""
    if x.dtype.kind == "f" and dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return np.clip(np.nan_to_num(x.astype(np.float64), posinf=np.inf, neginf=-np.inf), limits.min, limits.max).astype(dtype)
    return x.astype(dtype)


def flushed(x: np.ndarray) -> np.ndarray:
    """Return floats with the subnormal ones made zero, as a processor computes them under the compiler."""
    return np.where(np.abs(x) < np.finfo(np.float32).tiny, np.copysign(np.float32(0), x), x) if x.dtype.kind == "f" else x


def _not(x: np.ndarray) -> np.ndarray:
    return np.logical_not(x) if x.dtype == np.bool_ else np.invert(x)


# Elementwise operations: name -> (number of operands, numpy).
ELEMENTWISE: dict[str, tuple[int, Callable[..., Any]]] = {
    "abs": (1, np.abs),
    "add": (2, np.add),
    "and": (2, np.bitwise_and),
    "atan2": (2, np.arctan2),
    "cbrt": (1, np.cbrt),
    "ceil": (1, np.ceil),
    "cosine": (1, np.cos),
    "divide": (2, _divide),
    "exponential": (1, np.exp),
    "exponential_minus_one": (1, np.expm1),
    "floor": (1, np.floor),
    "log": (1, np.log),
    "log_plus_one": (1, np.log1p),
    "logistic": (1, lambda x: 1 / (1 + np.exp(-x))),
    "maximum": (2, np.maximum),
    "minimum": (2, np.minimum),
    "multiply": (2, np.multiply),
    "negate": (1, np.negative),
    "not": (1, _not),
    "or": (2, np.bitwise_or),
    "power": (2, np.power),
    "remainder": (2, _remainder),
    "round_nearest_afz": (1, _round_away),
    "round_nearest_even": (1, np.rint),
    "rsqrt": (1, lambda x: 1 / np.sqrt(x)),
    "shift_left": (2, np.left_shift),
    "shift_right_arithmetic": (2, np.right_shift),
    "shift_right_logical": (2, lambda a, b: np.right_shift(a.astype(np.uint32), b.astype(np.uint32)).astype(a.dtype)),
    "sign": (1, _sign),
    "sine": (1, np.sin),
    "sqrt": (1, np.sqrt),
    "subtract": (2, np.subtract),
    "tan": (1, np.tan),
    "tanh": (1, np.tanh),
    "xor": (2, np.bitwise_xor),
}
# Types an elementwise operation is for; those not listed are for f32.
_ALL, _WHOLE, _NUMBERS = ("f32", "i32", "ui32", "i1"), ("i32", "ui32"), ("f32", "i32", "ui32")
TYPES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("add", "maximum", "minimum", "multiply"), _ALL),
    **dict.fromkeys(("divide", "remainder", "subtract"), _NUMBERS),
    **dict.fromkeys(("abs", "negate", "sign"), ("f32", "i32")),
    **dict.fromkeys(("and", "not", "or", "xor"), (*_WHOLE, "i1")),
    **dict.fromkeys(("shift_left", "shift_right_logical"), _WHOLE),
    "shift_right_arithmetic": ("i32",),
}
REDUCERS: dict[str, Any] = {
    "add": np.add,
    "multiply": np.multiply,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
}
COMPARISONS: dict[str, Callable[..., Any]] = {
    "EQ": np.equal,
    "NE": np.not_equal,
    "GE": np.greater_equal,
    "GT": np.greater,
    "LE": np.less_equal,
    "LT": np.less,
}
STRUCTURAL: frozenset[str] = frozenset(
    [
        "broadcast_in_dim",
        "case",
        "clamp",
        "compare",
        "composite",
        "concatenate",
        "constant",
        "convert",
        "dot_general",
        "dynamic_broadcast_in_dim",
        "dynamic_reshape",
        "get_dimension_size",
        "iota",
        "is_finite",
        "real_dynamic_slice",
        "reduce",
        "reshape",
        "select",
        "slice",
        "transpose",
    ]
)
ALLOWED_OPERATIONS: frozenset[str] = frozenset(
    {f"stablehlo.{name}" for name in (*ELEMENTWISE, *STRUCTURAL)} | {"func.call", "func.return", "stablehlo.return"}
)
COMPOSITES: frozenset[str] = frozenset(
    f"chlo.{n}" for n in ("acos", "acosh", "asin", "asinh", "atan", "atanh", "cosh", "sinh", "tan", "erf", "square")
)
# What a refused operation most often comes from, and what to write instead.
CURES: dict[str, str] = {
    "while": "loops, jnp.interp, searchsorted and random numbers become while: use ramp, tolerance or gaussian",
    "sort": "jnp.sort, median and percentile become sort: use jnp.max, jnp.min or jnp.mean",
    "custom_call": "linear solves, inverses, callbacks and library calls become custom_call: use norm, jnp.dot or mean_square",
    "gather": "indexing with arrays becomes gather: index with plain numbers or slices",
    "dynamic_gather": "indexing with arrays becomes dynamic_gather: index with plain numbers or slices",
    "dynamic_slice": "indexing with computed numbers becomes dynamic_slice: index with plain numbers or use jnp.where",
    "scatter": "writing into arrays becomes scatter: build arrays with jnp.stack or jnp.where",
    "convolution": "convolution is not for one instant: use jnp.dot",
    "reduce_window": "cumulative sums become reduce_window: use jnp.sum",
    "fft": "Fourier transforms are not for one instant: use shaping functions",
    "rng": "a reward may not be random: remove the random numbers",
    "rng_bit_generator": "a reward may not be random: remove the random numbers",
}


def refuse_operation(name: str) -> Refused:
    """Return the refusal of an operation that is not on the list, with its cure."""
    short = name.split(".")[-1]
    cure = CURES.get(short, "use jnp's elementwise functions, jnp.sum, jnp.dot and the shaping functions")
    return Refused(f"The compiled program uses the operation {name}, which is not allowed; {cure}.")
