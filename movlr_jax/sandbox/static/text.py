"""The text before it is read as a program: size, characters, nesting; then its tree."""

from __future__ import annotations

import ast
import io
import re
import tokenize
import unicodedata

from movlr_jax.sandbox.static.refusals import Refuse
from movlr_jax.sandbox.static.tables import MAX_BRACKETS, MAX_BYTES, MAX_DEPTH, MAX_LINES, MAX_TOKENS


def check_text(source: str) -> None:
    """Refuse what must not even be parsed: size, characters, encodings, nesting."""
    try:
        size = len(source.encode())
    except UnicodeEncodeError:
        raise Refuse(1, "the text holds half a character (a lone surrogate)", "write plain ASCII") from None
    if size > MAX_BYTES:
        raise Refuse(1, f"the text is {size} bytes long", f"keep it under {MAX_BYTES}, with fewer and shorter terms")
    if source.count("\n") > MAX_LINES:
        raise Refuse(MAX_LINES, f"the text has more than {MAX_LINES} lines", "write fewer and shorter terms")
    for number, line in enumerate(re.split(r"\r\n|\r|\n", source), 1):
        for column, character in enumerate(line):
            if character == "\t" or " " <= character <= "~":
                continue
            category = unicodedata.category(character)
            if category[0] == "C" or (category[0] == "Z" and character not in "\u00a0\u202f"):
                name = unicodedata.name(character, f"U+{ord(character):04X}")
                raise Refuse(number, f"the invisible character {name} stands there", "write plain ASCII", column)
        if number <= 2 and re.match(r"[ \t\f]*#.*?coding[:=]", line):
            raise Refuse(number, "it declares an encoding", "remove that comment; the text is UTF-8")
    depth = 0
    for token in _tokens(source):
        if token.type == tokenize.OP:
            depth += (token.string in "([{") - (token.string in ")]}")
            if depth > MAX_BRACKETS:
                raise Refuse(token.start[0], "brackets are nested too deeply", "split the expression into named steps")
        outside = token.type not in (tokenize.COMMENT, tokenize.STRING) and not _is_string_part(token)
        if outside and not token.string.isascii():
            raise Refuse(token.start[0], f"{token.string[:20]!r} is not ASCII", "write names with the letters a to z", token.start[1])
    # Chains without brackets also nest in the tree: not not not ..., - - - ..., a if b else c if d else ...
    for number, line in enumerate(source.splitlines(), 1):
        if re.search(r"(?:[-+~]\s*){12}|(?:\bnot\s+){12}|(?:\*\*[^*]*){12}|(?:\belse\b.*){12}|(?:\blambda\b.*){3}", line[:4000]):
            raise Refuse(number, "operators are chained too deeply", "split the expression into named steps")
        if len(line) > 2000:
            raise Refuse(number, f"the line is {len(line)} characters long", "split it into named steps")


def _is_string_part(token: tokenize.TokenInfo) -> bool:
    return "STRING" in tokenize.tok_name.get(token.type, "")


def _tokens(source: str) -> list[tokenize.TokenInfo]:
    tokens = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            tokens.append(token)
            if len(tokens) > MAX_TOKENS:
                raise Refuse(token.start[0], f"the text has more than {MAX_TOKENS} words and signs", "write fewer terms")
    except tokenize.TokenError as error:
        line = int(error.args[1][0]) if len(error.args) > 1 else 1
        raise Refuse(line, f"the text is not Python ({error.args[0]})", "close every bracket and string") from None
    except (SyntaxError, IndentationError) as error:
        raise Refuse(error.lineno or 1, f"the text is not Python ({error.msg})", "indent by four spaces") from None
    return tokens


def parse(source: str) -> ast.Module:
    """Return the tree of a text.

    Raises:
        Refuse: it is not Python, or nested too deeply.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        column = None if error.offset is None else error.offset - 1
        raise Refuse(error.lineno or 1, f"the text is not Python ({error.msg})", "correct the syntax", column) from None
    except ValueError as error:
        raise Refuse(1, f"the text is not Python ({error})", "write plain ASCII") from None
    # Walked with a list, because a recursive walk of a deep tree is what a bomb wants.
    waiting: list[tuple[ast.AST, int, int]] = [(tree, 0, 1)]
    while waiting:
        node, depth, line = waiting.pop()
        line = getattr(node, "lineno", line)
        if depth > MAX_DEPTH:
            raise Refuse(line, "the expression is nested too deeply", "split it into named steps")
        waiting.extend((child, depth + 1, line) for child in ast.iter_child_nodes(node))
    return tree
