"""Prices: what a call cost, from a table.

Flows in: the packaged `prices.yaml`, and a file of the user's that adds to it and overrides it. Flows out: USD, or None where the table
does not know the model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from movlr_jax import typed_yaml
from movlr_jax.errors import MovlrError


@dataclass(frozen=True)
class Price:
    """USD per million tokens."""

    input: float
    output: float


@dataclass(frozen=True)
class Prices:
    """The prices of models by name.

    Attributes:
        of: model -> price.
    """

    of: Mapping[str, Price] = field(default_factory=dict)

    @staticmethod
    def load(path: str = "") -> Prices:
        """Return the packaged table, with a file's entries over it.

        Raises:
            MovlrError: the file cannot be read, or an entry is not `MODEL: {input: X, output: Y}`.
        """
        packaged = (resources.files("movlr_jax.llm") / "prices.yaml").read_text(encoding="utf-8")
        table = _read(packaged, "the packaged prices")
        if path:
            table |= _read(typed_yaml.read(Path(path), "prices"), path)
        return Prices(table)

    def cost(self, model: str, tokens_in: int | None, tokens_out: int | None) -> float | None:
        """Return the price of a call [USD], or None where the model's price or the tokens are unknown."""
        price = self.of.get(model)
        if price is None:
            return None
        if price == Price(0.0, 0.0):
            return 0.0
        if tokens_in is None or tokens_out is None:
            return None
        return (tokens_in * price.input + tokens_out * price.output) / 1e6


def _read(text: str, origin: str) -> dict[str, Price]:
    try:
        raw: Any = typed_yaml.values(text, origin) or {}
    except MovlrError as error:
        raise MovlrError(f"{str(error).rstrip('.')}; give lines `MODEL: {{input: 0.75, output: 3.75}}`.") from None
    if not isinstance(raw, dict):
        raise MovlrError(f"{origin} must be lines `MODEL: {{input: 0.75, output: 3.75}}`.")
    table: dict[str, Price] = {}
    for name, entry in raw.items():
        try:
            price = Price(float(entry["input"]), float(entry["output"]))
            fine = price.input >= 0 and price.output >= 0 and set(entry) == {"input", "output"}
        except (TypeError, KeyError, ValueError):
            fine = False
        if not fine:
            raise MovlrError(f"{origin}: the price of {name} must be `{{input: X, output: Y}}`, in USD per million tokens.")
        table[str(name)] = price
    return table
