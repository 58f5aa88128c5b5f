"""Writes the module that is judged and run: from the walk over what a jail sent, one flat function, written here.

Nothing of the jail's text is copied. The walk follows every value that reaches the terms to the operation and the operands that make it;
those alone are written, each once, in one function without calls, composites, branches, assertions or names of the jail's choosing, with
every attribute that has only one honest form in that form, and every number in its bits. What a jail could say beside the program (a
decomposition that is not what its name says, an assertion that fails at other sizes, a branch for another device) has no place here.

The number of rows and the kind of device may shape arrays and nothing else: a value made from them has no node, and a result without
one is refused. Writing what was written gives the same text again, which is how a stored artifact is known to be of this module's making.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from movlr_jax.sandbox.stablehlo import DTYPES, Tensor

_HEAD = '"builtin.module"() <{sym_name = "jit_reward"}> ({'
_FOOT = "}) {jax.uses_shape_polymorphism = true, mhlo.num_partitions = 1 : i32, mhlo.num_replicas = 1 : i32} : () -> ()\n"
_SHAPED = ("dynamic_broadcast_in_dim", "dynamic_reshape", "real_dynamic_slice")  # all operands but the first are sizes
# Where a compiler that fuses loops computes its operand once for each place that is read, not once for each array.
_PLACED = ("concatenate", "dot_general", "real_dynamic_slice", "reduce", "slice")
_MOST_TIMES = 16  # the compiler stores an array after all rather than compute it at more places (XLA's kAllowedCodeDuplication)
_COMPARE_TYPES = {"f32": "FLOAT", "i32": "SIGNED", "ui32": "UNSIGNED", "i1": "UNSIGNED"}


class Graph:
    """Operations by what they compute: two that are the same are one.

    Args:
        columns: F, the width of the features, which are node 0.
    """

    def __init__(self, columns: int):
        self._features = Tensor((None, columns), "f32")
        self._types: list[Tensor] = [self._features]
        self._operands: list[tuple[int, ...]] = [()]
        self._names: list[str] = [""]
        self._lines: list[str] = [""]  # of each node, with a {} for every operand
        self._known: dict[object, int] = {}

    def add(self, name: str, operands: tuple[int, ...], result: Tensor, attributes: str = "", region: str = "") -> int:
        """Return the node of an operation.

        Args:
            name: without its dialect.
            operands: their nodes.
            result: its type.
            attributes: as written between < and >, or "".
            region: the name of the operation that a reduction repeats, or "".
        """
        key = (name, operands, result, attributes, region)
        if key in self._known:
            return self._known[key]
        inputs = ", ".join(_type(self._types[o]) for o in operands)
        places = ", ".join(["%{}"] * len(operands))
        # The formatted fields are the operands alone: literal braces are doubled.
        properties = f" <{{{{{attributes}}}}}>" if attributes else ""
        body = _region(region, self._types[operands[1]]) if region else ""
        return self._new(key, operands, result, f'"stablehlo.{name}"({places}){properties}{body} : ({inputs}) -> {_type(result)}')

    def constant(self, value: np.ndarray, kind: Tensor) -> int:
        """Return the node of a constant."""
        data = np.ascontiguousarray(value, DTYPES[kind.dtype])
        key = ("constant", kind, data.tobytes())
        if key in self._known:
            return self._known[key]
        line = f'"stablehlo.constant"() <{{{{value = dense<{_numbers(data)}> : {_type(kind)}}}}}> : () -> {_type(kind)}'
        return self._new(key, (), kind, line)

    def sizes(self, sizes: tuple[int | None, ...]) -> int:
        """Return the node of a shape, i32[rank]; None is the number of rows."""
        if None not in sizes:
            return self.constant(np.array(sizes, np.int32), Tensor((len(sizes),), "i32"))
        rows = self.add("get_dimension_size", (0,), Tensor((), "i32"), "dimension = 0 : i64")
        one = Tensor((1,), "i32")
        row = self.add("reshape", (rows,), one)
        if len(sizes) == 1:
            return row
        parts = [row if s is None else self.constant(np.array([s], np.int32), one) for s in sizes]
        return self.add("concatenate", tuple(parts), Tensor((len(sizes),), "i32"), "dimension = 0 : i64")

    def text(self, result: int) -> str:
        """Return the module that computes a node, in MLIR's generic form."""
        names = {0: "arg1"}
        lines: list[str] = []
        for node in self._needed(result):
            names[node] = str(len(lines))
            lines.append(f"    %{names[node]} = " + self._lines[node].format(*(names[o] for o in self._operands[node])))
        out, features = _type(self._types[result]), _type(self._features)
        return "\n".join(
            [
                _HEAD,
                '  "func.func"() <{arg_attrs = [{jax.global_constant = "_platform_index"}, {}], '
                f"function_type = (tensor<i32>, {features}) -> {out}, "
                'res_attrs = [{jax.result_info = "result"}], sym_name = "main", sym_visibility = "public"}> ({',
                f"  ^bb0(%arg0: tensor<i32>, %arg1: {features}):",
                *lines,
                f'    "func.return"(%{names[result]}) : ({out}) -> ()',
                "  }) : () -> ()",
                _FOOT,
            ]
        )

    def repeated(self, result: int) -> tuple[int, int]:
        """Return how many operations, and how many elements of a row, are computed for a node where loops are fused.

        A compiler that fuses does not store an array that several places read shifted against each other: it computes the array's elements
        again at each, up to a limit. What reads such an array in its turn repeats the repeats, so that a chain of slices and
        concatenations, short as it is written, takes long to compile and to run.
        """
        together: dict[int, int] = {result: 1}  # times that the readers at the same place need, which share one computation
        apart: dict[int, int] = {}  # times that the others need, each for itself
        operations = elements = 0
        for node in reversed(self._needed(result)):
            name = self._names[node]
            times = min(together.get(node, 0) + apart.get(node, 0), _MOST_TIMES)
            if name == "constant" or not times:  # without a reader but for its size
                continue
            operations += times
            elements += times * self._types[node].elements
            for operand in self._operands[node][:1] if name in _SHAPED else self._operands[node]:
                if name in _PLACED:
                    apart[operand] = apart.get(operand, 0) + times
                else:
                    together[operand] = max(together.get(operand, 0), times)
        return operations, elements

    def _needed(self, result: int) -> list[int]:
        """Return the nodes that a node is made of, itself included and the features not, operands first."""
        wanted, waiting = {result}, [result]
        while waiting:
            for operand in self._operands[waiting.pop()]:
                if operand not in wanted:
                    wanted.add(operand)
                    waiting.append(operand)
        return sorted(wanted - {0})

    def _new(self, key: tuple[object, ...], operands: tuple[int, ...], result: Tensor, line: str) -> int:
        node = len(self._lines)
        self._names.append(str(key[0]))
        self._types.append(result)
        self._operands.append(operands)
        self._lines.append(line)
        self._known[key] = node
        return node


def array(name: str, values: tuple[int, ...]) -> str:
    """Return the text of an attribute that is a list of whole numbers."""
    return f"{name} = array<i64{': ' if values else ''}{', '.join(map(str, values))}>"


def comparison(direction: str, dtype: str) -> str:
    """Return a comparison's attributes; how it orders follows from the type alone."""
    return (
        f"compare_type = #stablehlo<comparison_type {_COMPARE_TYPES[dtype]}>, "
        f"comparison_direction = #stablehlo<comparison_direction {direction}>"
    )


def dot(left: tuple[list[int], list[int]], right: tuple[list[int], list[int]]) -> str:
    """Return a dot product's attributes from (batching, contracting) dimensions of either side."""
    fields = {
        "lhs_batching_dimensions": left[0],
        "rhs_batching_dimensions": right[0],
        "lhs_contracting_dimensions": left[1],
        "rhs_contracting_dimensions": right[1],
    }
    return f"dot_dimension_numbers = #stablehlo.dot<{', '.join(f'{k} = {v}' for k, v in fields.items() if v)}>"


def _type(kind: Tensor) -> str:
    return f"tensor<{''.join('?x' if s is None else f'{s}x' for s in kind.shape)}{kind.dtype}>"


def _region(name: str, scalar: Tensor) -> str:
    kind = _type(scalar)
    return (
        f' ({{{{\n    ^bb0(%a: {kind}, %b: {kind}):\n      %c = "stablehlo.{name}"(%a, %b) : ({kind}, {kind}) -> {kind}\n'
        f'      "stablehlo.return"(%c) : ({kind}) -> ()\n    }}}})'
    )


def _numbers(data: np.ndarray) -> str:
    """Return a constant's elements; a number with a fraction as its bits, so that no reader rounds it."""
    plain = data.view(np.uint32) if data.dtype == np.float32 else data

    def nested(part: Any) -> str:
        if isinstance(part, list):
            return f"[{', '.join(nested(p) for p in part)}]"
        if data.dtype == np.float32:
            return f"0x{part:08X}"
        return str(part).lower()

    same = plain.size and (plain == plain.flat[0]).all()
    return nested(plain.flat[0].item() if same else plain.tolist())
