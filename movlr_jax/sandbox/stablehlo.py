"""A reader of StableHLO text in MLIR's generic form, in plain Python: text in, a tree of operations out.

The module that a jail sends is parsed here and not by MLIR's binary reader, because damaged or hostile bytecode crashes that reader (one
random bit flip in fifty does), and a crash here would be the prover's. Only what exported rewards contain is in the grammar: tensors of
f32, i32, ui32 and i1; no comments, no locations, no other types. What is not in the grammar is refused with the line it stands on.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

DTYPES: dict[str, np.dtype] = {
    "f32": np.dtype(np.float32),
    "i32": np.dtype(np.int32),
    "ui32": np.dtype(np.uint32),
    "i1": np.dtype(np.bool_),
}
_Item = TypeVar("_Item")
MAX_DEPTH = 12  # nesting of regions and of attribute values
_TOKEN = re.compile(
    r"""(?P<space>[ \n]+)
    |(?P<string>"[A-Za-z0-9_ .,:;?'(){}\[\]=<>*/\#&+-]*")
    |(?P<tensor>tensor<(?:(?:\?|[0-9]{1,7})x)*(?:f32|i32|ui32|i1)>)
    |(?P<value>%[A-Za-z0-9_]{1,40})
    |(?P<symbol>@[A-Za-z_][A-Za-z0-9_.$]{0,120})
    |(?P<block>\^bb[0-9]{1,6})
    |(?P<dialect>\#stablehlo(?:\.[a-z]+)?)
    |(?P<hex>0x[0-9A-F]{1,8}(?![0-9A-Za-z]))
    |(?P<number>-?[0-9]{1,20}(?:\.[0-9]{1,20})?(?:[eE][+-]?[0-9]{1,3})?)
    |(?P<word>[A-Za-z_][A-Za-z0-9_.]{0,80})
    |(?P<arrow>->)
    |(?P<punct>[(){}<>\[\],=:])""",
    re.VERBOSE,
)


class FormError(ValueError):
    """The text is not StableHLO as exported rewards are written; the sentence says where."""


@dataclass(frozen=True)
class Tensor:
    """A tensor type.

    Attributes:
        shape: sizes; None is the dynamic one.
        dtype: "f32", "i32", "ui32" or "i1".
    """

    shape: tuple[int | None, ...]
    dtype: str

    @property
    def elements(self) -> int:
        """Product of the static sizes."""
        count = 1
        for size in self.shape:
            count *= 1 if size is None else size
        return count


@dataclass(frozen=True)
class Typed:
    """A number with its type, such as `0 : i64`."""

    value: int | float
    type: str


@dataclass(frozen=True)
class Dense:
    """A constant tensor."""

    type: Tensor
    value: np.ndarray


@dataclass(frozen=True)
class Dialect:
    """A StableHLO attribute: an enumeration's (name, value), or a record's fields."""

    name: str
    fields: dict[str, object]


@dataclass(frozen=True)
class Function:
    """A function type."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


@dataclass
class Operation:
    """One operation, with its regions."""

    name: str
    line: int
    results: tuple[str, ...]
    operands: tuple[str, ...]
    attributes: dict[str, object]
    regions: tuple[Region, ...]
    type: Function


@dataclass
class Region:
    """A region of one block: named arguments, then operations."""

    arguments: tuple[tuple[str, Tensor], ...] = ()
    operations: list[Operation] = field(default_factory=list)


class _Parser:
    def __init__(self, text: str, max_operations: int):
        self.tokens: list[tuple[str, str, int]] = []
        self.at = 0
        self.operations_left = max_operations
        position, line = 0, 1
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                raise FormError(f"unknown text {text[position : position + 24]!r} on line {line}")
            kind, value = str(match.lastgroup), match.group()
            if kind == "space":
                line += value.count("\n")
            else:
                self.tokens.append((kind, value, line))
            position = match.end()
        self.tokens.append(("end", "", line))

    def peek(self) -> tuple[str, str]:
        kind, value, _ = self.tokens[self.at]
        return kind, value

    def take(self, kind: str | None = None, value: str | None = None) -> str:
        actual, text, line = self.tokens[self.at]
        if (kind is not None and actual != kind) or (value is not None and text != value):
            raise FormError(f"{value or kind} expected, {text[:40]!r} found on line {line}")
        if actual == "end":
            raise FormError(f"the text ends early on line {line}")
        self.at += 1
        return text

    def accept(self, value: str) -> bool:
        kind, text = self.peek()
        if text == value and kind in ("punct", "arrow", "word"):
            self.at += 1
            return True
        return False

    def sequence(self, end: str, item: Callable[[], _Item]) -> list[_Item]:
        """Read items separated by commas up to and with `end`."""
        items: list[_Item] = []
        if self.accept(end):
            return items
        while True:
            items.append(item())
            if self.accept(end):
                return items
            self.take("punct", ",")

    def tensor(self) -> Tensor:
        *sizes, dtype = self.take("tensor")[7:-1].split("x")
        return Tensor(tuple(None if s == "?" else int(s) for s in sizes), dtype)

    def types(self) -> tuple[Tensor, ...]:
        if self.accept("("):
            return tuple(self.sequence(")", self.tensor))
        return (self.tensor(),)

    def function_type(self) -> Function:
        self.take("punct", "(")
        inputs = tuple(self.sequence(")", self.tensor))
        self.take("arrow")
        return Function(inputs, self.types())

    def dictionary(self, depth: int) -> dict[str, object]:
        def entry() -> tuple[str, object]:
            name = self.take("word")
            self.take("punct", "=")
            return name, self.attribute(depth + 1)

        entries = self.sequence("}", entry)
        if len(dict(entries)) != len(entries):
            raise FormError("an attribute is given twice")
        return dict(entries)

    def attribute(self, depth: int) -> object:
        if depth > MAX_DEPTH:
            raise FormError("attributes are nested too deeply")
        kind, text = self.peek()
        if kind == "string":
            return self.take()[1:-1]
        if kind == "symbol":
            return self.take()
        if kind == "number":
            return self._number()
        if kind == "dialect":
            return self._dialect(depth)
        if kind == "punct" and text == "[":
            self.take()
            return self.sequence("]", lambda: self.attribute(depth + 1))
        if kind == "punct" and text == "{":
            self.take()
            return self.dictionary(depth)
        if kind == "punct" and text == "(":
            return self.function_type()
        if kind == "word" and text in ("true", "false"):
            return self.take() == "true"
        if kind == "word" and text == "array":
            return self._array()
        if kind == "word" and text == "dense":
            return self._dense()
        raise FormError(f"unknown attribute {text[:40]!r}")

    def _number(self) -> Typed | int:
        value = self._plain_number()
        if self.accept(":"):
            return Typed(value, self.take("word"))
        if not isinstance(value, int):
            raise FormError("a number without a type")
        return value

    def _plain_number(self) -> int | float:
        text = self.take("number")
        return int(text) if re.fullmatch(r"-?[0-9]+", text) else float(text)

    def _dialect(self, depth: int) -> Dialect:
        name = self.take("dialect")
        self.take("punct", "<")
        if name == "#stablehlo":
            what, value = self.take("word"), self.take("word")
            self.take("punct", ">")
            return Dialect(what, {"value": value})

        def entry() -> tuple[str, object]:
            key = self.take("word")
            self.take("punct", "=")
            return key, self.attribute(depth + 1)

        return Dialect(name.split(".")[1], dict(self.sequence(">", entry)))

    def _array(self) -> tuple[int, ...]:
        self.take("word")
        self.take("punct", "<")
        if self.take("word") not in ("i64", "i32"):
            raise FormError("an array of an unknown type")
        if self.accept(">"):
            return ()
        self.take("punct", ":")
        values = self.sequence(">", self._plain_number)
        if not all(isinstance(v, int) for v in values):
            raise FormError("an array of whole numbers holds another")
        return tuple(int(v) for v in values)

    def _dense(self) -> Dense:
        self.take("word")
        self.take("punct", "<")
        raw = self._bytes() if self.peek()[0] == "string" else self._elements(0)
        self.take("punct", ">")
        self.take("punct", ":")
        kind_of = self.tensor()
        return Dense(kind_of, _dense_value(raw, kind_of))

    def _bytes(self) -> bytes:
        text = self.take("string")[1:-1]
        if not re.fullmatch(r"0x(?:[0-9A-F]{2})+", text):
            raise FormError("a constant's bytes are not hexadecimal")
        return bytes.fromhex(text[2:])

    def _elements(self, depth: int) -> object:
        if depth > 6:
            raise FormError("a constant is nested too deeply")
        if self.accept("["):
            return self.sequence("]", lambda: self._elements(depth + 1))
        kind, text = self.peek()
        if kind == "hex":
            return self.take()
        if kind == "word" and text in ("true", "false"):
            return self.take() == "true"
        return self._plain_number()

    def operation(self, depth: int) -> Operation:
        if depth > MAX_DEPTH:
            raise FormError("regions are nested too deeply")
        self.operations_left -= 1
        if self.operations_left < 0:
            raise FormError("too many operations")
        line = self.tokens[self.at][2]
        results: tuple[str, ...] = ()
        if self.peek()[0] == "value":
            results = (self.take(),)
            self.take("punct", "=")
        name = self.take("string")[1:-1]
        self.take("punct", "(")
        operands = tuple(self.sequence(")", lambda: self.take("value")))
        attributes: dict[str, object] = {}
        if self.accept("<"):
            self.take("punct", "{")
            attributes.update(self.dictionary(0))
            self.take("punct", ">")
        regions: list[Region] = []
        if self.accept("("):
            regions = self.sequence(")", lambda: self.region(depth + 1))
        if self.accept("{"):
            more = self.dictionary(0)
            if set(more) & set(attributes):
                raise FormError("an attribute is given twice")
            attributes.update(more)
        self.take("punct", ":")
        kind = self.function_type()
        if len(kind.inputs) != len(operands) or len(kind.outputs) != len(results):
            raise FormError(f"operands or results of {name} do not match its type on line {line}")
        return Operation(name, line, results, operands, attributes, tuple(regions), kind)

    def region(self, depth: int) -> Region:
        self.take("punct", "{")
        region = Region()
        if self.peek()[0] == "block":
            self.take()

            def argument() -> tuple[str, Tensor]:
                name = self.take("value")
                self.take("punct", ":")
                return name, self.tensor()

            self.take("punct", "(")
            region.arguments = tuple(self.sequence(")", argument))
            self.take("punct", ":")
        while not self.accept("}"):
            region.operations.append(self.operation(depth))
        return region


def _dense_value(raw: object, kind: Tensor) -> np.ndarray:
    """Return the array of a constant, written as a splat, nested lists, or hexadecimal bytes."""
    if None in kind.shape:
        raise FormError("a constant has a dynamic size")
    dtype, shape = DTYPES[kind.dtype], tuple(s or 0 for s in kind.shape)
    if kind.elements > 1 << 16:
        raise FormError(f"a constant has {kind.elements} elements")
    if isinstance(raw, bytes):
        if dtype.itemsize != 4 or len(raw) != 4 * kind.elements:
            raise FormError("a constant has fewer or more bytes than its type")
        return np.frombuffer(raw, dtype.newbyteorder("<")).astype(dtype).reshape(shape)

    def one(item: object) -> object:
        if isinstance(item, list):
            return [one(i) for i in item]
        if isinstance(item, str):
            return _from_bits(item, dtype)
        return item

    try:
        value = np.array(one(raw))
        if value.dtype == object or (kind.dtype != "f32" and value.dtype.kind not in "iub"):
            raise FormError("a constant's elements do not match its type")
        if kind.dtype != "f32" and value.size and kind.dtype != "i1":
            limits = np.iinfo(dtype)
            if int(value.min()) < limits.min or int(value.max()) > limits.max:
                raise FormError("a constant does not fit its type")
        with np.errstate(over="ignore"):
            value = value.astype(dtype)
        return np.broadcast_to(value, shape) if value.ndim == 0 else value.reshape(shape)
    except (ValueError, TypeError, OverflowError):
        raise FormError("a constant's elements do not match its type") from None


def _from_bits(text: str, dtype: np.dtype) -> object:
    if dtype.kind != "f" or not re.fullmatch(r"0x[0-9A-F]{8}", text):
        raise FormError("a constant's bits do not match its type")
    return np.frombuffer(bytes.fromhex(text[2:]), ">f4")[0]


def parse(text: str, max_operations: int) -> Operation:
    """Return the module that text holds.

    Args:
        text: the whole text, ASCII.
        max_operations: more are refused.

    Raises:
        FormError: it is not one module of this grammar.
    """
    parser = _Parser(text, max_operations)
    module = parser.operation(0)
    if parser.peek()[0] != "end":
        raise FormError("there is text after the module")
    if module.name != "builtin.module" or len(module.regions) != 1:
        raise FormError("it is not a module")
    return module
