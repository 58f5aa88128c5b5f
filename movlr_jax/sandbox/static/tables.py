"""What a program may be made of, and the cures that a refusal names: the tables that refuse, from which the rules in words are made."""

from __future__ import annotations

import ast

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
MAX_REFUSALS = 12  # named at once

JNP_VALUES = frozenset({"newaxis", "pi", "float32"})
METHODS = frozenset({"joint", "muscle_group"})
PLACES = frozenset(
    {"hip", "knee", "ankle", "foot", "heel", "toe", "hand", "shoulder", "elbow", "thumb", "index", "middle", "ring", "little"}
)
EXPRESSIONS: tuple[type[ast.AST], ...] = (
    ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.IfExp, ast.Dict, ast.Compare, ast.Call, ast.Constant, ast.Attribute, ast.Subscript,
    ast.Name, ast.List, ast.Tuple, ast.Slice, ast.ListComp, ast.GeneratorExp, ast.DictComp,
)  # fmt: skip
OPERATORS: tuple[type[ast.AST], ...] = (
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


def word_of(node: str) -> str:
    """Return what a kind of syntax is called in a sentence."""
    return _WORDS.get(node, node.lower())
