"""A prompt file: blocks of text with places to fill, and the version of the file.

Flows in: the name of a file of this folder, and what fills its places. Flows out: the parts of a ModelRequest.

A file is Markdown. A line `# name` begins a block. `$name` in a block is a place, which takes text or things to look at (pictures, a clip);
`$$` is a dollar sign. A place that nothing fills, and a filling that has no place, are errors: a prompt that silently loses half of what it
should say still gets an answer. What fills a place is not read again, so a goal sentence may hold a `$`.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

from movlr_jax.errors import MovlrError, did_you_mean
from movlr_jax.llm.base import Part, Text

Filling = str | tuple[Part, ...]

# name -> what it asks for, for `movlr prompt list`.
NAMES: dict[str, str] = {
    "critique": "what is wrong with one motion, and what to change",
    "compare": "which of two motions does the goal better",
    "write": "a new reward program",
}
_PLACE = re.compile(r"\$(?:(\$)|([a-z][a-z_]*))")
_HEADING = re.compile(r"^# (.+?)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Prompt:
    """One prompt.

    Attributes:
        name: of its file.
        version: first 8 hexadecimal digits of the SHA-256 of its file.
        blocks: block -> text.
    """

    name: str
    version: str
    blocks: Mapping[str, str]

    @property
    def label(self) -> str:
        """Name and version, as records hold them: "critique@1f2e3d4c"."""
        return f"{self.name}@{self.version}"

    @staticmethod
    def read(name: str, text: str) -> Prompt:
        """Return the prompt in the text of a file.

        Raises:
            MovlrError: the text has no blocks, two of one name, or words before the first.
        """
        pieces = _HEADING.split(text.replace("\r\n", "\n"))
        names = pieces[1::2]
        if pieces[0].strip() or not names or len(set(names)) < len(names):
            raise MovlrError(f"The prompt {name} must consist of blocks that each begin with a line `# name`, no two of one name.")
        blocks = {block: body.strip() for block, body in zip(names, pieces[2::2], strict=True)}
        return Prompt(name, hashlib.sha256(text.encode()).hexdigest()[:8], blocks)

    def fill(self, block: str, **values: Filling) -> tuple[Part, ...]:
        """Return a block with its places filled, as parts: text, and what it shows, in order.

        Raises:
            MovlrError: there is no such block, a place is not filled, or a value has no place.
        """
        if block not in self.blocks:
            raise MovlrError(f"The prompt {self.name} has no block '{block}': it has {', '.join(self.blocks)}.")
        text = self.blocks[block]
        places = {match[2] for match in _PLACE.finditer(text)} - {None}
        wrong = sorted(places ^ set(values))
        if wrong:
            which = "is not filled" if wrong[0] in places else "has no place"
            raise MovlrError(
                f"In the prompt {self.name}, block '{block}', ${wrong[0]} {which}: it has {', '.join(sorted(places)) or 'none'}."
            )
        parts: list[Part] = []

        def add(piece: Part) -> None:
            if isinstance(piece, Text) and parts and isinstance(parts[-1], Text):
                parts[-1] = Text(parts[-1].text + piece.text)
            elif not isinstance(piece, Text) or piece.text:
                parts.append(piece)

        end = 0
        for match in _PLACE.finditer(text):
            add(Text(text[end : match.start()]))
            end = match.end()
            value: Filling = "$" if match[1] else values[match[2]]
            for piece in (Text(value),) if isinstance(value, str) else value:
                add(piece)
        add(Text(text[end:]))
        return tuple(parts)

    def words(self, block: str, **values: str) -> str:
        """Return a block filled with text alone, as text.

        Raises:
            MovlrError: as `fill`.
        """
        return "".join(part.text for part in self.fill(block, **values) if isinstance(part, Text))


def fenced(text: str, language: str = "") -> str:
    """Return a text in a fence that is longer than any in it."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    return f"{fence}{language}\n{text.strip(chr(10))}\n{fence}"


@functools.cache
def load(name: str) -> Prompt:
    """Return a prompt of this package.

    Raises:
        MovlrError: there is no such prompt.
    """
    if name not in NAMES:
        raise MovlrError(f"There is no prompt '{name}': {did_you_mean(name, NAMES)}there are {', '.join(NAMES)}.")
    return Prompt.read(name, resources.files("movlr_jax.prompts").joinpath(f"{name}.md").read_text(encoding="utf-8"))
