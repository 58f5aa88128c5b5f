"""Keys: where they are found, and how they are kept out of everything that is written or said.

Flows in: the environment. Flows out: a key for a client's own use, and `scrub`, which every text from a service goes through before it is
told or saved, since servers are known to repeat a wrong key in their complaint.
"""

from __future__ import annotations

import os
import re

from movlr_jax.errors import MovlrError

GEMINI_KEYS = ("GEMINI_API_KEY", "GOOGLE_API_KEY")
OPENAI_KEYS = ("OPENAI_API_KEY",)
_HIDDEN = "[key]"
# Shorter values ("EMPTY", "none") stand in for a key where a server wants none, and are words that a text may hold.
_SHORTEST = 8


def find(names: tuple[str, ...]) -> str | None:
    """Return the first key that the environment holds under these names, or None.

    Raises:
        MovlrError: it holds characters that cannot be sent; a client's own complaint would repeat them.
    """
    for name in names:
        key = os.environ.get(name, "").strip()
        if key:
            if not re.fullmatch(r"[!-~]+", key):
                raise MovlrError(f"{name} holds spaces or characters that no key has: copy the key again.")
            return key
    return None


def scrub(text: str) -> str:
    """Return a text in which every key of this environment is hidden."""
    for name in (*GEMINI_KEYS, *OPENAI_KEYS):
        key = os.environ.get(name, "").strip()
        if len(key) >= _SHORTEST:
            text = text.replace(key, _HIDDEN)
    return text
