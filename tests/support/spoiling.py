"""Spoils a copy of a run's folder in drawn ways: other bytes and JSON values, links, pipes, folders in the place of files."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

ODD: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    7,
    10**12,
    1e300,
    -0.5,
    "",
    "text",
    "\x1b[2J",
    "../../outside",
    [],
    [1],
    {},
    {"a": None},
    [[]],
    {"": {"b": [0]}},
)
odd_values = st.one_of(st.sampled_from(ODD), st.text(max_size=6), st.integers(), st.floats(), st.lists(st.integers(), max_size=2))


def _places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value inside a JSON value."""
    found = [at]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += _places(inner, (*at, key))
    return found


def _put(value: Any, at: tuple[Any, ...], new: Any, gone: bool) -> Any:
    if not at:
        return new
    key = at[0]
    copy = dict(value) if isinstance(value, dict) else list(value)
    if len(at) == 1 and gone:
        del copy[key]
    else:
        copy[key] = _put(copy[key], at[1:], new, gone)
    return copy


def spoil(run: Path, outside: Path, draw: Any, *, odd: bool = False) -> str:
    """Spoil one thing in a run's folder, drawn by hypothesis, and say what; with `odd`, a value in a JSON file."""
    files = sorted(str(path.relative_to(run)) for path in run.rglob("*.json" if odd else "*"))
    path = run / draw(st.sampled_from(files))
    readable = path.suffix == ".json" and path.is_file() and not path.is_symlink()
    how = (
        draw(st.sampled_from(["value", "gone"]))
        if odd
        else draw(
            st.sampled_from(["value", "value", "value", "gone"] if readable else ["bytes", "cut"])
            | st.sampled_from(["link", "pipe", "folder", "missing"])
        )
    )
    if how in ("value", "gone"):
        try:
            value = json.loads(path.read_text())
        except (ValueError, OSError):
            return "spoilt already"
        at = draw(st.sampled_from(_places(value)))
        changed = _put(value, at, draw(odd_values), how == "gone")
        path.write_text(json.dumps(changed))
        return f"{path.name}: {at} {how}"
    old = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    if how == "bytes":
        at = draw(st.integers(0, max(len(old) - 1, 0)))
        path.write_bytes(old[:at] + draw(st.binary(max_size=8)) + old[at + draw(st.integers(0, 8)) :])
    elif how == "cut":
        path.write_bytes(old[: draw(st.integers(0, len(old)))])
    elif how == "link":
        path.symlink_to(draw(st.sampled_from([str(outside), str(outside / "secret.txt"), "..", "nowhere", "iterations/001"])))
    elif how == "pipe":
        os.mkfifo(path)
    elif how == "folder":
        path.mkdir()
    return f"{path.name}: {how}"
