"""Metric records of episodes as people read them: a table in a terminal or a notebook, or a DataFrame.

In: flat records, one an episode, with their mean and spread. Out: headings and cells; text; pandas.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

from movlr_jax.errors import MovlrError
from movlr_jax.media.tables import UNMEASURED, cell, heading
from movlr_jax.tasks import metric_registry

# What a column of an episode table would only repeat.
_NOT_COLUMNS = ("seed", "fell", "diverged", "dropped")


def episodes(
    records: Sequence[Mapping[str, Any]], mean: Mapping[str, Any] | None = None, std: Mapping[str, Any] | None = None
) -> tuple[list[str], list[list[str]]]:
    """Return headings and cells, one row a seed, with mean and spread below where there are several; what no episode has is left out,
    and so are details."""
    known = dict.fromkeys([*metric_registry.shown(), *metric_registry.told(records[0] if records else ())])
    names = [name for name in known if name not in _NOT_COLUMNS and _informative(name, records)]
    rows = [[str(record.get("seed", "")), *(cell(record, name) for name in names)] for record in records]
    if len(records) > 1:
        rows += [[word, *(cell(means, name) for name in names)] for word, means in (("mean", mean), ("std", std)) if means]
    return ["seed", *map(heading, names)], rows


def _informative(name: str, records: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether a column says anything: it has numbers, and not only those of nothing to report."""
    metric, values = metric_registry.metric(name), [record.get(name) for record in records]
    if not metric.shown and all(value == metric.best for value in values):
        return False
    return any(value is not None or cell(record, name) == UNMEASURED for value, record in zip(values, records, strict=True))


def aligned(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table as plain text, its columns aligned."""
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    lines = ["  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True)) for row in (headings, *rows)]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def frame(records: Sequence[Mapping[str, Any]] | Mapping[str, Any]) -> Any:
    """Return a DataFrame of records (a row each) or of columns.

    Raises:
        MovlrError: pandas is not installed.
    """
    try:
        import pandas
    except ImportError:
        raise MovlrError("pandas is not installed: pip install 'movlr-jax[notebook]'.") from None
    return pandas.DataFrame(records)


@dataclass(frozen=True)
class Metrics(Sequence[Mapping[str, Any]]):
    """The metric records of episodes; printed, they are a table.

    Attributes:
        records: one an episode.
        mean, std: over the episodes.
    """

    records: Sequence[Mapping[str, Any]]
    mean: Mapping[str, Any] = field(default_factory=dict)
    std: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.records)

    @overload
    def __getitem__(self, at: int) -> Mapping[str, Any]: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[Mapping[str, Any]]: ...

    def __getitem__(self, at: int | slice) -> Mapping[str, Any] | Sequence[Mapping[str, Any]]:
        return self.records[at]

    def __str__(self) -> str:
        return aligned(*episodes(self.records, self.mean, self.std))

    __repr__ = __str__

    def to_pandas(self) -> Any:
        """Return a DataFrame with a row an episode.

        Raises:
            MovlrError: pandas is not installed.
        """
        return frame(list(self.records))

    def _repr_html_(self) -> str:
        headings, rows = episodes(self.records, self.mean, self.std)
        body = "".join(f"<tr>{''.join(f'<td>{html.escape(text)}</td>' for text in row)}</tr>" for row in rows)
        return (
            f"<table><thead><tr>{''.join(f'<th>{html.escape(text)}</th>' for text in headings)}</tr></thead><tbody>{body}</tbody></table>"
        )
