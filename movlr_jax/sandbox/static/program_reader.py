"""Reads a whole program, statement by statement: WEIGHTS, JOINTS, PARAMETERS, constants, helpers, terms and posture.

How much work a call is, loops and helpers unrolled, is told by the way.
"""

from __future__ import annotations

import ast
import keyword
import math
import re
from typing import TypeGuard

from movlr_jax.rewards import parameters, program
from movlr_jax.rewards.layout import FeatureLayout
from movlr_jax.rewards.named import MotionError
from movlr_jax.sandbox.static.expressions import Expressions, is_number, is_text
from movlr_jax.sandbox.static.quantities import Helper
from movlr_jax.sandbox.static.refusals import Refusal, Refuse
from movlr_jax.sandbox.static.tables import MAX_STEPS, OPERATORS


class ProgramReader(Expressions):
    """Reads one program's tree.

    Args:
        tree: it.
        layout, refusals: as of Quantities.
    """

    def __init__(self, tree: ast.Module, layout: FeatureLayout | None, refusals: list[Refusal]):
        super().__init__(layout, refusals)
        self.tree = tree

    def read(self) -> None:
        """Check everything.

        Raises:
            Refuse: something is not allowed, and nothing after it can be told.
            Enough: `refusals` is full.
        """
        for node in self.tree.body:
            if isinstance(node, ast.FunctionDef):
                with self.going_on():
                    self._name_new(node.name, node, function=True)
                    if node.name in self.helpers:
                        raise self.at(node, f"{node.name} is defined twice", "give each function its own name")
                    self.helpers[node.name] = Helper(node)
        weights_at: list[int] = []
        self.joints_at: list[int] = []
        self._declare()
        for i, node in enumerate(self.tree.body):
            with self.going_on():
                self._statement_outside(node, i == 0, weights_at)
        if not weights_at:
            raise Refuse(1, "there is no WEIGHTS", 'start with WEIGHTS = {"term_name": 1.0, ...}')
        if self.refusals:  # how much work a text is can be told once it is one
            return
        terms = self.helpers.get("terms")
        if terms is None:
            raise Refuse(1, "there is no function terms", "define `def terms(m):` that returns a dict of scalars")
        arguments = terms.node.args
        if len(arguments.args) != 1 or arguments.defaults:
            raise self.at(terms.node, "terms must take exactly one argument", "write `def terms(m):`")
        self._nominal()
        self._total_steps()

    def _declare(self) -> None:
        """Check PARAMETERS, before the functions that read them."""
        declarations = [node for node in self.tree.body if _gives(node, "PARAMETERS")]
        for node in declarations[:1]:
            self.misdeclared = True
            with self.going_on():
                self._parameters(node.value)
                self.misdeclared = False
        for node in declarations[1:]:
            with self.going_on():
                raise self.at(node, "PARAMETERS is given twice", "keep one")

    def _nominal(self) -> None:
        """Refuse one of JOINTS and posture without the other."""
        posture = self.helpers.get("posture")
        if posture is None:
            if self.joints_at:
                cure = "define `def posture(m):`, which returns an angle for each"
                raise Refuse(self.joints_at[0], "there is JOINTS and no function posture", cure)
            return
        if not self.joints_at:
            raise self.at(posture.node, "there is a function posture and no JOINTS", 'write JOINTS = ("knee_angle_l",) beside it')
        arguments = posture.node.args
        if len(arguments.args) != 1 or arguments.defaults:
            raise self.at(posture.node, "posture must take exactly one argument", "write `def posture(m):`")

    def _statement_outside(self, node: ast.stmt, first: bool, weights_at: list[int]) -> None:
        """Check a statement of the module; the lines of WEIGHTS are added to `weights_at`."""
        if isinstance(node, ast.FunctionDef):
            if (helper := self.helpers.get(node.name)) is not None and helper.node is node:
                self._function(helper)
        elif isinstance(node, ast.Assign):
            target = node.targets[0]
            if len(node.targets) != 1 or not isinstance(target, ast.Name):
                raise self.at(node, "only a plain name can be assigned here", "write NAME = number")
            if target.id == "WEIGHTS":
                weights_at.append(node.lineno)
                if len(weights_at) > 1:
                    raise self.at(node, "WEIGHTS is given twice", "keep one")
                self._weights(node.value)
            elif target.id != "PARAMETERS":
                if target.id == "JOINTS":
                    self._joints(node)
                self.constants.add(target.id)
                if isinstance(node.value, ast.Tuple | ast.List):
                    self.sequences[target.id] = len(node.value.elts)
                self._name_new(target.id, node)
                self._constant_only(node.value, besides=target.id)
        elif not (first and isinstance(node, ast.Expr) and is_text(node.value)):
            raise self.unknown(node, "outside a function")

    def _weights(self, node: ast.expr) -> None:
        if not isinstance(node, ast.Dict) or not node.keys:
            raise self.at(node, "WEIGHTS is not a literal dict", 'write WEIGHTS = {"term_name": 1.0, ...}')
        seen: set[str] = set()
        for key, value in zip(node.keys, node.values, strict=True):
            with self.going_on():
                self._weight(key, value, seen)
        if len(seen) > program.MAX_TERMS:
            raise self.at(node, f"there are {len(seen)} terms", f"keep at most {program.MAX_TERMS}")

    def _parameters(self, node: ast.expr) -> None:
        if not isinstance(node, ast.Dict) or not node.keys:
            raise self.at(node, "PARAMETERS is not a literal dict of parameters", parameters.NONE_SUCH)
        weighed = [part.value for part in self.tree.body if _gives(part, "WEIGHTS")]
        terms = {str(_literal(key)) for weights in weighed if isinstance(weights, ast.Dict) for key in weights.keys}
        for key, value in zip(node.keys, node.values, strict=True):
            with self.going_on():
                name = _literal(key)
                if (fault := parameters.fault(name, _literal(value), terms)) is not None:
                    raise self.at(key or value, *fault)
                if name in self.parameters:
                    raise self.at(key or value, f"the parameter {name} is declared twice", "keep one")
            if isinstance(name, str):
                self.parameters.add(name)  # even with a fault, so that where it is read is not told as well
        if len(node.keys) > parameters.MAX_PARAMETERS:
            raise self.at(node, f"there are {len(node.keys)} parameters", f"keep at most {parameters.MAX_PARAMETERS}")

    def _joints(self, node: ast.Assign) -> None:
        self.joints_at.append(node.lineno)
        if len(self.joints_at) > 1:
            raise self.at(node, "JOINTS is given twice", "keep one")
        value = node.value
        if not isinstance(value, ast.Tuple | ast.List) or not value.elts or not all(is_text(name) for name in value.elts):
            raise self.at(value, "JOINTS is not a literal tuple of joint names", 'write JOINTS = ("hip_flexion_l", "hip_flexion_r")')
        names = [ast.literal_eval(name) for name in value.elts]
        for i, name in enumerate(names):
            if name in names[:i]:
                raise self.at(value.elts[i], f"JOINTS names {name[:64]!r} twice", "keep one")
            if self.layout is not None:
                try:
                    program.planned_joints([name], self.layout)
                except MotionError as error:
                    cause, _, cure = str(error).partition(": ")
                    raise self.at(value.elts[i], cause, cure.rstrip(".")) from None

    def _weight(self, key: ast.expr | None, value: ast.expr, seen: set[str]) -> None:
        if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
            raise self.at(key or value, "a term's name in WEIGHTS is not a literal string", 'write "term_name": 1.0')
        if key.value in seen:
            raise self.at(key, f"the term {key.value[:64]!r} is weighed twice", "keep one")
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,63}", key.value) or keyword.iskeyword(key.value):
            raise self.at(key, f"the term name {key.value[:40]!r} is not a plain word", "use letters, digits and _")
        seen.add(key.value)
        number = value.operand if isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.USub | ast.UAdd) else value
        if not isinstance(number, ast.Constant) or not is_number(number.value):
            raise self.at(value, f"the weight of {key.value} is not a literal number", f'write "{key.value}": 1.0')
        if not math.isfinite(number.value) or abs(number.value) > 1e6:
            raise self.at(value, f"the weight of {key.value} is not finite and within 1e6", "write a smaller number")

    def _constant_only(self, node: ast.expr, besides: str = "") -> None:
        """Check a module-level constant: numbers, short strings, tuples of them, arithmetic on them.

        Args:
            node: its value.
            besides: the name that it is given, which it may not be made of.
        """
        known = self.constants - {besides}
        for child in ast.walk(node):
            if isinstance(child, ast.Constant):
                self._literal(child)
            elif isinstance(child, ast.Name):
                if child.id != "pi" and child.id not in known and isinstance(child.ctx, ast.Load):
                    raise self.at(child, f"{child.id[:40]} is not a constant", "use numbers outside functions")
            elif isinstance(child, ast.BinOp):
                self._binary(child)
            elif not isinstance(child, (ast.Tuple, ast.List, ast.Dict, ast.UnaryOp, ast.Load, *OPERATORS)):
                raise self.unknown(child, "in a constant", "use numbers outside functions")

    def _function(self, helper: Helper) -> None:
        node, arguments = helper.node, helper.node.args
        if node.decorator_list:
            raise self.at(node.decorator_list[0], "functions may not be decorated", "remove the decorator")
        if getattr(node, "type_params", None):
            raise self.at(node, "functions may not have type parameters", "remove them")
        if arguments.vararg or arguments.kwarg or arguments.posonlyargs:
            raise self.at(node, f"{node.name} takes * arguments", "name each argument")
        every = [*arguments.args, *arguments.kwonlyargs]
        for annotation in [a.annotation for a in every] + [node.returns]:
            if annotation is not None:
                raise self.at(annotation, "annotations are not read", "remove the annotation")
        for default in [*arguments.defaults, *(d for d in arguments.kw_defaults if d is not None)]:
            self._constant_only(default)
        names: set[str] = set()
        self.kinds = {}
        for argument in every:
            with self.going_on():
                self._name_new(argument.arg, argument)
            names.add(argument.arg)
        if node.name in ("terms", "posture") and len(every) == 1:
            self.kinds[every[0].arg] = "Motion"
        helper.steps = self._body(node.body, names, helper, 1)

    def _body(self, body: list[ast.stmt], names: set[str], helper: Helper, times: int) -> int:
        steps = 0
        for node in body:
            with self.going_on():
                steps += self._statement(node, names, helper, times)
            if steps > MAX_STEPS:
                raise self.at(node, "this repeats too much work", "use jnp on whole vectors instead of loops")
        return steps

    def _statement(self, node: ast.stmt, names: set[str], helper: Helper, times: int) -> int:
        if isinstance(node, ast.Assign):
            steps = self._expression(node.value, names, helper, times)
            for target in node.targets:
                steps += self._target(target, names, helper, times, self._kind(node.value))
            return steps
        if isinstance(node, ast.AugAssign):
            if not isinstance(node.target, ast.Name):
                raise self.at(node, "only a plain name can be changed in place", "assign to a name")
            self._load(node.target, names)
            self._operator(node.op, node)
            if isinstance(node.op, ast.Pow):
                self._exponent(node.value)
            self._hold(node.target.id, "Array" if "Array" in (self.kinds.get(node.target.id), self._kind(node.value)) else "")
            return times + self._expression(node.value, names, helper, times)
        if isinstance(node, ast.Return):
            if node.value is None:
                raise self.at(node, "it returns nothing", "return a dict of scalars")
            return self._expression(node.value, names, helper, times)
        if isinstance(node, ast.If):
            steps = self._expression(node.test, names, helper, times)
            self._decided(node, node.test)
            return steps + self._body(node.body, names, helper, times) + self._body(node.orelse, names, helper, times)
        if isinstance(node, ast.For):
            if node.orelse or node.type_comment:
                raise self.at(node, "a for loop has an else", "remove the else")
            count = 1
            with self.going_on():
                count = self._iterations(node.iter, names)
            steps = self._expression(node.iter, names, helper, times)
            steps += self._target(node.target, names, helper, times * count)
            return steps + self._body(node.body, names, helper, times * count)
        if isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and is_text(node.value)):
            return 0
        if isinstance(node, ast.Expr):
            before = len(self.refusals)
            self._expression(node.value, names, helper, times)
            if len(self.refusals) > before:
                return times
            raise self.at(node, "the value of this line is not used", "assign it to a name, or remove the line")
        if isinstance(node, ast.FunctionDef):
            raise self.at(node, f"{node.name} is defined inside a function", "define helpers at the top of the text")
        if isinstance(node, ast.While):
            with self.going_on():
                self._expression(node.test, names, helper, times)
        raise self.unknown(node, "in a function")

    def _total_steps(self) -> None:
        """Refuse recursion, and helpers that call helpers too many times."""
        done: dict[str, int] = {}

        def total(name: str, above: tuple[str, ...]) -> int:
            if name in above:
                node = self.helpers[name].node
                raise self.at(node, f"{name} calls itself", "write the formula without recursion")
            if name not in done:
                helper = self.helpers[name]
                done[name] = helper.steps + sum(n * total(c, (*above, name)) for c, n in helper.calls)
                if done[name] > MAX_STEPS:
                    raise self.at(helper.node, f"{name} repeats too much work", "use jnp on whole vectors instead of loops")
            return done[name]

        for name in self.helpers:
            total(name, ())


def _gives(node: ast.stmt, name: str) -> TypeGuard[ast.Assign]:
    """Return whether a statement gives a value to one name alone, this one."""
    if not isinstance(node, ast.Assign) or len(node.targets) != 1:
        return False
    return isinstance(node.targets[0], ast.Name) and node.targets[0].id == name


def _literal(node: ast.expr | None) -> object:
    """Return a literal's value; None where it is none."""
    try:
        return None if node is None else ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None
