"""What may be asked of episodes, wherever it is asked, by flags or by values of a file: one sentence each for what cannot be."""

from __future__ import annotations

import math
from collections.abc import Sequence

Rule = tuple[bool, str]
LONGEST_S = 86_400.0
_LARGEST = 2**63 - 1  # of the generators of random numbers
_MOST_THREADS = 4096


def seeds(values: Sequence[int], name: str = "seeds", least: int = 1) -> tuple[Rule, ...]:
    """Return the rules of a list of seeds: at least so many, each once, none below 0."""
    given = " ".join(map(str, values))
    return (
        (len(values) >= least, f"{name} is empty: give at least one number."),
        (len(set(values)) == len(values), f"{name} has repeats ({given}): give each seed once."),
        (all(s >= 0 for s in values), f"{name} has a negative number ({given}): give 0 or more."),
        (all(s <= _LARGEST for s in values), f"{name} has a number that is too large ({given}): give at most {_LARGEST}."),
    )


def seconds(value: float, name: str = "seconds") -> Rule:
    """Return the rule of an episode's length (s)."""
    return 0 <= value <= LONGEST_S, f"{name} is {value:g}: give 0 (the task's own) or at most {LONGEST_S:g}, a day."


def goal_speed(value: float, name: str = "goal_speed") -> Rule:
    """Return the rule of a speed to aim for (m/s); a negative one is the task's own."""
    return math.isfinite(value), f"{name} is {value:g}: give one in m/s, or -1 for the task's own."


def threads(value: int, name: str = "threads") -> Rule:
    """Return the rule of a number of threads."""
    return 0 <= value <= _MOST_THREADS, f"{name} is {value}: give 0 (one a core), or at most {_MOST_THREADS}."


def flags(values: Sequence[int], length: float, speed: float, cores: int) -> tuple[Rule, ...]:
    """Return the rules of the four flags that verbs with episodes share: seeds, seconds, goal speed and threads."""
    return (*seeds(values, "--seeds"), seconds(length, "--seconds"), goal_speed(speed, "--goal-speed"), threads(cores, "--threads"))
