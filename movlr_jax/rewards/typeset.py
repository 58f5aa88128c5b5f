"""Programs as editors, chats and word processors set them: a byte-order mark, curly quotes, odd spaces, signs that only look like Python's.

Flows in: the text of a program from a model or a file. Flows out: the same text in the signs that Python knows, and what was put right, by
line. A text that is Python already keeps its meaning to the letter; in strings and comments nothing changes but signs of no width. Marks
that turn the direction of writing stay, and so does whatever has no one meaning: the sandbox names them by line.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

# Without those that turn the direction of writing, which a reader should see refused.
_WIDTHLESS = frozenset((0x00AD, 0x180E, 0x200B, 0x200C, 0x200D, *range(0x2060, 0x2065), 0xFEFF, *range(0xFE00, 0xFE10)))
_SPACES = (0x00A0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000)
_DOUBLE = "“”„‟″＂"
_SINGLE = "‘’‚‛′＇"
_MINUS = "−‐‑‒–—﹣－"
_LINES = "\u2028\u2029\u0085"
_SIGNS = {"≤": "<=", "≥": ">=", "≠": "!=", "×": "*", "÷": "/"}
# What each sign outside strings and comments is in Python, and what such signs are called.
_CODE: dict[str, tuple[str, str]] = {
    **{chr(code): (" ", "spaces that do not break") for code in _SPACES},
    **dict.fromkeys(_MINUS, ("-", "dashes for a minus")),
    **dict.fromkeys(_LINES, ("\n", "ends of lines that Python does not know")),
    **{c: (plain, "mathematical signs") for c, plain in _SIGNS.items()},
}
_CODE |= {chr(c): (chr(c - 0xFEE0), "full-width signs") for c in range(0xFF01, 0xFF5F) if chr(c) not in _CODE}
_QUOTES = {**dict.fromkeys(_DOUBLE, '"'), **dict.fromkeys(_SINGLE, "'")}
_MARK = "\ufeff"


@dataclass(frozen=True)
class Cleaned:
    """A program's text in Python's own signs.

    Attributes:
        text: it.
        changes: what was put right -> the lines of it.
    """

    text: str
    changes: dict[str, tuple[int, ...]]

    def sentence(self) -> str:
        """Return what was put right, as a sentence; "" where nothing was."""
        if not self.changes:
            return ""
        parts = []
        for what, lines in self.changes.items():
            shown = ", ".join(map(str, lines[:8])) + (", ..." if len(lines) > 8 else "")
            parts.append(f"{what} (line{'s' if len(lines) > 1 else ''} {shown})" if lines else what)
        return f"Read in Python's own signs: {'; '.join(parts)}."


def cleaned(source: str) -> Cleaned:
    """Return a program's text in the signs that Python knows."""
    changes: dict[str, list[int]] = {}
    text = source
    if text.startswith(_MARK):
        text = text.lstrip(_MARK)
        changes["a byte-order mark"] = []
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        changes["line ends of another system"] = []
    if text.isascii():
        return _done(_indented(text, changes), changes)
    bare = _without_width(text, changes)
    if _tree(bare) is not None:  # its odd signs stand in strings and comments, or in names that Python reads as plain ones
        return _done(bare, changes)
    out = "".join(piece for piece in _retyped(bare, changes))
    return _done(_indented(out, changes), changes)


def _done(text: str, changes: dict[str, list[int]]) -> Cleaned:
    return Cleaned(text, {what: tuple(dict.fromkeys(lines)) for what, lines in changes.items()})


def _tree(text: str) -> ast.Module | None:
    try:
        return ast.parse(text) if len(text) < 1 << 18 else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def without_width(text: str) -> str:
    """Return a text of any kind without signs of no width."""
    return text.translate(dict.fromkeys(_WIDTHLESS))


def _without_width(text: str, changes: dict[str, list[int]]) -> str:
    """Return a text without signs of no width, which nobody meant to write."""
    out = without_width(text)
    if out != text:
        lines = [number for number, line in enumerate(text.split("\n"), 1) if any(ord(c) in _WIDTHLESS for c in line)]
        changes["signs of no width"] = lines
    return out


def _retyped(text: str, changes: dict[str, list[int]]) -> Iterator[str]:
    """Yield the text in pieces, with the signs of code in Python's; of strings set in curly quotes the quotes."""
    at, line = 0, 1

    def changed(what: str) -> None:
        changes.setdefault(what, []).append(line)

    while at < len(text):
        c = text[at]
        plain = _QUOTES.get(c, c)
        if c == "#":
            end = text.find("\n", at)
            end = len(text) if end < 0 else end
            yield text[at:end]
            at = end
        elif plain in "\"'":
            if plain != c:
                changed("curly quotes")
            family = {plain, *(q for q, ascii_quote in _QUOTES.items() if ascii_quote == plain)} if plain != c else {plain}
            opening = 3 if all(text[at + k : at + k + 1] in family for k in (1, 2)) and len(text) > at + 2 else 1
            end, closing = _end(text, at + opening, family, opening)
            body = text[at + opening : end]
            if closing and any(q != plain for q in text[end : end + opening]):
                changed("curly quotes")
            yield plain * opening + body + (plain * opening if closing else "")
            line += body.count("\n")
            at = end + (opening if closing else 0)
        elif c in _CODE:
            sign, what = _CODE[c]
            changed(what)
            yield sign
            at += 1
        else:
            line += c == "\n"
            yield c
            at += 1


def _end(text: str, at: int, family: set[str], quotes: int) -> tuple[int, bool]:
    """Return where a string's closing quotes stand, and whether there are any: a string of one line ends with its line."""
    while at < len(text):
        c = text[at]
        if c == "\\":
            at += 2
            continue
        if c == "\n" and quotes == 1:
            return at, False
        if all(text[at + k : at + k + 1] in family for k in range(quotes)) and at + quotes <= len(text):
            return at, True
        at += 1
    return len(text), False


def _expanded(text: str, size: int) -> str:
    return re.sub(r"^[ \t]+", lambda lead: lead[0].expandtabs(size), text, flags=re.MULTILINE)


def _indented(text: str, changes: dict[str, list[int]]) -> str:
    """Return a text whose lines are indented by tabs here and spaces there by spaces alone, where that can be read in one way only."""
    if "\t" not in text or _tree(text) is not None:
        return text
    mixed = [number for number, line in enumerate(text.split("\n"), 1) if "\t" in line[: len(line) - len(line.lstrip(" \t"))]]
    if not mixed:
        return text
    spaced = [_expanded(text, size) for size in (4, 8)]
    trees = [_tree(one) for one in spaced]
    readings = [(one, ast.dump(tree)) for one, tree in zip(spaced, trees, strict=True) if tree is not None]
    if not readings or len({dumped for _, dumped in readings}) > 1:
        return text
    changes["tabs among spaces"] = mixed
    return readings[0][0]
