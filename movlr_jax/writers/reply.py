"""Reading a model's answer: one block of Python, and lines on the program it was made from, on what was changed and on why.

In: text of any kind, from a model that may say anything. Out: a Reply, or Unreadable with a sentence that the model can act on. Nothing is
guessed: an answer with two programs is not an answer. Whether the program may be used is the sandbox's to say.
"""

from __future__ import annotations

import io
import re
import tokenize
from dataclasses import dataclass

from movlr_jax.llm.reasoning import without_thoughts
from movlr_jax.plain_words import plain_words
from movlr_jax.rewards import typeset

MAX_CHARACTERS = 200_000
MAX_EDIT = 2_000  # a longer one is refused, not cut: the history is read for what was tried
MAX_WHY = 600
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})([^`]*)")
_CHECKED = 50  # fences inside of a block that are asked whether they stand in a string; no honest program has as many
_PYTHON = ("", "python", "python3", "py")
_WANTED = "give the whole program in one block that begins with ```python and ends with ```"


class Unreadable(Exception):
    """An answer without a program; the message is a sentence for its writer."""


@dataclass(frozen=True)
class Reply:
    """What an answer holds.

    Attributes:
        source: the program's text.
        edit: what was changed, in one line; "" where the answer does not say.
        why: the reason, in one line; "" where the answer does not say.
        base: the iteration whose program it was made from; None for the best, and where the answer does not say.
    """

    source: str
    edit: str
    why: str
    base: int | None = None


def read(text: str) -> Reply:
    """Return what an answer holds.

    Raises:
        Unreadable: it holds no program, or more than one, or a line that cannot be used.
    """
    if len(text) > MAX_CHARACTERS:
        raise Unreadable(f"The answer has {len(text)} characters: keep it under {MAX_CHARACTERS}, the program alone and two short lines.")
    if any("\ud800" <= c <= "\udfff" for c in text):
        raise Unreadable("The answer holds half a character (a lone surrogate): write plain ASCII.")
    # Some models think aloud first, and try programs there.
    text = without_thoughts(typeset.without_width(text)).replace("\r\n", "\n").replace("\r", "\n")
    text = re.sub(r"^(?=\x20*[^\S\n\x20\t])[^\S\n]{1,3}(?=```|~~~)", "", text, flags=re.MULTILINE)  # odd spaces before a fence
    if not text.strip():
        raise Unreadable(f"The answer is empty: {_WANTED}.")
    if re.search(r"^[^\x20-\x7e\n]+(?:```|~~~)", text, re.MULTILINE):
        raise Unreadable(f"An invisible character stands before a fence: write plain ASCII, and {_WANTED}.")
    blocks, prose = _blocks(text.split("\n"))
    if not blocks:
        raise Unreadable(f"The answer holds no block of code: {_WANTED}.")
    if len(blocks) > 1:
        raise Unreadable(f"The answer holds {len(blocks)} blocks of code: {_WANTED}, and no other block.")
    language, source = blocks[0]
    if language.lower() not in _PYTHON:
        raise Unreadable(f"The block of code is in {language[:40]!a}: write Python, and {_WANTED}.")
    if not source.strip():
        raise Unreadable(f"The block of code is empty: {_WANTED}.")
    edit = _line(prose, "EDIT", MAX_CHARACTERS)
    if len(edit) > MAX_EDIT:
        raise Unreadable(f"The line EDIT has {len(edit)} characters: say what you changed in fewer than {MAX_EDIT}.")
    return Reply(typeset.cleaned(source.strip("\n") + "\n").text, edit, _line(prose, "WHY", MAX_WHY), _base(prose))


def _blocks(lines: list[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """Return the fenced blocks as (language, text), and the lines outside of them.

    A fence is closed by one of the same sign that is as long and says nothing more (CommonMark), unless the Python so far is in the middle
    of a string: a docstring may show a fence.
    """
    blocks: list[tuple[str, str]] = []
    outside: list[str] = []
    at = 0
    while at < len(lines):
        opening = _FENCE.fullmatch(lines[at])
        at += 1
        if opening is None:
            outside.append(lines[at - 1])
            continue
        fence, words = opening[1], opening[2].split()
        language = words[0] if words else ""
        inside: list[str] = []
        checks = _CHECKED if language.lower() in _PYTHON else 0
        while at < len(lines):
            closing = _FENCE.fullmatch(lines[at])
            ends = closing is not None and closing[1][0] == fence[0] and len(closing[1]) >= len(fence) and not closing[2].strip()
            if ends and not (checks and _within_string("\n".join(inside))):
                break
            checks -= bool(ends and checks)
            inside.append(lines[at])
            at += 1
        else:
            raise Unreadable("The block of code is not closed: end it with ``` on a line of its own, and close every string in it.")
        at += 1
        blocks.append((language, "\n".join(inside)))
    return blocks, outside


def _within_string(text: str) -> bool:
    """Return whether Python text ends in the middle of a string of several lines."""
    try:
        for _ in tokenize.generate_tokens(io.StringIO(text + "\n").readline):
            pass
    except tokenize.TokenError as error:
        return any(words in str(error.args[0]) for words in ("multi-line string", "triple-quoted"))
    except SyntaxError:
        return False
    return False


def _line(prose: list[str], word: str, limit: int) -> str:
    """Return what the first line `WORD: ...` says, whatever Markdown stands around the word."""
    for line in prose:
        match = re.match(rf"[\s*_#>-]*{word}[*_]*:[*_]*(.*)", line, re.IGNORECASE)
        if match:
            return plain_words(match[1].strip().strip("*_"), limit)
    return ""


def _base(prose: list[str]) -> int | None:
    """Return the iteration that the line BUILDS ON names, None for the best.

    Raises:
        Unreadable: it names neither.
    """
    words = _line(prose, "BUILDS ON", 200).strip(" .`\"'*_")
    if not words or re.match(r"(the )?best\b", words, re.IGNORECASE):
        return None
    numbers = set(re.findall(r"\d+", words))
    if len(numbers) != 1:
        raise Unreadable(f"The line BUILDS ON says '{words}': write `BUILDS ON: best`, or the number of one iteration.")
    return int(numbers.pop())
