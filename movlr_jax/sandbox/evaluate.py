"""Walks a StableHLO module: once with sizes alone, to prove it bounded and to write it anew; then with numbers, to see how it behaves.

`Walker` runs the module from its entry the way the compiler would see it. For every operation it checks the result's shape from
the operands' (the compiler's own reader lets a wrong dynamic size pass until run time), follows which whole numbers are sizes, and
counts what is executed, calls included; `rebuilt` then writes what reaches the terms. With features given, it computes the values, in
numpy, so that behaviour is judged before anything is compiled, and before machine code made from a stranger's program runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from movlr_jax.sandbox import rebuild
from movlr_jax.sandbox.stablehlo import DTYPES, Dense, Dialect, Operation, Tensor, Typed

MAX_OPERATIONS = 1_500
MAX_ELEMENTS = 4_096  # static elements of one tensor, or as many as a row has where that is more (`most_elements`)
MAX_CONSTANT_ELEMENTS = 4_096  # of all constants together
MAX_WORK = 100_000  # static elements computed for each row, multiplications of dot products included
# As the compiler fuses them (`rebuild.Graph.repeated`). The 32 largest terms of the library together make 2 700 operations, and 66 000
# elements for a body of 700 muscles. Of 90 programs written to be slow, those within both bounds
# took at most 0.8 s of processor time to compile and 1.2 s to run for a plan; the slowest without them 9 s and 17 s.
MAX_REPEATED_OPERATIONS = 6_000
MAX_REPEATED_WORK = 250_000
_MOST_NUMBERS = 1 << 25  # elements that an evaluation holds at a time (128 MiB): more rows are taken in turn


def most_elements(columns: int) -> int:
    """Return how many static elements a tensor may have where a row has so many columns: a body of 700 muscles has more than
    MAX_ELEMENTS, and its row stands in every program."""
    return max(MAX_ELEMENTS, columns)


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


def _convert(x: np.ndarray, dtype: np.dtype) -> np.ndarray:
    if x.dtype.kind == "f" and dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return np.clip(np.nan_to_num(x.astype(np.float64), posinf=np.inf, neginf=-np.inf), limits.min, limits.max).astype(dtype)
    return x.astype(dtype)


def _flushed(x: np.ndarray) -> np.ndarray:
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
_TYPES: dict[str, tuple[str, ...]] = {
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


class Walker:
    """Walks one module.

    Args:
        module: what `stablehlo.parse` returned.
        columns: F.
        terms: n.

    Attributes:
        operations: data operations executed by the last walk, calls included, size bookkeeping apart.
        work: static elements computed per row.
    """

    def __init__(self, module: Operation, columns: int, terms: int):
        self.functions: dict[str, Operation] = {}
        self.columns, self.terms = columns, terms
        self._most = most_elements(columns)
        self.operations = self.work = 0
        self._steps = 0
        self._batch = 0
        self._compute = False
        self._called: set[str] = set()
        self._graph = rebuild.Graph(columns)
        self._result: int | None = None
        for operation in module.regions[0].operations:
            name = operation.attributes.get("sym_name")
            if operation.name != "func.func" or not isinstance(name, str) or len(operation.regions) != 1:
                raise Refused("The module holds something other than functions.")
            if name in self.functions:
                raise Refused(f"The module defines {name} twice.")
            self.functions[name] = operation

    def check(self) -> None:
        """Prove shapes, sizes and amounts, and that nothing is there which is not run.

        Raises:
            Refused: something is not as it must be.
        """
        self._called = {"main"}
        self._graph = rebuild.Graph(self.columns)
        self._result = self._node(self._run(None))
        if unused := sorted(set(self.functions) - self._called):
            raise Refused(f"The compiled program holds {unused[0]}, a function that nothing calls: the answer is damaged or forged.")
        if self._result is None:
            raise Refused(
                "The compiled program computes with the number of rows or the kind of device: a reward sees one instant, and is the same "
                "everywhere."
            )
        operations, elements = self._graph.repeated(self._result)
        if operations > MAX_REPEATED_OPERATIONS or elements > MAX_REPEATED_WORK:
            raise Refused(
                "The compiled program slices, joins and reduces again what it made so, until compiling or running it takes too long: build "
                "each vector once from m, and use jnp on whole vectors in place of loops."
            )

    def rebuilt(self) -> str:
        """Return the module that `check` found, written anew: what the terms need, and nothing else."""
        assert self._result is not None
        return self._graph.text(self._result)

    def evaluate(self, features: np.ndarray) -> np.ndarray:
        """Compute features float32[b, F] -> terms float32[b, n] of a module without branches, which `rebuilt` wrote.

        Raises:
            Refused: an operation cannot be computed.
        """
        features = np.asarray(features, np.float32)
        rows = max(1, _MOST_NUMBERS // max(1, self.work))
        with np.errstate(all="ignore"):
            parts = [np.asarray(self._run(features[i : i + rows]).number) for i in range(0, max(1, len(features)), rows)]
        return np.concatenate(parts)

    def _run(self, features: np.ndarray | None) -> Value:
        self.operations = self.work = self._steps = 0
        self._compute = features is not None
        self._batch = 0 if features is None else len(features)
        arguments = [
            Value(Tensor((), "i32"), ("p",)),
            Value(Tensor((None, self.columns), "f32"), None, None if features is None else _flushed(features), 0),
        ]
        outputs = self._call(self.functions["main"], arguments, ())
        expected = Tensor((None, self.terms), "f32")
        if len(outputs) != 1 or outputs[0].type != expected:
            raise Refused(f"The compiled program must return one float32[b, {self.terms}].")
        return outputs[0]

    def _node(self, value: Value) -> int | None:
        """Return the node of a value that is computed with; None if it is made from the number of rows or the kind of device."""
        if value.node is None and value.sizes is not None and all(isinstance(s, int) for s in value.sizes):
            shape = _static(value.type.shape)
            value.node = self._graph.constant(np.array(value.sizes, np.int32).reshape(shape), value.type)
        return value.node

    def _call(self, function: Operation, arguments: list[Value], stack: tuple[str, ...]) -> list[Value]:
        name = str(function.attributes["sym_name"])
        if name in stack or len(stack) > 40:
            raise Refused(f"The compiled program's function {name} calls itself.")
        self._called.add(name)
        region = function.regions[0]
        if [a.type for a in arguments] != [t for _, t in region.arguments]:
            raise Refused(f"The compiled program calls {name} with other shapes than it takes.")
        names = {n: v for (n, _), v in zip(region.arguments, arguments, strict=True)}
        return self._block(region.operations, names, (*stack, name), "func.return")

    def _block(self, operations: list[Operation], names: dict[str, Value], stack: tuple[str, ...], end: str) -> list[Value]:
        for i, operation in enumerate(operations):
            self._steps += 1
            if self._steps > 40 * MAX_OPERATIONS:
                raise Refused(f"The compiled program executes more than {40 * MAX_OPERATIONS} steps: make it smaller.")
            operands = []
            for operand in operation.operands:
                if operand not in names:
                    raise Refused(f"The compiled program uses {operand} before it is computed.")
                operands.append(names[operand])
            if [v.type for v in operands] != list(operation.type.inputs):
                raise Refused(f"An operand of {operation.name} has another shape than it states.")
            if operation.name == end:
                if i != len(operations) - 1:
                    raise Refused("The compiled program returns in the middle of a block.")
                return operands
            outputs = self._operation(operation, operands, names, stack)
            if len(outputs) != len(operation.results):
                raise Refused(f"{operation.name} states another number of results than it has.")
            for result, stated, value in zip(operation.results, operation.type.outputs, outputs, strict=True):
                if value.type != stated:
                    raise Refused(f"{operation.name} states {stated.shape}, but its operands make {value.type.shape}.")
                if stated.elements > self._most or sum(s is None for s in stated.shape) > 1 or len(stated.shape) > 6:
                    raise Refused(
                        f"The compiled program makes an array of {stated.elements} elements per row; at most {self._most}: "
                        "use smaller arrays."
                    )
                names[result] = value
            # Whole numbers of known size are bookkeeping of shapes; the rest is work.
            if operation.name not in ("stablehlo.constant", "func.call") and any(v.sizes is None for v in outputs):
                self.operations += 1
                self.work += sum(v.type.elements for v in outputs)
                if self.operations > MAX_OPERATIONS:
                    raise Refused(
                        f"The compiled program has more than {MAX_OPERATIONS} operations: use fewer terms, and jnp on whole "
                        "vectors in place of loops."
                    )
                if self.work > MAX_WORK:
                    raise Refused("The compiled program computes too much for one instant: use smaller arrays.")
        raise Refused("A block of the compiled program does not return.")

    def _operation(self, operation: Operation, operands: list[Value], names: dict[str, Value], stack: tuple[str, ...]) -> list[Value]:
        name = operation.name
        if name == "func.call" or name == "stablehlo.composite":
            key = "callee" if name == "func.call" else "decomposition"
            callee = self.functions.get(str(operation.attributes.get(key, ""))[1:])
            if callee is None or callee.attributes["sym_name"] == "main":
                raise Refused("The compiled program calls a function that it does not define.")
            return self._call(callee, operands, stack)
        if name == "stablehlo.case":
            return self._case(operation, operands, names, stack)
        short = name.removeprefix("stablehlo.")
        if name == "stablehlo.custom_call":  # whatever it asserts, it is not written anew
            return []
        method = getattr(self, f"_op_{short}", None)
        if method is None and short not in ELEMENTWISE:
            raise refuse_operation(name)
        if len(operation.results) != 1:
            raise Refused(f"{name} must have one result.")
        try:
            value = method(operation, operands, operation.type.outputs[0]) if method else self._elementwise(short, operands)
            if self._compute:
                value.number = _flushed(np.asarray(value.number))
            elif value.sizes is None:
                value.node = self._write(short, operation, operands, value)
            return [value]
        except Refused:
            raise
        except Exception as error:  # attributes or operands that are missing, or not what they should be
            raise Refused(f"{name} is malformed ({type(error).__name__}).") from None

    def _write(self, short: str, operation: Operation, operands: list[Value], value: Value) -> int | None:
        """Return the node of a value that is not bookkeeping of sizes."""
        graph, shape = self._graph, value.type.shape
        attributes = operation.attributes
        if short == "constant":
            dense = attributes["value"]
            assert isinstance(dense, Dense)
            return graph.constant(dense.value, value.type)
        dynamic = short in ("dynamic_broadcast_in_dim", "dynamic_reshape", "real_dynamic_slice")
        nodes: list[int] = []
        for operand in operands[:1] if dynamic else operands:
            node = self._node(operand)
            if node is None:
                return None
            nodes.append(node)
        if short == "convert" and operands[0].type == value.type:
            return nodes[0]
        text, region = "", ""
        if dynamic and short != "real_dynamic_slice":
            short = short.removeprefix("dynamic_")
            if None in shape:
                short = f"dynamic_{short}"
                nodes.append(graph.sizes(shape))
        if "broadcast_in_dim" in short:
            text = rebuild.array("broadcast_dimensions", _array(attributes["broadcast_dimensions"]))
        elif short == "real_dynamic_slice":
            places = [tuple(None if s == "b" else int(s) for s in v.sizes or ()) for v in operands[1:]]
            if None in shape:
                nodes += [graph.sizes(p) for p in places]
            else:
                short = "slice"
                text = ", ".join(
                    rebuild.array(k, tuple(s or 0 for s in p))
                    for k, p in zip(("limit_indices", "start_indices", "strides"), (places[1], places[0], places[2]), strict=True)
                )
        elif short == "slice":
            text = ", ".join(rebuild.array(k, _array(attributes[k])) for k in ("limit_indices", "start_indices", "strides"))
        elif short == "transpose":
            text = rebuild.array("permutation", _array(attributes["permutation"]))
        elif short == "concatenate":
            text = f"dimension = {_int(attributes['dimension'])} : i64"
        elif short == "iota":
            text = f"iota_dimension = {_int(attributes['iota_dimension'])} : i64"
        elif short == "compare":
            direction = _word(attributes["comparison_direction"], "comparison_direction")
            text = rebuild.comparison(direction, operands[0].type.dtype)
        elif short == "reduce":
            text = rebuild.array("dimensions", tuple(sorted(_array(attributes["dimensions"]))))
            region = operation.regions[0].operations[0].name.removeprefix("stablehlo.")
        elif short == "dot_general":
            ab, bb, ac, bc = _dot_axes(operation, operands)
            text = rebuild.dot((ab, ac), (bb, bc))
        return graph.add(short, tuple(nodes), value.type, text, region)

    def _case(self, operation: Operation, operands: list[Value], names: dict[str, Value], stack: tuple[str, ...]) -> list[Value]:
        # Only the kind of device may choose between branches, and all must compute the same: then one of them is written.
        if len(operands) != 1 or operands[0].sizes != ("p",) or not operation.regions:
            raise Refused("The compiled program branches on data: use jnp.where.")
        branches = []
        for region in operation.regions:
            if region.arguments:
                raise Refused("A branch of the compiled program takes arguments.")
            branches.append(self._block(region.operations, dict(names), stack, "stablehlo.return"))
        if any([v.type for v in b] != list(operation.type.outputs) for b in branches):
            raise Refused("The branches of the compiled program return other shapes.")
        out = []
        for i, value in enumerate(branches[0]):
            if value.type == Tensor((), "i32") and all(b[i].sizes is not None for b in branches):
                out.append(Value(value.type, ("p",)))
                continue
            nodes = {self._node(b[i]) for b in branches}
            if len(nodes) != 1:
                raise Refused("The compiled program computes other terms on another kind of device: let it be the same everywhere.")
            out.append(Value(value.type, None, None, nodes.pop()))
        return out

    def _elementwise(self, short: str, operands: list[Value]) -> Value:
        count, fn = ELEMENTWISE[short]
        if len(operands) != count or any(v.type != operands[0].type for v in operands):
            raise Refused(f"stablehlo.{short} has operands of different shapes.")
        kind = operands[0].type
        if kind.dtype not in _TYPES.get(short, ("f32",)):
            raise Refused(f"stablehlo.{short} is not for {kind.dtype}.")
        number = None
        if self._compute:
            number = fn(*(v.number for v in operands))
            number = np.asarray(number).astype(DTYPES[kind.dtype], copy=False)
        return Value(kind, None, number)

    def _op_constant(self, operation: Operation, operands: list[Value], stated: Tensor) -> Value:
        dense = operation.attributes["value"]
        if not isinstance(dense, Dense) or dense.type != stated:
            raise Refused("A constant is malformed.")
        sizes = None
        if stated.dtype == "i32" and stated.elements <= 16:
            sizes = tuple(int(v) for v in dense.value.ravel())
        return Value(stated, sizes, dense.value)

    def _op_iota(self, operation: Operation, operands: list[Value], stated: Tensor) -> Value:
        axis = _int(operation.attributes["iota_dimension"])
        shape = _static(stated.shape)
        number = None
        if self._compute:
            line = np.arange(shape[axis]).reshape([-1 if a == axis else 1 for a in range(len(shape))])
            number = np.broadcast_to(line, shape).astype(DTYPES[stated.dtype])
        elif not 0 <= axis < len(shape):
            raise Refused("stablehlo.iota is malformed.")
        return Value(stated, None, number)

    def _op_get_dimension_size(self, operation: Operation, operands: list[Value], stated: Tensor) -> Value:
        size = operands[0].type.shape[_axis(_int(operation.attributes["dimension"]), operands[0].type)]
        number = np.int32(self._batch if size is None else size) if self._compute else None
        return Value(Tensor((), "i32"), ("b",) if size is None else (size,), number)

    def _op_convert(self, operation: Operation, operands: list[Value], stated: Tensor) -> Value:
        number = _convert(operands[0].number, DTYPES[stated.dtype]) if self._compute else None
        sizes = operands[0].sizes if stated.dtype == operands[0].type.dtype == "i32" else None
        return Value(Tensor(operands[0].type.shape, stated.dtype), sizes, number)

    def _op_is_finite(self, operation: Operation, operands: list[Value], stated: Tensor) -> Value:
        return Value(Tensor(operands[0].type.shape, "i1"), None, np.isfinite(operands[0].number) if self._compute else None)

    def _op_compare(self, operation: Operation, operands: list[Value], stated: Tensor) -> Value:
        a, b = operands
        if a.type != b.type:
            raise Refused("stablehlo.compare has operands of different shapes.")
        fn = COMPARISONS[_word(operation.attributes["comparison_direction"], "comparison_direction")]
        return Value(Tensor(a.type.shape, "i1"), None, fn(a.number, b.number) if self._compute else None)

    def _op_select(self, operation: Operation, operands: list[Value], stated: Tensor) -> Value:
        which, a, b = operands
        if which.type.dtype != "i1" or a.type != b.type or which.type.shape not in ((), a.type.shape):
            raise Refused("stablehlo.select has operands of different shapes.")
        return Value(a.type, None, np.where(which.number, a.number, b.number) if self._compute else None)

    def _op_clamp(self, operation: Operation, operands: list[Value], stated: Tensor) -> Value:
        low, x, high = operands
        if any(v.type.dtype != x.type.dtype or v.type.shape not in ((), x.type.shape) for v in (low, high)):
            raise Refused("stablehlo.clamp has operands of different shapes.")
        number = np.minimum(np.maximum(x.number, low.number), high.number) if self._compute else None
        return Value(x.type, None, number)

    def _op_reshape(self, operation: Operation, operands: list[Value], stated: Tensor) -> Value:
        x = operands[0]
        _static(stated.shape)
        _static(x.type.shape)
        if x.type.elements != stated.elements or x.type.dtype != stated.dtype:
            raise Refused("stablehlo.reshape changes the number of elements.")
        return Value(stated, x.sizes, np.reshape(x.number, stated.shape) if self._compute else None)

    def _op_dynamic_reshape(self, operation: Operation, operands: list[Value], stated: Tensor) -> Value:
        x, sizes = operands
        shape = _known(sizes)
        if x.type.elements != Tensor(shape, "f32").elements or x.type.shape.count(None) != shape.count(None):
            raise Refused("stablehlo.dynamic_reshape changes the number of elements.")
        if None in shape:
            # Rows stay apart only where what stands before the rows, and after them, stays as many elements.
            before = Tensor(x.type.shape[: x.type.shape.index(None)], "f32").elements
            if before != Tensor(shape[: shape.index(None)], "f32").elements:
                raise Refused("The compiled program reshapes across rows: a reward sees one instant.")
        return Value(Tensor(shape, x.type.dtype), None, np.reshape(x.number, self._real(shape)) if self._compute else None)

    def _op_transpose(self, operation: Operation, operands: list[Value], stated: Tensor) -> Value:
        order = _array(operation.attributes["permutation"])
        x = operands[0]
        if sorted(order) != list(range(len(x.type.shape))):
            raise Refused("stablehlo.transpose is malformed.")
        shape = tuple(x.type.shape[a] for a in order)
        return Value(Tensor(shape, x.type.dtype), None, np.transpose(x.number, order) if self._compute else None)

    def _op_concatenate(self, operation: Operation, operands: list[Value], stated: Tensor) -> Value:
        axis = _axis(_int(operation.attributes["dimension"]), operands[0].type)
        first = list(operands[0].type.shape)
        total = 0
        for value in operands:
            shape = list(value.type.shape)
            size = shape[axis]
            if size is None or value.type.dtype != operands[0].type.dtype or len(shape) != len(first):
                raise Refused("stablehlo.concatenate has operands that do not fit.")
            total += size
            shape[axis] = first[axis]
            if shape != first:
                raise Refused("stablehlo.concatenate has operands that do not fit.")
        first[axis] = total
        sizes: tuple[Size, ...] | None = None
        if len(first) == 1 and all(v.sizes is not None for v in operands) and total <= 16:
            sizes = tuple(s for v in operands for s in v.sizes or ())
        number = np.concatenate([v.number for v in operands], axis) if self._compute else None
        return Value(Tensor(tuple(first), operands[0].type.dtype), sizes, number)

    def _op_slice(self, operation: Operation, operands: list[Value], stated: Tensor) -> Value:
        x = operands[0]
        start, limit, stride = (_array(operation.attributes[f"{k}"]) for k in ("start_indices", "limit_indices", "strides"))
        shape = _static(x.type.shape)
        if not len(start) == len(limit) == len(stride) == len(shape):
            raise Refused("stablehlo.slice is malformed.")
        out = tuple(_sliced(*s) for s in zip(start, limit, stride, shape, strict=True))
        sizes = None
        if x.sizes is not None and len(shape) == 1:
            sizes = x.sizes[start[0] : limit[0] : stride[0]]
        where = tuple(slice(*s) for s in zip(start, limit, stride, strict=True))
        return Value(Tensor(out, x.type.dtype), sizes, x.number[where] if self._compute else None)

    def _op_real_dynamic_slice(self, operation: Operation, operands: list[Value], stated: Tensor) -> Value:
        x, *given = operands
        start, limit, stride = (v.sizes for v in given)
        if start is None or limit is None or stride is None:
            raise Refused("The compiled program slices at computed places: index with plain numbers.")
        out: list[int | None] = []
        where = []
        for a, z, s, size in zip(start, limit, stride, x.type.shape, strict=True):
            if size is None:
                if (a, z, s) != (0, "b", 1):
                    raise Refused("The compiled program slices across rows: a reward sees one instant.")
                out.append(None)
                where.append(slice(None))
            else:
                if isinstance(a, str) or isinstance(z, str) or isinstance(s, str):
                    raise Refused("The compiled program slices at computed places: index with plain numbers.")
                out.append(_sliced(a, z, s, size))
                where.append(slice(a, z, s))
        return Value(Tensor(tuple(out), x.type.dtype), None, x.number[tuple(where)] if self._compute else None)

    def _op_broadcast_in_dim(self, operation: Operation, operands: list[Value], stated: Tensor) -> Value:
        _static(stated.shape)
        value = self._broadcast(operands[0], stated.shape, _array(operation.attributes["broadcast_dimensions"]))
        if operands[0].sizes is not None and stated.elements <= 16 and len(operands[0].sizes) in (1, stated.elements):
            repeats = stated.elements if len(operands[0].sizes) == 1 else 1
            value.sizes = operands[0].sizes * repeats if len(stated.shape) <= 1 else None
        return value

    def _op_dynamic_broadcast_in_dim(self, operation: Operation, operands: list[Value], stated: Tensor) -> Value:
        x, sizes = operands
        return self._broadcast(x, _known(sizes), _array(operation.attributes["broadcast_dimensions"]))

    def _broadcast(self, x: Value, shape: tuple[int | None, ...], axes: tuple[int, ...]) -> Value:
        if len(axes) != len(x.type.shape) or sorted(set(axes)) != list(axes) or any(not 0 <= a < len(shape) for a in axes):
            raise Refused("A broadcast is malformed.")
        if any(size not in (1, shape[a]) for size, a in zip(x.type.shape, axes, strict=True)):
            raise Refused("A broadcast does not fit its operand.")
        number = None
        if self._compute:
            real = np.shape(x.number)
            spread = [1] * len(shape)
            for size, axis in zip(real, axes, strict=True):
                spread[axis] = size
            number = np.broadcast_to(np.reshape(x.number, spread), self._real(shape))
        return Value(Tensor(tuple(shape), x.type.dtype), None, number)

    def _op_reduce(self, operation: Operation, operands: list[Value], stated: Tensor) -> Value:
        x, start = operands
        axes = _array(operation.attributes["dimensions"])
        region = operation.regions[0]
        scalar = Tensor((), x.type.dtype)
        names = [n for n, _ in region.arguments]
        body = region.operations
        if (
            len(operation.regions) != 1
            or start.type != scalar
            or [t for _, t in region.arguments] != [scalar, scalar]
            or len(body) != 2
            or sorted(body[0].operands) != sorted(names)
            or body[0].name.removeprefix("stablehlo.") not in REDUCERS
            or body[0].regions
            or body[1].name != "stablehlo.return"
            or body[1].operands != body[0].results
        ):
            raise Refused("The compiled program reduces by something other than a sum, product, maximum or minimum.")
        if len(set(axes)) != len(axes) or any(x.type.shape[a] is None for a in axes if 0 <= a < len(x.type.shape)):
            raise Refused("The compiled program reduces over rows: a reward sees one instant.")
        shape = tuple(s for a, s in enumerate(x.type.shape) if a not in {_axis(a, x.type) for a in axes})
        self.work += x.type.elements
        number = None
        if self._compute:
            fn = REDUCERS[body[0].name.removeprefix("stablehlo.")]
            number = fn(fn.reduce(x.number, axis=axes, dtype=DTYPES[x.type.dtype]), start.number)
        return Value(Tensor(shape, x.type.dtype), None, number)

    def _op_dot_general(self, operation: Operation, operands: list[Value], stated: Tensor) -> Value:
        a, b = operands
        ab, bb, ac, bc = _dot_axes(operation, operands)
        pairs = [*zip(ab, bb, strict=True), *zip(ac, bc, strict=True)] if len(ab) == len(bb) and len(ac) == len(bc) else None
        if (
            pairs is None
            or len({p for p, _ in pairs}) != len(pairs)
            or len({q for _, q in pairs}) != len(pairs)
            or any(a.type.shape[p] != b.type.shape[q] for p, q in pairs)
            or any(a.type.shape[p] is None for p in ac)
        ):
            raise Refused("stablehlo.dot_general has operands that do not fit.")
        rest_a = [i for i in range(len(a.type.shape)) if i not in ab + ac]
        rest_b = [i for i in range(len(b.type.shape)) if i not in bb + bc]
        shape = tuple([a.type.shape[i] for i in ab + rest_a] + [b.type.shape[i] for i in rest_b])
        self.work += Tensor(shape, "f32").elements * math.prod(a.type.shape[i] or 1 for i in ac)
        number = None
        if self._compute:
            letters = "abcdefghijklmnopqrstuvwxyz"
            left = {i: letters[i] for i in range(len(a.type.shape))}
            right = {q: left[p] for p, q in pairs}
            right.update({i: letters[12 + i] for i in rest_b})
            out = "".join([left[i] for i in ab + rest_a] + [right[i] for i in rest_b])
            spec = "".join(left.values()) + "," + "".join(right[i] for i in range(len(b.type.shape))) + "->" + out
            number = np.einsum(spec, a.number, b.number).astype(DTYPES[a.type.dtype])
        return Value(Tensor(shape, a.type.dtype), None, number)

    def _real(self, shape: tuple[int | None, ...]) -> tuple[int, ...]:
        return tuple(self._batch if s is None else s for s in shape)


def _int(value: object) -> int:
    value = value.value if isinstance(value, Typed) else value
    if not isinstance(value, int) or isinstance(value, bool):
        raise Refused("An attribute of the compiled program is not a whole number.")
    return value


def _array(value: object) -> tuple[int, ...]:
    if not isinstance(value, tuple) or len(value) > 6:
        raise Refused("An attribute of the compiled program is not a short list of whole numbers.")
    return tuple(_int(v) for v in value)


def _dot_axes(operation: Operation, operands: list[Value]) -> tuple[list[int], list[int], list[int], list[int]]:
    """Return a dot product's batching dimensions, left then right, and its contracting ones."""
    a, b = operands
    numbers = operation.attributes["dot_dimension_numbers"]
    if not isinstance(numbers, Dialect) or numbers.name != "dot" or a.type.dtype != b.type.dtype:
        raise Refused("stablehlo.dot_general is malformed.")

    def axes(key: str, kind: Tensor) -> list[int]:
        given = numbers.fields.get(key, [])
        if not isinstance(given, list):
            raise Refused("stablehlo.dot_general is malformed.")
        return [_axis(_int(i), kind) for i in given]

    return (
        axes("lhs_batching_dimensions", a.type),
        axes("rhs_batching_dimensions", b.type),
        axes("lhs_contracting_dimensions", a.type),
        axes("rhs_contracting_dimensions", b.type),
    )


def _word(value: object, name: str) -> str:
    if not isinstance(value, Dialect) or value.name != name:
        raise Refused("An attribute of the compiled program is malformed.")
    return str(value.fields["value"])


def _axis(axis: int, kind: Tensor) -> int:
    if not 0 <= axis < len(kind.shape):
        raise Refused("The compiled program names a dimension that is not there.")
    return axis


def _static(shape: tuple[int | None, ...]) -> tuple[int, ...]:
    if None in shape:
        raise Refused("The compiled program has a dynamic size where a fixed one belongs.")
    return tuple(s or 0 for s in shape)


def _known(sizes: Value) -> tuple[int | None, ...]:
    """Return a shape whose sizes the program states; "b" is the dynamic one."""
    if sizes.sizes is None or len(sizes.type.shape) != 1 or "p" in sizes.sizes or len(sizes.sizes) > 6:
        raise Refused("The compiled program computes the size of an array from data.")
    shape = tuple(None if s == "b" else int(s) for s in sizes.sizes)
    if any(s is not None and s < 0 for s in shape) or shape.count(None) > 1:
        raise Refused("The compiled program makes an array with more than one dynamic size.")
    return shape


def _sliced(start: int, limit: int, stride: int, size: int) -> int:
    if not (0 <= start <= limit <= size and stride >= 1):
        raise Refused("The compiled program slices outside an array.")
    return -(-(limit - start) // stride)
