"""Named: what the parts of a Motion have in common. They are asked by name, and one that they lack is told with what there is.

Flows in: the classes of `motion` and `places`, as they are defined. Flows out: the names that a program may write (`public_names`), what
each is (`kinds`), and the sentences of what it may not. Take these from `motion`, which has all classes.
"""

from __future__ import annotations

import functools
from collections.abc import Collection
from typing import Any, ClassVar

from movlr_jax.errors import did_you_mean


class MotionError(ValueError):
    """A program asked for something this body does not have; the sentence lists what it has."""


def unknown(kind: str, name: str, known: list[str], morphology: str) -> MotionError:
    """Return the refusal of a name of some kind (a landmark, a joint) that a body lacks; the sentence lists those it has."""
    shown = ", ".join(known[:40]) + (", ..." if len(known) > 40 else "")
    return MotionError(f"{morphology} has no {kind} '{name}': {did_you_mean(name, known)}it has {shown}.")


class Named:
    """What a program asks for quantities by name; one that it lacks, or an index, is told with what there is."""

    _written = "m"  # how a program writes it
    _kinds: ClassVar[dict[str, type[Named]]] = {}

    def __init_subclass__(cls) -> None:
        Named._kinds[cls.__name__] = cls

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise MotionError(f"{self._written} has no attribute '{name}': {_there_is(type(self).__name__, name)}.")

    def __getitem__(self, index: Any) -> Any:
        raise MotionError(f"{self._written} is not indexed: {index_cure(type(self).__name__, index)}.")


def _there_is(kind: str, name: str) -> str:
    """Return what a class offers, as the end of a sentence about a name that it lacks."""
    known = sorted(public_names()[kind])
    return f"{did_you_mean(name, known)}it has {', '.join(known)}"


def undeclared_cure(name: str, declared: Collection[str]) -> str:
    """Return what to write where a program reads a parameter that it does not declare."""
    close = did_you_mean(name, sorted(declared))
    there = f"PARAMETERS has {', '.join(declared)}" if declared else "there is no PARAMETERS"
    return f'{close}{there}; declare it, as in PARAMETERS = {{"{name[:40]}": (1.0, 0.8, 1.3)}}'


def index_cure(kind: str, index: object) -> str:
    """Return what to write where a program indexes something that has names: m.joints["hip"], m.head[2].

    Args:
        kind: name of its class.
        index: what stands in the brackets; None: nothing that can be told.
    """
    word = index if isinstance(index, str) and len(index) <= 64 else None
    number = str(index) if isinstance(index, int) and not isinstance(index, bool) else "0"
    if kind == "Joints":
        return f'write m.joint("{word}").angle' if word else f"write m.joints.angle[{number}]"
    if kind == "Muscles":
        return f'write m.muscle_group("{word}").activation' if word else f"write m.muscles.activation[{number}]"
    if kind in ("Landmark", "Foot", "CenterOfMass") and not word:
        return f"write .position[{number}]"
    if kind == "Parameters":
        return f"write m.parameters.{word or 'name'}"
    if kind == "Joint":
        return "write .angle"
    return f"write .{word}" if word and word in public_names()[kind] else f"name one of {', '.join(sorted(public_names()[kind]))}"


def public_names() -> dict[str, frozenset[str]]:
    """Return class name -> public attributes: every attribute that a reward program may name, for the static check."""
    return {kind: frozenset(n for n in dir(c) if not n.startswith("_")) for kind, c in Named._kinds.items()}


@functools.cache
def kinds() -> dict[str, dict[str, str]]:
    """Return class name -> attribute -> what it is: a class name, "Array" (known when the body moves) or "float" (a constant)."""
    out: dict[str, dict[str, str]] = {}
    for kind, c in Named._kinds.items():
        members = {n: vars(part)[n] for part in c.__mro__[::-1] if issubclass(part, Named) for n in vars(part) if not n.startswith("_")}
        functions = {n: member.fget if isinstance(member, property) else member for n, member in members.items()}
        out[kind] = {n: str(f.__annotations__["return"]) for n, f in functions.items()}
    return out
