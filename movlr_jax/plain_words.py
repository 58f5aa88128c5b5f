"""What a model said, made fit for a terminal, a page and a table: no control signs, no invisible characters, a bounded length."""

from __future__ import annotations

import unicodedata
from typing import Any


def plain_words(text: str, limit: int = 1000) -> str:
    """Return a text on one line, without characters that are not seen, cut to a length."""
    # Escape sequences, marks that turn the direction of writing, zero-width signs and halves of characters are all of category C.
    seen = "".join(" " if c in "\t\n\r" else c for c in text if c in "\t\n\r" or unicodedata.category(c)[0] != "C")
    line = " ".join(seen.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def plain_text(text: str) -> str:
    """Return a text with its lines and indents, without the other characters that are not seen."""
    return "".join(c for c in text if c in "\t\n" or unicodedata.category(c)[0] != "C")


def plain_record(value: Any) -> Any:
    """Return a JSON value with every text in it made plain."""
    if isinstance(value, str):
        return plain_words(value)
    if isinstance(value, dict):
        return {key: plain_record(item) for key, item in value.items()}
    return [plain_record(item) for item in value] if isinstance(value, list | tuple) else value
