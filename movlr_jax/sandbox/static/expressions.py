"""Reads expressions: each part is of a kind that is allowed, every name is known, and how much work it is is counted."""

from __future__ import annotations

import ast
import builtins
import math
from typing import TypeGuard

from movlr_jax.rewards import program
from movlr_jax.rewards.motion import undeclared_cure
from movlr_jax.rewards.shaping import SHAPING
from movlr_jax.sandbox.static.quantities import Helper, Quantities, short, similar
from movlr_jax.sandbox.static.refusals import Refuse
from movlr_jax.sandbox.static.tables import (
    CURES,
    EXPRESSIONS,
    JNP_CURES,
    JNP_VALUES,
    MAX_ARRAY,
    MAX_INTEGER,
    MAX_LOOP,
    MAX_POWER,
    MAX_STEPS,
    MAX_STRING,
    METHODS,
    OPERATORS,
    PLACES,
)


class Expressions(Quantities):
    """Reads expressions, and the names that loops and assignments make."""

    def _expression(self, node: ast.AST, names: set[str], helper: Helper, times: int) -> int:
        """Check an expression and all its parts; return how much work it is. What is refused in it is noted, and the rest read on."""
        steps = times
        with self.going_on():
            steps = self._expression_of(node, names, helper, times)
        return steps

    def _expression_of(self, node: ast.AST, names: set[str], helper: Helper, times: int) -> int:
        if not isinstance(node, EXPRESSIONS):
            raise self.unknown(node, "in an expression")
        steps = times
        if isinstance(node, ast.Constant):
            self._literal(node)
            return steps
        if isinstance(node, ast.Name):
            self._load(node, names)
            if node.id in self.helpers or node.id in program.BUILTIN_NAMES or node.id in SHAPING or node.id == "jnp":
                raise self.at(node, f"{node.id} is used without being called", f"write {node.id}(...)")
            return steps
        if isinstance(node, ast.Attribute):
            jnp_value = isinstance(node.value, ast.Name) and node.value.id == "jnp"
            if jnp_value and node.attr in program.JNP_NAMES and node.attr not in JNP_VALUES:
                raise self.at(node, f"jnp.{node.attr} is used without being called", f"write jnp.{node.attr}(...)")
            return steps + self._attribute(node, names, helper, times)
        if isinstance(node, ast.Call):
            return steps + self._call(node, names, helper, times)
        if isinstance(node, ast.ListComp | ast.GeneratorExp | ast.DictComp):
            return steps + self._comprehension(node, names, helper, times)
        if isinstance(node, ast.BinOp):
            self._binary(node)
        if isinstance(node, ast.Dict) and None in node.keys:
            raise self.at(node, "a dict is unpacked with **", "write its entries out")
        before = len(self.refusals)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.operator | ast.unaryop | ast.cmpop | ast.boolop):
                self._operator(child, node)
            elif not isinstance(child, ast.expr_context):
                steps += self._expression(child, names, helper, times)
        if len(self.refusals) == before:
            self._meant(node)
        return steps

    def _operator(self, operator: ast.AST, node: ast.AST) -> None:
        if not isinstance(operator, OPERATORS):
            name = type(operator).__name__
            raise self.at(node, f"the operator {name} is not allowed", CURES.get(name, "use jnp"))

    def _binary(self, node: ast.BinOp) -> None:
        self._operator(node.op, node)
        if isinstance(node.op, ast.Pow):
            self._exponent(node.right)
        texts = [s for s in (node.left, node.right) if is_text(s) or isinstance(s, ast.List | ast.Tuple)]
        if texts and not isinstance(node.op, ast.Add):
            raise self.at(node, "text or lists are repeated or formatted", "write them out")

    def _exponent(self, node: ast.expr) -> None:
        number = node.operand if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else node
        if not isinstance(number, ast.Constant) or not is_number(number.value) or abs(number.value) > MAX_POWER:
            raise self.at(node, f"an exponent is not a literal number of at most {MAX_POWER}", "use jnp.power or jnp.exp")

    def _attribute(self, node: ast.Attribute, names: set[str], helper: Helper, times: int) -> int:
        name = node.attr
        steps = 0
        private: ast.Attribute | None = None
        inner: ast.expr = node
        while isinstance(inner, ast.Attribute | ast.Call | ast.Subscript):
            if isinstance(inner, ast.Attribute) and inner.attr.startswith("_"):
                private = inner
            inner = inner.func if isinstance(inner, ast.Call) else inner.value
        if private is not None:
            cause = f"the attribute {private.attr[:40]} is private"
            raise self.at(private, cause, "use only what the vocabulary of m names")
        of_jnp = isinstance(node.value, ast.Name) and node.value.id == "jnp"
        if not of_jnp and isinstance(node.value, ast.Name | ast.Attribute | ast.Call | ast.Subscript | ast.IfExp):
            before = len(self.refusals)
            steps = self._expression(node.value, names, helper, times)
            if len(self.refusals) > before:  # the innermost cause is the one to name
                return steps
        if root(node) in self.noted - names:
            return steps
        column = (node.end_col_offset or len(name)) - len(name)
        if isinstance(node.value, ast.Name) and node.value.id == "jnp":
            if name not in program.JNP_NAMES:
                cure = JNP_CURES.get(name) or similar(name, program.JNP_NAMES, "jnp.")
                raise Refuse(node.lineno, f"jnp.{name[:40]} is not available", cure, column)
            return 0
        anywhere = self.layout is None and name.endswith("_height")
        owner = self._kind(node.value)
        there = self._there(owner)
        if owner == "Parameters" and self.misdeclared:
            return steps
        if owner == "Parameters" and name not in there:
            raise Refuse(node.lineno, f"there is no parameter {name[:40]}", undeclared_cure(name, sorted(there)), column)
        lacking = name not in there if there else name not in self.attributes | self.parameters and not anywhere
        if lacking or owner == "Array":
            if name in program.JNP_NAMES:
                cure = f"write jnp.{name}(...)"
            elif name in PLACES and self.layout is not None:
                cure = f"this body has {', '.join(self.layout.landmarks)}"
            elif name.endswith("_height") and self.layout is not None and owner in ("", "Motion", "Standing"):
                cure = f"m.standing has {', '.join(self.layout.standing)}"
            elif owner == "Array":
                cure = f"it is an array: {short(node.value)}[0] is its first number"
            else:
                listed = f"{short(node.value)} has {', '.join(sorted(there))}" if there else "use only what the vocabulary of m names"
                cure = similar(name, sorted(there or self.attributes), "") or listed
            of = f" of {short(node.value)}" if there or owner == "Array" else ""
            raise Refuse(node.lineno, f"there is no attribute {name[:40]}{of}", cure, column)
        if not isinstance(node.value, ast.Name | ast.Attribute | ast.Call | ast.Subscript | ast.IfExp):
            raise self.at(node, f"{name} is asked of something that is not part of m", "use only what the vocabulary of m names")
        return steps

    def _call(self, node: ast.Call, names: set[str], helper: Helper, times: int) -> int:
        steps = 0
        before = len(self.refusals)
        with self.going_on():
            steps = self._called(node, names, helper, times)
        for argument in node.args:
            steps += self._expression(argument, names, helper, times)
        for given in node.keywords:
            if given.arg is None or given.arg.startswith("_"):
                raise self.at(node, "arguments are unpacked with **", "write the arguments out")
            steps += self._expression(given.value, names, helper, times)
        if len(self.refusals) == before:
            self._decided(node, *node.args)
            own = isinstance(node.func, ast.Name) and node.func.id in self.helpers
            for argument in () if own else node.args:
                self._quantity(argument)
        return steps

    def _called(self, node: ast.Call, names: set[str], helper: Helper, times: int) -> int:
        """Check what is called."""
        steps = 0
        target = node.func
        if isinstance(target, ast.Name):
            name = target.id
            if name in names:
                raise self.at(node, f"{name[:40]} is a value, not a function", "call jnp, shaping functions or your own helpers")
            if name in self.helpers:
                if name == "terms":
                    raise self.at(node, "terms is called by the program itself", "put shared parts into a helper")
                helper.calls.append((name, times))
            elif name in self.noted:
                return steps
            elif name not in SHAPING and name not in program.BUILTIN_NAMES:
                self._load(target, names)
                raise self.at(node, f"{name[:40]} is not a function", "call jnp, shaping functions or your own helpers")
            if name == "range":
                self._iterations(node, names)
        elif isinstance(target, ast.Attribute):
            before = len(self.refusals)
            steps += self._attribute(target, names, helper, times)
            if len(self.refusals) > before:
                return steps
            is_jnp = isinstance(target.value, ast.Name) and target.value.id == "jnp"
            if root(target) in self.noted - names:
                return steps
            if not is_jnp and target.attr not in METHODS:
                raise self.at(node, f"{target.attr[:40]} is a value, not a function", f"write .{target.attr[:40]} without brackets")
            if is_jnp and target.attr in ("zeros", "ones", "reshape"):
                for child in ast.walk(node):
                    if isinstance(child, ast.Constant) and type(child.value) is int and abs(child.value) > MAX_ARRAY:
                        raise self.at(child, f"an array of {child.value} elements is asked for", f"use at most {MAX_ARRAY}")
            if is_jnp and target.attr in ("newaxis", "pi"):
                raise self.at(node, f"jnp.{target.attr} is not a function", f"write jnp.{target.attr} without brackets")
        else:
            raise self.at(node, "what is called is not a plain name", "call jnp, shaping functions or your own helpers")
        return steps

    def _comprehension(self, node: ast.ListComp | ast.GeneratorExp | ast.DictComp, names: set[str], helper: Helper, times: int) -> int:
        inner, steps = set(names), 0
        if len(node.generators) > 2:
            raise self.at(node, "a comprehension has more than two loops", "use jnp on whole vectors")
        for generator in node.generators:
            if generator.is_async:
                raise self.at(node, "a comprehension is async", "remove async")
            count = 1
            with self.going_on():
                count = self._iterations(generator.iter, inner)
            steps += self._expression(generator.iter, inner, helper, times)
            times *= count
            steps += self._target(generator.target, inner, helper, times)
            for condition in generator.ifs:
                steps += self._expression(condition, inner, helper, times)
            self._decided(generator, *generator.ifs)
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        steps += sum(self._expression(p, inner, helper, times) for p in parts)
        if steps > MAX_STEPS:
            raise self.at(node, "this repeats too much work", "use jnp on whole vectors instead of loops")
        return steps

    def _iterations(self, node: ast.expr, names: set[str]) -> int:
        """Return how often a loop over node runs.

        Raises:
            Refuse: it cannot be told from the text, or is too often.
        """
        count: int | None = None
        if isinstance(node, ast.Tuple | ast.List):
            count = len(node.elts)
        elif isinstance(node, ast.Name) and node.id in self.sequences and node.id not in names:
            count = self.sequences[node.id]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
            if node.func.id == "range" and 1 <= len(node.args) <= 3:
                numbers = [whole(a) for a in node.args]
                if None not in numbers and (len(numbers) < 3 or numbers[2] != 0):
                    count = len(range(*(n for n in numbers if n is not None)))
            elif node.func.id in ("enumerate", "zip", "list", "tuple") and node.args:
                count = min(self._iterations(a, names) for a in node.args[: 1 if node.func.id == "enumerate" else None])
        if count is None:
            # A local list or tuple: its length is that of a literal, so the amount is bounded by the text.
            if isinstance(node, ast.Name) and node.id in names:
                return MAX_LOOP
            raise self.at(node, "how often this loop runs cannot be told from the text", "loop over a short literal tuple or range(8)")
        if count > MAX_LOOP:
            raise self.at(node, f"this loop runs {count} times", f"loop at most {MAX_LOOP} times, or use jnp on whole vectors")
        return count

    def _target(self, target: ast.expr, names: set[str], helper: Helper, times: int, kind: str = "") -> int:
        if isinstance(target, ast.Name):
            names.add(target.id)  # even where it is taken, so that its uses are not told as well
            self._hold(target.id, kind)
            self._name_new(target.id, target)
            return times
        if isinstance(target, ast.Tuple | ast.List):
            return sum(self._target(t, names, helper, times) for t in target.elts)
        if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name) and isinstance(target.slice, ast.Constant):
            self._load(target.value, names)
            self._literal(target.slice)
            return times
        raise self.at(target, "only names and dict entries can be assigned", 'write name = ... or out["term"] = ...')

    def _literal(self, node: ast.Constant) -> None:
        value = node.value
        if value is None or isinstance(value, bool):
            return
        if isinstance(value, str):
            if len(value) > MAX_STRING or not value.isascii():
                raise self.at(node, "a string is long or not ASCII", f"keep strings plain and under {MAX_STRING} characters")
            return
        if isinstance(value, int):
            if abs(value) > MAX_INTEGER:
                raise self.at(node, "a whole number is too large", f"keep it under {MAX_INTEGER}, or write a float")
            return
        if isinstance(value, float):
            if not math.isfinite(value) or abs(value) > 1e12:
                raise self.at(node, "a number is not finite and within 1e12", "write a smaller number")
            return
        raise self.at(node, f"a literal {type(value).__name__} is not allowed", "use numbers and names of m")

    def _load(self, node: ast.Name, names: set[str]) -> None:
        name = node.id
        known = {"jnp", "pi", *SHAPING, *program.BUILTIN_NAMES, *self.constants, *self.helpers, *self.noted, *names}
        if name in known:
            return
        if name == "WEIGHTS":
            raise self.at(node, "WEIGHTS is read", "weights are applied outside; leave them out of the terms")
        if name == "PARAMETERS":
            raise self.at(node, "PARAMETERS is read", "read a parameter of m, as in m.parameters.period")
        if name in ("np", "numpy", "math", "jax", "lax"):
            raise self.at(node, f"{name} is not available", "use jnp, pi and the shaping functions")
        if hasattr(builtins, name):
            raise self.at(node, f"{name} is not available", "use only m, jnp and the shaping functions")
        if name.startswith("__"):
            raise self.at(node, f"the name {name[:40]} is private", "use only m, jnp and the shaping functions")
        cure = similar(name, sorted(known), "") or "assign it before it is used"
        raise self.at(node, f"the name {name[:40]} is not known", cure)

    def _name_new(self, name: str, node: ast.AST, function: bool = False) -> None:
        if name.startswith("__") or name in {"jnp", "pi", "WEIGHTS", "PARAMETERS", *SHAPING, *program.BUILTIN_NAMES}:
            raise self.at(node, f"the name {name[:40]} is taken", "choose another name")
        if not function and name in self.helpers:
            raise self.at(node, f"{name[:40]} is a function's name", "choose another name")
        if len(name) > 80:
            raise self.at(node, "a name is longer than 80 characters", "choose a shorter name")


def root(node: ast.AST) -> str:
    """Return the name that a chain of attributes, calls and indices begins with; "" where it begins with none."""
    while isinstance(node, ast.Attribute | ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def whole(node: ast.expr) -> int | None:
    """Return the literal whole number that node is, or None."""
    sign = 1
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node, sign = node.operand, -1
    if isinstance(node, ast.Constant) and type(node.value) is int and abs(node.value) <= MAX_INTEGER:
        return sign * node.value
    return None


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a literal is a number, which a bool is not."""
    return type(value) in (int, float)


def is_text(node: ast.AST) -> bool:
    """Whether a node is a literal string."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
