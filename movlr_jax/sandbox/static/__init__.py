"""The first gate: a reward program's text is read as a tree, before anything of it is executed, and refused at the first oddity.

A program is `WEIGHTS = {...}`, constants, small helper functions and `def terms(m):`; `JOINTS = (...)` with `def posture(m):` where it
says how joints should go; and `PARAMETERS = {...}` where it declares constants with ranges. Whatever is not on the lists below is refused,
in one sentence that names the line and the cure; all such places are told at once. This gate serves the writer as much as safety: the jail
holds without it.
"""

from __future__ import annotations

from movlr_jax.rewards import program
from movlr_jax.rewards.layout import FeatureLayout
from movlr_jax.sandbox.static.program_reader import ProgramReader
from movlr_jax.sandbox.static.refusals import Enough, Refusal, Refuse
from movlr_jax.sandbox.static.tables import (
    CURES,
    JNP_CURES,
    MAX_ARRAY,
    MAX_BYTES,
    MAX_DEPTH,
    MAX_LINES,
    MAX_LOOP,
    MAX_POWER,
    MAX_REFUSALS,
    MAX_STRING,
    MAX_TOKENS,
    word_of,
)
from movlr_jax.sandbox.static.text import check_text, parse

__all__ = [
    "CURES",
    "JNP_CURES",
    "MAX_ARRAY",
    "MAX_BYTES",
    "MAX_DEPTH",
    "MAX_LINES",
    "MAX_LOOP",
    "MAX_POWER",
    "MAX_REFUSALS",
    "MAX_STRING",
    "MAX_TOKENS",
    "Refusal",
    "check",
    "word_of",
]


def check(source: str, layout: FeatureLayout | None = None) -> tuple[Refusal, ...]:
    """Return why a text is refused, every place of it; nothing if it may go to the jail.

    Args:
        source: the text.
        layout: the body, whose landmarks and standing heights may be named; None allows every name that some body has.
    """
    refusals: list[Refusal] = []
    try:
        check_text(source)
        reader = ProgramReader(parse(source), layout, refusals)
        reader.read()
        if not refusals:
            weights = program.literal_weights(source)
            if len(weights) > program.MAX_TERMS:
                raise Refuse(1, f"there are {len(weights)} terms", f"keep at most {program.MAX_TERMS}")
            program.literal_parameters(source)
    except Enough:
        pass
    except Refuse as refused:
        refusals.append(refused.refusal)
    except program.ProgramError as error:
        line = error.line or 1
        cure = str(error).rsplit(": ", 1)[-1].rstrip(".")
        refusals.append(Refusal(line, f"Line {line}: {error}", cure))
    except (RecursionError, MemoryError):
        nested = "split it into short statements"
        refusals.append(Refusal(1, f"Line 1: the text is nested too deeply; {nested}.", nested))
    return tuple(sorted(_once(refusals), key=lambda refusal: (refusal.line, refusal.column or 0)))


def _once(refusals: list[Refusal]) -> list[Refusal]:
    """Return refusals without those that say the same of another line: whoever mends one mends all."""
    first: dict[str, Refusal] = {}
    for refusal in refusals:
        first.setdefault(refusal.reason.partition(": ")[2], refusal)
    return list(first.values())
