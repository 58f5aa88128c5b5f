"""From a fault to a declared constant of the reward, and the way in which it is moved against the fault.

In: the kind of a fault, the parameters of the reward that was run. Out: for each that has a say in the fault, its new value, a quarter of
its range further within it. Parameters are known by what their names say that they are for: those of the term library, and those that a
writer names likewise. Nothing of the program changes but a number, so that nothing is compiled.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from movlr_jax.facts import Constant
from movlr_jax.rewards.parameters import Parameter

STEP = 0.25  # of a parameter's range

# What a parameter is for -> how its name says so; the first that fits counts.
ROLES: dict[str, re.Pattern[str]] = {
    role: re.compile(words)
    for role, words in (
        ("width", r"width|apart|wide"),
        ("margin", r"margin"),
        ("clearance", r"clear|lift|(?:toe|foot|step)_height"),
        ("stance", r"stance|duty"),
        ("reach", r"reach|(?:step|stride)_length"),
        ("period", r"period|cycle|(?:step|stride)_time"),
        ("flexion", r"knee|flexion"),
        ("speed", r"speed|pace"),
    )
}
# Fault -> the parameters that may mend it, the most direct first: what for, and whether it takes more (1) or less (-1) of it.
MOVES: dict[str, tuple[tuple[str, int], ...]] = {
    "quick_steps": (("period", 1), ("reach", 1)),
    "chatter": (("clearance", 1), ("period", 1)),
    "limp": (("period", 1),),
    "short_stance": (("stance", 1), ("period", 1)),
    "flight": (("stance", 1),),
    "low_clearance": (("clearance", 1),),
    "toe_drag": (("clearance", 1),),
    "shuffle": (("reach", 1), ("period", 1)),
    "no_steps": (("clearance", 1), ("reach", 1)),
    "stiff_knee": (("flexion", 1), ("clearance", 1)),
    "bent_knees": (("flexion", -1),),
    "too_slow": (("speed", 1), ("reach", 1), ("margin", 1)),
    "not_moving": (("margin", 1), ("reach", 1)),
    "too_fast": (("speed", -1), ("margin", -1), ("reach", -1)),
    "fall_forward": (("margin", -1),),
    "com_ahead": (("margin", -1),),
    "fall_backward": (("margin", 1),),
    "com_behind": (("margin", 1),),
    "fall_left": (("width", 1),),
    "fall_right": (("width", 1),),
    "com_aside": (("width", 1),),
    "crossed_feet": (("width", 1),),
    "narrow_stance": (("width", 1),),
    "wide_stance": (("width", -1),),
    "jerk": (("period", 1),),
}
_WORDS: dict[tuple[str, int], str] = {
    ("width", 1): "land the feet farther apart",
    ("width", -1): "land the feet closer together",
    ("margin", 1): "land the foot farther behind the body's way, so that it goes on faster",
    ("margin", -1): "land the foot farther ahead, so that it stops the body",
    ("clearance", 1): "lift the swinging foot higher",
    ("stance", 1): "let a foot stand longer",
    ("reach", 1): "step farther",
    ("reach", -1): "step less far",
    ("period", 1): "take more time for a stride",
    ("flexion", 1): "bend the knee more",
    ("flexion", -1): "bend the knee less",
    ("speed", 1): "ask for more speed",
    ("speed", -1): "ask for less speed",
}


@dataclass(frozen=True)
class Move:
    """A parameter and the value to give it, with what that is to do, in words."""

    name: str
    before: float
    value: float
    words: str


def role(name: str) -> str:
    """Return what a parameter is for, as its name says; "" where it says nothing known."""
    return next((role for role, words in ROLES.items() if words.search(name.lower())), "")


def moves(kind: str, parameters: Mapping[str, Constant]) -> Iterator[Move]:
    """Return the moves of parameters against a kind of fault, the most direct first; none of one that is at its range's end, or of which
    no range is known."""
    for wanted, sign in MOVES.get(kind, ()):
        for name, constant in parameters.items():
            if role(name) != wanted or constant.lowest is None or constant.highest is None:
                continue
            value = Parameter(constant.value, constant.lowest, constant.highest).stepped(sign * STEP)
            if value != constant.value:
                yield Move(name, constant.value, value, _WORDS[wanted, sign])
