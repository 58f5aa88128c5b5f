"""What the verbs print: tables of metrics and lists, on a terminal with rich, elsewhere as aligned plain text.

In: metrics records (DESIGN: one flat dict per episode). Out: text on stdout; `--json` documents go there alone.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from movlr_jax.media.tables import METRIC_COLUMNS, cell
from movlr_jax.plain_words import plain_text

_NOT_COLUMNS = {"seed", "fell", "dropped", "diverged", *METRIC_COLUMNS}

PLAIN_WIDTH = 140
WIDE = 1000  # for tables of many columns
_NUMBER = re.compile(r"[-+]?[\d.]*(e[-+]?\d+)?(nan|inf)?")


class PlainConsole(Console):
    """A console on which no text can steer the terminal.

    Names, sentences and programs come from models and from other people's folders: what is not seen (escape sequences, marks that turn the
    direction of writing) is taken out of everything that is printed, at this one place. Rich's own styles and cursor movements stay.
    """

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render, with every text made plain."""
        for segment in super().render(renderable, options):
            if segment.control or segment.text.isprintable():
                yield segment
            else:
                yield Segment(plain_text(segment.text), segment.style)


def say(text: object = "") -> None:
    """Print a line to stdout as it is: not wrapped, not styled, harmless."""
    stdout().print(Text(str(text)), soft_wrap=True)


def stdout(plain_width: int = PLAIN_WIDTH) -> Console:
    """Return the console for results; a fixed width where no terminal tells one, so that logs are not wrapped at 80."""
    return PlainConsole(file=sys.stdout, width=None if sys.stdout.isatty() else plain_width, highlight=False, soft_wrap=False)


def stderr() -> Console:
    """Return the console for progress and remarks."""
    return PlainConsole(file=sys.stderr, width=None if sys.stderr.isatty() else PLAIN_WIDTH, highlight=False)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """Build a table; columns that hold only numbers (or a dash) stand at the right."""
    made = Table(
        title=Text(title) if title else None,
        title_justify="left",
        title_style="bold",
        show_header=any(columns),
        box=None,
        pad_edge=False,
        header_style="dim",
    )
    cells = [[cell if isinstance(cell, Text) else Text(str(cell)) for cell in row] for row in rows]
    for i, name in enumerate(columns):
        numbers = bool(cells) and all(_NUMBER.fullmatch(row[i].plain) for row in cells)
        made.add_column(Text(name), justify="right" if numbers else "left", overflow="fold")
    for row in cells:
        made.add_row(*row)
    return made


def metrics_table(
    title: str,
    episodes: Sequence[Mapping[str, Any]],
    mean: Mapping[str, Any] | None = None,
    std: Mapping[str, Any] | None = None,
) -> Table:
    """Build the table of episodes, one row a seed, with mean and spread below where there are several."""
    extra = [k for k in (episodes[0] if episodes else {}) if k not in _NOT_COLUMNS]
    keys = [k for k in METRIC_COLUMNS if any(k in e for e in episodes)] + extra
    headings = ["seed", *(METRIC_COLUMNS.get(k, (k, ""))[0] for k in keys)]

    def cells(record: Mapping[str, Any]) -> list[str]:
        return [cell(record, k) for k in keys]

    rows = [[e.get("seed", ""), *cells(e)] for e in episodes]
    if len(episodes) > 1:
        rows += [[name, *cells(record)] for name, record in (("mean", mean), ("std", std)) if record]
    return table(title, headings, rows)


def print_json(document: Mapping[str, Any]) -> None:
    """Write one JSON document and nothing else to stdout. NaN and infinity are not JSON, so they become null."""
    sys.stdout.write(json.dumps(plain(document), indent=2, allow_nan=False) + "\n")


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: numpy becomes lists and numbers, NaN and infinity become None."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if hasattr(value, "tolist"):  # numpy scalars and arrays
        return plain(value.tolist())
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value
