"""What an expression surely holds: a quantity of m, what has quantities by name, a number. Refuses what cannot be done with it."""

from __future__ import annotations

import ast
import contextlib
import difflib
from collections.abc import Iterator
from dataclasses import dataclass, field

from movlr_jax.rewards import program
from movlr_jax.rewards.layout import FeatureLayout
from movlr_jax.rewards.motion import index_cure, kinds, public_names
from movlr_jax.rewards.shaping import SHAPING
from movlr_jax.sandbox.static.refusals import Enough, Refusal, Refuse
from movlr_jax.sandbox.static.tables import CURES, MAX_REFUSALS, METHODS, PLACES, word_of


@dataclass
class Helper:
    """A function of the program: its tree, the helpers it calls, and how much work one call is."""

    node: ast.FunctionDef
    calls: list[tuple[str, int]] = field(default_factory=list)  # (helper, how often)
    steps: int = 0


class Quantities:
    """Follows what the names of a program hold.

    Args:
        layout: the body, whose landmarks and standing heights may be named; None allows every name that some body has.
        refusals: what is refused is added to it, in the order of reading.
    """

    def __init__(self, layout: FeatureLayout | None, refusals: list[Refusal]):
        self.layout = layout
        self.refusals = refusals  # what is refused, in the order of reading
        self.kinds: dict[str, str] = {}  # name of the function that is read -> what it surely holds, as `motion.kinds` says
        vocabulary: set[str] = set().union(*public_names().values())
        self.attributes = vocabulary | PLACES
        if layout is not None:
            parts = {part for name in layout.landmarks for part in name.split(".")}
            self.attributes = (vocabulary | parts | set(layout.standing)) - (PLACES - parts)
        self.noted: set[str] = set()  # names whose refusal is noted where they are made
        self.helpers: dict[str, Helper] = {}
        self.constants: set[str] = set()
        self.parameters: set[str] = set()  # declared by PARAMETERS
        self.misdeclared = False  # PARAMETERS is refused as a whole: nothing is said of what reads them
        self.sequences: dict[str, int] = {}  # constant -> length, where it is a literal tuple or list

    @contextlib.contextmanager
    def going_on(self) -> Iterator[None]:
        """Note what is refused within, and go on with what comes after."""
        try:
            yield
        except Refuse as refused:
            self.refusals.append(refused.refusal)
            if len(self.refusals) >= 4 * MAX_REFUSALS:
                raise Enough from None

    def _meant(self, node: ast.AST) -> None:
        """Refuse what is sound Python, but cannot be of a quantity of m: a decision on it, an index or a sum of what has names."""
        if isinstance(node, ast.Subscript):
            kind = self._kind(node.value)
            if kind in kinds():
                index = node.slice.value if isinstance(node.slice, ast.Constant) else None
                raise self.at(node, f"{short(node.value)} is not indexed", index_cure(kind, index))
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
            raise self.at(node if isinstance(node, ast.expr | ast.stmt) else values[0], f"{what} asks for {program.TRACED}", cure)

    def _quantity(self, node: ast.expr) -> None:
        """Refuse to calculate with what holds quantities by name, such as a landmark."""
        kind = self._kind(node)
        if kind in kinds():
            some = ", ".join(f"{short(node)}.{name}" for name, of in sorted(kinds()[kind].items()) if of in ("Array", "float"))
            cure = f"name one of its quantities: {some}" if some else "name a landmark of it and a quantity, such as .foot.height"
            if kind == "Parameters":
                cure = "name one of those that PARAMETERS declares"
            raise self.at(node, f"{short(node)} is no number", cure)

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
            if owner == "Parameters":
                return "Array"
            return "float" if owner == "Standing" else kinds().get(owner, {}).get(node.attr, "")
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute):
                called = kinds().get(self._kind(node.func.value), {}).get(node.func.attr, "") if node.func.attr in METHODS else ""
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

    def _there(self, owner: str) -> set[str]:
        """Return the attributes of a class on this body; nothing where that is not known."""
        if owner == "Side":
            if self.layout is None:
                return set()
            return {name.partition(".")[2] for name in self.layout.landmarks if "." in name}
        if owner == "Standing":
            return set() if self.layout is None else set(self.layout.standing)
        if owner == "Parameters":
            return self.parameters
        if owner == "Motion" and self.layout is not None:
            return {*kinds()[owner], *(name for name in self.layout.landmarks if "." not in name)}
        return set(kinds().get(owner, ()))

    def at(self, node: ast.AST, cause: str, cure: str) -> Refuse:
        """Return the refusal of a place."""
        return Refuse(getattr(node, "lineno", 1), cause, cure, getattr(node, "col_offset", None))

    def unknown(self, node: ast.AST, where: str, cure: str = "") -> Refuse:
        """Return the refusal of syntax that is not allowed there."""
        name = type(node).__name__
        if isinstance(node, ast.Import | ast.ImportFrom):  # its names are told with it
            self.noted |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        return self.at(node, f"{word_of(name)} is not allowed {where}", CURES.get(name) or cure or "use plain assignments and return")


def short(node: ast.AST) -> str:
    """Return an expression as it is written, cut to what a sentence holds."""
    text = ast.unparse(node)
    return text if len(text) <= 60 else text[:57] + "..."


def similar(name: str, known: tuple[str, ...] | list[str], prefix: str) -> str:
    """Return the cure of a name that is nearly one of those known; "" where none is near, or what jnp offers."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.75)
    if close:
        return f"did you mean {prefix}{close[0]}"
    return "use jnp's elementwise functions, sums and products" if prefix else ""
