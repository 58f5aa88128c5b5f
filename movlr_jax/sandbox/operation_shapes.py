"""What each operation makes of its operands: shape, known sizes, and with numbers the values. A shape that does not follow is refused.

The compiler's own reader lets a wrong dynamic size pass until run time; here every rule is stated, and rows of a batch stay apart.
"""

from __future__ import annotations

import math

import numpy as np

from movlr_jax.sandbox.operations import COMPARISONS, ELEMENTWISE, REDUCERS, TYPES, Refused, Size, Value, convert
from movlr_jax.sandbox.stablehlo import DTYPES, Dense, Dialect, Operation, Tensor, Typed


class Operations:
    """Operations over values.

    Attributes:
        work: static elements computed per row; reductions and dot products add to it.
    """

    def __init__(self) -> None:
        self.work = 0
        self._batch = 0  # rows, where numbers are computed
        self._compute = False  # whether they are

    def _elementwise(self, short: str, operands: list[Value]) -> Value:
        count, fn = ELEMENTWISE[short]
        if len(operands) != count or any(v.type != operands[0].type for v in operands):
            raise Refused(f"stablehlo.{short} has operands of different shapes.")
        kind = operands[0].type
        if kind.dtype not in TYPES.get(short, ("f32",)):
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
        axis = whole_number(operation.attributes["iota_dimension"])
        shape = static(stated.shape)
        number = None
        if self._compute:
            line = np.arange(shape[axis]).reshape([-1 if a == axis else 1 for a in range(len(shape))])
            number = np.broadcast_to(line, shape).astype(DTYPES[stated.dtype])
        elif not 0 <= axis < len(shape):
            raise Refused("stablehlo.iota is malformed.")
        return Value(stated, None, number)

    def _op_get_dimension_size(self, operation: Operation, operands: list[Value], stated: Tensor) -> Value:
        size = operands[0].type.shape[_axis(whole_number(operation.attributes["dimension"]), operands[0].type)]
        number = np.int32(self._batch if size is None else size) if self._compute else None
        return Value(Tensor((), "i32"), ("b",) if size is None else (size,), number)

    def _op_convert(self, operation: Operation, operands: list[Value], stated: Tensor) -> Value:
        number = convert(operands[0].number, DTYPES[stated.dtype]) if self._compute else None
        sizes = operands[0].sizes if stated.dtype == operands[0].type.dtype == "i32" else None
        return Value(Tensor(operands[0].type.shape, stated.dtype), sizes, number)

    def _op_is_finite(self, operation: Operation, operands: list[Value], stated: Tensor) -> Value:
        return Value(Tensor(operands[0].type.shape, "i1"), None, np.isfinite(operands[0].number) if self._compute else None)

    def _op_compare(self, operation: Operation, operands: list[Value], stated: Tensor) -> Value:
        a, b = operands
        if a.type != b.type:
            raise Refused("stablehlo.compare has operands of different shapes.")
        fn = COMPARISONS[word(operation.attributes["comparison_direction"], "comparison_direction")]
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
        static(stated.shape)
        static(x.type.shape)
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
        order = whole_numbers(operation.attributes["permutation"])
        x = operands[0]
        if sorted(order) != list(range(len(x.type.shape))):
            raise Refused("stablehlo.transpose is malformed.")
        shape = tuple(x.type.shape[a] for a in order)
        return Value(Tensor(shape, x.type.dtype), None, np.transpose(x.number, order) if self._compute else None)

    def _op_concatenate(self, operation: Operation, operands: list[Value], stated: Tensor) -> Value:
        axis = _axis(whole_number(operation.attributes["dimension"]), operands[0].type)
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
        start, limit, stride = (whole_numbers(operation.attributes[f"{k}"]) for k in ("start_indices", "limit_indices", "strides"))
        shape = static(x.type.shape)
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
        static(stated.shape)
        value = self._broadcast(operands[0], stated.shape, whole_numbers(operation.attributes["broadcast_dimensions"]))
        if operands[0].sizes is not None and stated.elements <= 16 and len(operands[0].sizes) in (1, stated.elements):
            repeats = stated.elements if len(operands[0].sizes) == 1 else 1
            value.sizes = operands[0].sizes * repeats if len(stated.shape) <= 1 else None
        return value

    def _op_dynamic_broadcast_in_dim(self, operation: Operation, operands: list[Value], stated: Tensor) -> Value:
        x, sizes = operands
        return self._broadcast(x, _known(sizes), whole_numbers(operation.attributes["broadcast_dimensions"]))

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
        axes = whole_numbers(operation.attributes["dimensions"])
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
        ab, bb, ac, bc = dot_axes(operation, operands)
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


def whole_number(value: object) -> int:
    """Return an attribute that is a whole number."""
    value = value.value if isinstance(value, Typed) else value
    if not isinstance(value, int) or isinstance(value, bool):
        raise Refused("An attribute of the compiled program is not a whole number.")
    return value


def whole_numbers(value: object) -> tuple[int, ...]:
    """Return an attribute that is a short list of whole numbers."""
    if not isinstance(value, tuple) or len(value) > 6:
        raise Refused("An attribute of the compiled program is not a short list of whole numbers.")
    return tuple(whole_number(v) for v in value)


def dot_axes(operation: Operation, operands: list[Value]) -> tuple[list[int], list[int], list[int], list[int]]:
    """Return a dot product's batching dimensions, left then right, and its contracting ones."""
    a, b = operands
    numbers = operation.attributes["dot_dimension_numbers"]
    if not isinstance(numbers, Dialect) or numbers.name != "dot" or a.type.dtype != b.type.dtype:
        raise Refused("stablehlo.dot_general is malformed.")

    def axes(key: str, kind: Tensor) -> list[int]:
        given = numbers.fields.get(key, [])
        if not isinstance(given, list):
            raise Refused("stablehlo.dot_general is malformed.")
        return [_axis(whole_number(i), kind) for i in given]

    return (
        axes("lhs_batching_dimensions", a.type),
        axes("rhs_batching_dimensions", b.type),
        axes("lhs_contracting_dimensions", a.type),
        axes("rhs_contracting_dimensions", b.type),
    )


def word(value: object, name: str) -> str:
    """Return the value of an enumeration's attribute."""
    if not isinstance(value, Dialect) or value.name != name:
        raise Refused("An attribute of the compiled program is malformed.")
    return str(value.fields["value"])


def _axis(axis: int, kind: Tensor) -> int:
    if not 0 <= axis < len(kind.shape):
        raise Refused("The compiled program names a dimension that is not there.")
    return axis


def static(shape: tuple[int | None, ...]) -> tuple[int, ...]:
    """Return a shape that has no dynamic size."""
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
