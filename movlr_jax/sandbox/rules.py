"""The sandbox's rules in words, for who writes: made from the very tables that refuse, so that the two cannot differ."""

from __future__ import annotations

import inspect

from movlr_jax.rewards import parameters, program
from movlr_jax.rewards.shaping import SHAPING
from movlr_jax.sandbox import behaviour, static


def rules() -> str:
    """Return the rules, a line each."""
    refused: dict[str, list[str]] = {}
    for node, cure in static.CURES.items():
        words = refused.setdefault(cure, [])
        if static.word_of(node) not in words:
            words.append(static.word_of(node))
    lines = [
        f"A program is WEIGHTS, a literal dict of at most {program.MAX_TERMS} names to numbers; constants; small helper functions; and "
        "`def terms(m):`, which returns a dict with the names of WEIGHTS; and, where it gives a nominal posture, JOINTS, a literal tuple "
        "of planned joints, with `def posture(m):`, which returns a dict with those names. Nothing else stands outside a function.",
        "Constants whose best value is to be searched for may stand in PARAMETERS, a literal dict of at most "
        f"{parameters.MAX_PARAMETERS} names to (value, lowest, highest), none of them a term's name; they are read as m.parameters.NAME.",
        "These names are there without an import: jnp (only what is named here), pi, "
        f"{', '.join(program.BUILTIN_NAMES)}, and the shaping functions:",
        *(f"  {_signature(name)}: {_first_line(name)}" for name in SHAPING),
        f"jnp has: {', '.join(program.JNP_NAMES)}.",
        *(f"jnp.{name} is not there: {cure}." for name, cure in static.JNP_CURES.items()),
        *(f"Not allowed: {', '.join(words)}: {cure}." for cure, words in refused.items()),
        f"A loop runs over a literal tuple or range(n), at most {static.MAX_LOOP} times; an exponent is a literal of at most "
        f"{static.MAX_POWER}; a string is ASCII of at most {static.MAX_STRING} characters; an array has at most {static.MAX_ARRAY} "
        "elements.",
        f"A program has at most {static.MAX_BYTES} bytes and {static.MAX_LINES} lines, in plain ASCII.",
        f"On trial motions every term and every angle must be finite and every term under {behaviour.GIANT:g}, the whole must not be the "
        "same on all of them, lying still must not earn more than standing still, nor an object dropped more than one held.",
    ]
    return "\n".join(lines)


def _signature(name: str) -> str:
    parameters = inspect.signature(SHAPING[name]).parameters.values()
    shown = [p.name if p.default is p.empty else f"{p.name}={p.default:g}" for p in parameters]
    return f"{name}({', '.join(shown)})"


def _first_line(name: str) -> str:
    return (inspect.getdoc(SHAPING[name]) or "").splitlines()[0]
