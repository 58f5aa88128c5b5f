"""Formulas: what each term of a reward program is computed from, so that a rewritten term is told from one that only moved on the page.

In: the text of a program, which is parsed and never executed. Out: term -> its expression with all that it depends on (local values,
helper functions, constants), spelt in one way: comments, spacing and the order of terms make no difference.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

_DEEPEST = 8  # functions that return each other's terms


@dataclass(frozen=True)
class _Text:
    """A program's functions and values of the module, by name."""

    functions: Mapping[str, ast.FunctionDef]
    values: Mapping[str, ast.Assign | ast.AnnAssign]

    @staticmethod
    def read(source: str) -> _Text | None:
        """Return a program's text; None where it is no Python."""
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
        functions: dict[str, ast.FunctionDef] = {}
        values: dict[str, ast.Assign | ast.AnnAssign] = {}
        for node in tree.body:
            if isinstance(node, ast.FunctionDef):
                functions[node.name] = node
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                values |= dict.fromkeys(_bound(node), node)
        return _Text(functions, values)

    def entry(self, name: str, key: object) -> ast.expr | None:
        """Return one entry of a dict literal of the module, or None where that is none."""
        node = self.values.get(name)
        return None if node is None or not isinstance(node.value, ast.Dict) else _entries(node.value).get(str(key))


@dataclass
class _Uses(ast.NodeVisitor):
    """The names that a piece of a program reads, and the entries of the module's dict literals."""

    text: _Text
    local: frozenset[str] = frozenset()
    names: set[str] = field(default_factory=set)
    entries: dict[tuple[str, str], ast.expr] = field(default_factory=dict)

    def visit_Name(self, node: ast.Name) -> None:
        self.names.add(node.id)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if isinstance(node.value, ast.Name) and node.value.id not in self.local and isinstance(node.slice, ast.Constant):
            value = self.text.entry(node.value.id, node.slice.value)
            if value is not None:  # one constant of many: the others are no part of the formula
                self.entries[(node.value.id, str(node.slice.value))] = value
                return
        self.generic_visit(node)


def formulas(source: str) -> dict[str, str]:
    """Return term -> formula, of the terms whose names stand in the text; equal texts are equal formulas.

    A term that comes out of something too clever to follow (a loop, an unknown call) has the whole of `terms` for a formula.

    Args:
        source: a program; of one that is no Python, or has no function terms, nothing is returned.
    """
    text = _Text.read(source)
    if text is None or "terms" not in text.functions:
        return {}
    try:
        followed = _of(text, text.functions["terms"], 0)
        weights = text.values.get("WEIGHTS")
        named = list(_entries(weights.value)) if weights is not None and isinstance(weights.value, ast.Dict) else []
        whole = _spelt(text, [text.functions["terms"]], {})
    except RecursionError:
        return {}
    return {name: followed.get(name, whole) for name in dict.fromkeys([*named, *followed])}


def rewritten(before: str, after: str) -> frozenset[str]:
    """Return the terms that both programs have, under another formula; the weights make no difference."""
    old, new = formulas(before), formulas(after)
    return frozenset(name for name, formula in new.items() if name in old and formula != old[name])


def _of(text: _Text, function: ast.FunctionDef, depth: int) -> dict[str, str]:
    """Return the formulas of what a function returns, as far as they can be followed."""
    last = function.body[-1]
    if depth > _DEEPEST or not isinstance(last, ast.Return) or last.value is None:
        return {}
    local: dict[str, list[ast.stmt]] = {}
    for statement in function.body[:-1]:
        for name in _bound(statement):
            local.setdefault(name, []).append(statement)
    return _followed(text, last.value, local, depth)


def _followed(text: _Text, value: ast.expr, local: Mapping[str, Sequence[ast.stmt]], depth: int) -> dict[str, str]:
    """Return the formulas of a value that holds terms."""
    out: dict[str, str] = {}
    if isinstance(value, ast.Dict):
        for key, item in zip(value.keys, value.values, strict=True):
            if key is None:
                out |= _followed(text, item, local, depth)
            elif isinstance(key, ast.Constant):
                out[str(key.value)] = _spelt(text, [item], local)
    elif isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in text.functions:
        out = _of(text, text.functions[value.func.id], depth + 1)
    elif isinstance(value, ast.DictComp) and len(value.generators) == 1:  # the same terms, or fewer
        out = _followed(text, value.generators[0].iter, local, depth)
    elif isinstance(value, ast.Name) and value.id in local:
        first, *later = local[value.id]
        if isinstance(first, ast.Assign | ast.AnnAssign) and first.value is not None:
            earlier = {name: statements for name, statements in local.items() if name != value.id}
            out = _followed(text, first.value, earlier, depth)
        for statement in later:
            target = statement.targets[0] if isinstance(statement, ast.Assign) else None
            if not (isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant) and isinstance(statement, ast.Assign)):
                return {}
            out[str(target.slice.value)] = _spelt(text, [statement.value], {k: v for k, v in local.items() if k != value.id})
    return out


def _spelt(text: _Text, nodes: Sequence[ast.AST], local: Mapping[str, Sequence[ast.stmt]]) -> str:
    """Return pieces of a program and all that they depend on, as text in one spelling."""
    needed: dict[str, str] = {}
    left: list[ast.AST] = list(nodes)
    while left:
        uses = _Uses(text, frozenset(local))
        uses.visit(left.pop())
        for (name, key), value in uses.entries.items():
            if f"{name}[{key}]" not in needed:
                needed[f"{name}[{key}]"] = ast.unparse(value)
                left.append(value)
        for name in uses.names - set(needed):
            found = local.get(name) or [node for table in (text.functions, text.values) if (node := table.get(name)) is not None]
            if found:
                needed[name] = "\n".join(ast.unparse(node) for node in found)
                left += found
    return "\n".join([*(ast.unparse(node) for node in nodes), *(needed[name] for name in sorted(needed))])


def _entries(value: ast.Dict) -> dict[str, ast.expr]:
    return {str(key.value): item for key, item in zip(value.keys, value.values, strict=True) if isinstance(key, ast.Constant)}


def _bound(statement: ast.stmt) -> Iterable[str]:
    """Return the names that a statement gives a value, or an entry of one."""
    names = []
    for node in ast.walk(statement):
        if isinstance(node, ast.FunctionDef):
            names.append(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.append(node.id)
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name):
            names.append(node.value.id)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute):
            names += [part.id for part in ast.walk(node.value.func) if isinstance(part, ast.Name)]  # values.update(...)
    return dict.fromkeys(names)
