"""Typed configurations as YAML: a frozen dataclass becomes a text, and a text a dataclass or one sentence that says what is wrong.

Flows in: a dataclass with defaults, a YAML text. Flows out: the other of the two. Names and types are checked, at every depth. A record of
several kinds, such as a planner, says by `of_values` which of them its values mean, and by `kinds` which there are.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

import pydantic
import yaml

from movlr_jax import atomic
from movlr_jax.errors import MovlrError, UnknownName, did_you_mean

T = TypeVar("T")
_UNKNOWN = ("unexpected_keyword_argument", "invalid_key")  # what pydantic calls a name that a dataclass has not
_MOST_TEXT, _MOST_VALUES, _DEEPEST = 1 << 20, 100_000, 30


def dump(config: Any) -> str:
    """Return a dataclass as YAML."""
    return yaml.safe_dump(plain(config), sort_keys=False, allow_unicode=True)


def plain(config: Any) -> dict[str, Any]:
    """Return a dataclass as plain values, nested as in YAML."""
    return dict(_plain(dataclasses.asdict(config)))


def parse(text: str, record: type[T], origin: str = "the configuration") -> T:
    """Return the dataclass in a YAML text; what it leaves out has its default.

    Args:
        text: YAML.
        record: the dataclass.
        origin: what to call the text in an error.

    Raises:
        MovlrError: it is not YAML, names an unknown value, or gives one of the wrong type.
    """
    raw = values(text, origin)
    return validated({} if raw is None else raw, record, origin)


def values(text: str, origin: str) -> Any:
    """Return the plain values of a YAML text: numbers, texts, lists, dictionaries.

    Args:
        text: YAML.
        origin: what to call it in an error.

    Raises:
        MovlrError: it is not YAML, names a value twice, or is deeper or, with its aliases written out, larger than a configuration is.
    """
    if len(text) > _MOST_TEXT:
        raise MovlrError(f"{origin} has more than {_MOST_TEXT} characters, which no configuration has: name another file.")
    try:
        loader = yaml.SafeLoader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            _size(node, origin, {}, 0)
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except RecursionError:
        raise MovlrError(f"{origin} is nested too deep: a configuration has a few levels.") from None
    # PyYAML passes on what Python makes of a number or a date that is none.
    except (yaml.YAMLError, ValueError) as error:
        raise MovlrError(f"{origin} is not YAML: {' '.join(str(error).split())[:200]}.") from None


def _size(node: yaml.Node, origin: str, known: dict[int, int], depth: int) -> int:
    """Return how many values a node stands for, aliases written out."""
    if depth > _DEEPEST:
        raise MovlrError(f"{origin} is nested too deep: a configuration has a few levels.")
    if id(node) in known:
        if known[id(node)] < 0:
            raise MovlrError(f"{origin} holds a value that contains itself: write it out.")
        return known[id(node)]
    known[id(node)] = -1
    size = 1
    if isinstance(node, yaml.MappingNode):
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        twice = next((key for key in keys if keys.count(key) > 1), None) if len(keys) < _MOST_VALUES else None
        if twice is not None:
            raise MovlrError(f"{origin} names {twice} twice: give it once.")
        size += sum(_size(part, origin, known, depth + 1) for pair in node.value for part in pair)
    elif isinstance(node, yaml.SequenceNode):
        size += sum(_size(part, origin, known, depth + 1) for part in node.value)
    if size > _MOST_VALUES:
        raise MovlrError(f"{origin} holds more than {_MOST_VALUES} values, aliases written out: give fewer.")
    known[id(node)] = size
    return size


def validated(raw: Any, record: type[T], origin: str = "the configuration", prefix: str = "") -> T:
    """Return a dataclass of plain values, nested as in YAML; what they leave out has its default.

    Args:
        raw: the values.
        record: the dataclass.
        origin: what to call them in an error.
        prefix: what stands before their names in an error.

    Raises:
        MovlrError: they name an unknown value, or give one of the wrong type.
    """
    if not isinstance(raw, dict):
        raise MovlrError(f"{origin} must be a list of `name: value` lines.")
    kind: Any = record
    settled = _settled(kind.migrated(raw) if hasattr(kind, "migrated") else raw, record, origin, prefix)
    try:
        return _adapter(kind).validate_python(settled, extra="forbid")
    except pydantic.ValidationError as error:
        # A misspelt name is told before what else is wrong.
        first = min(error.errors(), key=lambda e: e["type"] not in _UNKNOWN)
        *above, name = first["loc"] or ("a value",)
        where = prefix + ".".join(map(str, (*above, name)))
        if first["type"] not in _UNKNOWN:
            raise MovlrError(f"{origin}: {where} is {first['input']!r}: {first['msg'].lower()}.") from None
        known = _names(record, above)
        raise MovlrError(
            f"{origin} has an unknown value {where}: {did_you_mean(str(name), known)}it may have {', '.join(known)}."
        ) from None


def _names(record: Any, path: Sequence[int | str]) -> list[str]:
    """Return the names that a dataclass has at a path of names and positions."""
    for part in path:
        kind = get_type_hints(record)[part] if isinstance(part, str) else record
        record = next((k for k in (kind, *get_args(kind)) if dataclasses.is_dataclass(k)), record)
    return [f.name for f in dataclasses.fields(record) if f.init]


@functools.cache
def _adapter(record: Any) -> pydantic.TypeAdapter[Any]:
    return pydantic.TypeAdapter(record)


def load(path: Path, record: type[T]) -> T:
    """Return the dataclass in a YAML file.

    Raises:
        MovlrError: there is no such file, or as in `parse`.
    """
    return parse(read(path, "configuration"), record, str(path))


def read(path: Path, what: str) -> str:
    """Return the text of a YAML file that the user named.

    Args:
        path: the file.
        what: what it should be, for people.

    Raises:
        MovlrError: it cannot be read, or is no text.
    """
    try:
        return atomic.read_text(path, 4 * _MOST_TEXT, follow=True)
    except OSError as error:
        raise MovlrError(f"Cannot read the {what} {path}: {error.strerror}.") from None


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    return str(value) if isinstance(value, Path) else value


def fields_of(record: Any) -> dict[str, Any]:
    """Return the types of a dataclass's fields, by name; of one of several kinds the fields of all."""
    kinds = record.kinds() if hasattr(record, "kinds") else [record]
    return {name: hint for kind in kinds for name, hint in get_type_hints(kind).items()}


def _settled(raw: Mapping[str, Any], record: type, origin: str, prefix: str) -> dict[str, Any]:
    """Return values with a record in place of those of one of several kinds.

    Raises:
        MovlrError: there is no such kind, or its values are wrong.
    """
    hints, settled = get_type_hints(record), dict(raw)
    for key, value in raw.items():
        if not (isinstance(value, Mapping) and dataclasses.is_dataclass(hints.get(key))):
            continue
        hint: Any = hints[key]
        if not hasattr(hint, "of_values"):
            settled[key] = _settled(value, hint, origin, f"{prefix}{key}.")
            continue
        try:
            kind, values = hint.of_values(value)
        except UnknownName as error:
            raise MovlrError(f"{origin}: {prefix}{key}: {error}") from None
        settled[key] = validated(values, kind, origin, f"{prefix}{key}.")
    return settled
