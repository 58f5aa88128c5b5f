"""Small edits of a reward's text that leave the rest of it as its writer wrote it.

In: source text and Changes (add a term, set a weight, remove a term, change an expression). Out: new source text. The
syntax tree only locates; the text is spliced, so comments, order, spacing and local variables survive. Where `terms`
does not return a dict literal, the function is kept under another name and wrapped by a new one. The text is never
executed here.
"""

from __future__ import annotations

import ast
import io
import itertools
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from movlr_jax.rewards.program import ProgramError, literal_weights

_QUIET = (tokenize.NL, tokenize.NEWLINE, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT)
_LINE = 110  # an expression longer than this is folded


class EditError(ValueError):
    """An edit that this text does not admit, in one sentence."""


@dataclass(frozen=True)
class Change:
    """One change of a reward.

    Attributes:
        action: add a term, reweigh it, remove it, or change its expression.
        term: the term's name.
        weight: its weight; needed to add and to reweigh, optional to change.
        expression: its text in terms of m; needed to add and to change.
    """

    action: Literal["add", "reweigh", "remove", "change"]
    term: str
    weight: float | None = None
    expression: str | None = None

    def line(self) -> str:
        """Return the change in a few words; equal changes give equal words."""
        if self.action == "add":
            return f"add {self.term} {self.weight:g}"
        if self.action == "reweigh":
            return f"reweigh {self.term} to {self.weight:g}"
        if self.action == "change":
            return f"change {self.term}" + ("" if self.weight is None else f" {self.weight:g}")
        return f"remove {self.term}"


def describe(changes: Sequence[Change]) -> str:
    """Return an edit in one line, in an order that does not depend on that of its changes."""
    return ", ".join(sorted(c.line() for c in changes))


def apply(source: str, changes: Sequence[Change]) -> str:
    """Apply changes one after another.

    Raises:
        EditError: a change does not fit the text; nothing is half done, because the text is returned, not altered.
    """
    for change in changes:
        if change.action == "add":
            if change.weight is None or change.expression is None:
                raise EditError(f"To add {change.term} a weight and an expression are needed.")
            source = add_term(source, change.term, change.weight, change.expression)
        elif change.action == "reweigh":
            if change.weight is None:
                raise EditError(f"To reweigh {change.term} a weight is needed.")
            source = set_weight(source, change.term, change.weight)
        elif change.action == "remove":
            source = remove_term(source, change.term)
        else:
            if change.expression is None:
                raise EditError(f"To change {change.term} an expression is needed.")
            source = change_expression(source, change.term, change.expression)
            if change.weight is not None:
                source = set_weight(source, change.term, change.weight)
    return source


def add_term(source: str, name: str, weight: float, expression: str) -> str:
    """Add a term with its weight.

    Raises:
        EditError: it is there already, or the text does not keep the contract.
    """
    before = _weights(source)
    if name in before:
        raise EditError(f"The reward has a term {name} already: reweigh or change it.")
    source = _insert(source, _find_weights(source), name, _number(weight))
    return _checked(_put_expression(source, name, expression, replaces=False), {**before, name: weight})


def set_weight(source: str, name: str, weight: float) -> str:
    """Give a term another weight.

    Raises:
        EditError: there is no such term.
    """
    before = _weights_with(source, name)
    item = _items(source, _find_weights(source))[name]
    data = source.encode()
    data = data[: item.value_start] + _number(weight).encode() + data[item.value_end :]
    return _checked(data.decode(), {**before, name: weight})


def remove_term(source: str, name: str) -> str:
    """Remove a term and its weight.

    Raises:
        EditError: there is no such term, or it is the last one.
    """
    before = _weights_with(source, name)
    if len(before) == 1:
        raise EditError(f"{name} is the reward's only term and cannot be removed.")
    source = _cut(source, _items(source, _find_weights(source))[name])
    place = _find_terms(source)
    if place.entries is not None and place.plain and name in _keys(place.entries) and None not in _keys(place.entries):
        source = _cut(source, _items(source, place.entries)[name])
    else:
        kept = f'return {{name: values[name] for name in values if name != "{name}"}}'
        source = _wrap(source, ["values = {base}(m)", _escaped(kept)])
    after = dict(before)
    del after[name]
    return _checked(source, after)


def change_expression(source: str, name: str, expression: str) -> str:
    """Give a term another expression; its weight stays.

    Raises:
        EditError: there is no such term.
    """
    before = _weights_with(source, name)
    return _checked(_put_expression(source, name, expression, replaces=True), before)


# --- locating ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Item:
    """One entry of a dict literal, in byte offsets."""

    start: int
    value_start: int
    value_end: int
    comma_end: int | None


@dataclass(frozen=True)
class _Place:
    """Where the terms are made: the function (or lambda), its parameter, and the dict literal that it returns, if it
    does."""

    node: ast.FunctionDef | ast.Lambda
    parameter: str
    entries: ast.Dict | None
    plain: bool  # the literal is all that is returned: nothing is put into it afterwards
    bound: frozenset[str]  # names bound inside
    returned: ast.Return | None = None  # the one return, where it is the last statement, on a line of its own, of a name


def _parse(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise EditError(f"The text is not Python: {error}.") from None


def _weights(source: str) -> dict[str, float]:
    try:
        return literal_weights(source)
    except ProgramError as error:
        raise EditError(str(error)) from None


def _weights_with(source: str, name: str) -> dict[str, float]:
    """Return the weights of a reward that must have the term."""
    weights = _weights(source)
    if name not in weights:
        raise EditError(f"The reward has no term {name}: it has {', '.join(weights)}.")
    return weights


def _find_weights(source: str) -> ast.Dict:
    for node in _parse(source).body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "WEIGHTS" for t in node.targets):
            if isinstance(node.value, ast.Dict):
                return node.value
            break
    raise EditError('WEIGHTS must be a literal dict such as {"forward_speed": 10.0}.')


def _own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """Walk a function's body without entering functions inside it."""
    stack = list(ast.iter_child_nodes(function))
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            stack.extend(ast.iter_child_nodes(node))


def _bound_names(node: ast.AST) -> frozenset[str]:
    names = set()
    for child in ast.walk(node):
        if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store | ast.Del):
            names.add(child.id)
        elif isinstance(child, ast.FunctionDef | ast.ClassDef) and child is not node:
            names.add(child.name)
        elif isinstance(child, ast.arg):
            names.add(child.arg)
    return frozenset(names)


def _find_terms(source: str) -> _Place:
    found: _Place | None = None
    for node in _parse(source).body:
        if isinstance(node, ast.FunctionDef) and node.name == "terms":
            found = _place_in_function(node)
        elif (
            isinstance(node, ast.Assign)
            and any(isinstance(t, ast.Name) and t.id == "terms" for t in node.targets)
            and isinstance(node.value, ast.Lambda)
        ):
            entries = node.value.body if isinstance(node.value.body, ast.Dict) else None
            found = _Place(node.value, _parameter(node.value.args), entries, True, _bound_names(node.value.body))
    if found is None:
        raise EditError("There is no function terms: define `def terms(m):` that returns a dict of scalars.")
    return found


def _parameter(arguments: ast.arguments) -> str:
    named = [*arguments.posonlyargs, *arguments.args]
    if len(named) != 1 or arguments.vararg or arguments.kwonlyargs or arguments.kwarg:
        raise EditError("The function terms must take exactly one argument, m.")
    return named[0].arg


def _place_in_function(function: ast.FunctionDef) -> _Place:
    own = list(_own_nodes(function))
    returns = [n for n in own if isinstance(n, ast.Return)]
    bound = frozenset().union(*(_bound_names(s) for s in function.body)) | {n.name for n in own if isinstance(n, ast.FunctionDef)}
    entries, plain = None, True
    if len(returns) == 1:
        value = returns[0].value
        if isinstance(value, ast.Dict):
            entries = value
        elif isinstance(value, ast.Name):
            made = [
                n
                for n in own
                if isinstance(n, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.For | ast.NamedExpr) and value.id in _stores(n)
            ]
            if len(made) == 1 and isinstance(made[0], ast.Assign | ast.AnnAssign) and isinstance(made[0].value, ast.Dict):
                entries = made[0].value
                uses = [n for n in ast.walk(function) if isinstance(n, ast.Name) and n.id == value.id and isinstance(n.ctx, ast.Load)]
                plain = len(uses) == 1  # only the return itself
    last, returned = function.body[-1], None
    if len(returns) == 1 and isinstance(last, ast.Return) and isinstance(last.value, ast.Name):
        before = function.body[-2] if len(function.body) > 1 else function
        if last.lineno > (before.end_lineno or last.lineno if before is not function else function.lineno):
            returned = last
    return _Place(function, _parameter(function.args), entries, plain, bound, returned)


def _stores(node: ast.AST) -> set[str]:
    targets: list[ast.AST] = []
    if isinstance(node, ast.Assign):
        targets = list(node.targets)
    elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.For | ast.NamedExpr):
        targets = [node.target]
    return {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def _keys(node: ast.Dict) -> list[str | None]:
    return [k.value if isinstance(k, ast.Constant) and isinstance(k.value, str) else None for k in node.keys]


class _Offsets:
    """Byte offsets of (line, column) positions: the tree counts columns in bytes, the tokenizer in characters."""

    def __init__(self, source: str):
        self.lines = source.splitlines(keepends=True)
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line.encode()))

    def of_node(self, line: int, column: int) -> int:
        return self.starts[line - 1] + column

    def of_token(self, line: int, column: int) -> int:
        return self.starts[line - 1] + len(self.lines[line - 1][:column].encode())


def _tokens(source: str) -> list[tokenize.TokenInfo]:
    try:
        return list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError) as error:
        raise EditError(f"The text is not Python: {error}.") from None


def _check_lines(source: str) -> None:
    # Form feeds and Unicode line ends split lines for str.splitlines but not for the tokenizer: offsets would not
    # agree.
    if any(c in source for c in "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029") or "\r" in source.replace("\r\n", ""):
        raise EditError("The text has unusual line ends or control characters: use plain newlines.")


def _spans(source: str, node: ast.Dict) -> tuple[list[_Item], int, int]:
    """Return the items of a dict literal in order, and the byte offsets of its opening and its closing brace."""
    _check_lines(source)
    offsets = _Offsets(source)
    begin = offsets.of_node(node.lineno, node.col_offset)
    end = offsets.of_node(node.end_lineno or 0, node.end_col_offset or 0)
    inside: list[tuple[tokenize.TokenInfo, int, int, int]] = []  # token, start, stop, depth
    depth = 0
    for token in _tokens(source):
        if token.type in _QUIET or token.type == tokenize.ENDMARKER:
            continue
        start, stop = offsets.of_token(*token.start), offsets.of_token(*token.end)
        if start < begin or stop > end:
            continue
        closing = token.type == tokenize.OP and token.string in ")]}"
        depth -= closing
        inside.append((token, start, stop, depth))
        depth += token.type == tokenize.OP and token.string in "([{"
    body = inside[1:-1]  # without the braces
    items: list[_Item] = []
    position = 0
    for index, (key, value) in enumerate(zip(node.keys, node.values, strict=True)):
        value_stop = offsets.of_node(value.end_lineno or 0, value.end_col_offset or 0)
        key_stop = offsets.of_node(key.end_lineno or 0, key.end_col_offset or 0) if key is not None else None
        last = index == len(node.keys) - 1
        comma = next(
            (i for i in range(position, len(body)) if body[i][0].string == "," and body[i][3] == 1 and body[i][1] >= value_stop),
            None,
        )
        if comma is None and not last:
            raise EditError("The dict literal cannot be read item by item.")
        stop = len(body) if comma is None else comma
        tokens = body[position:stop]
        if key_stop is None:
            value_start = offsets.of_node(value.lineno, value.col_offset)
        else:
            colon = next(i for i, t in enumerate(tokens) if t[0].string == ":" and t[3] == 1 and t[1] >= key_stop)
            value_start = tokens[colon + 1][1]
        items.append(_Item(tokens[0][1], value_start, tokens[-1][2], None if comma is None else body[comma][2]))
        position = stop + 1
    return items, begin, end - 1


def _items(source: str, node: ast.Dict) -> dict[str, _Item]:
    keys = _keys(node)
    return {key: item for key, item in zip(keys, _spans(source, node)[0], strict=True) if key is not None}


# --- splicing ---------------------------------------------------------------------------------------------------------


def _number(weight: float) -> str:
    return repr(round(float(weight), 6))


def _newline(source: str) -> str:
    return "\r\n" if "\r\n" in source else "\n"


def _fold(expression: str, indent: str, newline: str) -> str:
    """Break a long expression at its outermost plus signs; inside a dict's braces a line may end anywhere."""
    if len(expression) + len(indent) <= _LINE:
        return expression
    parts, depth, start = [], 0, 0
    for i, character in enumerate(expression):
        depth += (character in "([{") - (character in ")]}")
        if depth <= 1 and expression.startswith(" + ", i):
            parts.append(expression[start:i])
            start = i + 1
    parts.append(expression[start:])
    return f"{newline}{indent}    ".join(parts)


def _insert(source: str, node: ast.Dict, name: str, text: str) -> str:
    items, opening, closing = _spans(source, node)
    data = source.encode()
    newline = _newline(source)
    before_close = data[:closing].rsplit(b"\n", 1)[-1]
    if node.lineno == node.end_lineno or not items:
        piece = f'"{name}": {text}'
        if items:
            tail = b" " if items[-1].comma_end is not None else b", "
            at = items[-1].comma_end if items[-1].comma_end is not None else items[-1].value_end
            return (data[:at] + tail + piece.encode() + data[at:]).decode()
        return (data[: opening + 1] + piece.encode() + data[opening + 1 :]).decode()
    line = data[: items[-1].start].rsplit(b"\n", 1)[-1]
    indent = line[: len(line) - len(line.lstrip())].decode() if not line.strip() else " " * (node.col_offset + 4)
    piece = f'{indent}"{name}": {_fold(text, indent, newline)}'
    last = items[-1]
    if before_close.strip():  # the brace closes on a line of its last item
        at = last.comma_end if last.comma_end is not None else last.value_end
        comma = b"" if last.comma_end is not None else b","
        return (data[:at] + comma + newline.encode() + piece.encode() + data[at:]).decode()
    at = closing - len(before_close)
    middle = data[last.value_end : at]
    comma = b"" if last.comma_end is not None else b","
    return (data[: last.value_end] + comma + middle + f"{piece},{newline}".encode() + data[at:]).decode()


def _cut(source: str, item: _Item) -> str:
    data = source.encode()
    stop = item.comma_end if item.comma_end is not None else item.value_end
    head = data[: item.start].rsplit(b"\n", 1)[-1]
    tail = data[stop:].split(b"\n", 1)[0]
    if not head.strip() and (not tail.strip() or tail.strip().startswith(b"#")):
        begin = item.start - len(head)
        end = stop + len(tail) + 1
        return (data[:begin] + data[end:]).decode()
    while data[stop : stop + 1] == b" ":
        stop += 1
    return (data[: item.start] + data[stop:]).decode()


def _free_names(expression: str) -> set[str]:
    tree = ast.parse(expression.strip(), mode="eval")
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}


def _with_parameter(expression: str, parameter: str) -> str:
    """Rename m in an expression."""
    if parameter == "m":
        return expression
    tree = ast.parse(expression, mode="eval")
    offsets = _Offsets(expression)
    data = expression.encode()
    places = sorted(
        (offsets.of_node(n.lineno, n.col_offset) for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id == "m"),
        reverse=True,
    )
    for at in places:
        data = data[:at] + parameter.encode() + data[at + 1 :]
    return data.decode()


def _put_expression(source: str, name: str, expression: str, replaces: bool) -> str:
    """Set a term's expression in what `terms` returns: replaced, added, or by a wrapper."""
    expression = expression.strip()
    try:
        names = _free_names(expression)
    except (SyntaxError, ValueError) as error:
        raise EditError(f"The expression of {name} is not Python: {error}.") from None
    module = {
        n for node in _parse(source).body for n in (_bound_names(node) if isinstance(node, ast.Assign) else {getattr(node, "name", "")})
    }
    if shadowed := sorted((names - {"m"}) & (module - {"WEIGHTS", "terms"})):
        raise EditError(f"The text gives {', '.join(shadowed)} another meaning, so the term {name} cannot be added to it.")
    place = _find_terms(source)
    clashes = names & place.bound or place.parameter in place.bound or place.parameter in names - {"m"}
    foreign = place.parameter != "m" and "m" in place.bound
    # Where the literal is not all that is returned, a value put into it may be overwritten later.
    hidden = replaces and not place.plain
    if clashes or foreign:
        return _wrap(source, ["values = {base}(m)", _escaped(f'values["{name}"] = {_folded(expression, 4, source)}'), "return values"])
    local = _with_parameter(expression, place.parameter)
    if place.entries is None or hidden:
        if place.returned is not None:
            return _assign_before_return(source, place.returned, name, local)
        return _wrap(source, ["values = {base}(m)", _escaped(f'values["{name}"] = {_folded(expression, 4, source)}'), "return values"])
    items = _items(source, place.entries)
    if name in items:
        item, data = items[name], source.encode()
        column = len(data[: item.start].rsplit(b"\n", 1)[-1])
        text = _fold(local, " " * column, _newline(source))
        return (data[: item.value_start] + text.encode() + data[item.value_end :]).decode()
    # After an expansion such as **base(m), too, an entry at the end adds or overrides, which is what is wanted.
    return _insert(source, place.entries, name, local)


def _folded(expression: str, indent: int, source: str) -> str:
    """Break a long expression as `_fold` does, in parentheses, for use outside of a dict."""
    text = _fold(expression, " " * indent, _newline(source))
    return f"({text})" if "\n" in text else text


def _assign_before_return(source: str, statement: ast.Return, name: str, expression: str) -> str:
    """Put `values["name"] = expression` on a line before `return values`."""
    assert isinstance(statement.value, ast.Name)
    data, offsets = source.encode(), _Offsets(source)
    at = offsets.of_node(statement.lineno, 0)
    indent = data[at : offsets.of_node(statement.lineno, statement.col_offset)].decode()
    line = f'{indent}{statement.value.id}["{name}"] = {_folded(expression, len(indent), source)}{_newline(source)}'
    return (data[:at] + line.encode() + data[at:]).decode()


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _wrap(source: str, body: list[str]) -> str:
    """Keep `terms` under another name and define a new one around it; `{base}` in body stands for the old function."""
    tree, place = _parse(source), _find_terms(source)
    if not isinstance(place.node, ast.FunctionDef):
        raise EditError("The function terms is a lambda that does not return a dict literal: write it as `def terms(m):`.")
    if sum(isinstance(n, ast.FunctionDef) and n.name == "terms" for n in tree.body) > 1 or any(
        isinstance(n, ast.Name) and n.id == "terms" for n in ast.walk(tree)
    ):
        raise EditError("The name terms is used more than once, so the function cannot be wrapped.")
    taken = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} | {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}
    base, count = "base_terms", 2
    while base in taken:
        base, count = f"base_terms_{count}", count + 1
    _check_lines(source)
    offsets = _Offsets(source)
    tokens = [t for t in _tokens(source) if t.type == tokenize.NAME]
    at = next(
        offsets.of_token(*name.start)
        for word, name in itertools.pairwise(tokens)
        if word.string == "def" and name.string == "terms" and word.start[0] >= place.node.lineno and word.start[1] == place.node.col_offset
    )
    data = source.encode()
    renamed = (data[:at] + base.encode() + data[at + len(b"terms") :]).decode()
    newline = _newline(source)
    lines = [line.format(base=base) for line in body]
    return renamed.rstrip() + newline * 3 + "def terms(m):" + newline + "".join(f"    {line}{newline}" for line in lines)


def _checked(source: str, expected: dict[str, float]) -> str:
    """Return the text if it is Python with the expected weights and, where they are plain to see, the expected
    terms."""
    found = _weights(source)
    if set(found) != set(expected) or any(abs(found[k] - expected[k]) > 1e-5 for k in expected):
        raise EditError("The edit did not take: WEIGHTS reads differently afterwards.")
    place = _find_terms(source)
    if place.entries is not None and place.plain:
        keys = _keys(place.entries)
        if None not in keys and set(keys) != set(expected):
            raise EditError("The edit did not take: WEIGHTS and terms name different terms afterwards.")
    return source
