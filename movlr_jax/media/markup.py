"""Text from models, and anything else, as harmless HTML; and the policy of a page that loads nothing and runs only its own script."""

from __future__ import annotations

import base64
import hashlib
import html
import unicodedata
from typing import Any

LONGEST_TEXT = 60_000  # characters of one text shown


def policy(script: str) -> str:
    """Return the content policy of a page: no script but this one, nothing from elsewhere."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        "default-src 'none'; img-src data:; media-src data: file: 'self'; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


def text(value: Any) -> str:
    """Return any value as harmless HTML text: markup escaped, long texts cut, invisible characters shown.

    Control and format characters (zero width, right-to-left override, lone surrogates) would make a reader see another text than is there.
    """
    shown = value if isinstance(value, str) else str(value)
    if len(shown) > LONGEST_TEXT:
        shown = shown[:LONGEST_TEXT] + " … (cut)"
    if not shown.isprintable():
        shown = "".join(
            c if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn") else f"\\u{ord(c):04x}"
            for c in shown.replace("\r\n", "\n")
        )
    return html.escape(shown, quote=True)
