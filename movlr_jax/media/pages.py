"""Pages of one HTML file that load nothing and run only their own script; whatever they are filled with is shown as text.

In: a template of `templates/`, and data, much of which was written by models and is hostile until shown. Out: HTML. Every value is escaped
by jinja and its invisible characters are spelled out; a content policy in the page lets no script run but its own.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import math
import unicodedata
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from movlr_jax import atomic
from movlr_jax.errors import MovlrError

if TYPE_CHECKING:
    import jinja2

Key = TypeVar("Key", bound=Hashable)

LONGEST_TEXT = 60_000  # characters of one text shown
CLIP_BUDGET = 24_000_000  # bytes of mp4 embedded; base64 adds a third
_LARGEST_PICTURE = 20_000_000  # bytes


def write(path: Path, template: str, data: Mapping[str, Any], *, style: Sequence[str], script: str, filters: Mapping[str, Any]) -> Path:
    """Fill a template, write the page, and return its path.

    Args:
        path: the file.
        template: its name in `templates/`; it extends page.html.j2, and `title` is among its data.
        data: what it shows.
        style, script: files in `templates/`, our own: they go into the page as they are.
        filters: functions that the template applies to values, by name.

    Raises:
        MovlrError: the file cannot be written.
    """
    from markupsafe import Markup

    code = _file(script)
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    own = {"style": Markup("".join(map(_file, style))), "script": Markup(code), "digest": digest}
    page = _environment().overlay()
    page.filters = {**page.filters, **filters}
    text = page.get_template(template).render(**own, **data)
    try:
        atomic.write_bytes(path, text.encode("utf-8", errors="replace"))
    except OSError as error:
        raise MovlrError(f"Cannot write {path} ({error.strerror}): make room, or make it writable.") from None
    return path


def _file(name: str) -> str:
    return resources.files("movlr_jax.media").joinpath("templates", name).read_text(encoding="utf-8")


@functools.cache
def _environment() -> jinja2.Environment:
    import jinja2

    return jinja2.Environment(
        loader=jinja2.PackageLoader("movlr_jax.media"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _visible(value: Any) -> Any:
    """Return any value as text that jinja then escapes: long texts cut, invisible characters shown.

    Control and format characters (zero width, right-to-left override, lone surrogates) would make a reader see another text than is there.
    """
    if hasattr(value, "__html__"):
        return value  # made by a template
    shown = "" if value is None else str(value)
    if len(shown) > LONGEST_TEXT:
        shown = shown[:LONGEST_TEXT] + " … (cut)"
    if not shown.isprintable():
        shown = "".join(
            c if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn") else f"\\u{ord(c):04x}"
            for c in shown.replace("\r\n", "\n")
        )
    return shown


def picture(path: Path) -> str:
    """Return a picture's address, with its bytes in it; none for a file that cannot be read."""
    try:
        return _embedded("image/png", atomic.read_bytes(path, _LARGEST_PICTURE))
    except (OSError, ValueError):
        return "data:image/png;base64,"


def _embedded(kind: str, data: bytes) -> str:
    """Return an address with bytes in it, which templates leave whole, however long it is."""
    from markupsafe import Markup

    return Markup(f"data:{kind};base64," + base64.b64encode(data).decode())


def clips(files: Iterable[tuple[Key, Path, str]], budget: int) -> dict[Key, str]:
    """Return the addresses of clips: with their bytes in them, or beside the page for those beyond the budget.

    Args:
        files: key, file and address beside the page, the most wanted first.
        budget: how many bytes go into the page.
    """
    addresses: dict[Key, str] = {}
    for key, path, beside in files:
        try:
            size = path.stat().st_size
            if key in addresses or not path.is_file():
                continue
            if size <= budget:
                addresses[key] = _embedded("video/mp4", atomic.read_bytes(path, size))
                budget -= size
            else:
                addresses[key] = beside
        except (OSError, ValueError):
            continue
    return addresses


@dataclass(frozen=True)
class Axes:
    """A chart of numbers over whole numbers, in the units of its drawing.

    Attributes:
        width, height: of the drawing.
        first, last: the whole numbers from left to right.
        low, high: the values from bottom to top.
    """

    width: int
    height: int
    first: int
    last: int
    low: float
    high: float

    def x(self, number: float) -> str:
        """Return where a whole number stands."""
        return f"{60 + (number - self.first) / max(self.last - self.first, 1) * (self.width - 90):.1f}"

    def y(self, value: float, shift: float = 0.0) -> str:
        """Return where a value stands."""
        return f"{20 + (self.high - value) / (self.high - self.low or 1.0) * (self.height - 60) + shift:.1f}"

    def ticks(self, numbers: Sequence[int]) -> list[int]:
        """Return some twenty of the numbers, evenly."""
        return list(numbers[:: max(1, math.ceil(len(numbers) / 20))])


def axes(width: int, height: int, points: Sequence[tuple[int, float]]) -> Axes:
    """Return the axes that some points fill, from left to right."""
    values = [value for _, value in points]
    return Axes(width, height, points[0][0], points[-1][0], min(values), max(values))


def steps(points: Sequence[tuple[int, float]], last: float) -> list[tuple[float, float]]:
    """Return the corners of a line that holds each value until the next, and the last one until a last number."""
    corners: list[tuple[float, float]] = []
    for number, value in points:
        corners += [(number, corners[-1][1])] if corners else []
        corners.append((number, value))
    return [*corners, (last, corners[-1][1])] if corners and last > corners[-1][0] else corners


def pretty(value: Any) -> str:
    """Return a record as indented JSON."""
    return json.dumps(value, indent=1, ensure_ascii=False, default=str)
