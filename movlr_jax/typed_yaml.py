"""Typed configurations as YAML: a frozen dataclass becomes a text, and a text a dataclass or one sentence that says what is wrong.

Flows in: a dataclass with defaults, a YAML text. Flows out: the other of the two. Names and types are checked, at every depth.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import pydantic
import yaml

from movlr_jax import atomic
from movlr_jax.errors import MovlrError

T = TypeVar("T")


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
    try:
        raw = yaml.safe_load(text)
    except RecursionError:
        raise MovlrError(f"{origin} is nested too deep: a configuration has a few levels.") from None
    except yaml.YAMLError as error:
        raise MovlrError(f"{origin} is not YAML: {' '.join(str(error).split())[:200]}.") from None
    return validated({} if raw is None else raw, record, origin)


def validated(raw: Any, record: type[T], origin: str = "the configuration") -> T:
    """Return a dataclass of plain values, nested as in YAML; what they leave out has its default.

    Args:
        raw: the values.
        record: the dataclass.
        origin: what to call them in an error.

    Raises:
        MovlrError: they name an unknown value, or give one of the wrong type.
    """
    if not isinstance(raw, dict):
        raise MovlrError(f"{origin} must be a list of `name: value` lines.")
    _refuse_unknown(raw, record, origin, "")
    kind: Any = record
    try:
        return _adapter(kind).validate_python(raw)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise MovlrError(f"{origin}: {where or 'a value'} is {first['input']!r}: {first['msg'].lower()}.") from None


@functools.cache
def _adapter(record: Any) -> pydantic.TypeAdapter[Any]:
    return pydantic.TypeAdapter(record)


def load(path: Path, record: type[T]) -> T:
    """Return the dataclass in a YAML file.

    Raises:
        MovlrError: there is no such file, or as in `parse`.
    """
    try:
        text = atomic.read_text(path, follow=True)
    except OSError as error:
        raise MovlrError(f"Cannot read the configuration {path}: {error.strerror}.") from None
    return parse(text, record, str(path))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    return str(value) if isinstance(value, Path) else value


def _refuse_unknown(raw: Mapping[str, Any], record: type, origin: str, prefix: str) -> None:
    hints = get_type_hints(record)
    for key, value in raw.items():
        if key not in hints:
            raise MovlrError(f"{origin} has an unknown value {prefix}{key}: it may have {', '.join(hints)}.")
        if isinstance(value, Mapping) and dataclasses.is_dataclass(hints[key]):
            _refuse_unknown(value, hints[key], origin, f"{prefix}{key}.")
