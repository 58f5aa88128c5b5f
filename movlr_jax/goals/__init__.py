"""What a goal sentence asks for, and which measure tells whether it was done.

In: a sentence. Out: a `Goal`: what it asks for, what it forbids ("without raising the knee"), what has to be held ("and stay there"), and
the words that nothing here measures. Tasks measure by it and end episodes by it, critics judge by it, writers leave out what it speaks
against; all read the same numbers, those of this package.
"""

from movlr_jax.goals.goal import (
    FEET,
    HELD,
    HOLD_CONTACT,
    HOLD_DRIFT,
    HOLD_SPEED,
    LAST,
    MOVING,
    PLACE,
    REACHED,
    SINKING,
    UNMEASURED_SCORE,
    Goal,
    Part,
    Record,
)
from movlr_jax.goals.reading import read
from movlr_jax.goals.targets import STANDING, TARGETS, WALKING, Target

__all__ = [
    "FEET",
    "HELD",
    "HOLD_CONTACT",
    "HOLD_DRIFT",
    "HOLD_SPEED",
    "LAST",
    "MOVING",
    "PLACE",
    "REACHED",
    "SINKING",
    "STANDING",
    "TARGETS",
    "UNMEASURED_SCORE",
    "WALKING",
    "Goal",
    "Part",
    "Record",
    "Target",
    "read",
]
