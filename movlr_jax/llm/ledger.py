"""The ledger: the records of a run's model calls, one file a call, and what they add up to.

Flows in: records (the gateway makes them). Flows out: `RUN/calls/KEY.json`, written the moment an answer is there, and sums per purpose.
The files are the truth: what was spent is counted from them, so that it holds over kills and resumes.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydantic

from movlr_jax import atomic
from movlr_jax.errors import MovlrError
from movlr_jax.llm.record import Record

FOLDER = "calls"


@dataclass(frozen=True)
class Spending:
    """What some calls add up to.

    Attributes:
        calls: requests that a service answered; an answer from a cache or from a replayed run is none.
        tokens_in: of the requests, as far as the services told.
        tokens_out: of the answers.
        usd: cost of the calls whose price is known [USD].
        unpriced: calls whose price is unknown.
        seconds: wall time that the calls took, waits between attempts included [s].
        reused: answers from a cache or from a replayed run.
    """

    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    usd: float = 0.0
    unpriced: int = 0
    seconds: float = 0.0
    reused: int = 0

    def plus(self, record: Mapping[str, Any]) -> Spending:
        """Return the sum with one more record."""
        if record["source"] != "service":
            return Spending(**{**vars(self), "reused": self.reused + 1})
        tokens, usd = record["tokens"], record["usd"]
        return Spending(
            self.calls + 1,
            self.tokens_in + (tokens["in"] or 0),
            self.tokens_out + (tokens["out"] or 0),
            self.usd + (usd or 0.0),
            self.unpriced + (usd is None),
            self.seconds + record["seconds"],
            self.reused,
        )


class Ledger:
    """The records in one folder.

    Args:
        folder: holds KEY.json; made when the first record is written.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._total: Spending | None = None

    @property
    def total(self) -> Spending:
        """What all the calls add up to."""
        if self._total is None:
            self._total = Spending()
            for record in self.records():
                self._total = self._total.plus(record)
        return self._total

    def get(self, key: str) -> dict[str, Any] | None:
        """Return the record of a request, or None.

        Raises:
            MovlrError: its file is damaged.
        """
        path = self._path(key)
        return _read(path) if path.exists() else None

    def add(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Write a record, whole or not at all, and return it as a reader sees it."""
        written: dict[str, Any] = atomic.write_json(self._path(record["key"]), record)
        if self._total is not None:
            self._total = self._total.plus(written)
        return written

    def records(self) -> Iterator[dict[str, Any]]:
        """Return every record, in the order of their keys.

        Raises:
            MovlrError: a file is damaged.
        """
        for path in sorted(self.folder.glob("[0-9a-f]*.json")):
            yield _read(path)

    def by_purpose(self) -> dict[str, Spending]:
        """Return what each purpose's calls add up to."""
        sums: dict[str, Spending] = {}
        for record in self.records():
            sums[record["purpose"]] = sums.get(record["purpose"], Spending()).plus(record)
        return dict(sorted(sums.items()))

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.json"


def _read(path: Path) -> dict[str, Any]:
    try:
        record: dict[str, Any] = atomic.read_json(path)
        _schema().validate_json(json.dumps(record), strict=True)
        if not {"in", "out"} <= set(record["tokens"]):
            raise ValueError("its tokens are not counted")
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        why = f"{'.'.join(map(str, first['loc']))}: {first['msg'][:160]}"
        raise MovlrError(f"The record {path} cannot be read ({why}): delete it, and the call is made again.") from None
    except (OSError, ValueError) as error:
        raise MovlrError(f"The record {path} cannot be read ({error}): delete it, and the call is made again.") from None
    return record


@functools.cache
def _schema() -> pydantic.TypeAdapter[Any]:
    return pydantic.TypeAdapter(Record)
