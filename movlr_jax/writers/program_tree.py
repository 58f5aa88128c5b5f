"""A reward's text as a tree that keeps every character of it: where its weights and its terms are made, and entries put in, set, taken out.

In: the text of a program. Out: a Tree, and from it new texts. The tree is libcst's. Its parser is not proof against bombs (nested patterns
of `match` take it exponential time, deep nesting the stack), so Python's own, which is, looks first, and what is larger or deeper than
any text that the sandbox admits is refused. Nothing is executed.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import libcst as cst
from libcst import matchers
from libcst.metadata import BuiltinScope, GlobalScope, MetadataWrapper, Scope, ScopeProvider

from movlr_jax.sandbox.static import MAX_BYTES, MAX_DEPTH, MAX_TOKENS
from movlr_jax.writers.base import EditError

_LINE = 110  # an expression longer than this is folded
_Gap = cst.BaseParenthesizableWhitespace
_NO_COMMENTS: dict[str, Any] = {"first_line": cst.TrailingWhitespace(), "empty_lines": []}


@dataclass(frozen=True)
class Tree:
    """A program, taken apart.

    Attributes:
        module: all of it.
        weights: the dict literal of WEIGHTS.
        parameters: that of PARAMETERS, if there is one.
        function: what makes the terms, of one `parameter`.
        entries: the dict literal that it returns, if it does; `plain`: nothing is put into it afterwards.
        returned: the statement that returns a name as the last thing of all, on a line of its own, if there is one.
        inside: names bound in the function; its parameter only if that is bound once more.
        outside: names bound by the module.
        reused: something else goes by the function's name, too.
    """

    module: cst.Module
    weights: cst.Dict
    parameters: cst.Dict | None
    function: cst.FunctionDef | cst.Lambda
    parameter: str
    entries: cst.Dict | None
    plain: bool
    returned: cst.SimpleStatementLine | None
    inside: frozenset[str]
    outside: frozenset[str]
    reused: bool

    @property
    def names(self) -> list[str | None]:
        """The names of the terms in the literal that is returned; None for an entry whose name is no literal."""
        return [] if self.entries is None else _keys(self.entries)

    def expression(self, name: str) -> str:
        """Return the text of a term in the literal that is returned."""
        assert self.entries is not None
        return self.module.code_for_node(self.entries.elements[self.names.index(name)].value)

    def with_weight(self, name: str, weight: float) -> str:
        """Return the text with another weight of a term, or with a new one at the end."""
        return self._with_entry(self.weights, name, cst.parse_expression(repr(round(float(weight), 6))))

    def with_parameter(self, name: str, value: float) -> str:
        """Return the text with another value of a declared parameter, whose range stays as it is written.

        Raises:
            EditError: PARAMETERS is no literal of it.
        """
        entries = self.parameters
        declared = None if entries is None or name not in _keys(entries) else entries.elements[_keys(entries).index(name)].value
        if not isinstance(declared, cst.Tuple | cst.List) or not declared.elements:
            raise EditError(f"PARAMETERS declares no {name} as (value, lowest, highest).")
        return self._replaced(declared.elements[0].value, cst.parse_expression(repr(float(value))))

    def with_declaration(self, name: str, entry: tuple[float, float, float]) -> str:
        """Return the text with a new parameter: at the end of PARAMETERS, or of a new one behind WEIGHTS."""
        value = repr(tuple(float(number) for number in entry))
        if self.parameters is not None:
            return self._with_entry(self.parameters, name, cst.parse_expression(value))
        body = list(self.module.body)
        place = next(i for i, statement in enumerate(body) if _gives(statement, "WEIGHTS"))
        body.insert(place + 1, cst.parse_statement(f'PARAMETERS = {{"{name}": {value}}}', self.module.config_for_parsing))
        return self.module.with_changes(body=body).code

    def without_declaration(self, name: str) -> str:
        """Return the text without a parameter, and without PARAMETERS where it was the last."""
        assert self.parameters is not None
        if len(self.parameters.elements) > 1:
            return self.without(self.parameters, name)
        return self.module.with_changes(body=[s for s in self.module.body if not _gives(s, "PARAMETERS")]).code

    def with_term(self, name: str, expression: str) -> str:
        """Return the text with another expression of a term in the literal that is returned, or with a new one at its end."""
        assert self.entries is not None
        line = _line(_gaps(self.entries))
        column = "" if line is None else line.last_line.value
        return self._with_entry(self.entries, name, _broken(_folded(self._local(expression), self._indent + column), column))

    def without(self, entries: cst.Dict, name: str) -> str:
        """Return the text without an entry of a literal; one that has its lines for itself takes the comment behind it along."""
        index, gaps, elements = _keys(entries).index(name), _gaps(entries), list(entries.elements)
        before, after = gaps[index : index + 2]
        gap = before
        if isinstance(before, cst.ParenthesizedWhitespace) and isinstance(after, cst.ParenthesizedWhitespace):
            gap = after.with_changes(first_line=before.first_line, empty_lines=[*before.empty_lines, *after.empty_lines])
        elif isinstance(after, cst.ParenthesizedWhitespace) or (len(gaps) == index + 2 and "#" not in self.module.code_for_node(before)):
            gap = after
        del elements[index]
        return self._replaced(entries, _literal(entries, elements, [*gaps[:index], gap, *gaps[index + 2 :]], _trailing(entries)))

    def with_assignment(self, name: str, expression: str) -> str:
        """Return the text with `values["name"] = expression` on a line before `return values`."""
        assert self.returned is not None and isinstance(self.function.body, cst.IndentedBlock)
        values = cst.ensure_type(cst.ensure_type(self.returned.body[0], cst.Return).value, cst.Name).value
        line = _parsed(cst.parse_statement, _assignment(values, name, self._local(expression), self._indent))
        line = line.visit(_Indented(" " * 4)).with_changes(leading_lines=self.returned.leading_lines)
        statements = [*self.function.body.body[:-1], line, self.returned.with_changes(leading_lines=[])]
        return self._replaced(self.function.body, self.function.body.with_changes(body=statements))

    def wrapped(self, name: str, expression: str = "") -> str:
        """Return the text with the function under another name, called by a new one that sets a term's expression, or leaves the term out.

        Raises:
            EditError: it is a lambda, or its name is used otherwise.
        """
        if not isinstance(self.function, cst.FunctionDef):
            raise EditError("The function terms is a lambda that does not return a dict literal: write it as `def terms(m):`.")
        if self.reused:
            raise EditError("The name terms is used more than once, so the function cannot be wrapped.")
        taken = {cst.ensure_type(node, cst.Name).value for node in matchers.findall(self.module, matchers.Name())}
        names = itertools.chain(["base_terms"], (f"base_terms_{n}" for n in itertools.count(2)))
        base = next(free for free in names if free not in taken)
        renamed = self._replaced(self.function, self.function.with_changes(name=cst.Name(base)))
        lines = [f'return {{name: values[name] for name in values if name != "{name}"}}']
        if expression:
            lines = [*_assignment("values", name, expression, " " * 4).split("\n"), "return values"]
        new = ["", "", "def terms(m):", *(f"    {line}" for line in (f"values = {base}(m)", *lines)), ""]
        return renamed.rstrip() + self.module.default_newline.join(["", *new])

    @property
    def _indent(self) -> str:
        """What the lines of the function begin with."""
        body = self.function.body
        return (body.indent or self.module.default_indent) if isinstance(body, cst.IndentedBlock) else ""

    def _local(self, expression: str) -> str:
        """Return an expression of m as one of the function's parameter."""
        return expression if self.parameter == "m" else self.module.code_for_node(_broken([expression], "").visit(_Renamed(self.parameter)))

    def _with_entry(self, entries: cst.Dict, name: str, value: cst.BaseExpression) -> str:
        elements, gaps, trailing = list(entries.elements), _gaps(entries), _trailing(entries)
        if name in _keys(entries):
            old = elements[_keys(entries).index(name)]
            return self._replaced(old, old.with_changes(value=value))
        line, closing = _line(gaps), gaps[-1]
        between: _Gap = cst.SimpleWhitespace(" " if elements else "")
        if line is not None:  # a line of its own; comments behind the last entry stay behind it
            between = closing if isinstance(closing, cst.ParenthesizedWhitespace) else line.with_changes(**_NO_COMMENTS)
            between = between.with_changes(indent=line.indent, last_line=line.last_line)
        if isinstance(closing, cst.ParenthesizedWhitespace):
            trailing, closing = True, closing.with_changes(**_NO_COMMENTS)
        elements.append(cst.DictElement(cst.SimpleString(f'"{name}"'), value))
        return self._replaced(entries, _literal(entries, elements, [*gaps[:-1], between, closing], trailing))

    def _replaced(self, old: cst.CSTNode, new: cst.CSTNode) -> str:
        try:
            return cst.ensure_type(self.module.deep_replace(old, new), cst.Module).code
        except RecursionError:
            raise EditError("The text is nested too deeply: split it into named steps.") from None


def read(source: str) -> Tree:
    """Return a program's tree.

    Raises:
        EditError: it is not Python, too large or too deep, or does not keep the contract of a reward.
    """
    bounded(source, "exec")
    wrapper = MetadataWrapper(_parsed(cst.parse_module, source), unsafe_skip_copy=True)
    scopes: Mapping[cst.CSTNode, Any] = _parsed(lambda _: wrapper.resolve(ScopeProvider), source)
    module = wrapper.module
    weights: cst.BaseExpression | None = None
    parameters: cst.BaseExpression | None = None
    function: cst.FunctionDef | cst.Lambda | None = None
    for statement in module.body:
        if isinstance(statement, cst.FunctionDef) and statement.name.value == "terms":
            function = statement
        for part in statement.body if isinstance(statement, cst.SimpleStatementLine) else ():
            for target in part.targets if isinstance(part, cst.Assign) else ():
                if isinstance(part, cst.Assign) and isinstance(target.target, cst.Name):
                    if target.target.value == "WEIGHTS":
                        weights = weights or part.value
                    elif target.target.value == "PARAMETERS":
                        parameters = parameters or part.value
                    elif target.target.value == "terms" and isinstance(part.value, cst.Lambda):
                        function = part.value
    if not isinstance(weights, cst.Dict):
        raise EditError('WEIGHTS must be a literal dict such as {"forward_speed": 10.0}.')
    if function is None:
        raise EditError("There is no function terms: define `def terms(m):` that returns a dict of scalars.")
    params = function.params
    named = [*params.posonly_params, *params.params]
    if len(named) != 1 or params.kwonly_params or params.star_kwarg or isinstance(params.star_arg, cst.Param):
        raise EditError("The function terms must take exactly one argument, m.")
    parameter = named[0].name.value
    own, outer = scopes[function.body], scopes[module]
    inner = [scope for scope in set(scopes.values()) if scope is not None and scope is not own and _within(scope, own)]
    inside = {a.name for a in own.assignments if a.name != parameter} | {a.name for scope in inner for a in scope.assignments}
    if len(own[parameter]) > 1:
        inside.add(parameter)
    entries, plain, returned = _returned(function, own)
    assignments = outer["terms"]
    reused = len(assignments) > 1 or any(a.references for a in assignments)
    outside = frozenset(a.name for a in outer.assignments)
    declared = parameters if isinstance(parameters, cst.Dict) else None
    return Tree(module, weights, declared, function, parameter, entries, plain, returned, frozenset(inside), outside, reused)


def _gives(statement: cst.CSTNode, name: str) -> bool:
    """Tell whether a statement of the module gives a name its value."""
    parts = statement.body if isinstance(statement, cst.SimpleStatementLine) else ()
    targets = [target.target for part in parts if isinstance(part, cst.Assign) for target in part.targets]
    return any(isinstance(target, cst.Name) and target.value == name for target in targets)


def bounded(text: str, mode: Literal["exec", "eval"]) -> ast.AST:
    """Return Python's own tree of a text that libcst's parser can be given.

    Raises:
        EditError: it is not Python, larger or deeper than a reward may be, or holds a `match`.
    """
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise EditError(f"The text is longer than {MAX_BYTES} bytes: keep fewer and shorter terms.")
    if any(c in text for c in "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029") or "\r" in text.replace("\r\n", ""):
        raise EditError("The text has unusual line ends or control characters: use plain newlines.")
    try:
        tree: ast.AST = ast.parse(text, mode=mode)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise EditError(f"The text is not Python: {error}.") from None
    level, count = [tree], 0
    for _ in range(MAX_DEPTH + 1):
        count += sum(hasattr(node, "lineno") for node in level)  # as many as words and signs at most
        if count > MAX_TOKENS:
            raise EditError(f"The text has more than {MAX_TOKENS} words and signs: write fewer terms.")
        if any(isinstance(node, ast.Match) for node in level):
            raise EditError("The text has a match statement: choose with jnp.where(condition, a, b).")
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    if level:
        raise EditError("The text is nested too deeply: split it into named steps.")
    return tree


class _Own(cst.CSTVisitor):
    """What a function returns and which names it gives dict literals, functions inside it aside."""

    def __init__(self) -> None:
        super().__init__()
        self.returns: list[cst.Return] = []
        self.literals: dict[str, cst.Dict] = {}

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        return False

    def visit_ClassDef(self, node: cst.ClassDef) -> bool:
        return False

    def visit_Return(self, node: cst.Return) -> None:
        self.returns.append(node)

    def visit_Assign(self, node: cst.Assign) -> None:
        if len(node.targets) == 1:
            self._keep(node.targets[0].target, node.value)

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:
        self._keep(node.target, node.value)

    def _keep(self, target: cst.BaseExpression, value: cst.BaseExpression | None) -> None:
        if isinstance(target, cst.Name) and isinstance(value, cst.Dict):
            self.literals[target.value] = value


def _returned(function: cst.FunctionDef | cst.Lambda, scope: Scope) -> tuple[cst.Dict | None, bool, cst.SimpleStatementLine | None]:
    """Return the dict literal that a function returns, whether it is all that is returned, and the statement that returns a name."""
    if isinstance(function.body, cst.BaseExpression):
        return (function.body if isinstance(function.body, cst.Dict) else None), True, None
    own = _Own()
    function.body.visit(own)
    value = own.returns[0].value if len(own.returns) == 1 else None
    if isinstance(value, cst.Dict):
        return value, True, None
    if not isinstance(value, cst.Name):
        return None, True, None
    last = function.body.body[-1]
    alone = isinstance(last, cst.SimpleStatementLine) and len(last.body) == 1 and last.body[0] is own.returns[0]
    made = scope[value.value]
    entries = own.literals.get(value.value) if len(made) == 1 else None
    plain = sum(len(name.references) for name in made) == 1  # only the return itself
    return entries, plain or entries is None, last if alone and isinstance(last, cst.SimpleStatementLine) else None


def _within(scope: Scope, outer: Scope) -> bool:
    while not isinstance(scope, GlobalScope | BuiltinScope):
        scope = scope.parent
        if scope is outer:
            return True
    return False


def _keys(entries: cst.Dict) -> list[str | None]:
    keys = [getattr(element, "key", None) for element in entries.elements]
    values = [key.evaluated_value if isinstance(key, cst.SimpleString | cst.ConcatenatedString) else None for key in keys]
    return [value if isinstance(value, str) else None for value in values]


def _gaps(entries: cst.Dict) -> list[_Gap]:
    """Return the white space, comments among it, before each entry and behind the last."""
    if not entries.elements:
        return [entries.lbrace.whitespace_after]
    behind = [e.comma.whitespace_after for e in entries.elements[:-1] if isinstance(e.comma, cst.Comma)]
    return [entries.lbrace.whitespace_after, *behind, entries.rbrace.whitespace_before]


def _trailing(entries: cst.Dict) -> bool:
    return bool(entries.elements) and isinstance(entries.elements[-1].comma, cst.Comma)


def _literal(entries: cst.Dict, elements: Sequence[cst.BaseDictElement], gaps: Sequence[_Gap], trailing: bool) -> cst.Dict:
    """Return a dict literal with other entries, what stands before each and behind the last, and a comma behind the last or none."""
    nothing = cst.SimpleWhitespace("")
    first, *between, closing = gaps if len(gaps) > 1 else [nothing, *gaps]
    parted = []
    for element, gap in zip(elements, [*between, nothing], strict=False):
        comma = element.comma if isinstance(element.comma, cst.Comma) else cst.Comma()
        parted.append(element.with_changes(comma=comma.with_changes(whitespace_after=gap)))
    if parted and not trailing:
        parted[-1] = parted[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
    left, right = entries.lbrace.with_changes(whitespace_after=first), entries.rbrace.with_changes(whitespace_before=closing)
    return entries.with_changes(lbrace=left, elements=parted, rbrace=right)


def _line(gaps: Sequence[_Gap]) -> cst.ParenthesizedWhitespace | None:
    """Return what stands before the last entry that begins a line."""
    return next((gap for gap in reversed(gaps[:-1]) if isinstance(gap, cst.ParenthesizedWhitespace)), None)


def _folded(expression: str, indent: str) -> list[str]:
    """Return a long expression in lines that end before its outermost plus signs; behind an opened bracket a line may end anywhere."""
    if len(expression) + len(indent) <= _LINE:
        return [expression]
    parts, depth, start = [], 0, 0
    for i, character in enumerate(expression):
        depth += (character in "([{") - (character in ")]}")
        if depth <= 1 and expression.startswith(" + ", i):
            parts.append(expression[start:i])
            start = i + 1
    return [*parts, expression[start:]]


def _assignment(values: str, name: str, expression: str, indent: str) -> str:
    """Return a statement whose lines, after the first, begin with four spaces."""
    lines = _folded(expression, indent)
    return f'{values}["{name}"] = ' + (lines[0] if len(lines) == 1 else "({})".format("\n    ".join(lines)))


def _broken(lines: Sequence[str], indent: str) -> Any:
    """Return an expression whose lines, after the first, stand four columns to the right of an indentation."""
    tree = _parsed(cst.parse_expression, "({}\n)".format("\n".join(lines)))
    return tree.with_changes(lpar=tree.lpar[1:], rpar=tree.rpar[:-1]).visit(_Indented(indent + " " * 4))


def _parsed(parse: Callable[[str], Any], text: str) -> Any:
    try:
        return parse(text)
    except (cst.ParserSyntaxError, cst.CSTValidationError, RecursionError) as error:
        raise EditError(f"The text cannot be edited ({type(error).__name__}): write it in plain Python.") from None


class _Indented(cst.CSTTransformer):
    def __init__(self, indent: str):
        super().__init__()
        self._indent = cst.SimpleWhitespace(indent)

    def leave_ParenthesizedWhitespace(self, original_node: cst.ParenthesizedWhitespace, updated_node: cst.ParenthesizedWhitespace) -> _Gap:
        return updated_node.with_changes(indent=True, last_line=self._indent)


class _Renamed(cst.CSTTransformer):
    """Calls m by another name; attributes and arguments that are called m keep theirs."""

    def __init__(self, name: str):
        super().__init__()
        self._name = name

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.Name:
        return updated_node.with_changes(value=self._name) if original_node.value == "m" else updated_node

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.Attribute:
        return updated_node.with_changes(attr=original_node.attr)

    def leave_Arg(self, original_node: cst.Arg, updated_node: cst.Arg) -> cst.Arg:
        return updated_node.with_changes(keyword=original_node.keyword)
