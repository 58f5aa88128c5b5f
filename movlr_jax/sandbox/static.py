"""The first gate: a reward program's text is read as a tree, before anything of it is executed, and refused at the first oddity.

A program is `WEIGHTS = {...}`, constants, small helper functions and `def terms(m):`. Whatever is not on the lists below is refused, in one
sentence that names the line and the cure; all such places are told at once. This gate serves the writer as much as safety: the jail holds
without it.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import difflib
import io
import keyword
import math
import re
import tokenize
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeGuard

from movlr_jax.rewards import program
from movlr_jax.rewards.layout import FeatureLayout
from movlr_jax.rewards.motion import index_cure, kinds, public_names
from movlr_jax.rewards.shaping import SHAPING

MAX_BYTES = 20_000
MAX_LINES = 1_000
MAX_TOKENS = 8_000
MAX_DEPTH = 60  # nesting of the tree
MAX_BRACKETS = 40
MAX_STRING = 120
MAX_INTEGER = 10**9
MAX_LOOP = 64  # iterations of one loop
MAX_STEPS = 20_000  # expressions evaluated by one call of terms, loops and helpers unrolled
MAX_POWER = 16
MAX_ARRAY = 4_096
MAX_TOLD = 12  # faults that are told at once

_JNP_VALUES = frozenset({"newaxis", "pi", "float32"})
_METHODS = frozenset({"joint", "muscle_group"})
_PLACES = frozenset(
    {"hip", "knee", "ankle", "foot", "heel", "toe", "hand", "shoulder", "elbow", "thumb", "index", "middle", "ring", "little"}
)
_EXPRESSIONS: tuple[type[ast.AST], ...] = (
    ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.IfExp, ast.Dict, ast.Compare, ast.Call, ast.Constant, ast.Attribute, ast.Subscript,
    ast.Name, ast.List, ast.Tuple, ast.Slice, ast.ListComp, ast.GeneratorExp, ast.DictComp,
)  # fmt: skip
_OPERATORS: tuple[type[ast.AST], ...] = (
    ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.MatMult, ast.BitAnd, ast.BitOr, ast.BitXor, ast.UAdd,
    ast.USub, ast.Not, ast.Invert, ast.And, ast.Or, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE,
)  # fmt: skip
CURES: dict[str, str] = {
    "Import": "jnp, pi and the shaping functions are there already; remove the import",
    "ImportFrom": "jnp, pi and the shaping functions are there already; remove the import",
    "While": "choose with jnp.where(condition, a, b), use jnp on whole vectors, or a for loop over a short literal",
    "Try": "nothing here raises on good input; remove it",
    "TryStar": "nothing here raises on good input; remove it",
    "With": "a reward opens nothing; remove it",
    "AsyncWith": "a reward opens nothing; remove it",
    "AsyncFor": "use a plain for loop over a short literal",
    "AsyncFunctionDef": "write a plain def",
    "ClassDef": "write plain functions of m",
    "Lambda": "write a small def at the top of the text",
    "Global": "pass values as arguments",
    "Nonlocal": "pass values as arguments",
    "Delete": "leave the name alone",
    "Raise": "return a finite number instead",
    "Assert": "return a finite number instead",
    "Match": "use jnp.where",
    "Yield": "return a value",
    "YieldFrom": "return a value",
    "Await": "return a value",
    "JoinedStr": 'write the name out, such as m.joint("knee_angle_r")',
    "FormattedValue": "write the name out",
    "NamedExpr": "assign on a line of its own",
    "Starred": "write the arguments out",
    "Set": "use a tuple",
    "SetComp": "use a list",
    "LShift": "multiply instead",
    "RShift": "divide instead",
    "In": "compare with ==, or use jnp.where",
    "NotIn": "compare with !=, or use jnp.where",
    "Is": "compare with ==",
    "IsNot": "compare with !=",
    "AnnAssign": "remove the annotation",
    "TypeAlias": "remove it",
}
_WORDS: dict[str, str] = {
    "Import": "import", "ImportFrom": "import", "ClassDef": "class", "FunctionDef": "def", "JoinedStr": "an f-string",
    "Lambda": "lambda", "NamedExpr": ":=", "Starred": "*", "AnnAssign": "an annotation", "TryStar": "try", "AsyncWith": "async with",
    "AsyncFor": "async for", "AsyncFunctionDef": "async def", "Delete": "del", "YieldFrom": "yield from", "FormattedValue": "an f-string",
    "Set": "a set", "SetComp": "a set", "LShift": "<<", "RShift": ">>", "NotIn": "not in", "IsNot": "is not", "TypeAlias": "type",
}  # fmt: skip
JNP_CURES: dict[str, str] = {
    "linalg": "use norm(v) for a length and jnp.dot for products",
    "interp": "use ramp or tolerance",
    "searchsorted": "use ramp or jnp.where",
    "sort": "use jnp.max, jnp.min or jnp.mean",
    "random": "a reward may not be random",
    "load": "a reward reads nothing but m",
    "save": "a reward writes nothing",
    "fromfile": "a reward reads nothing but m",
    "frompyfunc": "write the formula with jnp",
    "vectorize": "jnp works on whole vectors already",
    "cumsum": "use jnp.sum",
    "argmax": "use jnp.max",
    "argmin": "use jnp.min",
}


@dataclass(frozen=True)
class Refusal:
    """Why a text is refused.

    Attributes:
        line: the line it points at (1 is the first).
        reason: one sentence: line, cause, cure.
        cure: what to do, as in the sentence.
        column: where on the line, from 0; None for the whole line.
    """

    line: int
    reason: str
    cure: str
    column: int | None = None


def word_of(node: str) -> str:
    """Return what a kind of syntax is called in a sentence."""
    return _WORDS.get(node, node.lower())


class _Refuse(Exception):
    def __init__(self, line: int, cause: str, cure: str, column: int | None = None):
        super().__init__(cause)
        self.refusal = Refusal(max(1, line), f"Line {max(1, line)}: {cause}; {cure}.", cure, column)


class _Enough(Exception):
    """There is more wrong than anybody reads at once."""


def check(source: str, layout: FeatureLayout | None = None) -> tuple[Refusal, ...]:
    """Return why a text is refused, every place of it; nothing if it may go to the jail.

    Args:
        source: the text.
        layout: the body, whose landmarks and standing heights may be named; None allows every name that some body has.
    """
    found: list[Refusal] = []
    try:
        _check_text(source)
        reader = _Reader(_parse(source), layout, found)
        reader.read()
        if not found:
            weights = program.literal_weights(source)
            if len(weights) > program.MAX_TERMS:
                raise _Refuse(1, f"there are {len(weights)} terms", f"keep at most {program.MAX_TERMS}")
    except _Enough:
        pass
    except _Refuse as refused:
        found.append(refused.refusal)
    except program.ProgramError as error:
        line = error.line or 1
        cure = str(error).rsplit(": ", 1)[-1].rstrip(".")
        found.append(Refusal(line, f"Line {line}: {error}", cure))
    except (RecursionError, MemoryError):
        nested = "split it into short statements"
        found.append(Refusal(1, f"Line 1: the text is nested too deeply; {nested}.", nested))
    return tuple(sorted(_once(found), key=lambda refusal: (refusal.line, refusal.column or 0)))


def _once(found: list[Refusal]) -> list[Refusal]:
    """Return refusals without those that say the same of another line: whoever mends one mends all."""
    first: dict[str, Refusal] = {}
    for refusal in found:
        first.setdefault(refusal.reason.partition(": ")[2], refusal)
    return list(first.values())


def _check_text(source: str) -> None:
    """Refuse what must not even be parsed: size, characters, encodings, nesting."""
    try:
        size = len(source.encode())
    except UnicodeEncodeError:
        raise _Refuse(1, "the text holds half a character (a lone surrogate)", "write plain ASCII") from None
    if size > MAX_BYTES:
        raise _Refuse(1, f"the text is {size} bytes long", f"keep it under {MAX_BYTES}, with fewer and shorter terms")
    if source.count("\n") > MAX_LINES:
        raise _Refuse(MAX_LINES, f"the text has more than {MAX_LINES} lines", "write fewer and shorter terms")
    for number, line in enumerate(re.split(r"\r\n|\r|\n", source), 1):
        for column, character in enumerate(line):
            if character == "\t" or " " <= character <= "~":
                continue
            category = unicodedata.category(character)
            if category[0] == "C" or (category[0] == "Z" and character not in "\u00a0\u202f"):
                name = unicodedata.name(character, f"U+{ord(character):04X}")
                raise _Refuse(number, f"the invisible character {name} stands there", "write plain ASCII", column)
        if number <= 2 and re.match(r"[ \t\f]*#.*?coding[:=]", line):
            raise _Refuse(number, "it declares an encoding", "remove that comment; the text is UTF-8")
    depth = 0
    for token in _tokens(source):
        if token.type == tokenize.OP:
            depth += (token.string in "([{") - (token.string in ")]}")
            if depth > MAX_BRACKETS:
                raise _Refuse(token.start[0], "brackets are nested too deeply", "split the expression into named steps")
        outside = token.type not in (tokenize.COMMENT, tokenize.STRING) and not _is_string_part(token)
        if outside and not token.string.isascii():
            raise _Refuse(token.start[0], f"{token.string[:20]!r} is not ASCII", "write names with the letters a to z", token.start[1])
    # Chains without brackets also nest in the tree: not not not ..., - - - ..., a if b else c if d else ...
    for number, line in enumerate(source.splitlines(), 1):
        if re.search(r"(?:[-+~]\s*){12}|(?:\bnot\s+){12}|(?:\*\*[^*]*){12}|(?:\belse\b.*){12}|(?:\blambda\b.*){3}", line[:4000]):
            raise _Refuse(number, "operators are chained too deeply", "split the expression into named steps")
        if len(line) > 2000:
            raise _Refuse(number, f"the line is {len(line)} characters long", "split it into named steps")


def _is_string_part(token: tokenize.TokenInfo) -> bool:
    return "STRING" in tokenize.tok_name.get(token.type, "")


def _tokens(source: str) -> list[tokenize.TokenInfo]:
    found = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            found.append(token)
            if len(found) > MAX_TOKENS:
                raise _Refuse(token.start[0], f"the text has more than {MAX_TOKENS} words and signs", "write fewer terms")
    except tokenize.TokenError as error:
        line = int(error.args[1][0]) if len(error.args) > 1 else 1
        raise _Refuse(line, f"the text is not Python ({error.args[0]})", "close every bracket and string") from None
    except (SyntaxError, IndentationError) as error:
        raise _Refuse(error.lineno or 1, f"the text is not Python ({error.msg})", "indent by four spaces") from None
    return found


def _parse(source: str) -> ast.Module:
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        column = None if error.offset is None else error.offset - 1
        raise _Refuse(error.lineno or 1, f"the text is not Python ({error.msg})", "correct the syntax", column) from None
    except ValueError as error:
        raise _Refuse(1, f"the text is not Python ({error})", "write plain ASCII") from None
    # Walked with a list, because a recursive walk of a deep tree is what a bomb wants.
    waiting: list[tuple[ast.AST, int, int]] = [(tree, 0, 1)]
    while waiting:
        node, depth, line = waiting.pop()
        line = getattr(node, "lineno", line)
        if depth > MAX_DEPTH:
            raise _Refuse(line, "the expression is nested too deeply", "split it into named steps")
        waiting.extend((child, depth + 1, line) for child in ast.iter_child_nodes(node))
    return tree


@dataclass
class _Helper:
    node: ast.FunctionDef
    calls: list[tuple[str, int]] = field(default_factory=list)  # (helper, how often)
    steps: int = 0


class _Reader:
    """Reads one program's tree."""

    def __init__(self, tree: ast.Module, layout: FeatureLayout | None, found: list[Refusal]):
        self.tree = tree
        self.layout = layout
        self.found = found  # what is refused, in the order of reading
        self.kinds: dict[str, str] = {}  # name of the function that is read -> what it surely holds, as `motion.kinds` says
        vocabulary: set[str] = set().union(*public_names().values())
        self.attributes = vocabulary | _PLACES
        if layout is not None:
            parts = {part for name in layout.landmarks for part in name.split(".")}
            self.attributes = (vocabulary | parts | set(layout.standing)) - (_PLACES - parts)
        self.told: set[str] = set()  # names whose refusal is noted where they are made
        self.helpers: dict[str, _Helper] = {}
        self.constants: set[str] = set()
        self.sequences: dict[str, int] = {}  # constant -> length, where it is a literal tuple or list

    # -- the module --

    def read(self) -> None:
        """Check everything.

        Raises:
            _Refuse: something is not allowed, and nothing after it can be told.
            _Enough: `found` is full.
        """
        for node in self.tree.body:
            if isinstance(node, ast.FunctionDef):
                with self._going_on():
                    self._name_new(node.name, node, function=True)
                    if node.name in self.helpers:
                        raise self._at(node, f"{node.name} is defined twice", "give each function its own name")
                    self.helpers[node.name] = _Helper(node)
        weights_at: list[int] = []
        for i, node in enumerate(self.tree.body):
            with self._going_on():
                self._statement_outside(node, i == 0, weights_at)
        if not weights_at:
            raise _Refuse(1, "there is no WEIGHTS", 'start with WEIGHTS = {"term_name": 1.0, ...}')
        if self.found:  # how much work a text is can be told once it is one
            return
        terms = self.helpers.get("terms")
        if terms is None:
            raise _Refuse(1, "there is no function terms", "define `def terms(m):` that returns a dict of scalars")
        arguments = terms.node.args
        if len(arguments.args) != 1 or arguments.defaults:
            raise self._at(terms.node, "terms must take exactly one argument", "write `def terms(m):`")
        self._total_steps()

    @contextlib.contextmanager
    def _going_on(self) -> Iterator[None]:
        """Note what is refused within, and go on with what comes after."""
        try:
            yield
        except _Refuse as refused:
            self.found.append(refused.refusal)
            if len(self.found) >= 4 * MAX_TOLD:
                raise _Enough from None

    def _statement_outside(self, node: ast.stmt, first: bool, weights_at: list[int]) -> None:
        """Check a statement of the module; the lines of WEIGHTS are added to `weights_at`."""
        if isinstance(node, ast.FunctionDef):
            if (helper := self.helpers.get(node.name)) is not None and helper.node is node:
                self._function(helper)
        elif isinstance(node, ast.Assign):
            target = node.targets[0]
            if len(node.targets) != 1 or not isinstance(target, ast.Name):
                raise self._at(node, "only a plain name can be assigned here", "write NAME = number")
            if target.id == "WEIGHTS":
                weights_at.append(node.lineno)
                if len(weights_at) > 1:
                    raise self._at(node, "WEIGHTS is given twice", "keep one")
                self._weights(node.value)
            else:
                self.constants.add(target.id)
                if isinstance(node.value, ast.Tuple | ast.List):
                    self.sequences[target.id] = len(node.value.elts)
                self._name_new(target.id, node)
                self._constant_only(node.value, besides=target.id)
        elif not (first and isinstance(node, ast.Expr) and _is_text(node.value)):
            raise self._unknown(node, "outside a function")

    def _weights(self, node: ast.expr) -> None:
        if not isinstance(node, ast.Dict) or not node.keys:
            raise self._at(node, "WEIGHTS is not a literal dict", 'write WEIGHTS = {"term_name": 1.0, ...}')
        seen: set[str] = set()
        for key, value in zip(node.keys, node.values, strict=True):
            with self._going_on():
                self._weight(key, value, seen)
        if len(seen) > program.MAX_TERMS:
            raise self._at(node, f"there are {len(seen)} terms", f"keep at most {program.MAX_TERMS}")

    def _weight(self, key: ast.expr | None, value: ast.expr, seen: set[str]) -> None:
        if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
            raise self._at(key or value, "a term's name in WEIGHTS is not a literal string", 'write "term_name": 1.0')
        if key.value in seen:
            raise self._at(key, f"the term {key.value[:64]!r} is weighed twice", "keep one")
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,63}", key.value) or keyword.iskeyword(key.value):
            raise self._at(key, f"the term name {key.value[:40]!r} is not a plain word", "use letters, digits and _")
        seen.add(key.value)
        number = value.operand if isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.USub | ast.UAdd) else value
        if not isinstance(number, ast.Constant) or not _is_number(number.value):
            raise self._at(value, f"the weight of {key.value} is not a literal number", f'write "{key.value}": 1.0')
        if not math.isfinite(number.value) or abs(number.value) > 1e6:
            raise self._at(value, f"the weight of {key.value} is not finite and within 1e6", "write a smaller number")

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
                    raise self._at(child, f"{child.id[:40]} is not a constant", "use numbers outside functions")
            elif isinstance(child, ast.BinOp):
                self._binary(child)
            elif not isinstance(child, (ast.Tuple, ast.List, ast.Dict, ast.UnaryOp, ast.Load, *_OPERATORS)):
                raise self._unknown(child, "in a constant", "use numbers outside functions")

    # -- functions --

    def _function(self, helper: _Helper) -> None:
        node, arguments = helper.node, helper.node.args
        if node.decorator_list:
            raise self._at(node.decorator_list[0], "functions may not be decorated", "remove the decorator")
        if getattr(node, "type_params", None):
            raise self._at(node, "functions may not have type parameters", "remove them")
        if arguments.vararg or arguments.kwarg or arguments.posonlyargs:
            raise self._at(node, f"{node.name} takes * arguments", "name each argument")
        every = [*arguments.args, *arguments.kwonlyargs]
        for annotation in [a.annotation for a in every] + [node.returns]:
            if annotation is not None:
                raise self._at(annotation, "annotations are not read", "remove the annotation")
        for default in [*arguments.defaults, *(d for d in arguments.kw_defaults if d is not None)]:
            self._constant_only(default)
        names: set[str] = set()
        self.kinds = {}
        for argument in every:
            with self._going_on():
                self._name_new(argument.arg, argument)
            names.add(argument.arg)
        if node.name == "terms" and len(every) == 1:
            self.kinds[every[0].arg] = "Motion"
        helper.steps = self._body(node.body, names, helper, 1)

    def _body(self, body: list[ast.stmt], names: set[str], helper: _Helper, times: int) -> int:
        steps = 0
        for node in body:
            with self._going_on():
                steps += self._statement(node, names, helper, times)
            if steps > MAX_STEPS:
                raise self._at(node, "this repeats too much work", "use jnp on whole vectors instead of loops")
        return steps

    def _statement(self, node: ast.stmt, names: set[str], helper: _Helper, times: int) -> int:
        if isinstance(node, ast.Assign):
            steps = self._expression(node.value, names, helper, times)
            for target in node.targets:
                steps += self._target(target, names, helper, times, self._kind(node.value))
            return steps
        if isinstance(node, ast.AugAssign):
            if not isinstance(node.target, ast.Name):
                raise self._at(node, "only a plain name can be changed in place", "assign to a name")
            self._load(node.target, names)
            self._operator(node.op, node)
            if isinstance(node.op, ast.Pow):
                self._exponent(node.value)
            self._hold(node.target.id, "Array" if "Array" in (self.kinds.get(node.target.id), self._kind(node.value)) else "")
            return times + self._expression(node.value, names, helper, times)
        if isinstance(node, ast.Return):
            if node.value is None:
                raise self._at(node, "it returns nothing", "return a dict of scalars")
            return self._expression(node.value, names, helper, times)
        if isinstance(node, ast.If):
            steps = self._expression(node.test, names, helper, times)
            self._decided(node, node.test)
            return steps + self._body(node.body, names, helper, times) + self._body(node.orelse, names, helper, times)
        if isinstance(node, ast.For):
            if node.orelse or node.type_comment:
                raise self._at(node, "a for loop has an else", "remove the else")
            count = 1
            with self._going_on():
                count = self._iterations(node.iter, names)
            steps = self._expression(node.iter, names, helper, times)
            steps += self._target(node.target, names, helper, times * count)
            return steps + self._body(node.body, names, helper, times * count)
        if isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and _is_text(node.value)):
            return 0
        if isinstance(node, ast.Expr):
            before = len(self.found)
            self._expression(node.value, names, helper, times)
            if len(self.found) > before:
                return times
            raise self._at(node, "the value of this line is not used", "assign it to a name, or remove the line")
        if isinstance(node, ast.FunctionDef):
            raise self._at(node, f"{node.name} is defined inside a function", "define helpers at the top of the text")
        if isinstance(node, ast.While):
            with self._going_on():
                self._expression(node.test, names, helper, times)
        raise self._unknown(node, "in a function")

    def _target(self, target: ast.expr, names: set[str], helper: _Helper, times: int, kind: str = "") -> int:
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
        raise self._at(target, "only names and dict entries can be assigned", 'write name = ... or out["term"] = ...')

    def _iterations(self, node: ast.expr, names: set[str]) -> int:
        """Return how often a loop over node runs.

        Raises:
            _Refuse: it cannot be told from the text, or is too often.
        """
        count: int | None = None
        if isinstance(node, ast.Tuple | ast.List):
            count = len(node.elts)
        elif isinstance(node, ast.Name) and node.id in self.sequences and node.id not in names:
            count = self.sequences[node.id]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
            if node.func.id == "range" and 1 <= len(node.args) <= 3:
                numbers = [_whole(a) for a in node.args]
                if None not in numbers and (len(numbers) < 3 or numbers[2] != 0):
                    count = len(range(*(n for n in numbers if n is not None)))
            elif node.func.id in ("enumerate", "zip", "list", "tuple") and node.args:
                count = min(self._iterations(a, names) for a in node.args[: 1 if node.func.id == "enumerate" else None])
        if count is None:
            # A local list or tuple: its length is that of a literal, so the amount is bounded by the text.
            if isinstance(node, ast.Name) and node.id in names:
                return MAX_LOOP
            raise self._at(node, "how often this loop runs cannot be told from the text", "loop over a short literal tuple or range(8)")
        if count > MAX_LOOP:
            raise self._at(node, f"this loop runs {count} times", f"loop at most {MAX_LOOP} times, or use jnp on whole vectors")
        return count

    # -- expressions --

    def _expression(self, node: ast.AST, names: set[str], helper: _Helper, times: int) -> int:
        """Check an expression and all its parts; return how much work it is. What is refused in it is noted, and the rest read on."""
        steps = times
        with self._going_on():
            steps = self._expression_of(node, names, helper, times)
        return steps

    def _expression_of(self, node: ast.AST, names: set[str], helper: _Helper, times: int) -> int:
        if not isinstance(node, _EXPRESSIONS):
            raise self._unknown(node, "in an expression")
        steps = times
        if isinstance(node, ast.Constant):
            self._literal(node)
            return steps
        if isinstance(node, ast.Name):
            self._load(node, names)
            if node.id in self.helpers or node.id in program.BUILTIN_NAMES or node.id in SHAPING or node.id == "jnp":
                raise self._at(node, f"{node.id} is used without being called", f"write {node.id}(...)")
            return steps
        if isinstance(node, ast.Attribute):
            jnp_value = isinstance(node.value, ast.Name) and node.value.id == "jnp"
            if jnp_value and node.attr in program.JNP_NAMES and node.attr not in _JNP_VALUES:
                raise self._at(node, f"jnp.{node.attr} is used without being called", f"write jnp.{node.attr}(...)")
            return steps + self._attribute(node, names, helper, times)
        if isinstance(node, ast.Call):
            return steps + self._call(node, names, helper, times)
        if isinstance(node, ast.ListComp | ast.GeneratorExp | ast.DictComp):
            return steps + self._comprehension(node, names, helper, times)
        if isinstance(node, ast.BinOp):
            self._binary(node)
        if isinstance(node, ast.Dict) and None in node.keys:
            raise self._at(node, "a dict is unpacked with **", "write its entries out")
        before = len(self.found)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.operator | ast.unaryop | ast.cmpop | ast.boolop):
                self._operator(child, node)
            elif not isinstance(child, ast.expr_context):
                steps += self._expression(child, names, helper, times)
        if len(self.found) == before:
            self._meant(node)
        return steps

    def _meant(self, node: ast.AST) -> None:
        """Refuse what is sound Python, but cannot be of a quantity of m: a decision on it, an index or a sum of what has names."""
        if isinstance(node, ast.Subscript):
            kind = self._kind(node.value)
            if kind in kinds():
                index = node.slice.value if isinstance(node.slice, ast.Constant) else None
                raise self._at(node, f"{_short(node.value)} is not indexed", index_cure(kind, index))
        elif isinstance(node, ast.BoolOp):
            self._decided(node, *node.values)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            self._decided(node, node.operand)
        elif isinstance(node, ast.IfExp):
            self._decided(node, node.test)
        elif isinstance(node, ast.Compare):
            self._decided(node, node.left, *node.comparators)
        parts: list[ast.expr] = []
        if isinstance(node, ast.BinOp):
            parts = [node.left, node.right]
        elif isinstance(node, ast.UnaryOp):
            parts = [node.operand]
        elif isinstance(node, ast.Compare):
            parts = [node.left, *node.comparators]
        for part in parts:
            self._quantity(part)

    def _decided(self, node: ast.AST, *values: ast.expr) -> None:
        """Refuse that Python decides on a quantity of m."""
        name = program.decides(node)
        if name and any(self._kind(value) == "Array" for value in values):
            what, cure = program.DECIDES[name]
            raise self._at(node if isinstance(node, ast.expr | ast.stmt) else values[0], f"{what} asks for {program.TRACED}", cure)

    def _quantity(self, node: ast.expr) -> None:
        """Refuse to calculate with what holds quantities by name, such as a landmark."""
        kind = self._kind(node)
        if kind in kinds():
            some = ", ".join(f"{_short(node)}.{name}" for name, of in sorted(kinds()[kind].items()) if of in ("Array", "float"))
            cure = f"name one of its quantities: {some}" if some else "name a landmark of it and a quantity, such as .foot.height"
            raise self._at(node, f"{_short(node)} is no number", cure)

    def _hold(self, name: str, kind: str) -> None:
        """Note what a name holds from here on; a name that holds one thing here and another there is not known."""
        self.kinds[name] = kind if self.kinds.get(name, kind) == kind else ""

    def _kind(self, node: ast.AST) -> str:
        """Return what an expression surely is: a class of `motion.kinds`, "Array" (a quantity of m), "float" (a constant), or ""."""
        if isinstance(node, ast.Name):
            return self.kinds.get(node.id, "")
        if isinstance(node, ast.Attribute):
            owner = self._kind(node.value)
            if owner == "Side":
                return "Foot" if node.attr == "foot" else "Landmark"
            return "float" if owner == "Standing" else kinds().get(owner, {}).get(node.attr, "")
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute):
                called = kinds().get(self._kind(node.func.value), {}).get(node.func.attr, "") if node.func.attr in _METHODS else ""
                if called:
                    return called
            of_jnp = isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name) and node.func.value.id == "jnp"
            shaped = isinstance(node.func, ast.Name) and (node.func.id in SHAPING or node.func.id == "abs")
            return "Array" if (of_jnp or shaped) and any(self._kind(a) == "Array" for a in node.args) else ""
        if isinstance(node, ast.Subscript):
            return "Array" if self._kind(node.value) == "Array" else ""
        if isinstance(node, ast.BinOp | ast.Compare):
            parts = [node.left, *([node.right] if isinstance(node, ast.BinOp) else node.comparators)]
            return "Array" if any(self._kind(part) == "Array" for part in parts) else ""
        if isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.Not):
            return "Array" if self._kind(node.operand) == "Array" else ""
        return ""

    def _operator(self, operator: ast.AST, node: ast.AST) -> None:
        if not isinstance(operator, _OPERATORS):
            name = type(operator).__name__
            raise self._at(node, f"the operator {name} is not allowed", CURES.get(name, "use jnp"))

    def _binary(self, node: ast.BinOp) -> None:
        self._operator(node.op, node)
        if isinstance(node.op, ast.Pow):
            self._exponent(node.right)
        texts = [s for s in (node.left, node.right) if _is_text(s) or isinstance(s, ast.List | ast.Tuple)]
        if texts and not isinstance(node.op, ast.Add):
            raise self._at(node, "text or lists are repeated or formatted", "write them out")

    def _exponent(self, node: ast.expr) -> None:
        number = node.operand if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else node
        if not isinstance(number, ast.Constant) or not _is_number(number.value) or abs(number.value) > MAX_POWER:
            raise self._at(node, f"an exponent is not a literal number of at most {MAX_POWER}", "use jnp.power or jnp.exp")

    def _attribute(self, node: ast.Attribute, names: set[str], helper: _Helper, times: int) -> int:
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
            raise self._at(private, cause, "use only what the vocabulary of m names")
        of_jnp = isinstance(node.value, ast.Name) and node.value.id == "jnp"
        if not of_jnp and isinstance(node.value, ast.Name | ast.Attribute | ast.Call | ast.Subscript | ast.IfExp):
            before = len(self.found)
            steps = self._expression(node.value, names, helper, times)
            if len(self.found) > before:  # the innermost cause is the one to name
                return steps
        if _root(node) in self.told - names:
            return steps
        column = (node.end_col_offset or len(name)) - len(name)
        if isinstance(node.value, ast.Name) and node.value.id == "jnp":
            if name not in program.JNP_NAMES:
                cure = JNP_CURES.get(name) or _similar(name, program.JNP_NAMES, "jnp.")
                raise _Refuse(node.lineno, f"jnp.{name[:40]} is not available", cure, column)
            return 0
        anywhere = self.layout is None and name.endswith("_height")
        owner = self._kind(node.value)
        there = self._there(owner)
        lacking = name not in there if there else name not in self.attributes and not anywhere
        if lacking or owner == "Array":
            if name in program.JNP_NAMES:
                cure = f"write jnp.{name}(...)"
            elif name in _PLACES and self.layout is not None:
                cure = f"this body has {', '.join(self.layout.landmarks)}"
            elif name.endswith("_height") and self.layout is not None and owner in ("", "Motion", "Standing"):
                cure = f"m.standing has {', '.join(self.layout.standing)}"
            elif owner == "Array":
                cure = f"it is an array: {_short(node.value)}[0] is its first number"
            else:
                listed = f"{_short(node.value)} has {', '.join(sorted(there))}" if there else "use only what the vocabulary of m names"
                cure = _similar(name, sorted(there or self.attributes), "") or listed
            of = f" of {_short(node.value)}" if there or owner == "Array" else ""
            raise _Refuse(node.lineno, f"there is no attribute {name[:40]}{of}", cure, column)
        if not isinstance(node.value, ast.Name | ast.Attribute | ast.Call | ast.Subscript | ast.IfExp):
            raise self._at(node, f"{name} is asked of something that is not part of m", "use only what the vocabulary of m names")
        return steps

    def _there(self, owner: str) -> set[str]:
        """Return the attributes of a class on this body; nothing where that is not known."""
        if owner == "Side":
            if self.layout is None:
                return set()
            return {name.partition(".")[2] for name in self.layout.landmarks if "." in name}
        if owner == "Standing":
            return set() if self.layout is None else set(self.layout.standing)
        if owner == "Motion" and self.layout is not None:
            return {*kinds()[owner], *(name for name in self.layout.landmarks if "." not in name)}
        return set(kinds().get(owner, ()))

    def _call(self, node: ast.Call, names: set[str], helper: _Helper, times: int) -> int:
        steps = 0
        before = len(self.found)
        with self._going_on():
            steps = self._called(node, names, helper, times)
        for argument in node.args:
            steps += self._expression(argument, names, helper, times)
        for given in node.keywords:
            if given.arg is None or given.arg.startswith("_"):
                raise self._at(node, "arguments are unpacked with **", "write the arguments out")
            steps += self._expression(given.value, names, helper, times)
        if len(self.found) == before:
            self._decided(node, *node.args)
            own = isinstance(node.func, ast.Name) and node.func.id in self.helpers
            for argument in () if own else node.args:
                self._quantity(argument)
        return steps

    def _called(self, node: ast.Call, names: set[str], helper: _Helper, times: int) -> int:
        """Check what is called."""
        steps = 0
        target = node.func
        if isinstance(target, ast.Name):
            name = target.id
            if name in names:
                raise self._at(node, f"{name[:40]} is a value, not a function", "call jnp, shaping functions or your own helpers")
            if name in self.helpers:
                if name == "terms":
                    raise self._at(node, "terms is called by the program itself", "put shared parts into a helper")
                helper.calls.append((name, times))
            elif name in self.told:
                return steps
            elif name not in SHAPING and name not in program.BUILTIN_NAMES:
                self._load(target, names)
                raise self._at(node, f"{name[:40]} is not a function", "call jnp, shaping functions or your own helpers")
            if name == "range":
                self._iterations(node, names)
        elif isinstance(target, ast.Attribute):
            before = len(self.found)
            steps += self._attribute(target, names, helper, times)
            if len(self.found) > before:
                return steps
            is_jnp = isinstance(target.value, ast.Name) and target.value.id == "jnp"
            if _root(target) in self.told - names:
                return steps
            if not is_jnp and target.attr not in _METHODS:
                raise self._at(node, f"{target.attr[:40]} is a value, not a function", f"write .{target.attr[:40]} without brackets")
            if is_jnp and target.attr in ("zeros", "ones", "reshape"):
                for child in ast.walk(node):
                    if isinstance(child, ast.Constant) and type(child.value) is int and abs(child.value) > MAX_ARRAY:
                        raise self._at(child, f"an array of {child.value} elements is asked for", f"use at most {MAX_ARRAY}")
            if is_jnp and target.attr in ("newaxis", "pi"):
                raise self._at(node, f"jnp.{target.attr} is not a function", f"write jnp.{target.attr} without brackets")
        else:
            raise self._at(node, "what is called is not a plain name", "call jnp, shaping functions or your own helpers")
        return steps

    def _comprehension(self, node: ast.ListComp | ast.GeneratorExp | ast.DictComp, names: set[str], helper: _Helper, times: int) -> int:
        inner, steps = set(names), 0
        if len(node.generators) > 2:
            raise self._at(node, "a comprehension has more than two loops", "use jnp on whole vectors")
        for generator in node.generators:
            if generator.is_async:
                raise self._at(node, "a comprehension is async", "remove async")
            count = 1
            with self._going_on():
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
            raise self._at(node, "this repeats too much work", "use jnp on whole vectors instead of loops")
        return steps

    def _literal(self, node: ast.Constant) -> None:
        value = node.value
        if value is None or isinstance(value, bool):
            return
        if isinstance(value, str):
            if len(value) > MAX_STRING or not value.isascii():
                raise self._at(node, "a string is long or not ASCII", f"keep strings plain and under {MAX_STRING} characters")
            return
        if isinstance(value, int):
            if abs(value) > MAX_INTEGER:
                raise self._at(node, "a whole number is too large", f"keep it under {MAX_INTEGER}, or write a float")
            return
        if isinstance(value, float):
            if not math.isfinite(value) or abs(value) > 1e12:
                raise self._at(node, "a number is not finite and within 1e12", "write a smaller number")
            return
        raise self._at(node, f"a literal {type(value).__name__} is not allowed", "use numbers and names of m")

    # -- names --

    def _load(self, node: ast.Name, names: set[str]) -> None:
        name = node.id
        known = {"jnp", "pi", *SHAPING, *program.BUILTIN_NAMES, *self.constants, *self.helpers, *self.told, *names}
        if name in known:
            return
        if name == "WEIGHTS":
            raise self._at(node, "WEIGHTS is read", "weights are applied outside; leave them out of the terms")
        if name in ("np", "numpy", "math", "jax", "lax"):
            raise self._at(node, f"{name} is not available", "use jnp, pi and the shaping functions")
        if hasattr(builtins, name):
            raise self._at(node, f"{name} is not available", "use only m, jnp and the shaping functions")
        if name.startswith("__"):
            raise self._at(node, f"the name {name[:40]} is private", "use only m, jnp and the shaping functions")
        cure = _similar(name, sorted(known), "") or "assign it before it is used"
        raise self._at(node, f"the name {name[:40]} is not known", cure)

    def _name_new(self, name: str, node: ast.AST, function: bool = False) -> None:
        if name.startswith("__") or name in {"jnp", "pi", "WEIGHTS", *SHAPING, *program.BUILTIN_NAMES}:
            raise self._at(node, f"the name {name[:40]} is taken", "choose another name")
        if not function and name in self.helpers:
            raise self._at(node, f"{name[:40]} is a function's name", "choose another name")
        if len(name) > 80:
            raise self._at(node, "a name is longer than 80 characters", "choose a shorter name")

    # -- how much work --

    def _total_steps(self) -> None:
        """Refuse recursion, and helpers that call helpers too many times."""
        done: dict[str, int] = {}

        def total(name: str, above: tuple[str, ...]) -> int:
            if name in above:
                node = self.helpers[name].node
                raise self._at(node, f"{name} calls itself", "write the formula without recursion")
            if name not in done:
                helper = self.helpers[name]
                done[name] = helper.steps + sum(n * total(c, (*above, name)) for c, n in helper.calls)
                if done[name] > MAX_STEPS:
                    raise self._at(helper.node, f"{name} repeats too much work", "use jnp on whole vectors instead of loops")
            return done[name]

        for name in self.helpers:
            total(name, ())

    # -- refusing --

    def _at(self, node: ast.AST, cause: str, cure: str) -> _Refuse:
        return _Refuse(getattr(node, "lineno", 1), cause, cure, getattr(node, "col_offset", None))

    def _unknown(self, node: ast.AST, where: str, cure: str = "") -> _Refuse:
        name = type(node).__name__
        if isinstance(node, ast.Import | ast.ImportFrom):  # its names are told with it
            self.told |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        return self._at(node, f"{word_of(name)} is not allowed {where}", CURES.get(name) or cure or "use plain assignments and return")


def _short(node: ast.AST) -> str:
    """Return an expression as it is written, cut to what a sentence holds."""
    text = ast.unparse(node)
    return text if len(text) <= 60 else text[:57] + "..."


def _root(node: ast.AST) -> str:
    """Return the name that a chain of attributes, calls and indices begins with; "" where it begins with none."""
    while isinstance(node, ast.Attribute | ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _whole(node: ast.expr) -> int | None:
    """Return the literal whole number that node is, or None."""
    sign = 1
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node, sign = node.operand, -1
    if isinstance(node, ast.Constant) and type(node.value) is int and abs(node.value) <= MAX_INTEGER:
        return sign * node.value
    return None


def _is_number(value: object) -> TypeGuard[int | float]:
    return type(value) in (int, float)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _similar(name: str, known: tuple[str, ...] | list[str], prefix: str) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.75)
    if close:
        return f"did you mean {prefix}{close[0]}"
    return "use jnp's elementwise functions, sums and products" if prefix else ""
