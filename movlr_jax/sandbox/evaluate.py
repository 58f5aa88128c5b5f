"""Walks a StableHLO module: once with sizes alone, to prove it bounded and to write it anew; then with numbers, to see how it behaves.

`Walker` runs the module from its entry the way the compiler would see it. For every operation it checks the result's shape from
the operands' (the compiler's own reader lets a wrong dynamic size pass until run time), follows which whole numbers are sizes, and
counts what is executed, calls included; `rebuilt` then writes what reaches the terms. With features given, it computes the values, in
numpy, so that behaviour is judged before anything is compiled, and before machine code made from a stranger's program runs.
"""

from __future__ import annotations

import numpy as np

from movlr_jax.sandbox import rebuild
from movlr_jax.sandbox.operation_shapes import Operations, dot_axes, static, whole_number, whole_numbers, word
from movlr_jax.sandbox.operations import ELEMENTWISE, Refused, Value, flushed, refuse_operation
from movlr_jax.sandbox.stablehlo import Dense, Operation, Tensor

MAX_OPERATIONS = 1_500
MAX_ELEMENTS = 4_096  # static elements of one tensor, or as many as a row has where that is more (`most_elements`)
MAX_CONSTANT_ELEMENTS = 4_096  # of all constants together
MAX_WORK = 100_000  # static elements computed for each row, multiplications of dot products included
# As the compiler fuses them (`rebuild.Graph.repeated`). The largest 32 neighbours in the library together make 3 100 operations, and
# 66 000 elements for a body of 700 muscles. Of 90 programs written to be slow, those within 6 000 operations and this work
# took at most 0.8 s of processor time to compile and 1.2 s to run for a plan; the slowest without bounds 9 s and 17 s.
MAX_REPEATED_OPERATIONS = 6_500
MAX_REPEATED_WORK = 250_000
_MOST_NUMBERS = 1 << 25  # elements that an evaluation holds at a time (128 MiB): more rows are taken in turn


def most_elements(columns: int) -> int:
    """Return how many static elements a tensor may have where a row has so many columns: a body of 700 muscles has more than
    MAX_ELEMENTS, and its row stands in every program."""
    return max(MAX_ELEMENTS, columns)


class Walker(Operations):
    """Walks one module.

    Args:
        module: what `stablehlo.parse` returned.
        columns: F + p.
        terms: columns that it returns, n + k.

    Attributes:
        operations: data operations executed by the last walk, calls included, size bookkeeping apart.
        work: static elements computed per row.
    """

    def __init__(self, module: Operation, columns: int, terms: int):
        super().__init__()
        self.functions: dict[str, Operation] = {}
        self.columns, self.terms = columns, terms
        self._most = most_elements(columns)
        self.operations = 0
        self._steps = 0
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
            Value(Tensor((None, self.columns), "f32"), None, None if features is None else flushed(features), 0),
        ]
        outputs = self._call(self.functions["main"], arguments, ())
        expected = Tensor((None, self.terms), "f32")
        if len(outputs) != 1 or outputs[0].type != expected:
            raise Refused(f"The compiled program must return one float32[b, {self.terms}].")
        return outputs[0]

    def _node(self, value: Value) -> int | None:
        """Return the node of a value that is computed with; None if it is made from the number of rows or the kind of device."""
        if value.node is None and value.sizes is not None and all(isinstance(s, int) for s in value.sizes):
            shape = static(value.type.shape)
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
                value.number = flushed(np.asarray(value.number))
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
            text = rebuild.array("broadcast_dimensions", whole_numbers(attributes["broadcast_dimensions"]))
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
            text = ", ".join(rebuild.array(k, whole_numbers(attributes[k])) for k in ("limit_indices", "start_indices", "strides"))
        elif short == "transpose":
            text = rebuild.array("permutation", whole_numbers(attributes["permutation"]))
        elif short == "concatenate":
            text = f"dimension = {whole_number(attributes['dimension'])} : i64"
        elif short == "iota":
            text = f"iota_dimension = {whole_number(attributes['iota_dimension'])} : i64"
        elif short == "compare":
            direction = word(attributes["comparison_direction"], "comparison_direction")
            text = rebuild.comparison(direction, operands[0].type.dtype)
        elif short == "reduce":
            text = rebuild.array("dimensions", tuple(sorted(whole_numbers(attributes["dimensions"]))))
            region = operation.regions[0].operations[0].name.removeprefix("stablehlo.")
        elif short == "dot_general":
            ab, bb, ac, bc = dot_axes(operation, operands)
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
