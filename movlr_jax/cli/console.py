"""What the verbs print: tables of metrics and lists, on a terminal with rich, elsewhere as aligned plain text.

In: metrics records (DESIGN: one flat dict per episode). Out: text on stdout; `--json` documents go there alone.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from movlr_jax.media import metrics_table as episode_tables
from movlr_jax.plain_words import plain_text

PLAIN_WIDTH = 140
WIDE = 1000  # for tables of many columns
_GAP = 2  # between columns
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


class FittedTable:
    """A table that fits the width it is printed in and breaks no word: cells wrap at spaces, and columns that do not fit beside each other
    follow below, each part led by the first columns again.

    Args:
        title: printed above it; "": none.
        columns: headings; without any text in them none are shown.
        rows: cells. Columns that hold only numbers (or a dash) stand at the right.
    """

    def __init__(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]):
        self.title, self.columns = title, list(columns)
        self.rows = [[cell if isinstance(cell, Text) else Text(str(cell)) for cell in row] for row in rows]
        self._numbers = [bool(self.rows) and all(_NUMBER.fullmatch(row[i].plain) for row in self.rows) for i in range(len(self.columns))]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render the parts."""
        for count, part in enumerate(self.parts(options.max_width)):
            if count:
                yield Text()
            widths = self._widths(part, options.max_width)
            made = Table(
                title=Text(self.title) if self.title and not count else None,
                title_justify="left",
                title_style="bold",
                show_header=any(self.columns),
                box=None,
                pad_edge=False,
                header_style="dim",
            )
            for i, width in zip(part, widths, strict=True):
                made.add_column(Text(self.columns[i]), justify="right" if self._numbers[i] else "left", overflow="fold", width=width)
            for row in self.rows:
                made.add_row(*(row[i] for i in part))
            yield made

    def parts(self, width: int) -> list[list[int]]:
        """Return which columns stand beside each other in a width; all but the first part begin with the leading columns again."""
        words = [self._longest(i, words=True) for i in range(len(self.columns))]
        lead = [0]
        for i in range(1, len(self.columns)):  # what names a row, not what was measured of it
            if self._numbers[i] or sum(words[k] + _GAP for k in (*lead, i)) > width // 3:
                break
            lead.append(i)
        parts: list[list[int]] = [[]]
        for i in range(len(self.columns)):
            beside = sum(words[k] + _GAP for k in (*parts[-1], i)) - _GAP
            if beside > width and len(parts[-1]) > len(lead):
                parts.append(list(lead))
            parts[-1].append(i)
        return parts

    def _widths(self, part: Sequence[int], width: int) -> list[int]:
        """Return the columns' widths: as much as each needs for its lines as far as there is room, and its longest word at least."""
        words, lines = ([self._longest(i, words=whole) for i in part] for whole in (True, False))
        room = max(len(part), width - _GAP * (len(part) - 1))
        out = list(words)
        while sum(out) > room:  # a word that is wider than the page: the widest columns are broken after all
            out[out.index(max(out))] -= 1
        left = room - sum(out)
        for rank, k in enumerate(order := sorted(range(len(part)), key=lambda k: lines[k] - out[k])):
            given = min(max(0, lines[k] - out[k]), left // (len(order) - rank))
            out[k], left = out[k] + given, left - given
        return out

    def _longest(self, column: int, *, words: bool) -> int:
        texts = [self.columns[column], *(row[column].plain for row in self.rows)]
        return max((cell_len(piece) for text in texts for piece in (text.split() if words else text.splitlines())), default=1) or 1


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> FittedTable:
    """Build a table; columns that hold only numbers (or a dash) stand at the right."""
    return FittedTable(title, columns, rows)


def listed(out: Console, title: str, rows: Iterable[tuple[str, object]]) -> None:
    """Print what can be copied, such as commands and paths, a line each after what it is, and never wrapped inside."""
    rows = [(what, str(value)) for what, value in rows]
    width = max((cell_len(what) for what, _ in rows), default=0)
    out.print(Text(title, style="dim"))
    for what, value in rows:
        out.print(Text(f"{what}{' ' * (width - cell_len(what))}  {value}"), soft_wrap=True)


def metrics_table(
    title: str,
    episodes: Sequence[Mapping[str, Any]],
    mean: Mapping[str, Any] | None = None,
    std: Mapping[str, Any] | None = None,
) -> FittedTable:
    """Build the table of episodes, one row a seed, with mean and spread below where there are several."""
    return table(title, *episode_tables.episodes(episodes, mean, std))


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
